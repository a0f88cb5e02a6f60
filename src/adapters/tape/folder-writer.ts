import { existsSync, mkdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { BlockBuilder, type BuiltBlock } from "./block-builder.ts";
import {
  emptyManifest,
  type Manifest,
  readManifest,
  type SegmentEntry,
  writeManifest,
} from "./manifest.ts";
import { type BlockMarket, marketsOfLines } from "./market-table.ts";
import { recoverSegment, segmentFiles } from "./recover.ts";
import { SegmentWriter } from "./segment-writer.ts";
import { lockTape } from "./tape-lock.ts";
import { manifestOf } from "./tape-reader.ts";
import { seqsOf, type TapeNote } from "./tape-row.ts";

/** What a recording is told at its start. */
export type TapeIdentity = { readonly codeVersion: string; readonly configHash: string };

export type FolderLimits = {
  /** A segment that grew beyond it is closed. */
  readonly segmentBytes: number;
  /** A segment older than this is closed. */
  readonly segmentMs: number;
  /** Rows wait at most this long in memory for their block. */
  readonly blockMs: number;
  /** Pause between two tries of a disk that refused. */
  readonly diskRetryMs: number;
};

export const defaultFolderLimits: FolderLimits = {
  segmentBytes: 64 * 1024 * 1024,
  segmentMs: 3_600_000,
  blockMs: 1_000,
  diskRetryMs: 1_000,
};

/** What has become of the rows so far. */
export type WriterTotals = {
  readonly rows: number;
  readonly frames: number;
  /** Bytes on the disk. */
  readonly bytes: number;
  readonly segments: number;
  readonly gaps: number;
  readonly lostRows: number;
  /** When the disk took a block last, milliseconds; null before the first. */
  readonly writtenAtMs: number | null;
  /** What the disk says while it refuses; null while it takes everything. */
  readonly refused: string | null;
};

/** Rows that the disk did not take; they become one gap once it does. */
type Stall = {
  readonly firstSeq: number;
  readonly fromMs: number;
  lost: number;
  retryAtMs: number;
  why: string;
};

/** Markets that the manifest names; a tape may hold more, and its blocks name them all. */
const manifestMarketsMax = 50_000;
const manifestEveryMs = 5_000;

/** Writes a tape's folder: blocks into segments, segments into the manifest. Synchronous; lives in a thread of its own. */
export class FolderWriter {
  readonly #folder: string;
  readonly #limits: FolderLimits;
  readonly #lock: { readonly release: () => void };
  readonly #builder: BlockBuilder;
  readonly #markets = new Map<string, BlockMarket>();
  #manifest: Manifest;
  #segment: SegmentWriter | null = null;
  #nextNumber: number;
  #blockSinceMs = 0;
  #stall: Stall | null = null;
  #writtenAtMs: number | null = null;
  /** When the manifest was written for markets last; `#isTold` is false while it does not name them all. */
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #isTold = true;
  #totals = { rows: 0, frames: 0, bytes: 0, segments: 0, gaps: 0, lostRows: 0 };

  /** Opens the folder, makes good what a killed recording left. @throws TapeError, or the system's error */
  constructor(folder: string, identity: TapeIdentity, limits: FolderLimits, nowMs: number) {
    this.#folder = folder;
    this.#limits = limits;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#lock = lockTape(folder);
    try {
      const manifest = readManifest(folder) ?? emptyManifest(nowMs);
      const known = new Set(manifest.segments.map(({ file }) => file));
      const files = segmentFiles(folder);
      const recovered = files.flatMap((file) =>
        known.has(file) ? [] : (recoverSegment(folder, file) ?? []),
      );
      const segments = [...manifest.segments, ...recovered].sort((a, b) => a.firstSeq - b.firstSeq);
      this.#manifest = { ...manifest, ...identity, segments };
      for (const market of manifest.markets) this.#markets.set(market.conditionId, market);
      writeManifest(folder, this.#manifest);
      const { lastNumber, lastSeq } = manifest.removed;
      const numbers = files.map((file) => Number.parseInt(file, 10));
      this.#nextNumber = Math.max(lastNumber, ...numbers) + 1;
      this.#builder = new BlockBuilder(Math.max(lastSeq, segments.at(-1)?.lastSeq ?? 0) + 1);
    } catch (error) {
      this.#lock.release();
      throw error;
    }
    this.note(nowMs, { note: "session", ...identity }, nowMs);
  }

  get totals(): WriterTotals {
    const open = this.#segment === null ? 0 : this.#segment.bytes;
    const { bytes, ...counts } = this.#totals;
    const { why: refused = null } = this.#stall ?? {};
    return { ...counts, bytes: bytes + open, writtenAtMs: this.#writtenAtMs, refused };
  }

  /** Adds a frame's UTF-8 bytes. `nowMs` is the time of writing, `atMs` the time of receiving. */
  frame(
    atMs: number,
    bytes: Uint8Array,
    [from, to]: readonly [number, number],
    nowMs: number,
  ): void {
    if (!this.#makeRoom(atMs, nowMs, 1)) return;
    this.#builder.addFrame(atMs, bytes, from, to);
  }

  /** Adds an encoded input of the engine. */
  step(
    atMs: number,
    bytes: Uint8Array,
    [from, to]: readonly [number, number],
    nowMs: number,
  ): void {
    if (!this.#makeRoom(atMs, nowMs, 1)) return;
    this.#builder.addStep(atMs, bytes, from, to);
  }

  note(atMs: number, note: TapeNote, nowMs: number): void {
    if (!this.#makeRoom(atMs, nowMs, seqsOf(note))) return;
    this.#builder.addNote(atMs, note);
  }

  /** Markets that are followed from now on. */
  followed(markets: readonly BlockMarket[], nowMs: number): void {
    for (const market of markets) {
      if (this.#markets.size >= manifestMarketsMax) break;
      this.#markets.set(market.conditionId, market);
    }
    this.#isTold = false;
    this.#tellMarkets(nowMs);
  }

  /** Writes what waits, however short it has. */
  flush(nowMs: number): void {
    if (this.#stall === null && !this.#builder.isEmpty) this.#flush(nowMs);
  }

  /** Writes what has waited long enough; to be called now and then. */
  tick(nowMs: number): void {
    this.#tellMarkets(nowMs);
    if (this.#stall !== null) this.#resume(nowMs);
    else if (!this.#builder.isEmpty && nowMs - this.#blockSinceMs >= this.#limits.blockMs) {
      this.#flush(nowMs);
    }
  }

  /** Writes everything, closes segment and manifest. The tape is whole afterwards, as far as the disk allowed. */
  close(nowMs: number): void {
    if (this.#stall !== null) this.#resume(nowMs, true);
    if (!this.#builder.isEmpty) this.#flush(nowMs);
    this.#endSegment();
    this.#tellMarkets(Number.POSITIVE_INFINITY);
    this.#lock.release();
  }

  /** False when the row is lost: the disk refuses. */
  #makeRoom(atMs: number, nowMs: number, seqs: number): boolean {
    if (this.#stall === null && this.#builder.isFullFor(atMs)) this.#flush(nowMs);
    if (this.#stall !== null && !this.#resume(nowMs)) {
      this.#stall.lost += seqs;
      return false;
    }
    if (this.#builder.isEmpty) this.#blockSinceMs = nowMs;
    return true;
  }

  #flush(nowMs: number): void {
    const block = this.#builder.build();
    const { firstSeq, lastSeq, firstAtMs } = block.head;
    const why = this.#write(block, nowMs);
    if (why === null) return;
    const lost = lastSeq - firstSeq + 1;
    const retryAtMs = nowMs + this.#limits.diskRetryMs;
    this.#stall = { firstSeq, fromMs: firstAtMs, lost, retryAtMs, why };
  }

  /** Tries the disk again with the gap that stands for everything lost; true when rows are kept again. */
  #resume(nowMs: number, isLast = false): boolean {
    const stall = this.#stall;
    if (stall === null) return true;
    if (nowMs < stall.retryAtMs && !isLast) return false;
    stall.retryAtMs = nowMs + this.#limits.diskRetryMs;
    const { firstSeq, lost, fromMs } = stall;
    this.#builder.restartAt(firstSeq);
    this.#builder.addNote(nowMs, { note: "gap", reason: "disk", lost, fromMs });
    const why = this.#write(this.#builder.build(), nowMs);
    if (why === null) this.#stall = null;
    else stall.why = why;
    return why === null;
  }

  /** Null when the block is in the file, else what the disk said. */
  #write(block: BuiltBlock, nowMs: number): string | null {
    try {
      const segment = this.#segment ?? this.#startSegment(block.head.firstSeq, nowMs);
      segment.append(block);
    } catch (error) {
      // A segment that was refused once is ended where it is whole; the next one begins with the gap.
      this.#endSegment();
      return error instanceof Error ? error.message : "the disk refused";
    }
    const { head } = block;
    this.#writtenAtMs = nowMs;
    this.#totals.rows += head.rows;
    this.#totals.frames += head.frames;
    this.#totals.gaps += head.gaps;
    this.#totals.lostRows += head.lostRows;
    this.#noteMarkets(block);
    const { segmentBytes, segmentMs } = this.#limits;
    const segment = this.#segment;
    if (segment === null) return null;
    if (segment.bytes >= segmentBytes || nowMs - segment.createdMs >= segmentMs) this.#endSegment();
    return null;
  }

  #startSegment(firstSeq: number, nowMs: number): SegmentWriter {
    const number = this.#nextNumber;
    const segment = new SegmentWriter(this.#folder, { number, createdMs: nowMs, firstSeq });
    this.#nextNumber++;
    this.#totals.segments++;
    this.#segment = segment;
    return segment;
  }

  #endSegment(): void {
    const segment = this.#segment;
    if (segment === null) return;
    this.#segment = null;
    try {
      const entry = segment.close();
      if (entry.blocks === 0) {
        unlinkSync(join(this.#folder, entry.file));
        this.#totals.segments--;
        return;
      }
      this.#totals.bytes += entry.bytes;
      this.#writeManifest([entry]);
    } catch {
      // Segments that the manifest does not name are found by their files, and named by the next one that is written.
    }
  }

  /** Markets come one by one while a desk starts: the manifest is not written for each. */
  #tellMarkets(nowMs: number): void {
    if (this.#isTold || nowMs - this.#toldAtMs < manifestEveryMs) return;
    this.#toldAtMs = nowMs;
    try {
      this.#writeManifest([]);
    } catch {
      // A later tick tries again; the rows are not concerned.
    }
  }

  #writeManifest(closed: readonly SegmentEntry[]): void {
    // Old segments may have been removed meanwhile (prune), which alone knows up to where.
    const { removed } = manifestOf(this.#folder) ?? this.#manifest;
    const kept = this.#manifest.segments.filter(({ file }) => existsSync(join(this.#folder, file)));
    const segments = [...kept, ...closed];
    this.#manifest = {
      ...this.#manifest,
      segments,
      removed,
      markets: [...this.#markets.values()],
    };
    writeManifest(this.#folder, this.#manifest);
    this.#isTold = true;
  }

  #noteMarkets({ marketLines }: BuiltBlock): void {
    for (const market of marketsOfLines(marketLines)) {
      if (this.#markets.size >= manifestMarketsMax) return;
      const known = this.#markets.get(market.conditionId);
      if ((known?.tokenIds.length ?? 0) >= market.tokenIds.length && known !== undefined) continue;
      this.#markets.set(market.conditionId, market);
    }
  }
}
