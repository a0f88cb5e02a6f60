import { type BlockColumns, deltaChangesMax } from "./block-columns.ts";
import { changeFlag, deltaParts, microPerSizeUnit, pricesTop } from "./delta-layout.ts";
import { type IdSource, idCharsMax, type MarketTable } from "./market-table.ts";
import { type PackedText, packText, standsAt } from "./packed-text.ts";
import { hashBytes } from "./segment-format.ts";

const literal = (text: string) => packText(Buffer.from(text, "latin1"));
const parts = deltaParts;
/** What stands between the values of a frame. */
const before = {
  market: literal(parts.market),
  firstAsset: literal(parts.changes + parts.asset),
  nextAsset: literal(`${parts.entryEnd},${parts.asset}`),
  price: literal(parts.price),
  size: literal(parts.size),
  side: literal(parts.side),
  hashOfBuy: literal(`BUY${parts.hash}`),
  hashOfSell: literal(`SELL${parts.hash}`),
  bestBid: literal(parts.bestBid),
  bestAsk: literal(parts.bestAsk),
  timestamp: literal(parts.entryEnd + parts.timestamp),
  end: literal(parts.end),
};

const quote = 0x22;
const point = 0x2e;
const zero = 0x30;
const one = 0x31;
const nine = 0x39;
const letterB = 0x42;
const placesOfPrice = 4;
const placesOfSize = 6;
const stepMax = 2 ** 31 - 1;
const sizeUnitsMax = 2 ** 32;
/** 48 to 57 and 97 to 102 are hex digits, everything else is 255. */
const hexValue = new Uint8Array(256).fill(255);
for (let i = 0; i < 16; i++) hexValue[i.toString(16).charCodeAt(0)] = i;

/**
 * Reads a frame of the layout in delta-layout.ts straight into columns. It never interprets: whatever it is not sure to
 * write again byte for byte it leaves alone, and the frame is kept as its text.
 */
export class DeltaPacker {
  readonly #columns: BlockColumns;
  readonly #markets: MarketTable;
  #bytes: Uint8Array = new Uint8Array(0);
  #source: IdSource = { bytes: this.#bytes, view: new DataView(new ArrayBuffer(0)) };
  #view = this.#source.view;
  #at = 0;
  #end = 0;
  #lastTimestampMs = 0;
  /** Venue time of the block's first packed change; the start of its steps. */
  baseTimestampMs = 0;

  constructor(columns: BlockColumns, markets: MarketTable) {
    this.#columns = columns;
    this.#markets = markets;
  }

