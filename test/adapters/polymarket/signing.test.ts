import {
  Chain,
  OrderBuilder,
  Side as SdkSide,
  SignatureTypeV2,
  type TickSize,
} from "@polymarket/clob-client-v2";
import { Wallet } from "ethers";
import { describe, expect, test } from "vitest";
import { keyHeaders } from "../../../src/adapters/polymarket/auth.ts";
import { exchangesOf } from "../../../src/adapters/polymarket/contracts.ts";
import { createEthersScheme } from "../../../src/adapters/polymarket/ethers-scheme.ts";
import { openOrderScheme } from "../../../src/adapters/polymarket/open-scheme.ts";
import { orderAmounts } from "../../../src/adapters/polymarket/order-amounts.ts";
import type {
  OrderDomain,
  OrderScheme,
  SignatureType,
  SignedOrder,
} from "../../../src/adapters/polymarket/signed-order.ts";
import { OrderSigner } from "../../../src/adapters/polymarket/signing.ts";
import { tickSizes } from "../../../src/engine/domain/market.ts";
import { formatPrice, type Price, price, shares, usd } from "../../../src/engine/domain/numbers.ts";
import type { OrderDraft, TimeInForce } from "../../../src/engine/domain/order.ts";

// Hardhat's published account 0: it guards nothing.
const publicKey0 = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const wallet = "0x9d6Bd5D2A1F2b3dE1F5b3A52A92DfF5E0dC5e6f1".toLowerCase();
const zero32 = `0x${"00".repeat(32)}`;
const { standard, negRisk, positions } = exchangesOf(137);
const domains: Record<string, OrderDomain> = {
  standard: { version: "2", exchange: standard },
  negRisk: { version: "2", exchange: negRisk },
  positions: { version: "3", exchange: positions },
};

const { scheme: native, fallback } = await openOrderScheme(137);
const ethers = createEthersScheme(137);

const signersOf = (scheme: OrderScheme) =>
  ([0, 1, 2, 3] as const).map(
    (signatureType) =>
      new OrderSigner({
        chainId: 137,
        privateKey: publicKey0,
        signatureType,
        funder: wallet,
        scheme,
      }),
  );
const signers = signersOf(native);

function signerOf(signatureType: SignatureType): OrderSigner {
  return signers[signatureType] as OrderSigner;
}

test("the fast scheme loads here, so the tests below are about it", () => {
  expect(fallback).toBeNull();
  expect(native.name).toBe("native");
});

