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

/** What the venue identifies an order by, and what proves who gave it; 0x and lower-case hex. */
export type OrderSeal = { readonly orderHash: string; readonly signature: string };

/** One way to hash and sign orders of one chain. All ways give the same text for the same order and key. */
export type OrderScheme = {
  readonly name: "native" | "ethers";
  domainSeparator(domain: OrderDomain): string;
  /** The order's id at the venue; the same for all signature types. */
  hash(order: SignedOrder, domain: OrderDomain): string;
  /** `key` is the private key, 32 bytes; it is not kept. */
  seal(order: SignedOrder, domain: OrderDomain, key: Uint8Array): OrderSeal;
};

export const exchangeName = "Polymarket CTF Exchange";

/** Members of the struct in the order in which they are signed (polymarket-trading 2.1). */
export const orderFields = [
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

/** What a deposit wallet's owner signs around an order (polymarket-trading 2.3). */
export const walletFields = [
  { name: "contents", type: "Order" },
  { name: "name", type: "string" },
  { name: "version", type: "string" },
  { name: "chainId", type: "uint256" },
  { name: "verifyingContract", type: "address" },
  { name: "salt", type: "bytes32" },
];

export const walletName = "DepositWallet";
export const walletVersion = "1";
