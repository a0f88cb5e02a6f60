import { assert } from "../../engine/lib/assert.ts";
import type { ChainId } from "./contracts.ts";
import {
  exchangeName,
  type OrderDomain,
  type OrderScheme,
  type OrderSeal,
  orderFields,
  type SignedOrder,
  walletFields,
  walletName,
  walletVersion,
} from "./signed-order.ts";

/** The two primitives that cost time; `native-crypto.ts` loads them. */
export type NativeCrypto = {
  /** 32 bytes. */
  readonly keccak256: (bytes: Uint8Array) => Uint8Array;
  /** Deterministic ECDSA on secp256k1 (RFC 6979) with the smaller s: r and s, 64 bytes, and the recovery bit. */
  readonly sign: (
    digest: Uint8Array,
    key: Uint8Array,
  ) => { readonly signature: Uint8Array; readonly recid: number };
};

const wordBytes = 32;
const typeText = (name: string, fields: readonly { name: string; type: string }[]) =>
  `${name}(${fields.map((field) => `${field.type} ${field.name}`).join(",")})`;
const orderType = typeText("Order", orderFields);
const walletType = typeText("TypedDataSign", walletFields) + orderType;
const domainType =
  "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";

/**
 * EIP-712 written out by hand: every member of the struct is one word, so an order is one buffer of twelve words, and
 * the domain separators and type hashes are computed once (performance f). Buffers are reused: nothing here is async.
 */
export class NativeScheme implements OrderScheme {
  readonly name = "native";
  readonly #crypto: NativeCrypto;
  readonly #chainId: ChainId;
  readonly #struct = Buffer.alloc(12 * wordBytes);
  readonly #wrapper = Buffer.alloc(7 * wordBytes);
  readonly #toSign = Buffer.alloc(2 + 2 * wordBytes);
  /** What a deposit wallet's signature ends with: the type string and its length as two bytes. */
  readonly #tail: string;
  readonly #separators = new Map<string, Buffer>();

  constructor(chainId: ChainId, crypto: NativeCrypto) {
    this.#crypto = crypto;
    this.#chainId = chainId;
    const length = orderType.length.toString(16).padStart(4, "0");
    this.#tail = hexOf(Buffer.from(orderType, "latin1")) + length;
    this.#struct.set(this.#hashText(orderType), 0);
    this.#wrapper.set(this.#hashText(walletType), 0);
    this.#wrapper.set(this.#hashText(walletName), 2 * wordBytes);
    this.#wrapper.set(this.#hashText(walletVersion), 3 * wordBytes);
    writeNumber(this.#wrapper, 4, chainId);
    this.#toSign.writeUInt16BE(0x1901, 0);
  }

  domainSeparator(domain: OrderDomain): string {
    return `0x${hexOf(this.#separatorOf(domain))}`;
  }

  hash(order: SignedOrder, domain: OrderDomain): string {
    return `0x${hexOf(this.#digest(this.#separatorOf(domain), this.#structHash(order)))}`;
  }

  seal(order: SignedOrder, domain: OrderDomain, key: Uint8Array): OrderSeal {
    const separator = this.#separatorOf(domain);
    const contents = this.#structHash(order);
    const id = this.#digest(separator, contents);
    const orderHash = `0x${hexOf(id)}`;
    if (order.signatureType !== 3) return { orderHash, signature: `0x${this.#sign(id, key)}` };
    this.#wrapper.set(contents, wordBytes);
    writeHex(this.#wrapper, 5, order.signer);
    const wrapped = this.#crypto.keccak256(this.#wrapper);
    const inner = this.#sign(this.#digest(separator, wrapped), key);
    return {
      orderHash,
      signature: `0x${inner}${hexOf(separator)}${hexOf(contents)}${this.#tail}`,
    };
  }

  #hashText(text: string): Uint8Array {
    return this.#crypto.keccak256(Buffer.from(text, "latin1"));
  }

  #separatorOf(domain: OrderDomain): Buffer {
    const name = `${domain.version}:${domain.exchange}`;
    const known = this.#separators.get(name);
    if (known !== undefined) return known;
    const words = Buffer.alloc(5 * wordBytes);
    for (const [at, text] of [domainType, exchangeName, domain.version].entries()) {
      words.set(this.#hashText(text), at * wordBytes);
    }
    writeNumber(words, 3, this.#chainId);
    writeHex(words, 4, domain.exchange);
    const separator = Buffer.from(this.#crypto.keccak256(words));
    this.#separators.set(name, separator);
    return separator;
  }

  /** hashStruct of EIP-712. */
  #structHash(order: SignedOrder): Buffer {
    const struct = this.#struct;
    writeNumber(struct, 1, order.salt);
    writeHex(struct, 2, order.maker);
    writeHex(struct, 3, order.signer);
    writeDecimal(struct, 4, order.tokenId);
    writeDecimal(struct, 5, order.makerAmount);
    writeDecimal(struct, 6, order.takerAmount);
    writeNumber(struct, 7, order.side);
    writeNumber(struct, 8, order.signatureType);
    writeDecimal(struct, 9, order.timestamp);
    writeHex(struct, 10, order.metadata);
    writeHex(struct, 11, order.builder);
    return Buffer.from(this.#crypto.keccak256(struct));
  }

  #digest(separator: Buffer, structHash: Uint8Array): Buffer {
    this.#toSign.set(separator, 2);
    this.#toSign.set(structHash, 2 + wordBytes);
    return Buffer.from(this.#crypto.keccak256(this.#toSign));
  }

  /** r, s and v, 65 bytes as hex without 0x. */
  #sign(digest: Buffer, key: Uint8Array): string {
    const { signature, recid } = this.#crypto.sign(digest, key);
    return `${hexOf(signature)}${recid === 0 ? "1b" : "1c"}`;
  }
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

/** A safe integer as a word: 24 zero bytes and 8 that hold the number. */
function writeNumber(words: Buffer, at: number, value: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, "a signed number is a safe integer");
  const start = at * wordBytes;
  words.fill(0, start, start + 24);
  words.writeUInt32BE(Math.floor(value / 2 ** 32), start + 24);
  words.writeUInt32BE(value % 2 ** 32, start + 28);
}

function writeDecimal(words: Buffer, at: number, text: string): void {
  const value = Number(text);
  if (Number.isSafeInteger(value)) {
    writeNumber(words, at, value);
    return;
  }
  const hex = BigInt(text).toString(16);
  assert(hex.length <= 2 * wordBytes, "a signed number fits into 256 bits");
  words.write(hex.padStart(2 * wordBytes, "0"), at * wordBytes, "hex");
}

/** 0x and 20 or 32 bytes of hex, at the end of the word. */
function writeHex(words: Buffer, at: number, text: string): void {
  const bytes = (text.length - 2) / 2;
  assert(text.startsWith("0x") && (bytes === 20 || bytes === wordBytes), "an address or a word");
  const start = at * wordBytes;
  words.fill(0, start, start + wordBytes - bytes);
  const written = words.write(text.slice(2), start + wordBytes - bytes, "hex");
  assert(written === bytes, "an address or a word is hex");
}
