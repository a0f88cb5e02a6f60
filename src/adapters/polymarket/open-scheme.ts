import { randomBytes } from "node:crypto";
import { assert } from "../../engine/lib/assert.ts";
import { type ChainId, exchangesOf } from "./contracts.ts";
import { createEthersScheme } from "./ethers-scheme.ts";
import { type NativeCrypto, NativeScheme } from "./native-scheme.ts";
import type { OrderDomain, OrderScheme, SignatureType, SignedOrder } from "./signed-order.ts";

/** The scheme to sign with; `fallback` says why it is the slow one, null when it is the fast one. */
export type OpenedScheme = { readonly scheme: OrderScheme; readonly fallback: string | null };

/** Loads keccak in WebAssembly and libsecp256k1. Rejects where either cannot be loaded: no JavaScript stands in. */
export async function loadNativeCrypto(): Promise<NativeCrypto> {
  const { createKeccak } = await import("hash-wasm");
  // The package's entry would quietly take the "elliptic" package instead; this half of it throws.
  const { default: secp256k1 } = await import("secp256k1/bindings.js");
  const keccak = await createKeccak(256);
  secp256k1.contextRandomize(randomBytes(32));
  return {
    keccak256: (bytes) => keccak.init().update(bytes).digest("binary"),
    sign: (digest, key) => secp256k1.ecdsaSign(digest, key),
  };
}

/**
 * The native scheme once it has given the same texts as ethers for every domain and signature type; ethers with the
 * reason when it has not, or cannot be loaded. Never rejects for that.
 * @throws AssertionError when ethers itself does not give the known hash: then nothing may be signed
 */
export async function openOrderScheme(
  chainId: ChainId,
  load: () => Promise<NativeCrypto> = loadNativeCrypto,
): Promise<OpenedScheme> {
  const ethers = createEthersScheme(chainId);
  proveKnown();
  try {
    const scheme = new NativeScheme(chainId, await load());
    const difference = firstDifference(chainId, scheme, ethers);
    if (difference === null) return { scheme, fallback: null };
    return { scheme: ethers, fallback: `native signing differs from ethers: ${difference}` };
  } catch (error) {
    const detail = error instanceof Error ? error.message.split("\n")[0] : "unknown failure";
    return { scheme: ethers, fallback: `native signing cannot be loaded: ${detail}` };
  }
}

/** Hardhat's published account 0: it guards nothing. */
const vectorKey = Buffer.from(
  "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
  "hex",
);
const vectorSigner = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const zero32 = `0x${"00".repeat(32)}`;

/** The order of polymarket-trading 2.1. */
const knownOrder: SignedOrder = {
  salt: 479249096354,
  maker: vectorSigner,
  signer: vectorSigner,
  tokenId: "1234",
  makerAmount: "100000000",
  takerAmount: "50000000",
  side: 0,
  signatureType: 0,
  timestamp: "1780449126930",
  metadata: zero32,
  builder: zero32,
};
const knownSeal = {
  orderHash: "0xf69f17dcabb49e64a79a669ea5336cd3ce518c083c821664f295c62e39baedec",
  signature:
    "0x745070770d383e6f4e6431858070edacbea294ed0e2b16f147127edafc51b59a6e788aaeda02cce5989ee10cc983a4045313e1ec7075c5a5b84f6212b097d36a1b",
};

function proveKnown(): void {
  const domain: OrderDomain = { version: "2", exchange: exchangesOf(137).standard };
  const seal = createEthersScheme(137).seal(knownOrder, domain, vectorKey);
  assert(
    seal.orderHash === knownSeal.orderHash && seal.signature === knownSeal.signature,
    "ethers hashes and signs the known order as the venue does",
  );
}

/** Every exchange with every signature type, with members of all widths. */
function firstDifference(chainId: ChainId, one: OrderScheme, other: OrderScheme): string | null {
  const { standard, negRisk, positions } = exchangesOf(chainId);
  const domains: readonly OrderDomain[] = [
    { version: "2", exchange: standard },
    { version: "2", exchange: negRisk },
    { version: "3", exchange: positions },
  ];
  const types: readonly SignatureType[] = [0, 1, 2, 3];
  for (const domain of domains) {
    for (const signatureType of types) {
      const order: SignedOrder = {
        ...knownOrder,
        salt: Number.MAX_SAFE_INTEGER - signatureType,
        maker: signatureType === 0 ? vectorSigner : standard,
        signer: signatureType === 3 ? standard : vectorSigner,
        // The first token id is small, the others have all their 78 digits.
        tokenId: signatureType === 0 ? "1234" : String(2n ** 256n - 1n - BigInt(signatureType)),
        side: signatureType % 2 === 0 ? 0 : 1,
        signatureType,
      };
      const a = one.seal(order, domain, vectorKey);
      const b = other.seal(order, domain, vectorKey);
      const where = `exchange ${domain.exchange}, signature type ${signatureType}`;
      if (a.orderHash !== b.orderHash) return `hash, ${where}`;
      if (a.signature !== b.signature) return `signature, ${where}`;
    }
  }
  return null;
}