  /** True when the frame is in the columns now; false when nothing was written. */
  pack(bytes: Uint8Array, from: number, to: number): boolean {
    if (this.#bytes !== bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      this.#source = { bytes, view: this.#view };
    }
    this.#at = from;
    this.#end = to;
    const columns = this.#columns;
    const { changeCount, mirrorCount, bigSizeCount, hashCount } = columns;
    if (this.#delta()) return true;
    columns.changeCount = changeCount;
    columns.mirrorCount = mirrorCount;
    columns.bigSizeCount = bigSizeCount;
    columns.hashCount = hashCount;
    return false;
  }

  #delta(): boolean {
    if (!this.#skip(before.market)) return false;
    const idFrom = this.#at;
    if (!this.#toQuote()) return false;
    const place = this.#markets.placeOf(this.#source, idFrom, this.#at);
    if (place < 0 || !this.#skip(before.firstAsset)) return false;
    let said = 0;
    const columns = this.#columns;
    const first = columns.changeCount;
    do {
      if (said === deltaChangesMax || !this.#change(place)) return false;
      said++;
      if (columns.changeCount - first > 1) this.#foldMirror();
    } while (this.#skip(before.nextAsset));
    if (!this.#skip(before.timestamp)) return false;
    const timestampMs = this.#wholeNumber();
    if (timestampMs < 0 || !this.#skip(before.end) || this.#at !== this.#end) return false;
    const i = columns.deltaCount;
    if (i === 0) {
      this.baseTimestampMs = timestampMs;
      this.#lastTimestampMs = timestampMs;
    }
    const step = timestampMs - this.#lastTimestampMs;
    if (Math.abs(step) > stepMax) return false;
    this.#lastTimestampMs = timestampMs;
    columns.deltaMarkets[i] = place;
    columns.deltaChanges[i] = columns.changeCount - first;
    columns.deltaSteps[i] = step;
    columns.deltaCount++;
    return true;
  }

  #change(place: number): boolean {
    const token = this.#token(place);
    if (token < 0 || !this.#skip(before.price)) return false;
    const price = this.#price();
    if (price < 0 || !this.#skip(before.size)) return false;
    const size = this.#size();
    if (size < 0 || !this.#skip(before.side)) return false;
    const isBuy = this.#bytes[this.#at] === letterB;
    if (!this.#skip(isBuy ? before.hashOfBuy : before.hashOfSell)) return false;
    const isHashed = this.#bytes[this.#at] !== quote;
    if (isHashed && !this.#hash()) return false;
    if (!this.#skip(before.bestBid)) return false;
    const bestBid = this.#price();
    if (bestBid < 0 || !this.#skip(before.bestAsk)) return false;
    const bestAsk = this.#price();
    if (bestAsk < 0) return false;
    const columns = this.#columns;
    const i = columns.changeCount++;
    columns.prices[i] = price;
    columns.bestBids[i] = bestBid;
    columns.bestAsks[i] = bestAsk;
    let flags = token === 1 ? changeFlag.token1 : 0;
    if (!isBuy) flags |= changeFlag.sell;
    if (isHashed) flags |= changeFlag.hashed;
    if (size % microPerSizeUnit === 0 && size < sizeUnitsMax * microPerSizeUnit) {
      columns.sizes[i] = size / microPerSizeUnit;
    } else {
      flags |= changeFlag.bigSize;
      columns.sizes[i] = 0;
      columns.bigSizes[columns.bigSizeCount++] = size;
    }
    columns.flags[i] = flags;
    return true;
  }

  /** Lets the change before the last one stand for both when they say the same about the two tokens. */
  #foldMirror(): void {
    const columns = this.#columns;
    const { flags, prices, sizes, bestBids, bestAsks, bigSizes } = columns;
    const b = columns.changeCount - 1;
    const a = b - 1;
    const flag = flags[a] ?? 0;
    // A change that stands for two already has a flag too many here.
    if ((flag ^ (flags[b] ?? 0)) !== (changeFlag.token1 | changeFlag.sell)) return;
    if (
      (prices[a] ?? 0) + (prices[b] ?? 0) !== pricesTop ||
      (bestBids[a] ?? 0) + (bestAsks[b] ?? 0) !== pricesTop ||
      (bestAsks[a] ?? 0) + (bestBids[b] ?? 0) !== pricesTop ||
      sizes[a] !== sizes[b]
    ) {
      return;
    }
    if ((flag & changeFlag.bigSize) !== 0) {
      const last = columns.bigSizeCount - 1;
      if (bigSizes[last - 1] !== bigSizes[last]) return;
      columns.bigSizeCount = last;
    }
    flags[a] = flag | changeFlag.mirrored;
    columns.changeCount = b;
    columns.mirrorCount++;
  }

  #token(place: number): number {
    const from = this.#at;
    const known = this.#markets.tokenAt(place, this.#source, from, this.#end);
    if (known >= 0) {
      this.#at = from + this.#markets.tokenLength(place, known);
      return known;
    }
    return this.#toQuote() ? this.#markets.addToken(place, this.#source, from, this.#at) : -1;
  }

  #skip(wanted: PackedText): boolean {
    if (!standsAt(wanted, this.#view, this.#at, this.#end)) return false;
    this.#at += wanted.bytes.length;
    return true;
  }

  /** To the end of an id: visible ASCII without quotes, backslashes and tabs. */
  #toQuote(): boolean {
    const bytes = this.#bytes;
    const last = Math.min(this.#end, this.#at + idCharsMax);
    for (let at = this.#at; at < last; at++) {
      const byte = bytes[at] ?? 0;
      if (byte === quote) {
        const isEmpty = at === this.#at;
        this.#at = at;
        return !isEmpty;
      }
      if (byte <= 0x20 || byte >= 0x7f || byte === 0x5c) return false;
    }
    return false;
  }

  /** "0", "1" or "0." with at most four places and no zero at the end; -1 otherwise. */
  #price(): number {
    const bytes = this.#bytes;
    const first = bytes[this.#at];
    if (first === one) {
      this.#at++;
      return pricesTop;
    }
    if (first !== zero) return -1;
    this.#at++;
    if (bytes[this.#at] !== point) return 0;
    return this.#places(placesOfPrice);
  }

  /** Micro-shares of a decimal in its shortest spelling; -1 otherwise. */
  #size(): number {
    const whole = this.#wholeNumber();
    if (whole < 0) return -1;
    let size = whole * 1_000_000;
    if (this.#bytes[this.#at] === point) {
      const places = this.#places(placesOfSize);
      if (places < 0) return -1;
      size += places;
    }
    return Number.isSafeInteger(size) ? size : -1;
  }

  /** Digits without a leading zero, or one zero; -1 otherwise. */
  #wholeNumber(): number {
    const bytes = this.#bytes;
    const from = this.#at;
    let value = 0;
    let at = from;
    for (; at < this.#end; at++) {
      const digit = (bytes[at] ?? 0) - zero;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    const length = at - from;
    if (length === 0 || length > 15 || (length > 1 && bytes[from] === zero)) return -1;
    this.#at = at;
    return value;
  }

  /** A point and its places as an integer of `count` places; -1 when there is none, too many, or a zero at the end. */
  #places(count: number): number {
    const bytes = this.#bytes;
    let at = this.#at + 1;
    let value = 0;
    let seen = 0;
    for (; at < this.#end; at++) {
      const byte = bytes[at] ?? 0;
      if (byte < zero || byte > nine) break;
      if (++seen > count) return -1;
      value = value * 10 + (byte - zero);
    }
    if (seen === 0 || bytes[at - 1] === zero) return -1;
    for (let i = seen; i < count; i++) value *= 10;
    this.#at = at;
    return value;
  }

  /** 40 hex digits in lower case. */
  #hash(): boolean {
    const bytes = this.#bytes;
    const columns = this.#columns;
    const { hashes } = columns;
    const to = columns.hashCount * hashBytes;
    const from = this.#at;
    if (from + 2 * hashBytes > this.#end) return false;
    for (let i = 0; i < hashBytes; i++) {
      const high = hexValue[bytes[from + 2 * i] ?? 0] ?? 255;
      const low = hexValue[bytes[from + 2 * i + 1] ?? 0] ?? 255;
      if (high === 255 || low === 255) return false;
      hashes[to + i] = high * 16 + low;
    }
    columns.hashCount++;
    this.#at = from + 2 * hashBytes;
    return true;
  }
}