describe.each([native, ethers])("golden vectors, $name", (scheme) => {
  const [signer, , , type3] = signersOf(scheme) as [OrderSigner, unknown, unknown, OrderSigner];
  const order: SignedOrder = {
    salt: 479249096354,
    maker: signer.signer,
    signer: signer.signer,
    tokenId: "1234",
    makerAmount: "100000000",
    takerAmount: "50000000",
    side: 0,
    signatureType: 0,
    timestamp: "1780449126930",
    metadata: zero32,
    builder: zero32,
  };

  test.each([
    ["standard", "0x3264e159346253e26a64e00b69032db0e7d32f94628de3e6eecb50304d7af3d2"],
    ["negRisk", "0x9b858f53327b0bd13af8ec14cfb35234fb9eb7b0504d1a4e61f433840d30e81a"],
    ["positions", "0x466c63910185bbd55e8679264200c4e0abdcbb0c6264eb3d41d13326022e095b"],
  ])("domain separator of %s", (name, separator) => {
    expect(signer.domainSeparator(domains[name] as OrderDomain)).toBe(separator);
  });

  test.each([
    [
      "standard",
      "0xf69f17dcabb49e64a79a669ea5336cd3ce518c083c821664f295c62e39baedec",
      "0x745070770d383e6f4e6431858070edacbea294ed0e2b16f147127edafc51b59a6e788aaeda02cce5989ee10cc983a4045313e1ec7075c5a5b84f6212b097d36a1b",
    ],
    [
      "negRisk",
      "0x5bb895c919311d1a74e9a82901dd0af866a3cac5dcab70e48a302e2020042cf0",
      "0x0cf7ad04271cdfe92e93422d1ea1154b0c297b101f08c030f4b7555d7e63419e5372c7b3ba494ebf1a54e9df77b1137b1f3ee76017e4c5bb0cdc8073885e194a1c",
    ],
    [
      "positions",
      "0x2422ccfdb24d2fc0908485dd2267fc0112d2a283b64542c3a98f0844fc001563",
      "0x1406e9ec3bcaf3101971b2b612b5680c222e61df601ccc9a9f1f37144f10f49f408bbed7b390357803b2d1b6562a604335b790582211e76401ddbe6ae2ebc0dd1c",
    ],
  ])("hash and signature under %s", (name, hash, signature) => {
    const domain = domains[name] as OrderDomain;
    expect(signer.hashOrder(order, domain)).toBe(hash);
    expect(signer.signOrder(order, domain)).toBe(signature);
  });

  test("the wallet proof of L1", () => {
    expect(signer.signer).toBe("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
    expect(signer.signAuth("1700000000", 0)).toBe(
      "0x659ed4b28ae28e0f038fdf0023c00863c9559caacb9ebc83f44eea87059a099a36f1e1dee110e7faa1c4f65d17489b2da1333ebef78bbe2116d81207b975052d1c",
    );
  });

  test("a deposit wallet's signature has 317 bytes and ends with the type string and its length", () => {
    const wrapped = type3.signOrder(
      { ...order, maker: type3.funder, signer: type3.funder, signatureType: 3 },
      domains["standard"] as OrderDomain,
    );
    expect((wrapped.length - 2) / 2).toBe(317);
    expect(wrapped.endsWith("00ba")).toBe(true);
  });
});

describe("the market decides domain and exchange", () => {
  test.each([
    ["v1", false, domains["standard"]],
    ["v1", true, domains["negRisk"]],
    ["v2", false, domains["positions"]],
    ["v2", true, domains["positions"]],
  ] as const)("%s, neg-risk %s", (version, isNegRisk, domain) => {
    expect(signerOf(0).domainOf({ version, negRisk: isNegRisk })).toEqual(domain);
  });
});

/** mulberry32: a small seeded generator, so that a failure can be repeated. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const times: readonly TimeInForce[] = ["gtc", "gtd", "fak", "fok"];

/**
 * Orders of up to 50,000 shares. Far beyond that the official client's floats lose a micro-unit and ours do not; two
 * such cases are pinned under "amounts".
 */
const mostShares = 50_000;

function randomDraft(draw: (below: number) => number): OrderDraft {
  const tickSize = tickSizes[draw(tickSizes.length)] as Price;
  const side = draw(2) === 0 ? "buy" : "sell";
  const timeInForce = times[draw(4)] as TimeInForce;
  const isMarketBuy = side === "buy" && (timeInForce === "fak" || timeInForce === "fok");
  const limit = price(tickSize * (1 + draw(10_000 / tickSize - 1)));
  let tokenId = String(1 + draw(9));
  while (tokenId.length < 70) tokenId += String(draw(10));
  return {
    conditionId: `0x${"0".repeat(64)}`,
    tokenId,
    outcome: 0,
    side,
    timeInForce,
    limit,
    spend: isMarketBuy ? usd((100 + draw((mostShares * limit) / 100)) * 10_000) : null,
    size: shares((500 + draw(mostShares * 100)) * 10_000),
    tickSize,
    negRisk: draw(2) === 0,
    version: draw(2) === 0 ? "v1" : "v2",
    expirationS: timeInForce === "gtd" ? 1_900_000_000 + draw(1_000_000) : null,
    postOnly: false,
  };
}

type HashBuilder = {
  buildOrderTypedData(order: unknown): unknown;
  buildOrderHash(typedData: unknown): string;
};
type HashBuilderClass = new (
  exchange: string,
  chainId: number,
  signer: unknown,
  salt: unknown,
  version: string,
) => HashBuilder;

/** The official client's own hash function, which its entry file does not export. */
async function sdkHashBuilder(): Promise<HashBuilderClass> {
  const file = new URL(
    "../../../node_modules/@polymarket/clob-client-v2/dist/order-utils/exchangeOrderBuilderV2.js",
    import.meta.url,
  );
  const module = (await import(file.href)) as { ExchangeOrderBuilderV2: HashBuilderClass };
  return module.ExchangeOrderBuilderV2;
}

const halfOfOrder = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

describe("parity with the official client", () => {
  const orders = 10_000;
  const ethersWallet = new Wallet(publicKey0);
  const sdkSigner = {
    getAddress: () => Promise.resolve(ethersWallet.address),
    _signTypedData: (
      domain: Parameters<Wallet["signTypedData"]>[0],
      types: Parameters<Wallet["signTypedData"]>[1],
      value: Parameters<Wallet["signTypedData"]>[2],
    ) => ethersWallet.signTypedData(domain, types, value),
  };

  test(`${orders} random orders have the same amounts, hash and signature`, {
    timeout: 600_000,
  }, async () => {
    const seed = Number(process.env["PARITY_SEED"] ?? "20261121");
    const draw = seeded(seed);
    const Hashes = await sdkHashBuilder();
    const seen = new Set<string>();
    for (let i = 0; i < orders; i++) {
      const draft = randomDraft(draw);
      const signatureType = draw(4) as SignatureType;
      const ours = signerOf(signatureType);
      const sdkType = sdkTypes[signatureType] as SignatureTypeV2;
      const builder = new OrderBuilder(sdkSigner, Chain.POLYGON, sdkType, ours.funder);
      const theirs = (await sdkOrder(builder, draft)) as Record<string, string>;
      const prepared = ours.prepare(
        draft,
        { salt: Number(theirs["salt"]), timestampMs: Number(theirs["timestamp"]) },
        "key",
      );
      const body = JSON.parse(prepared.body) as { order: Record<string, unknown> };
      const where = `seed ${seed}, order ${i}: ${JSON.stringify(draft)}`;
      for (const name of ["maker", "signer", "tokenId", "makerAmount", "takerAmount", "side"]) {
        expect(body.order[name], `${name}, ${where}`).toBe(theirs[name]);
      }
      const signature = String(body.order["signature"]);
      expect(signature, where).toBe(theirs["signature"]);
      // A signature with the larger s, or with v as 0 or 1, is another text for the same order.
      expect(BigInt(`0x${signature.slice(66, 130)}`) <= halfOfOrder, where).toBe(true);
      expect(["1b", "1c"], where).toContain(signature.slice(130, 132));
      const domain = ours.domainOf(draft);
      const hashes = new Hashes(domain.exchange, 137, sdkSigner, undefined, domain.version);
      expect(prepared.orderHash, where).toBe(
        hashes.buildOrderHash(hashes.buildOrderTypedData(theirs)),
      );
      seen.add(`${domain.exchange} ${draft.tickSize} ${signatureType} ${draft.side}`);
    }
    // 3 exchanges, 6 ticks, 4 signature types, 2 sides: every combination was met.
    expect(seen.size).toBe(3 * 6 * 4 * 2);
  });
});

const sdkTypes = [
  SignatureTypeV2.EOA,
  SignatureTypeV2.POLY_PROXY,
  SignatureTypeV2.POLY_GNOSIS_SAFE,
  SignatureTypeV2.POLY_1271,
];

function sdkOrder(builder: OrderBuilder, draft: OrderDraft): Promise<unknown> {
  const options = {
    tickSize: formatPrice(draft.tickSize) as TickSize,
    negRisk: draft.negRisk,
  };
  const version = draft.version === "v1" ? 2 : 3;
  const limit = draft.limit / 10_000;
  const side = draft.side === "buy" ? SdkSide.BUY : SdkSide.SELL;
  if (draft.timeInForce === "gtc" || draft.timeInForce === "gtd") {
    const order = { tokenID: draft.tokenId, price: limit, size: draft.size / 1_000_000, side };
    return builder.buildOrder(order, options, version);
  }
  const amount = (draft.spend ?? draft.size) / 1_000_000;
  return builder.buildMarketOrder(
    { tokenID: draft.tokenId, price: limit, amount, side },
    options,
    version,
  );
}

describe("amounts", () => {
  const draft = randomDraft(seeded(1));

  test("a marketable buy spends whole cents and never asks for more shares than the limit gives", () => {
    const amounts = orderAmounts({
      ...draft,
      side: "buy",
      timeInForce: "fak",
      limit: price(5_200),
      tickSize: price(100),
      spend: usd(10_009_999),
    });
    expect(amounts).toEqual({ maker: 10_000_000, taker: 19_230_700 });
  });

  test("amounts are exact where the official client's floats are not", () => {
    const sale = { ...draft, side: "sell", timeInForce: "gtc", tickSize: price(1) } as const;
    // The official client signs 492443.021823 for this product.
    expect(orderAmounts({ ...sale, limit: price(7_232), size: shares(680_922_320_000) })).toEqual({
      maker: 680_922_320_000,
      taker: 492_443_021_824,
    });
    const buy = { ...draft, side: "buy", timeInForce: "fak", tickSize: price(50) } as const;
    // And 7171997.99999 shares for this quotient.
    expect(orderAmounts({ ...buy, limit: price(100), spend: usd(71_719_980_000) })).toEqual({
      maker: 71_719_980_000,
      taker: 7_171_998_000_000,
    });
  });

  test("the body has the members of the official client in its order, and the salt as a number", () => {
    const prepared = signerOf(0).prepare(
      { ...draft, timeInForce: "gtd", side: "sell", expirationS: 1_900_000_000, postOnly: true },
      { salt: 7, timestampMs: 1_780_000_000_000 },
      "the-key",
    );
    const body = JSON.parse(prepared.body) as Record<string, unknown>;
    expect(Object.keys(body)).toEqual(["deferExec", "postOnly", "order", "owner", "orderType"]);
    expect(Object.keys(body["order"] as object).join(" ")).toBe(
      "salt maker signer tokenId makerAmount takerAmount side signatureType timestamp expiration metadata builder signature",
    );
    expect(body).toMatchObject({ postOnly: true, owner: "the-key", orderType: "GTD" });
    expect(body["order"]).toMatchObject({ salt: 7, side: "SELL", expiration: "1900000000" });
  });

  test("a salt beyond 2^53 would be rounded by the venue and is refused", () => {
    expect(() => signerOf(0).prepare(draft, { salt: 2 ** 53, timestampMs: 1 }, "k")).toThrow(
      /salt/,
    );
  });
});

describe("L2 headers", () => {
  test("the HMAC covers time, method, path and body, and keeps its padding", () => {
    const credentials = {
      apiKey: "000000000-0000-0000-0000-000000000000",
      secret: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
      passphrase: "p",
    };
    // Vector of the official clients' tests (py-clob-client tests/signing/test_hmac.py).
    const headers = keyHeaders("0xabc", credentials, "1000000", {
      method: "test-sign" as "GET",
      path: "/orders",
      body: '{"hash": "0x123"}',
    });
    expect(headers["POLY_SIGNATURE"]).toBe("ZwAdJKvoYRlEKDkNMwd5BuwNNtg93kNaR_oU2HrfVvc=");
  });
});
