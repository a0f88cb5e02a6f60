import { crc32, zstdDecompressSync } from "node:zlib";
import { formatDecimal } from "../../engine/lib/decimal.ts";
import { rowKind } from "./block-builder.ts";
import { changeFlag, deltaParts, microPerSizeUnit, pricesTop } from "./delta-layout.ts";
import { type BlockMarket, marketsOfLines } from "./market-table.ts";
import { type BlockHead, bodyBytesOf, hashBytes, partBytesMax } from "./segment-format.ts";
import { TapeError } from "./tape-error.ts";
import { noteOf, seqsOf, type TapeRow } from "./tape-row.ts";

/** The least that zlib takes. */
const minChunk = 64;

/** Text of every price in 1/10,000 dollar, in its shortest spelling. */
const priceTexts = Array.from({ length: pricesTop + 1 }, (_, at) => formatDecimal(at, 4));

/** The rows of one block: as columns for those who are in a hurry, or one by one. */
export class BlockView {
  readonly head: BlockHead;
  readonly rowKinds: Uint8Array;
  readonly rowSteps: Int32Array;
  readonly deltaMarkets: Uint16Array;
  readonly deltaChanges: Uint8Array;
  readonly deltaSteps: Int32Array;
  readonly flags: Uint8Array;
  readonly prices: Uint16Array;
  readonly bestBids: Uint16Array;
  readonly bestAsks: Uint16Array;
  readonly sizes: Uint32Array;
  readonly bigSizes: Float64Array;
  readonly hashes: Buffer;
  readonly markets: readonly BlockMarket[];
  readonly #textLengths: Uint32Array;
  readonly #storedTexts: Buffer;
  #texts: Buffer | null = null;

  /** @throws TapeError when the bytes are not what the head says */
  constructor(head: BlockHead, body: Buffer) {
    if (crc32(body) !== head.bodyCrc) throw new TapeError("the block's checksum does not fit");
    this.head = head;
    const hashesAt = head.columnBytes;
    const textsAt = hashesAt + head.hashes * hashBytes;
    const columns = inflate(body.subarray(0, hashesAt), head.columnBytesRaw);
    let at = 0;
    const take = (count: number, width: number): [ArrayBufferLike, number, number] => {
      const from = columns.byteOffset + at;
      at += count * width;
      if (at > columns.length) throw new TapeError("the block's columns are too short");
      return [columns.buffer, from, count];
    };
    this.bigSizes = new Float64Array(...take(head.bigSizes, 8));
    this.rowSteps = new Int32Array(...take(head.rows, 4));
    this.deltaSteps = new Int32Array(...take(head.deltas, 4));
    this.sizes = new Uint32Array(...take(head.changes, 4));
    this.#textLengths = new Uint32Array(...take(head.texts, 4));
    this.deltaMarkets = new Uint16Array(...take(head.deltas, 2));
    this.prices = new Uint16Array(...take(head.changes, 2));
    this.bestBids = new Uint16Array(...take(head.changes, 2));
    this.bestAsks = new Uint16Array(...take(head.changes, 2));
    this.rowKinds = new Uint8Array(...take(head.rows, 1));
    this.deltaChanges = new Uint8Array(...take(head.deltas, 1));
    this.flags = new Uint8Array(...take(head.changes, 1));
    this.markets = marketsOfLines(columns.subarray(at));
    this.hashes = body.subarray(hashesAt, textsAt);
    this.#storedTexts = body.subarray(textsAt);
  }

  /** Memory that the view takes, its texts unpacked. */
  get memoryBytes(): number {
    return this.head.columnBytesRaw + this.head.textBytesRaw + bodyBytesOf(this.head);
  }

  /** All rows in order. @throws TapeError when a note cannot be read */
  *rows(): Generator<TapeRow> {
    const cursor = this.cursor();
    for (let i = 0; i < this.head.rows; i++) yield this.next(cursor);
  }

