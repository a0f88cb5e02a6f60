import type { Side } from "../types.ts";

export type OrderType = "GTC" | "GTD" | "FOK" | "FAK";

export type OrderStatus =
  | "LIVE"
  | "DELAYED"
  | "MATCHED"
  | "CANCELED"
  | "CANCELED_MARKET_RESOLVED"
  | "INVALID";

export type OutcomeIndex = 0 | 1;

/** One order as the venue keeps it. Amounts in millionths; times in the unit of their name. */
export type OrderRecord = {
  readonly id: string;
  /** The EOA whose account it draws on. */
  readonly account: string;
  /** The API key that sent it. */
  readonly owner: string;
  readonly maker: string;
  readonly conditionId: string;
  readonly tokenId: string;
  readonly outcomeIndex: OutcomeIndex;
  readonly outcome: string;
  readonly side: Side;
  readonly orderType: OrderType;
  readonly postOnly: boolean;
  readonly price: bigint;
  readonly makerAmount: bigint;
  readonly takerAmount: bigint;
  readonly originalSize: bigint;
  readonly createdAtMs: number;
  /** Seconds; 0 for none. */
  readonly expirationS: number;
  matched: bigint;
  status: OrderStatus;
  /** When a delayed taker order is judged; null for others. */
  matchAtMs: number | null;
  readonly tradeIds: string[];
};

export type TradeStatus = "MATCHED" | "MINED" | "CONFIRMED" | "RETRYING" | "FAILED";

/** One maker's part of a trade. `account` is null for the crowd behind the recorded or generated levels. */
export type MakerFill = {
  readonly account: string | null;
  readonly orderId: string;
  readonly owner: string;
  readonly makerAddress: string;
  readonly matched: bigint;
  readonly price: bigint;
  readonly tokenId: string;
  readonly outcome: string;
  readonly outcomeIndex: OutcomeIndex;
  readonly side: Side;
  /** What this maker paid or received. */
  readonly cash: bigint;
};

export type TradeRecord = {
  readonly id: string;
  readonly seq: number;
  /** Null when the taker is the crowd. */
  readonly account: string | null;
  readonly takerOrderId: string;
  readonly owner: string;
  readonly makerAddress: string;
  readonly conditionId: string;
  readonly tokenId: string;
  readonly outcome: string;
  readonly outcomeIndex: OutcomeIndex;
  readonly side: Side;
  readonly size: bigint;
  readonly cash: bigint;
  readonly fee: bigint;
  readonly price: bigint;
  readonly matchTimeMs: number;
  readonly transactionHash: string;
  readonly makers: readonly MakerFill[];
  /** What the script of faults wants from its settlement. */
  readonly plan: "settle" | "fail" | "retry";
  status: TradeStatus;
  lastUpdateMs: number;
  /** When it moves on; null once CONFIRMED or FAILED. */
  nextAtMs: number | null;
};

export type ActivityType = "TRADE" | "SPLIT" | "MERGE" | "CONVERSION" | "REDEEM" | "REVERSAL";

/** One change of an account's money, for Data API answers. */
export type ActivityRow = {
  readonly seq: number;
  readonly account: string;
  readonly address: string;
  readonly type: ActivityType;
  readonly atMs: number;
  readonly conditionId: string;
  readonly tokenId: string;
  readonly outcomeIndex: OutcomeIndex | null;
  readonly side: Side | "";
  readonly size: bigint;
  readonly cash: bigint;
  readonly price: bigint;
  readonly transactionHash: string;
};

export type ApiKey = {
  readonly key: string;
  readonly secret: string;
  readonly passphrase: string;
  readonly account: string;
  readonly nonce: string;
};

/** Open means that it may still match: resting, or waiting out a taker delay. */
export function isOpen(order: OrderRecord): boolean {
  return order.status === "LIVE" || order.status === "DELAYED";
}

export function remainingShares(order: OrderRecord): bigint {
  return order.originalSize > order.matched ? order.originalSize - order.matched : 0n;
}

/** JSON with bigints as {"$n":"..."}: exact and readable back. */
export function encodeRecord(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "bigint" ? { $n: item.toString() } : item,
  );
}

function revive(_key: string, item: unknown): unknown {
  if (typeof item !== "object" || item === null || !("$n" in item)) return item;
  return typeof item.$n === "string" ? BigInt(item.$n) : item;
}

/** Reads what `encodeRecord` wrote; only for text from the venue's own database. */
export function decodeRecord<T>(text: string): T {
  return JSON.parse(text, revive) as T;
}
