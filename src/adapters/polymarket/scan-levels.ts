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
const quote = 0x22;
const dot = 0x2e;
const zero = 0x30;
/** Price units of a number whose last digit stands at this place behind the point. */
const priceUnits = [10_000, 1_000, 100, 10, 1] as const;
const plainSizeDigits = 7;

/** One side of a book in a buffer that is used again for the next book: price, size, price, size. */
class SideRows {
  readonly #isBids: boolean;
  values = new Float64Array(2 * 256);
  count = 0;
  /** True when the text of the levels is what the book hash covers. */
  isOrdered = true;
  #from = 0;
  #to = 0;

  constructor(isBids: boolean) {
    this.#isBids = isBids;
  }

  /** Levels up to the closing bracket, `text.end` behind it; false for anything unusual. */
  scan(text: TextBytes, from: number): boolean {
    this.count = 0;
    this.#from = from;
    this.#to = from;
    this.isOrdered = true;
    text.end = from + 1;
    if (text.byte(from) === closeBracket) return true;
    const { view, bytes } = text;
    let last = this.#isBids ? 0 : priceOne;
    for (let at = from; ; at = text.end + 1) {
      if (this.count === maxLevels || !isShortAt(view, at, levelStart)) return false;
      const behind = this.#plainLevel(bytes, view, at + levelStart.length);
      if (behind > 0) text.end = behind;
      else if (!this.#level(text, at + levelStart.length)) return false;
      const price = this.values[2 * this.count - 2] ?? 0;
      this.isOrdered &&= this.#isBids ? price > last : price < last;
      last = price;
      const next = bytes[text.end];
      if (next === closeBracket) break;
      if (next !== comma) return false;
    }
    this.#to = text.end;
    text.end++;
    return true;
  }

  /** JSON of the levels when it is what the book hash covers: shortest numbers, best price last, nothing empty. */
  textOf(text: TextBytes): string | null {
    return this.isOrdered ? text.text(this.#from, this.#to) : null;
  }

  /** A level from its price on, `text.end` behind it; false for anything unusual. */
  #level(text: TextBytes, from: number): boolean {
    const price = text.decimal(from, priceDecimals);
    if (price <= 0 || price >= priceOne || !isShortAt(text.view, text.end, levelSize)) return false;
    const isShortest = text.isShortest;
    const size = text.decimal(text.end + levelSize.length, sharesDecimals);
    if (size < 0 || text.byte(text.end) !== closeBrace) return false;
    this.isOrdered &&= isShortest && text.isShortest && size > 0;
    this.#push(price, size);
    text.end++;
    return true;
  }

  /**
   * The same for a level as nearly all are, in shortest numbers that small integers hold: "0." and up to four places, a size
   * below ten million shares with two places at most. The place behind it, 0 for any other one.
   */
  #plainLevel(bytes: Uint8Array, view: DataView, from: number): number {
    this.#makeRoom();
    const behindPrice = this.#plainPrice(bytes, from);
    if (behindPrice === 0 || !isShortAt(view, behindPrice, levelSize)) return 0;
    const end = this.#plainSize(bytes, behindPrice + levelSize.length);
    if (end === 0 || bytes[end] !== quote || bytes[end + 1] !== closeBrace) return 0;
    this.count++;
    return end + 2;
  }

  /** Notes the price of the next level; the place behind its quote, 0 when it is none. */
  #plainPrice(bytes: Uint8Array, from: number): number {
    if (bytes[from] !== zero || bytes[from + 1] !== dot) return 0;
    const first = from + 2;
    let at = first;
    let price = 0;
    let digit = (bytes[at] ?? 0) - zero;
    while (digit >= 0 && digit <= 9) {
      price = price * 10 + digit;
      digit = (bytes[++at] ?? 0) - zero;
      if (at - first > priceDecimals) return 0;
    }
    if (price === 0 || price % 10 === 0 || bytes[at] !== quote) return 0;
    this.values[2 * this.count] = price * (priceUnits[at - first] ?? 0);
    return at + 1;
  }

  /** Notes the size of the next level; the place of its quote, 0 when it is none. */
  #plainSize(bytes: Uint8Array, first: number): number {
    let at = first;
    let size = 0;
    let digit = (bytes[at] ?? 0) - zero;
    while (digit >= 0 && digit <= 9) {
      size = size * 10 + digit;
      digit = (bytes[++at] ?? 0) - zero;
      if (at - first > plainSizeDigits) return 0;
    }
    if (at === first || bytes[first] === zero) return 0;
    let unit = 1_000_000;
    if (bytes[at] === dot) {
      const tenth = (bytes[at + 1] ?? 0) - zero;
      if (tenth < 0 || tenth > 9) return 0;
      const hundredth = (bytes[at + 2] ?? 0) - zero;
      const hasTwo = hundredth >= 0 && hundredth <= 9;
      if (hasTwo ? hundredth === 0 : tenth === 0) return 0;
      size = hasTwo ? size * 100 + tenth * 10 + hundredth : size * 10 + tenth;
      unit = hasTwo ? 10_000 : 100_000;
      at += hasTwo ? 3 : 2;
    }
    this.values[2 * this.count + 1] = size * unit;
    return at;
  }

  #push(price: number, size: number): void {
    this.#makeRoom();
    const at = 2 * this.count++;
    this.values[at] = price;
    this.values[at + 1] = size;
  }

  #makeRoom(): void {
    const at = 2 * this.count;
    if (at < this.values.length) return;
    const wider = new Float64Array(2 * at);
    wider.set(this.values);
    this.values = wider;
  }
}

/** The levels of the book that is being read. */
export class LevelRows {
  readonly bids = new SideRows(true);
  readonly asks = new SideRows(false);

  /** The rows in memory of their own: a book is kept until somebody applies it. `text` still holds them. */
  taken(text: TextBytes, isHashed: boolean): SnapshotRows {
    const { bids, asks } = this;
    const bidNumbers = 2 * bids.count;
    const values = new Float64Array(bidNumbers + 2 * asks.count);
    // A loop: two more views of the memory would cost more than the copy.
    for (let i = 0; i < bidNumbers; i++) values[i] = bids.values[i] ?? 0;
    for (let i = bidNumbers; i < values.length; i++) values[i] = asks.values[i - bidNumbers] ?? 0;
    // Nobody asks for the text of a book without a hash: its own would be made of the levels.
    const [bidsText, asksText] = isHashed ? [bids.textOf(text), asks.textOf(text)] : [null, null];
    const given =
      bidsText === null || asksText === null ? null : { bids: bidsText, asks: asksText };
    return { values, bidCount: bids.count, text: given };
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
