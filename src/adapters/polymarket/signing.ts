import { getAddress } from "ethers/address";
import { keccak256, SigningKey } from "ethers/crypto";
import { TypedDataEncoder } from "ethers/hash";
import { concat, toUtf8Bytes } from "ethers/utils";
import type { OrderDraft, PreparedOrder } from "../../engine/domain/order.ts";
import { assert } from "../../engine/lib/assert.ts";
import type { OrderUniqueness } from "../../engine/ports/venue.ts";
import { type ChainId, type Exchanges, exchangesOf } from "./contracts.ts";
import { orderAmounts } from "./order-amounts.ts";

/** 0 EOA, 1 proxy wallet, 2 Safe, 3 deposit wallet (polymarket-trading 2.3). */
export type SignatureType = 0 | 1 | 2 | 3;

/** The eleven signed members, as they stand in the signed struct. */
export type SignedOrder = {
  readonly salt: number;
  readonly maker: string;
  readonly signer: string;
  readonly tokenId: string;
  readonly makerAmount: string;
  readonly takerAmount: string;
  readonly side: 0 | 1;
  readonly signatureType: SignatureType;
  readonly timestamp: string;
  readonly metadata: string;
  readonly builder: string;
};

export type OrderDomain = {
  readonly version: "2" | "3";
  readonly exchange: string;
};

const orderFields = [
  { name: "salt", type: "uint256" },
  { name: "maker", type: "address" },
  { name: "signer", type: "address" },
  { name: "tokenId", type: "uint256" },
  { name: "makerAmount", type: "uint256" },
  { name: "takerAmount", type: "uint256" },
  { name: "side", type: "uint8" },
  { name: "signatureType", type: "uint8" },
  { name: "timestamp", type: "uint256" },
  { name: "metadata", type: "bytes32" },
  { name: "builder", type: "bytes32" },
];
const orderEncoder = TypedDataEncoder.from({ Order: orderFields });
const walletEncoder = TypedDataEncoder.from({
  TypedDataSign: [
    { name: "contents", type: "Order" },
    { name: "name", type: "string" },
    { name: "version", type: "string" },
    { name: "chainId", type: "uint256" },
    { name: "verifyingContract", type: "address" },
    { name: "salt", type: "bytes32" },
  ],
  Order: orderFields,
});
const authEncoder = TypedDataEncoder.from({
  ClobAuth: [
    { name: "address", type: "address" },
    { name: "timestamp", type: "string" },
    { name: "nonce", type: "uint256" },
    { name: "message", type: "string" },
  ],
});

const zero32 = `0x${"00".repeat(32)}`;
const authMessage = "This message attests that I control the given wallet";
/** The type string of Order, and its length as two bytes: what a deposit wallet's signature ends with. */
const orderTypeTail = orderTail();

function orderTail(): string {
  const text = toUtf8Bytes(orderEncoder.encodeType("Order"));
  return concat([text, `0x${text.length.toString(16).padStart(4, "0")}`]);
}

const orderTypeHash = keccak256(toUtf8Bytes(orderEncoder.encodeType("Order")));
const word = (value: bigint | number | string): string =>
  BigInt(value).toString(16).padStart(64, "0");

/** hashStruct of EIP-712, whose eleven members are all one word wide. */
function orderStructHash(order: SignedOrder): string {
  return keccak256(
    orderTypeHash +
      word(order.salt) +
      word(order.maker) +
      word(order.signer) +
      word(order.tokenId) +
      word(order.makerAmount) +
      word(order.takerAmount) +
      word(order.side) +
      word(order.signatureType) +
      word(order.timestamp) +
      word(order.metadata) +
      word(order.builder),
  );
}

function digestOf(separator: string, structHash: string): string {
  return keccak256(concat(["0x1901", separator, structHash]));
}

export type SignerOptions = {
  readonly chainId: ChainId;
  /** 0x and 64 hex digits. */
  readonly privateKey: string;
  readonly signatureType: SignatureType;
  /** Account that holds the money; ignored for type 0, where it is the signer itself. */
  readonly funder: string;
};

/** Builds and signs orders for one account on one chain. Holds the key; nothing else does. */
export class OrderSigner {
  readonly signer: string;
  readonly funder: string;
  readonly signatureType: SignatureType;
  readonly #key: SigningKey;
  readonly #chainId: ChainId;
  readonly #exchanges: Exchanges;
  readonly #separators = new Map<string, string>();

