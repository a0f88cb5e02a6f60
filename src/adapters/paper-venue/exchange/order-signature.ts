import { AbiCoder } from "ethers/abi";
import { getAddress } from "ethers/address";
import { keccak256 } from "ethers/crypto";
import { recoverAddress } from "ethers/transaction";
import { concat, toUtf8Bytes, zeroPadValue } from "ethers/utils";

/**
 * Order hashes and signatures, encoded here from keccak and secp256k1 alone: a second implementation beside
 * the typed-data encoders that traders use.
 */

export type DomainVersion = "1" | "2" | "3";

export const exchanges = {
  standard: "0xE111180000d2663C0091e4f400237545B87B996B",
  negRisk: "0xe2222d279d744050d28e00520010520000310F59",
  positions: "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa",
} as const;

/** The eleven signed fields, with side as 0 (BUY) or 1 (SELL). */
export type SignedFields = {
  readonly salt: bigint;
  readonly maker: string;
  readonly signer: string;
  readonly tokenId: bigint;
  readonly makerAmount: bigint;
  readonly takerAmount: bigint;
  readonly side: 0 | 1;
  readonly signatureType: number;
  readonly timestamp: bigint;
  readonly metadata: string;
  readonly builder: string;
};

const ORDER_TYPE =
  "Order(uint256 salt,address maker,address signer,uint256 tokenId,uint256 makerAmount,uint256 takerAmount,uint8 side,uint8 signatureType,uint256 timestamp,bytes32 metadata,bytes32 builder)";
const DOMAIN_TYPE =
  "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
const TYPED_DATA_SIGN_TYPE = `TypedDataSign(Order contents,string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)${ORDER_TYPE}`;
const CHAIN_ID = 137n;
const ZERO_32 = `0x${"00".repeat(32)}`;
/** Inner signature, domain separator, struct hash, type string, and its length in two bytes. */
const WRAPPED_BYTES = 65 + 32 + 32 + ORDER_TYPE.length + 2;

const coder = AbiCoder.defaultAbiCoder();

function hashText(text: string): string {
  return keccak256(toUtf8Bytes(text));
}

const orderTypeHash = hashText(ORDER_TYPE);
const domainTypeHash = hashText(DOMAIN_TYPE);
const signTypeHash = hashText(TYPED_DATA_SIGN_TYPE);
const domainNameHash = hashText("Polymarket CTF Exchange");
const walletNameHash = hashText("DepositWallet");
const walletVersionHash = hashText("1");
const separators = new Map<string, string>();

/** Domain separator of an exchange contract on chain 137. */
export function domainSeparator(version: DomainVersion, exchange: string): string {
  const key = `${version}:${exchange}`;
  let separator = separators.get(key);
  if (separator === undefined) {
    separator = keccak256(
      coder.encode(
        ["bytes32", "bytes32", "bytes32", "uint256", "address"],
        [domainTypeHash, domainNameHash, hashText(version), CHAIN_ID, exchange],
      ),
    );
    separators.set(key, separator);
  }
  return separator;
}

function word(value: bigint): string {
  return `0x${value.toString(16).padStart(64, "0")}`;
}

/** Hash of the Order struct alone. */
export function orderStructHash(order: SignedFields): string {
  return keccak256(
    concat([
      orderTypeHash,
      word(order.salt),
      zeroPadValue(order.maker, 32),
      zeroPadValue(order.signer, 32),
      word(order.tokenId),
      word(order.makerAmount),
      word(order.takerAmount),
      word(BigInt(order.side)),
      word(BigInt(order.signatureType)),
      word(order.timestamp),
      order.metadata,
      order.builder,
    ]),
  );
}

function digest(separator: string, structHash: string): string {
  return keccak256(concat(["0x1901", separator, structHash]));
}

/** The order id: the EIP-712 hash under the given exchange's domain. */
export function orderHash(order: SignedFields, version: DomainVersion, exchange: string): string {
  return digest(domainSeparator(version, exchange), orderStructHash(order));
}

function recovers(hash: string, signature: string, address: string): boolean {
  try {
    return recoverAddress(hash, signature) === getAddress(address);
  } catch {
    // Malformed points and lengths are ordinary wrong signatures.
    return false;
  }
}

/** Type 3 wraps the owner's signature of TypedDataSign with the domain, the struct hash and the type string. */
function wrappedSignatureValid(
  order: SignedFields,
  separator: string,
  signature: string,
  owner: string,
): boolean {
  if (signature.length !== 2 + 2 * WRAPPED_BYTES) return false;
  const inner = signature.slice(0, 2 + 130);
  const structHash = orderStructHash(order);
  const tail = concat([
    separator,
    structHash,
    toUtf8Bytes(ORDER_TYPE),
    `0x${ORDER_TYPE.length.toString(16).padStart(4, "0")}`,
  ]);
  if (signature.slice(132).toLowerCase() !== tail.slice(2).toLowerCase()) return false;
  const signHash = keccak256(
    concat([
      signTypeHash,
      structHash,
      walletNameHash,
      walletVersionHash,
      word(CHAIN_ID),
      zeroPadValue(order.signer, 32),
      ZERO_32,
    ]),
  );
  return recovers(digest(separator, signHash), inner, owner);
}

/** Whether `owner` (an EOA) signed this order for that exchange; types 0 to 2 plainly, type 3 wrapped. */
export function signatureValid(
  order: SignedFields,
  domain: { readonly version: DomainVersion; readonly exchange: string },
  signature: string,
  owner: string,
): boolean {
  const separator = domainSeparator(domain.version, domain.exchange);
  if (order.signatureType === 3) {
    return wrappedSignatureValid(order, separator, signature, owner);
  }
  return recovers(digest(separator, orderStructHash(order)), signature, owner);
}
