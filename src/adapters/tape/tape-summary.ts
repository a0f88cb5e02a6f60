import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { readManifest } from "./manifest.ts";
import { segmentFiles } from "./recover.ts";
import { segmentHeadBytes } from "./segment-format.ts";
import { SegmentReader } from "./segment-reader.ts";
import { TapeError } from "./tape-error.ts";

/** What a tape holds, from the heads of its blocks alone. */
export type TapeSummary = {
  readonly codeVersion: string;
  readonly configHash: string;
  readonly segments: number;
  /** Segments that no recording has closed yet: one is being written, or one was killed. */
  readonly openSegments: number;
  readonly bytes: number;
  readonly blocks: number;
  readonly rows: number;
  readonly frames: number;
  /** Frames that are kept as columns; the others are kept as texts. */
  readonly packedFrames: number;
  readonly levelChanges: number;
  readonly gaps: number;
  readonly lostRows: number;
  readonly firstAtMs: number | null;
  readonly lastAtMs: number | null;
  readonly firstSeq: number | null;
  readonly lastSeq: number | null;
  /** Markets that were followed, and those with packed changes in closed segments. */
  readonly markets: readonly {
    readonly conditionId: string;
    readonly tokenIds: readonly string[];
  }[];
};

/** Looks a tape over without unpacking it. @throws TapeError when the folder holds none */
export function summarizeTape(folder: string): TapeSummary {
  const manifest = readManifest(folder);
  const closed = new Set(manifest?.segments.map(({ file }) => file));
  const files = existsSync(folder) ? segmentFiles(folder) : [];
  if (files.length === 0) throw new TapeError(`${folder}: holds no tape`);
  const sum = {
    bytes: 0,
    blocks: 0,
    rows: 0,
    frames: 0,
    packedFrames: 0,
    levelChanges: 0,
    gaps: 0,
    lostRows: 0,
  };
  let firstAtMs = Number.POSITIVE_INFINITY;
  let lastAtMs = Number.NEGATIVE_INFINITY;
  let firstSeq: number | null = null;
  let lastSeq: number | null = null;
  for (const name of files) {
    const file = join(folder, name);
    const { size } = statSync(file);
    sum.bytes += size;
    if (size < segmentHeadBytes) continue;
    const segment = new SegmentReader(file);
    const { blocks } = segment.scan();
    segment.close();
    for (const { head } of blocks) {
      sum.blocks++;
      sum.rows += head.rows;
      sum.frames += head.frames;
      sum.packedFrames += head.deltas;
      sum.levelChanges += head.changes + head.mirrors;
      sum.gaps += head.gaps;
      sum.lostRows += head.lostRows;
      firstAtMs = Math.min(firstAtMs, head.firstAtMs);
      lastAtMs = Math.max(lastAtMs, head.lastAtMs);
      firstSeq ??= head.firstSeq;
      lastSeq = head.lastSeq;
    }
  }
  return {
    codeVersion: manifest?.codeVersion ?? "",
    configHash: manifest?.configHash ?? "",
    segments: files.length,
    openSegments: files.filter((name) => !closed.has(name)).length,
    ...sum,
    firstAtMs: Number.isFinite(firstAtMs) ? firstAtMs : null,
    lastAtMs: Number.isFinite(lastAtMs) ? lastAtMs : null,
    firstSeq,
    lastSeq,
    markets: manifest?.markets ?? [],
  };
}
