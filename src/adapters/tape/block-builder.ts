import { constants, crc32, zstdCompressSync } from "node:zlib";
import { assert } from "../../engine/lib/assert.ts";
import { BlockColumns } from "./block-columns.ts";
import { DeltaPacker } from "./delta-packer.ts";
import { MarketTable } from "./market-table.ts";
import { type BlockHead, encodeBlockHead, hashBytes } from "./segment-format.ts";
import { seqsOf, type TapeNote } from "./tape-row.ts";

/** How a row of a block is kept. */
export const rowKind = { text: 0, delta: 1, note: 2, step: 3 } as const;

/** A finished block, ready to be appended to a segment. */
export type BuiltBlock = {
  readonly head: BlockHead;
  readonly bytes: readonly Uint8Array[];
  /** Its markets as `marketsOfLines` reads them. */
  readonly marketLines: Buffer;
};

const stepMax = 2 ** 31 - 1;
/** The lowest level: it keeps up with a flood, and columns leave little for higher ones to find. */
const compression = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** Collects rows until a block is full, then packs them. */
export class BlockBuilder {
  readonly #columns = new BlockColumns();
  readonly #markets = new MarketTable();
  readonly #packer = new DeltaPacker(this.#columns, this.#markets);
  #nextSeq: number;
  #firstSeq: number;
  #baseAtMs = 0;
  #lastAtMs = 0;
  #lowestAtMs = 0;
  #highestAtMs = 0;
  #frames = 0;
  #gaps = 0;
  #lostRows = 0;

  constructor(firstSeq: number) {
    this.#nextSeq = firstSeq;
    this.#firstSeq = firstSeq;
  }

  get isEmpty(): boolean {
    return this.#columns.rowCount === 0;
  }

  /** The sequence number of the next row. */
  get nextSeq(): number {
    return this.#nextSeq;
  }

  /** Goes back to this number after a block that could not be kept; only while it is empty. */
  restartAt(seq: number): void {
    assert(this.isEmpty, "rows that were added keep their numbers");
    this.#nextSeq = seq;
    this.#firstSeq = seq;
  }

  /** True when the next row belongs into another block. A gap ends its block: the next row's number is no step of one. */
  isFullFor(atMs: number): boolean {
    if (this.isEmpty) return false;
    return this.#columns.isFull || this.#gaps > 0 || Math.abs(atMs - this.#lastAtMs) > stepMax;
  }

  /** Adds a frame as the venue sent it: UTF-8 bytes of a text. */
  addFrame(atMs: number, bytes: Uint8Array, from: number, to: number): void {
    const columns = this.#columns;
    const packed = this.#packer.pack(bytes, from, to);
    if (!packed) columns.addText(bytes, from, to);
    this.#row(atMs, packed ? rowKind.delta : rowKind.text);
    this.#frames++;
    this.#nextSeq++;
  }

  /** Adds an encoded input of the engine. */
  addStep(atMs: number, bytes: Uint8Array, from: number, to: number): void {
    this.#columns.addText(bytes, from, to);
    this.#row(atMs, rowKind.step);
    this.#nextSeq++;
  }

  addNote(atMs: number, note: TapeNote): void {
    const text = Buffer.from(JSON.stringify(note));
    this.#columns.addText(text, 0, text.length);
    this.#row(atMs, rowKind.note);
    this.#nextSeq += seqsOf(note);
    if (note.note !== "gap") return;
    this.#gaps++;
    this.#lostRows += note.lost;
  }

  #row(atMs: number, kind: number): void {
    const columns = this.#columns;
    const i = columns.rowCount++;
    if (i === 0) {
      this.#baseAtMs = atMs;
      this.#lastAtMs = atMs;
      this.#lowestAtMs = atMs;
      this.#highestAtMs = atMs;
    }
    columns.rowKinds[i] = kind;
    columns.rowSteps[i] = atMs - this.#lastAtMs;
    this.#lastAtMs = atMs;
    if (atMs < this.#lowestAtMs) this.#lowestAtMs = atMs;
    if (atMs > this.#highestAtMs) this.#highestAtMs = atMs;
  }

  /** The block of everything added so far; the builder is empty afterwards. */
  build(): BuiltBlock {
    const columns = this.#columns;
    const lines = this.#markets.lines();
    const columnsRaw = this.#columnBytes(lines);
    const columnsStored = zstdCompressSync(columnsRaw, compression);
    const hashes = columns.hashes.slice(0, columns.hashCount * hashBytes);
    const textsRaw = columns.texts.subarray(0, columns.textBytes);
    const textsStored =
      textsRaw.length === 0 ? new Uint8Array(0) : zstdCompressSync(textsRaw, compression);
    const bodyCrc = crc32(textsStored, crc32(hashes, crc32(columnsStored)));
    const head: BlockHead = {
      kind: "rows",
      firstSeq: this.#firstSeq,
      lastSeq: this.#nextSeq - 1,
      firstAtMs: this.#lowestAtMs,
      lastAtMs: this.#highestAtMs,
      baseAtMs: this.#baseAtMs,
      baseTimestampMs: columns.deltaCount === 0 ? 0 : this.#packer.baseTimestampMs,
      rows: columns.rowCount,
      frames: this.#frames,
      deltas: columns.deltaCount,
      changes: columns.changeCount,
      bigSizes: columns.bigSizeCount,
      hashes: columns.hashCount,
      texts: columns.textCount,
      gaps: this.#gaps,
      lostRows: this.#lostRows,
      columnBytesRaw: columnsRaw.length,
      columnBytes: columnsStored.length,
      textBytesRaw: textsRaw.length,
      textBytes: textsStored.length,
      bodyCrc,
      mirrors: columns.mirrorCount,
    };
    this.#startNext();
    const bytes = [encodeBlockHead(head), columnsStored, hashes, textsStored];
    return { head, bytes, marketLines: lines };
  }

  #startNext(): void {
    this.#columns.clear();
    this.#markets.startBlock();
    this.#firstSeq = this.#nextSeq;
    this.#frames = 0;
    this.#gaps = 0;
    this.#lostRows = 0;
  }

  /** All columns one behind the other, widest first so that each is aligned, then the markets; read by BlockView. */
  #columnBytes(lines: Buffer): Buffer {
    const columns = this.#columns;
    const { rowCount: rows, deltaCount: deltas, changeCount: changes, textCount: texts } = columns;
    const parts: readonly ArrayBufferView[] = [
      columns.bigSizes.subarray(0, columns.bigSizeCount),
      columns.rowSteps.subarray(0, rows),
      columns.deltaSteps.subarray(0, deltas),
      columns.sizes.subarray(0, changes),
      columns.textLengths.subarray(0, texts),
      columns.deltaMarkets.subarray(0, deltas),
      columns.prices.subarray(0, changes),
      columns.bestBids.subarray(0, changes),
      columns.bestAsks.subarray(0, changes),
      columns.rowKinds.subarray(0, rows),
      columns.deltaChanges.subarray(0, deltas),
      columns.flags.subarray(0, changes),
      lines,
    ];
    return Buffer.concat(
      parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength)),
    );
  }
}
