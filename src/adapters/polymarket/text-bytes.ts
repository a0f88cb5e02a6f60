import { assert } from "../../engine/lib/assert.ts";

/** Room behind a frame: no comparison that starts inside it can leave the buffer. */
const padding = 256;

const quote = 0x22;
const dot = 0x2e;
const digitZero = 0x30;
const digitNine = 0x39;
const backslash = 0x5c;
/** No space: texts that are no message ("NO NEW ASSETS") have some. */
const firstPrintable = 0x21;
const lastPrintable = 0x7e;
const hexDigits = Uint8Array.from({ length: 256 }, (_, byte) =>
  "0123456789abcdef".includes(String.fromCharCode(byte)) ? 1 : 0,
);

/** A double carries 15 significant decimal digits without loss. */
const maxExactDigits = 15;
const tens = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000] as const;

const hashLength = 40;
const upperBuy = halfOf('BUY"');
const lowerBuy = halfOf('buy"');
const upperSell = halfOf("SELL");
const lowerSell = halfOf("sell");

/** What the readers of values answer where something else stands. */
export const unread = -1;

/** Bytes of one frame in a reusable buffer that grows with the largest one; they can be compared eight at a time. */
export class TextBytes {
  #buffer: Buffer;
  /** Over the buffer as it is now; another one after a larger frame was loaded. */
  view: DataView;
  length = 0;
  /** Place behind the closing quote of the value that was read last. */
  end = 0;
  /** True when the decimal that was read last is the shortest text of its value. */
  isShortest = false;
  /** The last timestamp: frames of a burst share it. */
  #time = "";
  #timeValue = unread;