  /** @throws TypeError of ethers when key or funder are malformed (a config error, before anything is sent). */
  constructor(options: SignerOptions) {
    this.#key = new SigningKey(options.privateKey);
    this.#chainId = options.chainId;
    this.#exchanges = exchangesOf(options.chainId);
    this.signatureType = options.signatureType;
    this.signer = addressOf(this.#key);
    this.funder = options.signatureType === 0 ? this.signer : getAddress(options.funder);
  }

  /** Exchange and domain version that an order of this market is signed for. */
  domainOf(draft: Pick<OrderDraft, "version" | "negRisk">): OrderDomain {
    const { positions, negRisk, standard } = this.#exchanges;
    if (draft.version === "v2") return { version: "3", exchange: positions };
    return { version: "2", exchange: draft.negRisk ? negRisk : standard };
  }

  domainSeparator(domain: OrderDomain): string {
    const name = `${domain.version}:${domain.exchange}`;
    const known = this.#separators.get(name);
    if (known !== undefined) return known;
    const separator = TypedDataEncoder.hashDomain({
      name: "Polymarket CTF Exchange",
      version: domain.version,
      chainId: this.#chainId,
      verifyingContract: domain.exchange,
    });
    this.#separators.set(name, separator);
    return separator;
  }

  /** The order's id at the venue; the same for all signature types. */
  hashOrder(order: SignedOrder, domain: OrderDomain): string {
    return digestOf(this.domainSeparator(domain), orderStructHash(order));
  }

  signOrder(order: SignedOrder, domain: OrderDomain, structHash = orderStructHash(order)): string {
    const separator = this.domainSeparator(domain);
    if (order.signatureType !== 3)
      return this.#key.sign(digestOf(separator, structHash)).serialized;
    const wrapped = walletEncoder.hash({
      contents: order,
      name: "DepositWallet",
      version: "1",
      chainId: this.#chainId,
      verifyingContract: order.signer,
      salt: zero32,
    });
    const inner = this.#key.sign(digestOf(separator, wrapped)).serialized;
    return concat([inner, separator, structHash, orderTypeTail]);
  }

  /** The draft as a signed order: hash and the exact text of the request's body. `owner` is the API key. */
  prepare(draft: OrderDraft, unique: OrderUniqueness, owner: string): PreparedOrder {
    assert(
      Number.isSafeInteger(unique.salt) && unique.salt >= 0,
      "a salt is a safe integer: the venue reads it as a JSON number",
    );
    const amounts = orderAmounts(draft);
    const order: SignedOrder = {
      salt: unique.salt,
      maker: this.funder,
      signer: this.signatureType === 3 ? this.funder : this.signer,
      tokenId: draft.tokenId,
      makerAmount: String(amounts.maker),
      takerAmount: String(amounts.taker),
      side: draft.side === "buy" ? 0 : 1,
      signatureType: this.signatureType,
      timestamp: String(unique.timestampMs),
      metadata: zero32,
      builder: zero32,
    };
    const domain = this.domainOf(draft);
    const structHash = orderStructHash(order);
    return {
      orderHash: digestOf(this.domainSeparator(domain), structHash),
      body: bodyText(order, this.signOrder(order, domain, structHash), draft, owner),
    };
  }

  /** Signature of the L1 headers. `timestampS` is Unix seconds as text. */
  signAuth(timestampS: string, nonce: number): string {
    const separator = TypedDataEncoder.hashDomain({
      name: "ClobAuthDomain",
      version: "1",
      chainId: this.#chainId,
    });
    const value = {
      address: this.signer,
      timestamp: timestampS,
      nonce,
      message: authMessage,
    };
    return this.#key.sign(digestOf(separator, authEncoder.hash(value))).serialized;
  }
}

function addressOf(key: SigningKey): string {
  // An address is the last 20 bytes of the hash of the uncompressed public key without its first byte.
  return getAddress(`0x${keccak256(`0x${key.publicKey.slice(4)}`).slice(-40)}`);
}

/** Members and their order as the official client sends them (polymarket-trading 3.4). */
function bodyText(order: SignedOrder, signature: string, draft: OrderDraft, owner: string): string {
  return JSON.stringify({
    deferExec: false,
    postOnly: draft.postOnly,
    order: {
      salt: order.salt,
      maker: order.maker,
      signer: order.signer,
      tokenId: order.tokenId,
      makerAmount: order.makerAmount,
      takerAmount: order.takerAmount,
      side: draft.side === "buy" ? "BUY" : "SELL",
      signatureType: order.signatureType,
      timestamp: order.timestamp,
      expiration: draft.timeInForce === "gtd" ? String(draft.expirationS ?? 0) : "0",
      metadata: order.metadata,
      builder: order.builder,
      signature,
    },
    owner,
    orderType: draft.timeInForce.toUpperCase(),
  });
}
