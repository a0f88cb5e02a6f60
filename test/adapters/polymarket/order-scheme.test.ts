import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exchangesOf } from "../../../src/adapters/polymarket/contracts.ts";
import { createEthersScheme } from "../../../src/adapters/polymarket/ethers-scheme.ts";
import type { NativeCrypto } from "../../../src/adapters/polymarket/native-scheme.ts";
import { loadNativeCrypto, openOrderScheme } from "../../../src/adapters/polymarket/open-scheme.ts";
import type { SignatureType, SignedOrder } from "../../../src/adapters/polymarket/signed-order.ts";
import { OrderSigner } from "../../../src/adapters/polymarket/signing.ts";

const { standard, negRisk, positions } = exchangesOf(137);
const hex = (bytes: number) =>
  fc
    .uint8Array({ minLength: bytes, maxLength: bytes })
    .map((value) => `0x${Buffer.from(value).toString("hex")}`);
const decimal = fc.oneof(
  fc.bigInt(0n, 2n ** 256n - 1n),
  fc.bigInt(0n, 2n ** 53n + 2n),
  fc.constantFrom(2n ** 53n - 1n, 2n ** 53n, 2n ** 32n, 2n ** 32n - 1n, 0n),
);
const orders: fc.Arbitrary<SignedOrder> = fc.record({
  salt: fc.maxSafeNat(),
  maker: hex(20),
  signer: hex(20),
  tokenId: decimal.map(String),
  makerAmount: decimal.map(String),
  takerAmount: decimal.map(String),
  side: fc.constantFrom(0, 1),
  signatureType: fc.constantFrom<SignatureType>(0, 1, 2, 3),
  timestamp: decimal.map(String),
  metadata: hex(32),
  builder: hex(32),
});
const domains = fc.constantFrom(
  { version: "2", exchange: standard } as const,
  { version: "2", exchange: negRisk } as const,
  { version: "3", exchange: positions } as const,
);

describe("the fast scheme", () => {
  test("gives what ethers gives for any order, domain and key, in any sequence", {
    timeout: 60_000,
  }, async () => {
    const { scheme } = await openOrderScheme(137);
    const ethers = createEthersScheme(137);
    expect(scheme.name).toBe("native");
    const keys = fc
      .uint8Array({ minLength: 32, maxLength: 32 })
      // The curve's order begins with 0xffffffff: a first byte below it, and not all zero, is a key.
      .map((bytes) => bytes.with(0, (bytes[0] ?? 0) % 255).with(31, 1));
    fc.assert(
      fc.property(orders, domains, keys, (order, domain, key) => {
        expect(scheme.seal(order, domain, key)).toEqual(ethers.seal(order, domain, key));
        expect(scheme.hash(order, domain)).toBe(ethers.hash(order, domain));
      }),
      { numRuns: 2_000 },
    );
  });

  test("refuses what does not fit its words instead of hashing something else", async () => {
    const { scheme } = await openOrderScheme(137);
    const [order] = fc.sample(orders, 1) as [SignedOrder];
    const domain = { version: "2", exchange: standard } as const;
    for (const bad of [
      { salt: 2 ** 53 },
      { salt: -1 },
      { salt: 0.5 },
      { maker: "0x12" },
      { maker: `0x${"zz".repeat(20)}` },
      { tokenId: String(2n ** 256n) },
      { tokenId: "1x" },
      { tokenId: "-1" },
      { metadata: "" },
    ]) {
      expect(() => scheme.hash({ ...order, ...bad }, domain), JSON.stringify(bad)).toThrow();
    }
  });
});

describe("what differs from ethers, or cannot be loaded, does not sign", () => {
  const flipped = (bytes: Uint8Array) => bytes.with(0, (bytes[0] ?? 0) ^ 1);
  const broken: readonly (readonly [string, (real: NativeCrypto) => NativeCrypto, RegExp])[] = [
    [
      "another hash",
      (real) => ({ ...real, keccak256: (bytes) => flipped(real.keccak256(bytes)) }),
      /hash, exchange/,
    ],
    [
      "another signature",
      (real) => ({
        ...real,
        sign: (digest, key) => {
          const { signature, recid } = real.sign(digest, key);
          return { signature: flipped(signature), recid };
        },
      }),
      /signature, exchange/,
    ],
    [
      "the other recovery bit",
      (real) => ({
        ...real,
        sign: (digest, key) => {
          const { signature, recid } = real.sign(digest, key);
          return { signature, recid: 1 - recid };
        },
      }),
      /signature, exchange/,
    ],
    [
      "a failure while signing",
      (real) => ({
        ...real,
        sign: () => {
          throw new TypeError("no context");
        },
      }),
      /cannot be loaded: no context/,
    ],
  ];

  test.each(broken)("%s: ethers signs, and the reason is told", async (_name, breakIt, reason) => {
    const real = await loadNativeCrypto();
    const opened = await openOrderScheme(137, () => Promise.resolve(breakIt(real)));
    expect(opened.scheme.name).toBe("ethers");
    expect(opened.fallback).toMatch(reason);
  });

  test("a package that is missing: ethers signs, and the reason is one line", async () => {
    const missing = () => Promise.reject(new TypeError("No native build was found\nfor runtime"));
    const opened = await openOrderScheme(137, missing);
    expect(opened.scheme.name).toBe("ethers");
    expect(opened.fallback).toBe("native signing cannot be loaded: No native build was found");
  });
});

test("a closed signer signs nothing, and its key is overwritten", async () => {
  const { scheme } = await openOrderScheme(137);
  const keysSeen: Uint8Array[] = [];
  const signer = new OrderSigner({
    chainId: 137,
    privateKey: "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    signatureType: 0,
    funder: "",
    scheme: {
      name: "native",
      domainSeparator: (domain) => scheme.domainSeparator(domain),
      hash: (order, domain) => scheme.hash(order, domain),
      seal: (order, domain, key) => {
        keysSeen.push(key);
        return scheme.seal(order, domain, key);
      },
    },
  });
  const [order] = fc.sample(orders, 1) as [SignedOrder];
  const domain = { version: "2", exchange: standard } as const;
  signer.signOrder(order, domain);
  expect(Buffer.from(keysSeen[0] ?? []).toString("hex")).toMatch(/^ac0974be/);
  signer.close();
  expect(Buffer.from(keysSeen[0] ?? []).toString("hex")).toBe("00".repeat(32));
  expect(() => signer.signAuth("1700000000", 0)).toThrow(/closed/);
  expect(() => signer.signOrder(order, domain)).toThrow(/closed/);
});
