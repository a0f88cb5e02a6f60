import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { readManifest, type SegmentEntry } from "./manifest.ts";
import { segmentFiles, sha256Of } from "./recover.ts";
import { segmentHeadBytes } from "./segment-format.ts";
import { indexedBlock } from "./segment-index.ts";
import { type FoundBlock, type Scanned, SegmentReader } from "./segment-reader.ts";
import { TapeError } from "./tape-error.ts";
import { seqsOf } from "./tape-row.ts";

/** One thing that is wrong with a tape. */
export type TapeFault = { readonly file: string; readonly what: string };

/** What a tape holds and what is wrong with it. */
export type TapeVerdict = {
  readonly segments: number;
  readonly blocks: number;
  readonly rows: number;
  readonly frames: number;
  readonly gaps: number;
  readonly lostRows: number;
  /** Bytes behind the last whole block of segments that were never closed: what a killed recording left. */
  readonly tornBytes: number;
  readonly faults: readonly TapeFault[];
};

type Draft = { -readonly [K in keyof Omit<TapeVerdict, "faults">]: number } & {
  readonly faults: TapeFault[];
};

/**
 * Reads every byte of a tape: checksums of files, blocks and heads, that every row can be read, that sequence numbers
 * have no holes, that indexes and manifest say what is there. @throws TapeError when the folder holds no tape
 */
export function verifyTape(folder: string, progress: (file: string) => void): TapeVerdict {
  const verdict: Draft = {
    segments: 0,
    blocks: 0,
    rows: 0,
    frames: 0,
    gaps: 0,
    lostRows: 0,
    tornBytes: 0,
    faults: [],
  };
  const entries = manifestEntries(folder, verdict);
  const files = existsSync(folder) ? segmentFiles(folder) : [];
  if (files.length === 0 && entries.size === 0) throw new TapeError(`${folder}: holds no tape`);
  for (const name of entries.keys()) {
    if (!files.includes(name)) verdict.faults.push({ file: name, what: "the file is missing" });
  }
  let nextSeq: number | null = null;
  for (const name of files) {
    progress(name);
    verdict.segments++;
    try {
      nextSeq = verifySegment(join(folder, name), entries.get(name) ?? null, verdict, nextSeq);
    } catch (error) {
      if (!(error instanceof TapeError)) throw error;
      verdict.faults.push({ file: name, what: error.message });
      nextSeq = null;
    }
  }
  return verdict;
}

function manifestEntries(folder: string, verdict: Draft): ReadonlyMap<string, SegmentEntry> {
  try {
    return new Map(readManifest(folder)?.segments.map((entry) => [entry.file, entry]));
  } catch (error) {
    if (!(error instanceof TapeError)) throw error;
    verdict.faults.push({ file: "manifest.json", what: error.message });
    return new Map();
  }
}

/** Returns the sequence number that the next segment must begin with. */
function verifySegment(
  file: string,
  entry: SegmentEntry | null,
  verdict: Draft,
  nextSeq: number | null,
): number | null {
  const fault = (what: string) => verdict.faults.push({ file, what });
  const { size } = statSync(file);
  if (entry === null && size < segmentHeadBytes) {
    verdict.tornBytes += size;
    return nextSeq;
  }
  if (entry !== null) {
    if (entry.bytes !== size) fault(`has ${size} bytes, the manifest says ${entry.bytes}`);
    else if (sha256Of(file) !== entry.sha256) fault("its SHA-256 is not the manifest's");
  }
  const segment = new SegmentReader(file);
  try {
    const scanned = segment.scan();
    judgeHoles(scanned, entry, verdict, fault);
    judgeIndex(scanned, fault);
    let expected = nextSeq;
    for (const block of scanned.blocks) {
      if (expected !== null && block.head.firstSeq !== expected) {
        fault(
          `sequence ${expected} was expected at byte ${block.offset}, ${block.head.firstSeq} is there`,
        );
      }
      expected = block.head.lastSeq + 1;
      verdict.blocks++;
      judgeBlock(segment, block, verdict, fault);
    }
    return expected;
  } finally {
    segment.close();
  }
}

function judgeHoles(
  { holes }: Scanned,
  entry: SegmentEntry | null,
  verdict: Draft,
  fault: (what: string) => void,
): void {
  for (const { offset, bytes, atEnd } of holes) {
    if (atEnd && entry === null) verdict.tornBytes += bytes;
    else fault(`${bytes} bytes at byte ${offset} are no block`);
  }
}

function judgeIndex({ blocks, index, holes }: Scanned, fault: (what: string) => void): void {
  if (index === null || holes.length > 0) return;
  const found = blocks.map(({ offset, head }) => indexedBlock(offset, head));
  if (JSON.stringify(found) !== JSON.stringify(index)) fault("its index is not that of its blocks");
}

function judgeBlock(
  segment: SegmentReader,
  block: FoundBlock,
  verdict: Draft,
  fault: (what: string) => void,
): void {
  const { head, offset } = block;
  try {
    let seq = head.firstSeq;
    let frames = 0;
    for (const row of segment.view(block).rows()) {
      if (row.seq !== seq) fault(`row ${row.seq} of the block at byte ${offset} should be ${seq}`);
      seq = row.seq + (row.kind === "note" ? seqsOf(row.note) : 1);
      if (row.kind === "frame") frames++;
    }
    if (seq !== head.lastSeq + 1 || frames !== head.frames) {
      fault(`the rows of the block at byte ${offset} are not those that its head counts`);
    }
  } catch (error) {
    if (!(error instanceof TapeError)) throw error;
    fault(error.message.replace(`${segment.file}: `, ""));
    return;
  }
  verdict.rows += head.rows;
  verdict.frames += head.frames;
  verdict.gaps += head.gaps;
  verdict.lostRows += head.lostRows;
}
