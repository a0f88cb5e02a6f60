import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { BlockView } from "./block-view.ts";
import { type Manifest, manifestName, readManifest } from "./manifest.ts";
import type { BlockMarket } from "./market-table.ts";
import { segmentFiles } from "./recover.ts";
import { type BlockHead, segmentHeadBytes } from "./segment-format.ts";
import type { IndexedBlock } from "./segment-index.ts";
import { type FoundBlock, SegmentReader } from "./segment-reader.ts";
import { TapeError } from "./tape-error.ts";
import type { MarketRow, TapeRow } from "./tape-row.ts";

/** True when the path is a folder that holds a tape. */
export function isTapeFolder(path: string): boolean {
  if (!existsSync(path) || !statSync(path).isDirectory()) return false;
  return existsSync(join(path, manifestName)) || segmentFiles(path).length > 0;
}

/** Which rows of a tape are wanted; local milliseconds, both ends included. */
export type TapeRange = {
  readonly fromMs: number;
  readonly toMs: number;
  /** Blocks up to this row are left out; none when absent. */
  readonly afterSeq?: number;
};

export const wholeTape: TapeRange = {
  fromMs: Number.NEGATIVE_INFINITY,
  toMs: Number.POSITIVE_INFINITY,
};

/** Blocks of a tape in order, those outside the range left out by the segments' indexes. @throws TapeError */
export function* tapeBlocks(folder: string, range: TapeRange = wholeTape): Generator<BlockView> {
  const { fromMs, toMs, afterSeq = 0 } = range;
  const entries = new Map(manifestOf(folder)?.segments.map((entry) => [entry.file, entry]));
  for (const name of segmentFiles(folder)) {
    const entry = entries.get(name);
    if (entry !== undefined && (entry.lastAtMs < fromMs || entry.firstAtMs > toMs)) continue;
    if (entry !== undefined && entry.lastSeq <= afterSeq) continue;
    // A recording that was killed before its segment had a head has nothing to tell.
    if (entry === undefined && statSync(join(folder, name)).size < segmentHeadBytes) continue;
    yield* segmentBlocks(join(folder, name), range);
  }
}

/** Blocks of one segment in order. @throws TapeError */
export function* segmentBlocks(file: string, range: TapeRange = wholeTape): Generator<BlockView> {
  const segment = new SegmentReader(file);
  try {
    for (const block of blocksOf(segment, range)) yield segment.view(block);
  } finally {
    segment.close();
  }
}

/** What a tape says of the market, in order. @throws TapeError */
export function* tapeRows(folder: string, range: TapeRange = wholeTape): Generator<MarketRow> {
  const { fromMs, toMs } = range;
  for (const block of tapeBlocks(folder, range)) {
    for (const row of block.rows()) {
      if (row.kind !== "step" && row.atMs >= fromMs && row.atMs <= toMs) yield row;
    }
  }
}

/** Every row of a tape in order, the engine's inputs among the market's. @throws TapeError */
export function* journaledRows(folder: string): Generator<TapeRow> {
  for (const block of tapeBlocks(folder)) yield* block.rows();
}

/** Blocks that may hold rows of the range: by the index where there is one, else from head to head. @throws TapeError */
function* blocksOf(segment: SegmentReader, range: TapeRange): Generator<FoundBlock> {
  const isWanted = ({ firstAtMs, lastAtMs, lastSeq }: BlockHead | IndexedBlock) =>
    lastAtMs >= range.fromMs && firstAtMs <= range.toMs && lastSeq > (range.afterSeq ?? 0);
  const index = segment.index();
  if (index === null) {
    const { blocks, holes } = segment.scan();
    const damage = holes.find((hole) => !hole.atEnd);
    if (damage !== undefined) throw damaged(segment, damage.offset);
    yield* blocks.filter(({ head }) => isWanted(head));
    return;
  }
  for (const indexed of index.filter(isWanted)) {
    const head = segment.headAt(indexed.offset);
    if (head === null) throw damaged(segment, indexed.offset);
    yield { offset: indexed.offset, head };
  }
}

/** Markets that a tape's manifest names, token 0 first; none when it has no manifest that can be read. */
export function marketsOfManifest(folder: string): readonly BlockMarket[] {
  return manifestOf(folder)?.markets ?? [];
}

function damaged({ file }: SegmentReader, offset: number): TapeError {
  return new TapeError(
    `${file}: damaged at byte ${offset}; pitboss tape-verify says how much of the tape is whole`,
  );
}

/** A tape's manifest; null when there is none that can be read. */
export function manifestOf(folder: string): Manifest | null {
  try {
    return readManifest(folder);
  } catch (error) {
    // The segments say everything that reading needs; tape-verify tells of the manifest.
    if (error instanceof TapeError) return null;
    throw error;
  }
}
