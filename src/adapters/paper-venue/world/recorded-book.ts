import type { BackgroundBook, Level } from "../types.ts";
import { formatScaled, mirrorPrice, parseScaled, threeDecimals } from "./decimal.ts";
import { WorldError } from "./errors.ts";
import { isObject, text } from "./json.ts";

export type RecordedBook = {
  readonly book: BackgroundBook;
  /** Epoch milliseconds of the book's last change, or null when the file has none. */
  readonly timestampMs: number | null;
  readonly assetId: string;
  /** As stated, "" when the book has none. */
  readonly tickSize: string;
  readonly minOrderSize: string;
  readonly negRisk: boolean | null;
};

/** Parses a REST or socket book object. Throws `WorldError` when levels are not decimal strings. */
export function parseRecordedBook(value: unknown, where: string): RecordedBook {
  if (!isObject(value)) throw new WorldError(`${where}: not a book object`);
  const bids = parseLevels(value["bids"], where);
  const asks = parseLevels(value["asks"], where);
  const timestamp = text(value, "timestamp");
  const negRisk = value["neg_risk"];
  return {
    book: {
      bids: bids.toSorted(byPrice),
      asks: asks.toSorted((a, b) => byPrice(b, a)),
      lastTradePrice: threeDecimals(text(value, "last_trade_price")),
    },
    timestampMs: timestamp === "" ? null : Number(timestamp),
    assetId: text(value, "asset_id"),
    tickSize: text(value, "tick_size"),
    minOrderSize: text(value, "min_order_size") || "5",
    negRisk: typeof negRisk === "boolean" ? negRisk : null,
  };
}

function byPrice(a: Level, b: Level): number {
  return Number(a.price) - Number(b.price);
}

function parseLevels(value: unknown, where: string): Level[] {
  if (!Array.isArray(value)) throw new WorldError(`${where}: bids or asks missing`);
  return value.map((level: unknown) => {
    if (!isObject(level)) throw new WorldError(`${where}: a level is not an object`);
    return {
      price: normalPrice(text(level, "price")),
      size: formatScaled(parseScaled(text(level, "size"), 6), 6),
    };
  });
}

/** A price as the venue writes it: no trailing zeros ("0.60" in old tapes becomes "0.6"). */
export function normalPrice(price: string): string {
  return formatScaled(parseScaled(price, 6), 6);
}

/** The tick that the decimals of the levels show: three decimals 0.001, four 0.0001, otherwise 0.01. */
export function tickOfLevels(levels: readonly Level[]): string {
  const decimals = Math.max(0, ...levels.map(({ price }) => price.split(".")[1]?.length ?? 0));
  if (decimals >= 4) return "0.0001";
  return decimals === 3 ? "0.001" : "0.01";
}

/** The same book seen on the other token: bids become asks at 1 - price. */
export function mirrorBook(book: BackgroundBook): BackgroundBook {
  const mirror = ({ price, size }: Level): Level => ({ price: mirrorPrice(price), size });
  return {
    bids: book.asks.map(mirror),
    asks: book.bids.map(mirror),
    lastTradePrice: book.lastTradePrice,
  };
}

/** The book with every price moved by `delta` (in millionths of a dollar); levels that leave (0, 1) are dropped. */
export function moveBook(book: BackgroundBook, delta: bigint): BackgroundBook {
  const move = (levels: readonly Level[]): Level[] =>
    levels.flatMap(({ price, size }) => {
      const moved = parseScaled(price, 6) + delta;
      return moved > 0n && moved < 1_000_000n ? [{ price: formatScaled(moved, 6), size }] : [];
    });
  return { bids: move(book.bids), asks: move(book.asks), lastTradePrice: book.lastTradePrice };
}