  /** The bytes of the frames that are kept as texts, and of the recorder's own books, in order. @throws TapeError */
  *textFrames(): Generator<Buffer> {
    const cursor = this.cursor();
    for (let row = 0; cursor.text < this.head.texts && row < this.head.rows; row++) {
      const kind = this.rowKinds[row];
      if (kind === rowKind.delta) continue;
      const bytes = this.#textBytes(cursor);
      if (kind === rowKind.text) yield bytes;
      if (kind !== rowKind.note) continue;
      const note = readNote(bytes.toString("utf8"));
      if (note.note === "book") yield Buffer.from(note.frame);
    }
  }

  /** Before the first row. */
  cursor(): BlockCursor {
    const { firstSeq, baseAtMs, baseTimestampMs } = this.head;
    return {
      row: 0,
      seq: firstSeq,
      atMs: baseAtMs,
      delta: 0,
      timestampMs: baseTimestampMs,
      change: 0,
      hash: 0,
      bigSize: 0,
      text: 0,
      textAt: 0,
    };
  }

  /** The row at the cursor, which moves behind it. @throws TapeError */
  next(cursor: BlockCursor): TapeRow {
    const kind = this.rowKinds[cursor.row];
    cursor.atMs += this.rowSteps[cursor.row] ?? 0;
    cursor.row++;
    const { seq, atMs } = cursor;
    if (kind === rowKind.delta) {
      cursor.seq++;
      return { seq, atMs, kind: "frame", text: this.#deltaText(cursor) };
    }
    const text = this.#text(cursor);
    if (kind === rowKind.text) {
      cursor.seq++;
      return { seq, atMs, kind: "frame", text };
    }
    if (kind === rowKind.step) {
      cursor.seq++;
      return { seq, atMs, kind: "step", text };
    }
    const note = readNote(text);
    cursor.seq += seqsOf(note);
    return { seq, atMs, kind: "note", note };
  }

  /** The bytes of the frame at the cursor, which is kept as a text and left behind; a part of the view's own memory. */
  nextText(cursor: BlockCursor): Buffer {
    cursor.atMs += this.rowSteps[cursor.row++] ?? 0;
    cursor.seq++;
    return this.#textBytes(cursor);
  }

  /** Moves the cursor behind the packed frame that it stands at, without looking at its changes. */
  skipDelta(cursor: BlockCursor): void {
    cursor.atMs += this.rowSteps[cursor.row++] ?? 0;
    cursor.seq++;
    cursor.timestampMs += this.deltaSteps[cursor.delta] ?? 0;
    const to = cursor.change + (this.deltaChanges[cursor.delta++] ?? 0);
    for (; cursor.change < to; cursor.change++) {
      const flags = this.flags[cursor.change] ?? 0;
      if ((flags & changeFlag.hashed) !== 0) {
        cursor.hash += (flags & changeFlag.mirrored) === 0 ? 1 : 2;
      }
      if ((flags & changeFlag.bigSize) !== 0) cursor.bigSize++;
    }
  }

  /** Moves the cursor behind the engine's input that it stands at, without unpacking it. */
  skipStep(cursor: BlockCursor): void {
    cursor.atMs += this.rowSteps[cursor.row++] ?? 0;
    cursor.seq++;
    cursor.textAt += this.#textLengths[cursor.text++] ?? 0;
  }

  #text(cursor: BlockCursor): string {
    return this.#textBytes(cursor).toString("utf8");
  }

