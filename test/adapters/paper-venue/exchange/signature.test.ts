import { describe, expect, test } from "vitest";
import type { SignedFields } from "../../../../src/adapters/paper-venue/exchange/order-signature.ts";
import {
  domainSeparator,
  exchanges,
  orderHash,
  signatureValid,
} from "../../../../src/adapters/paper-venue/exchange/order-signature.ts";
import { hex } from "./venue-support.ts";

const owner = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

/** Published vector: Hardhat key 0, salt 479249096354, BUY 50 shares for 100 dollars of token 1234. */
const order: SignedFields = {
  salt: 479249096354n,
  maker: owner,
  signer: owner,
  tokenId: 1234n,
  makerAmount: 100_000_000n,
  takerAmount: 50_000_000n,
  side: 0,
  signatureType: 0,
  timestamp: 1780449126930n,
  metadata: hex("00"),
  builder: hex("00"),
};

const vectors = [
  {
    domain: { version: "2", exchange: exchanges.standard },
    separator: "0x3264e159346253e26a64e00b69032db0e7d32f94628de3e6eecb50304d7af3d2",
    hash: "0xf69f17dcabb49e64a79a669ea5336cd3ce518c083c821664f295c62e39baedec",
    signature:
      "0x745070770d383e6f4e6431858070edacbea294ed0e2b16f147127edafc51b59a6e788aaeda02cce5989ee10cc983a4045313e1ec7075c5a5b84f6212b097d36a1b",
  },
  {
    domain: { version: "2", exchange: exchanges.negRisk },
    separator: "0x9b858f53327b0bd13af8ec14cfb35234fb9eb7b0504d1a4e61f433840d30e81a",
    hash: "0x5bb895c919311d1a74e9a82901dd0af866a3cac5dcab70e48a302e2020042cf0",
    signature:
      "0x0cf7ad04271cdfe92e93422d1ea1154b0c297b101f08c030f4b7555d7e63419e5372c7b3ba494ebf1a54e9df77b1137b1f3ee76017e4c5bb0cdc8073885e194a1c",
  },
  {
    domain: { version: "3", exchange: exchanges.positions },
    separator: "0x466c63910185bbd55e8679264200c4e0abdcbb0c6264eb3d41d13326022e095b",
    hash: "0x2422ccfdb24d2fc0908485dd2267fc0112d2a283b64542c3a98f0844fc001563",
    signature:
      "0x1406e9ec3bcaf3101971b2b612b5680c222e61df601ccc9a9f1f37144f10f49f408bbed7b390357803b2d1b6562a604335b790582211e76401ddbe6ae2ebc0dd1c",
  },
] as const;

describe("order hashes and signatures", () => {
  test.each(vectors)("golden vector $domain.version $domain.exchange", (vector) => {
    const { domain } = vector;
    expect(domainSeparator(domain.version, domain.exchange)).toBe(vector.separator);
    expect(orderHash(order, domain.version, domain.exchange)).toBe(vector.hash);
    expect(signatureValid(order, domain, vector.signature, owner)).toBe(true);
  });

  test("a signature fits one domain, one order and one signer only", () => {
    const [standard, negRisk] = vectors;
    expect(signatureValid(order, negRisk.domain, standard.signature, owner)).toBe(false);
    const more = { ...order, takerAmount: order.takerAmount + 1n };
    expect(signatureValid(more, standard.domain, standard.signature, owner)).toBe(false);
    const other = `0x${"12".repeat(20)}`;
    expect(signatureValid(order, standard.domain, standard.signature, other)).toBe(false);
    expect(signatureValid(order, standard.domain, "0x1234", owner)).toBe(false);
    const wrapped = { ...order, signatureType: 3 };
    expect(signatureValid(wrapped, standard.domain, standard.signature, owner)).toBe(false);
  });
});
