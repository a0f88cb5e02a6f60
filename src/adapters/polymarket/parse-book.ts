import type { BookSnapshot } from "../../engine/domain/market-event.ts";
import {
  type Price,
  priceDecimals,
  priceOne,
  type Shares,
  sharesDecimals,
} from "../../engine/domain/numbers.ts";
import type { Level } from "../../engine/domain/order-book.ts";
import { err, ok, type Result } from "../../engine/lib/result.ts";
import {
  arrayOf,
  conditionIdOf,
  type Fields,
  fieldsOf,
  scaledOf,
  textOf,
  timestampOf,
  tokenIdOf,
} from "./wire.ts";

/** Why a message was not believed. A closed set: it labels a counter. */
export type RefusalReason =
  | "not_json"
  | "too_large"
  | "too_deep"
  | "too_many"
  | "foreign"
  | "unknown_event"
  | "bad_shape"
  | "bad_market"
  | "bad_token"
  | "bad_timestamp"
  | "bad_price"
  | "bad_size"
  | "bad_side"
  | "bad_hash"
  | "bad_tick"
  | "not_ours"
  /** A market that its connection does not carry: never asked for, or left a moment ago. */
  | "unasked";

/** A side of a real book has at most 9,999 levels: one for each price of the finest grid. */
export const maxLevels = 9_999;

/** A price strictly inside (0, 1) on the grid of 1/10,000. */
export function priceOf(value: unknown): Price | null {
  const text = textOf(value);
  const scaled = text === null ? -1 : scaledOf(text, priceDecimals);
  return scaled > 0 && scaled < priceOne ? (scaled as Price) : null;
}

/** The best price of a side: null when the side is empty ("0", "1", "" as the venue writes it), undefined when not said. */
export function bestOf(value: unknown): Price | null | undefined | "bad" {
  if (value === undefined || value === null) return undefined;
  if (value === "") return null;
  const text = textOf(value);
  const scaled = text === null ? -1 : scaledOf(text, priceDecimals);
  if (scaled === 0 || scaled === priceOne) return null;
  return scaled > 0 && scaled < priceOne ? (scaled as Price) : "bad";
}

/** A size of at most 9 billion shares (the safe integers of a micro-share). */
export function sizeOf(value: unknown): Shares | null {
  const text = textOf(value);
  const scaled = text === null ? -1 : scaledOf(text, sharesDecimals);
  return scaled >= 0 ? (scaled as Shares) : null;
}

/** A book hash is 40 hex digits; "" and a missing member mean that there is none. Undefined for anything else. */
export function hashOf(value: unknown): string | null | undefined {
  if (value === undefined || value === null || value === "") return null;
  return typeof value === "string" && /^[0-9a-f]{40}$/.test(value) ? value : undefined;
}

function levelsOf(value: unknown): readonly Level[] | RefusalReason {
  const list = arrayOf(value);
  if (list === null) return "bad_shape";
  if (list.length > maxLevels) return "too_many";
  const levels: Level[] = [];
  for (const item of list) {
    const fields = fieldsOf(item);
    if (fields === null) return "bad_shape";
    const at = priceOf(fields["price"]);
    if (at === null) return "bad_price";
    const size = sizeOf(fields["size"]);
    if (size === null) return "bad_size";
    levels.push({ price: at, size });
  }
  return levels;
}

/** A last trade price as the venue writes it, null for anything else: it is no reason to refuse a book. */
export function lastTradeOf(value: unknown): string | null {
  const text = textOf(value);
  // Part of the book hash, so kept as written.
  return text !== null && /^(?:[01]?\.\d{1,6}|[01])?$/.test(text) ? text : null;
}

/** A whole book, from the stream or from REST /book, /books. */
export function parseBook(
  fields: Fields,
  source: "stream" | "rest",
): Result<BookSnapshot, RefusalReason> {
  const conditionId = conditionIdOf(fields["market"]);
  if (conditionId === null) return err("bad_market");
  const tokenId = tokenIdOf(fields["asset_id"]);
  if (tokenId === null) return err("bad_token");
  const timestamp = timestampOf(fields["timestamp"]);
  if (timestamp === null) return err("bad_timestamp");
  const hash = hashOf(fields["hash"]);
  if (hash === undefined) return err("bad_hash");
  const bids = levelsOf(fields["bids"] ?? fields["buys"]);
  if (typeof bids === "string") return err(bids);
  const asks = levelsOf(fields["asks"] ?? fields["sells"]);
  if (typeof asks === "string") return err(asks);
  const tickSize = fields["tick_size"] === undefined ? null : priceOf(fields["tick_size"]);
  if (tickSize === null && fields["tick_size"] !== undefined) return err("bad_tick");
  const minOrderSize = fields["min_order_size"];
  return ok({
    kind: "book.snapshot",
    conditionId,
    tokenId,
    timestamp,
    hash,
    bids,
    asks,
    tickSize,
    minOrderSize: minOrderSize === undefined ? null : sizeOf(minOrderSize),
    negRisk: typeof fields["neg_risk"] === "boolean" ? fields["neg_risk"] : null,
    lastTradePrice: lastTradeOf(fields["last_trade_price"]),
    source,
  });
}
