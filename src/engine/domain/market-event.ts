import type { ConditionId, Side, TokenId } from "./market.ts";
import type { Price, Shares } from "./numbers.ts";
import type { Level } from "./order-book.ts";

/** What a market-data source says, already checked and in integers. */
export type MarketEvent =
  | BookSnapshot
  | BookDelta
  | TradePrinted
  | TickSizeChanged
  | QuotePrinted
  | ChangeUnread
  | MarketOpened
  | MarketResolved;

export type BookSnapshot = {
  readonly kind: "book.snapshot";
  readonly conditionId: ConditionId;
  readonly tokenId: TokenId;
  /** Venue milliseconds of the last change of this book, as written. */
  readonly timestamp: string;
  /** Null when the venue sent none (an empty or closed book). */
  readonly hash: string | null;
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
  /** Members that only first snapshots and REST books carry. */
  readonly tickSize: Price | null;
  readonly minOrderSize: Shares | null;
  readonly negRisk: boolean | null;
  /** Three decimals, "" when never traded, null when not said. */
  readonly lastTradePrice: string | null;
  readonly source: "stream" | "rest";
  /** The same levels without an object for each, from readers that have them so. */
  readonly rows?: SnapshotRows;
};

/** Levels of a snapshot in one piece of memory. */
export type SnapshotRows = {
  /** price, size, price, size ... of the bids and then of the asks, in the order of the message. */
  readonly values: Float64Array;
  readonly bidCount: number;
  /** JSON of each side's levels when the message had them just as the book hash covers them, otherwise null. */
  readonly text: { readonly bids: string; readonly asks: string } | null;
};

export type LevelChange = {
  readonly tokenId: TokenId;
  readonly side: Side;
  readonly price: Price;
  /** New total at the level; 0 removes it. */
  readonly size: Shares;
  /** Hash of the token's whole book after the last frame of the group, null on old tapes. */
  readonly hash: string | null;
  /** Null when the side is empty; undefined when not said (old tapes). */
  readonly bestBid: Price | null | undefined;
  readonly bestAsk: Price | null | undefined;
};

export type BookDelta = {
  readonly kind: "book.delta";
  readonly conditionId: ConditionId;
  readonly timestamp: string;
  readonly changes: readonly LevelChange[];
};

export type TradePrinted = {
  readonly kind: "trade.printed";
  readonly conditionId: ConditionId;
  readonly tokenId: TokenId;
  readonly timestamp: string;
  readonly price: Price;
  readonly size: Shares;
  readonly takerSide: Side;
};

export type TickSizeChanged = {
  readonly kind: "tick-size.changed";
  readonly conditionId: ConditionId;
  readonly tokenId: TokenId;
  readonly timestamp: string;
  readonly tickSize: Price;
};

export type QuotePrinted = {
  readonly kind: "quote.printed";
  readonly conditionId: ConditionId;
  readonly tokenId: TokenId;
  readonly timestamp: string;
  readonly bestBid: Price | null;
  readonly bestAsk: Price | null;
};

/** A message about a known market could not be read: the book may be wrong although nothing contradicts it yet. */
export type ChangeUnread = {
  readonly kind: "change.unread";
  readonly conditionId: ConditionId;
};

export type MarketOpened = {
  readonly kind: "market.opened";
  readonly conditionId: ConditionId;
  readonly slug: string;
  readonly timestamp: string;
};

export type MarketResolved = {
  readonly kind: "market.resolved";
  readonly conditionId: ConditionId;
  readonly winningTokenId: TokenId;
  readonly timestamp: string;
};
