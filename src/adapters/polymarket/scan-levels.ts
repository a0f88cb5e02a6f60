import type { BookSnapshot, SnapshotRows } from "../../engine/domain/market-event.ts";
import {
  type Price,
  priceDecimals,
  priceOne,
  type Shares,
  sharesDecimals,
} from "../../engine/domain/numbers.ts";
import type { Level } from "../../engine/domain/order-book.ts";
import { maxLevels } from "./parse-book.ts";
import { isShortAt, literal, type TextBytes } from "./text-bytes.ts";

const levelStart = literal('{"price":"');
const levelSize = literal(',"size":"');

const comma = 0x2c;
const closeBracket = 0x5d;
const closeBrace = 0x7d;

/** One side of a book in a buffer that is used again for the next book: price, size, price, size. */
class SideRows {
  readonly #isBids: boolean;
  values = new Float64Array(2 * 256);
  count = 0;
  /** JSON of the levels when it is what the book hash covers: shortest numbers, best price last, nothing empty. */
  text: string | null = null;

  constructor(isBids: boolean) {
    this.#isBids = isBids;
  }

  /** Levels up to the closing bracket, `text.end` behind it; false for anything unusual. */
  scan(text: TextBytes, from: number): boolean {
    this.count = 0;
    this.text = "";
    text.end = from + 1;
    if (text.byte(from) === closeBracket) return true;
    let isOrdered = true;
    let last = this.#isBids ? 0 : priceOne;
    for (let at = from; ; at = text.end + 1) {
      if (this.count === maxLevels || !isShortAt(text.view, at, levelStart)) return false;
      const price = text.decimal(at + levelStart.length, priceDecimals);
      if (price <= 0 || price >= priceOne || !isShortAt(text.view, text.end, levelSize))
        return false;
      isOrdered &&= text.isShortest && (this.#isBids ? price > last : price < last);
      last = price;
      const size = text.decimal(text.end + levelSize.length, sharesDecimals);
      if (size < 0 || text.byte(text.end) !== closeBrace) return false;
      isOrdered &&= text.isShortest && size > 0;
      this.#push(price, size);
      text.end++;
      const next = text.byte(text.end);
      if (next === closeBracket) break;
      if (next !== comma) return false;
    }
    this.text = isOrdered ? text.text(from, text.end) : null;
    text.end++;
    return true;
  }

  #push(price: number, size: number): void {
    const at = 2 * this.count++;
    if (at === this.values.length) {
      const wider = new Float64Array(2 * at);
      wider.set(this.values);
      this.values = wider;
    }
    this.values[at] = price;
    this.values[at + 1] = size;
  }
}

/** The levels of the book that is being read. */
export class LevelRows {
  readonly bids = new SideRows(true);
  readonly asks = new SideRows(false);

  /** The rows in memory of their own: a book is kept until somebody applies it. */
  taken(): SnapshotRows {
    const { bids, asks } = this;
    const bidNumbers = 2 * bids.count;
    const values = new Float64Array(bidNumbers + 2 * asks.count);
    // A loop: two more views of the memory would cost more than the copy.
    for (let i = 0; i < bidNumbers; i++) values[i] = bids.values[i] ?? 0;
    for (let i = bidNumbers; i < values.length; i++) values[i] = asks.values[i - bidNumbers] ?? 0;
    const text =
      bids.text === null || asks.text === null ? null : { bids: bids.text, asks: asks.text };
    return { values, bidCount: bids.count, text };
  }
}

type Terms = Omit<BookSnapshot, "kind" | "bids" | "asks" | "rows" | "source">;

/** A book of the stream whose levels become objects only for whoever asks for them. */
export class ScannedBook implements BookSnapshot {
  readonly kind = "book.snapshot";
  readonly source = "stream";
  readonly conditionId: string;
  readonly tokenId: string;
  readonly timestamp: string;
  readonly hash: string | null;
  readonly tickSize: Price | null;
  readonly minOrderSize: Shares | null;
  readonly negRisk: boolean | null;
  readonly lastTradePrice: string | null;
  readonly rows: SnapshotRows;

  constructor(rows: SnapshotRows, terms: Terms) {
    this.rows = rows;
    this.conditionId = terms.conditionId;
    this.tokenId = terms.tokenId;
    this.timestamp = terms.timestamp;
    this.hash = terms.hash;
    this.tickSize = terms.tickSize;
    this.minOrderSize = terms.minOrderSize;
    this.negRisk = terms.negRisk;
    this.lastTradePrice = terms.lastTradePrice;
  }

  get bids(): readonly Level[] {
    return levelsOf(this.rows.values.subarray(0, 2 * this.rows.bidCount));
  }

  get asks(): readonly Level[] {
    return levelsOf(this.rows.values.subarray(2 * this.rows.bidCount));
  }
}

function levelsOf(values: Float64Array): Level[] {
  const levels: Level[] = [];
  for (let at = 0; at < values.length; at += 2) {
    levels.push({ price: values[at] as Price, size: values[at + 1] as Shares });
  }
  return levels;
}