  #textBytes(cursor: BlockCursor): Buffer {
    // Unpacked when the first one is asked for.
    this.#texts ??= inflate(this.#storedTexts, this.head.textBytesRaw);
    const from = cursor.textAt;
    cursor.textAt += this.#textLengths[cursor.text++] ?? 0;
    return this.#texts.subarray(from, cursor.textAt);
  }

  /** The frame at the cursor, byte for byte as it came. */
  #deltaText(cursor: BlockCursor): string {
    cursor.timestampMs += this.deltaSteps[cursor.delta] ?? 0;
    const market = this.markets[this.deltaMarkets[cursor.delta] ?? 0];
    const count = this.deltaChanges[cursor.delta] ?? 0;
    cursor.delta++;
    let entries = "";
    for (let i = 0; i < count; i++) {
      entries += (i === 0 ? "" : ",") + this.#entries(cursor, market);
    }
    const { market: opening, changes, timestamp, end } = deltaParts;
    return `${opening}${market?.conditionId ?? ""}${changes}${entries}${timestamp}${cursor.timestampMs}${end}`;
  }

  /** The change at the cursor as the message has it: said once, or about both tokens. */
  #entries(cursor: BlockCursor, market: BlockMarket | undefined): string {
    const i = cursor.change++;
    const flags = this.flags[i] ?? 0;
    const micro =
      (flags & changeFlag.bigSize) === 0
        ? (this.sizes[i] ?? 0) * microPerSizeUnit
        : (this.bigSizes[cursor.bigSize++] ?? 0);
    const [price, bid, ask] = [this.prices[i] ?? 0, this.bestBids[i] ?? 0, this.bestAsks[i] ?? 0];
    const own = this.#entry(cursor, market, { flags, micro, price, bid, ask });
    if ((flags & changeFlag.mirrored) === 0) return own;
    const mirror = this.#entry(cursor, market, {
      flags: flags ^ (changeFlag.token1 | changeFlag.sell),
      micro,
      price: pricesTop - price,
      bid: pricesTop - ask,
      ask: pricesTop - bid,
    });
    return `${own},${mirror}`;
  }

  #entry(cursor: BlockCursor, market: BlockMarket | undefined, change: Change): string {
    const { flags, micro } = change;
    const token = market?.tokenIds[flags & changeFlag.token1] ?? "";
    let hash = "";
    if ((flags & changeFlag.hashed) !== 0) {
      const from = cursor.hash++ * hashBytes;
      hash = this.hashes.toString("hex", from, from + hashBytes);
    }
    const side = (flags & changeFlag.sell) === 0 ? "BUY" : "SELL";
    const text = (at: number) => priceTexts[at] ?? "";
    const part = deltaParts;
    return (
      `${part.asset}${token}${part.price}${text(change.price)}${part.size}${formatDecimal(micro, 6)}` +
      `${part.side}${side}${part.hash}${hash}${part.bestBid}${text(change.bid)}` +
      `${part.bestAsk}${text(change.ask)}${part.entryEnd}`
    );
  }
}

/** One change of a message; prices as the columns have them, `micro` the size in micro-shares. */
type Change = {
  readonly flags: number;
  readonly micro: number;
  readonly price: number;
  readonly bid: number;
  readonly ask: number;
};

/** How far a reader of rows has come, in each column. */
export type BlockCursor = {
  row: number;
  seq: number;
  /** Of the row before the cursor. */
  atMs: number;
  delta: number;
  /** Of the packed frame before the cursor. */
  timestampMs: number;
  change: number;
  hash: number;
  bigSize: number;
  text: number;
  textAt: number;
};

function readNote(text: string) {
  try {
    return noteOf(text);
  } catch {
    throw new TapeError("a note of the block cannot be read");
  }
}

function inflate(stored: Buffer, rawBytes: number): Buffer {
  // Empty texts alone are stored as nothing at all.
  if (rawBytes === 0 && stored.length === 0) return stored;
  let raw: Buffer;
  try {
    // One byte more than there should be: everything comes in one piece, and what is longer is still noticed.
    const chunkSize = Math.max(minChunk, rawBytes + 1);
    raw = zstdDecompressSync(stored, { maxOutputLength: partBytesMax, chunkSize });
  } catch (error) {
    throw new TapeError(error instanceof Error ? error.message : "the block cannot be unpacked");
  }
  if (raw.length !== rawBytes) throw new TapeError("the block's columns have another length");
  // Typed arrays stand on multiples of their width.
  return raw.byteOffset % 8 === 0 ? raw : Buffer.from(new Uint8Array(raw).buffer);
}
