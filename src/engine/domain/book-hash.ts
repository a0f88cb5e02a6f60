import type { OutcomeIndex } from "./market.ts";
import { formatPrice, formatShares, type Price, type Shares } from "./numbers.ts";
import { levelsText, type OrderBook } from "./order-book.ts";

/** The two hash functions that book verification needs; see ports/hasher. */
export type BookHasher = {
  /** Lower-case hex of the SHA-1 of UTF-8 text. */
  readonly sha1Hex: (text: string) => string;
  /**
   * Finds the first candidate whose `prefix + candidate + suffix` has this SHA-1, or null. One hash state of the
   * prefix is shared, which makes a thousand candidates on a deep book cost milliseconds.
   */
  readonly sha1Search: (
    prefix: string,
    candidates: readonly string[],
    suffix: string,
    wantedHex: string,
  ) => string | null;
};

/** What a book hash covers besides the levels. Members 7 to 10 come from the first book, the CLOB or Gamma. */
export type BookHashFrame = {
  readonly conditionId: string;
  readonly tokenId: string;
  /** Venue milliseconds as text, of the message that carries the hash. */
  readonly timestamp: string;
  readonly minOrderSize: Shares;
  readonly tickSize: Price;
  readonly negRisk: boolean;
};

/** The canonical text up to the last trade price, and what follows it. */
export type BookHashText = { readonly prefix: string; readonly suffix: string };

/**
 * The compact JSON of ten members in the venue's order, whose SHA-1 is the book hash (polymarket-market-data 3.1): bids
 * ascending, asks descending, best last. Split around the last trade price, which the venue may already have changed
 * before it says so.
 */
export function bookHashText(
  book: OrderBook,
  outcome: OutcomeIndex,
  frame: BookHashFrame,
): BookHashText {
  const bids = levelsText(book, outcome, "buy");
  const asks = levelsText(book, outcome, "sell");
  return {
    prefix:
      `{"market":"${frame.conditionId}","asset_id":"${frame.tokenId}","timestamp":"${frame.timestamp}",` +
      `"hash":"","bids":[${bids}],"asks":[${asks}],"min_order_size":"${formatShares(frame.minOrderSize)}",` +
      `"tick_size":"${formatPrice(frame.tickSize)}","neg_risk":${frame.negRisk},"last_trade_price":"`,
    suffix: '"}',
  };
}

/** Every last trade price that the venue can write: "" and "0.001" to "0.999". */
export const lastTradeCandidates: readonly string[] = [
  "",
  ...Array.from({ length: 999 }, (_, i) => `0.${String(i + 1).padStart(3, "0")}`),
];

/** Three decimals, as member 10 of the hash writes it. */
export function lastTradeText(at: Price): string {
  const thousandths = Math.round(at / 10);
  return `0.${String(thousandths).padStart(3, "0")}`;
}