  constructor(capacity: number) {
    this.#buffer = Buffer.alloc(capacity + padding);
    this.view = viewOf(this.#buffer);
  }

  load(frame: Uint8Array): void {
    if (frame.length + padding > this.#buffer.length) {
      this.#buffer = Buffer.alloc(2 * frame.length + padding);
      this.view = viewOf(this.#buffer);
    }
    this.#buffer.set(frame);
    // What an earlier, longer frame left must not be taken for the end of this one: no text that is looked for holds a
    // zero, so nothing matches across it.
    this.#buffer[frame.length] = 0;
    this.length = frame.length;
  }

  /** The buffer as it is now, like `view`; for loops that look at each byte. */
  get bytes(): Uint8Array {
    return this.#buffer;
  }

  byte(at: number): number {
    return this.#buffer[at] ?? 0;
  }

  /** Four bytes as an integer. */
  half(at: number): number {
    return this.view.getInt32(at, true);
  }

  /** Eight bytes as a number to compare: equal for equal ASCII text and for nothing else. */
  word(at: number): number {
    return this.view.getFloat64(at, true);
  }

  text(from: number, to: number): string {
    return this.#buffer.toString("latin1", from, to);
  }

  /**
   * Decimal text up to a quote as an integer of 10^-decimals; unread for anything else and for text that is better
   * judged by the simple path. The rule of scaledOf.
   */
  decimal(from: number, decimals: number): number {
    const buffer = this.#buffer;
    let value = 0;
    let at = from;
    let byte = buffer[at] ?? 0;
    for (; byte >= digitZero && byte <= digitNine; byte = buffer[++at] ?? 0) {
      value = value * 10 + (byte - digitZero);
    }
    const digits = at - from;
    let places = 0;
    if (byte === dot) {
      byte = buffer[++at] ?? 0;
      for (; byte >= digitZero && byte <= digitNine; byte = buffer[++at] ?? 0) {
        value = value * 10 + (byte - digitZero);
      }
      places = at - from - digits - 1;
      this.isShortest = places > 0 && buffer[at - 1] !== digitZero;
    } else this.isShortest = true;
    if (byte !== quote || digits === 0 || digits > maxExactDigits || places > decimals)
      return unread;
    if (digits > 1 && buffer[from] === digitZero) this.isShortest = false;
    this.end = at + 1;
    value *= tens[decimals - places] ?? 0;
    return value <= Number.MAX_SAFE_INTEGER ? value : unread;
  }

  /** Text of up to 15 digits and a quote, "" for anything else. */
  timestamp(from: number): string {
    const buffer = this.#buffer;
    let value = 0;
    let at = from;
    for (let byte = buffer[at]; byte !== quote; byte = buffer[++at]) {
      const digit = (byte ?? 0) - digitZero;
      if (digit < 0 || digit > 9) return "";
      value = value * 10 + digit;
    }
    const length = at - from;
    if (length > maxExactDigits) return "";
    this.end = at + 1;
    // Up to 15 digits, value and length stand for one text only.
    if (value !== this.#timeValue || length !== this.#time.length) {
      this.#timeValue = value;
      this.#time = this.text(from, at);
    }
    return this.#time;
  }

  /** Finds the end of digits and a quote; false for anything else. */
  skipDigits(from: number): boolean {
    const buffer = this.#buffer;
    let at = from;
    for (let byte = buffer[at] ?? 0; byte !== quote; byte = buffer[++at] ?? 0) {
      if (byte < digitZero || byte > digitNine) return false;
    }
    this.end = at + 1;
    return true;
  }

  /** "BUY" or "SELL" in upper or lower case and a quote: 0 for buy, 1 for sell, unread for anything else. */
  side(from: number): number {
    const letters = this.half(from);
    if (letters === upperBuy || letters === lowerBuy) {
      this.end = from + 4;
      return 0;
    }
    this.end = from + 5;
    const isSell = letters === upperSell || letters === lowerSell;
    return isSell && this.#buffer[from + 4] === quote ? 1 : unread;
  }

  /** A book hash: 40 lower-case hex digits and a quote, null for none, undefined for anything else. */
  hash(from: number): string | null | undefined {
    const buffer = this.#buffer;
    this.end = from + 1;
    if (buffer[from] === quote) return null;
    const to = from + hashLength;
    for (let at = from; at < to; at++) if (hexDigits[buffer[at] ?? 0] === 0) return undefined;
    if (buffer[to] !== quote) return undefined;
    this.end = to + 1;
    return this.text(from, to);
  }

  /** Printable ASCII without spaces and escapes up to a quote; null for other text. */
  plainText(from: number): string | null {
    const buffer = this.#buffer;
    let at = from;
    for (let byte = buffer[at] ?? 0; byte !== quote; byte = buffer[++at] ?? 0) {
      if (byte < firstPrintable || byte > lastPrintable || byte === backslash) return null;
    }
    this.end = at + 1;
    return this.text(from, at);
  }
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
}

/** A fixed text of 8 to 24 ASCII characters that is looked for in frames, as words that may overlap. */
export type Literal = {
  readonly length: number;
  readonly head: number;
  readonly middle: number;
  readonly middleAt: number;
  readonly tail: number;
  readonly tailAt: number;
};

export function literal(text: string): Literal {
  assert(text.length >= 8 && text.length <= 24, "a literal has 8 to 24 characters");
  const bytes = Buffer.from(text, "latin1");
  const tailAt = text.length - 8;
  const middleAt = Math.min(8, tailAt);
  return {
    length: text.length,
    head: bytes.readDoubleLE(0),
    middle: bytes.readDoubleLE(middleAt),
    middleAt,
    tail: bytes.readDoubleLE(tailAt),
    tailAt,
  };
}

/** True when the text stands at this place. */
export function isAt(view: DataView, at: number, wanted: Literal): boolean {
  return (
    view.getFloat64(at, true) === wanted.head &&
    view.getFloat64(at + wanted.tailAt, true) === wanted.tail &&
    view.getFloat64(at + wanted.middleAt, true) === wanted.middle
  );
}

/** The same for a text of at most 16 characters, for places that are passed for every level. */
export function isShortAt(view: DataView, at: number, wanted: Literal): boolean {
  return (
    view.getFloat64(at, true) === wanted.head &&
    view.getFloat64(at + wanted.tailAt, true) === wanted.tail
  );
}

/** Four characters as TextBytes.half reads them. */
export function halfOf(text: string): number {
  return Buffer.from(text, "latin1").readInt32LE(0);
}
