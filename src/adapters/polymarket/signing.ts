import { getAddress } from "ethers/address";
import { keccak256, SigningKey } from "ethers/crypto";
import { TypedDataEncoder } from "ethers/hash";
import { getBytes, hexlify } from "ethers/utils";
import type { OrderDraft, PreparedOrder } from "../../engine/domain/order.ts";
import { assert } from "../../engine/lib/assert.ts";
import type { OrderUniqueness } from "../../engine/ports/venue.ts";
import { type ChainId, type Exchanges, exchangesOf } from "./contracts.ts";
import { createEthersScheme } from "./ethers-scheme.ts";
import { orderAmounts } from "./order-amounts.ts";
import type { OrderDomain, OrderScheme, SignatureType, SignedOrder } from "./signed-order.ts";

const authTypes = {
  ClobAuth: [
    { name: "address", type: "address" },
    { name: "timestamp", type: "string" },
    { name: "nonce", type: "uint256" },
    { name: "message", type: "string" },
  ],
};
const authMessage = "This message attests that I control the given wallet";
const zero32 = `0x${"00".repeat(32)}`;

export type SignerOptions = {
  readonly chainId: ChainId;
  /** 0x and 64 hex digits. */
  readonly privateKey: string;
  readonly signatureType: SignatureType;
  /** Account that holds the money; ignored for type 0, where it is the signer itself. */
  readonly funder: string;
  /** How orders are hashed and signed; ethers when absent (`openOrderScheme` gives the fast one). */
  readonly scheme?: OrderScheme;
};

/** Builds and signs orders for one account on one chain. Its copy of the key is bytes that `close` overwrites. */
export class OrderSigner {
  readonly signer: string;
  readonly funder: string;
  readonly signatureType: SignatureType;
  readonly #key: Uint8Array;
  readonly #chainId: ChainId;
  readonly #exchanges: Exchanges;
  readonly #scheme: OrderScheme;
  #closed = false;

  /** @throws TypeError of ethers when key or funder are malformed (a config error, before anything is sent). */
  constructor(options: SignerOptions) {
    this.signer = addressOf(options.privateKey);
    this.#key = getBytes(options.privateKey);
    this.#chainId = options.chainId;
    this.#scheme = options.scheme ?? createEthersScheme(options.chainId);
    this.#exchanges = exchangesOf(options.chainId);
    this.signatureType = options.signatureType;
    this.funder = options.signatureType === 0 ? this.signer : getAddress(options.funder);
  }

  /** Exchange and domain version that an order of this market is signed for. */
  domainOf(draft: Pick<OrderDraft, "version" | "negRisk">): OrderDomain {
    const { positions, negRisk, standard } = this.#exchanges;
    if (draft.version === "v2") return { version: "3", exchange: positions };
    return { version: "2", exchange: draft.negRisk ? negRisk : standard };
  }

  domainSeparator(domain: OrderDomain): string {
    return this.#scheme.domainSeparator(domain);
  }

  /** The order's id at the venue; the same for all signature types. */
  hashOrder(order: SignedOrder, domain: OrderDomain): string {
    return this.#scheme.hash(order, domain);
  }

  signOrder(order: SignedOrder, domain: OrderDomain): string {
    return this.#scheme.seal(order, domain, this.#openKey()).signature;
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
    const seal = this.#scheme.seal(order, this.domainOf(draft), this.#openKey());
    return { orderHash: seal.orderHash, body: bodyText(order, seal.signature, draft, owner) };
  }

  /** Signature of the L1 headers. `timestampS` is Unix seconds as text. */
  signAuth(timestampS: string, nonce: number): string {
    const domain = { name: "ClobAuthDomain", version: "1", chainId: this.#chainId };
    const value = { address: this.signer, timestamp: timestampS, nonce, message: authMessage };
    // Rare and not urgent: by ethers, which makes a text of the key for as long as this takes.
    const key = new SigningKey(hexlify(this.#openKey()));
    return key.sign(TypedDataEncoder.hash(domain, authTypes, value)).serialized;
  }

  /** Overwrites the key; nothing can be signed any more. */
  close(): void {
    this.#closed = true;
    this.#key.fill(0);
  }

  #openKey(): Uint8Array {
    assert(!this.#closed, "nothing is signed after the signer was closed");
    return this.#key;
  }
}

function addressOf(privateKey: string): string {
  // An address is the last 20 bytes of the hash of the uncompressed public key without its first byte.
  const { publicKey } = new SigningKey(privateKey);
  return getAddress(`0x${keccak256(`0x${publicKey.slice(4)}`).slice(-40)}`);
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
