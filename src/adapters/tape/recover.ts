import { createHash } from "node:crypto";
import {
  closeSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
  truncateSync,
  unlinkSync,
} from "node:fs";
import { join } from "node:path";
import type { SegmentEntry } from "./manifest.ts";
import { segmentHeadBytes } from "./segment-format.ts";
import { SegmentReader } from "./segment-reader.ts";

const readBytes = 1024 * 1024;

/** Segment files of a folder in order. */
export function segmentFiles(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => /^\d{8,}\.seg$/.test(name))
    .sort();
}

/**
 * Makes a closed segment of what a killed recording left: half a block at the end is cut off, everything before it
 * stays as it is. Null when not one block was whole; then the file is removed. @throws TapeError for another's file
 */
export function recoverSegment(folder: string, name: string): SegmentEntry | null {
  const file = join(folder, name);
  if (statSync(file).size < segmentHeadBytes) {
    unlinkSync(file);
    return null;
  }
  const reader = new SegmentReader(file);
  const { blocks, holes } = reader.scan();
  reader.close();
  if (blocks.length === 0 && holes.every((hole) => hole.atEnd)) {
    unlinkSync(file);
    return null;
  }
  const torn = holes.find((hole) => hole.atEnd);
  if (torn !== undefined) truncateSync(file, torn.offset);
  const heads = blocks.map(({ head }) => head);
  const sum = (count: (head: (typeof heads)[number]) => number) =>
    heads.reduce((total, head) => total + count(head), 0);
  const last = blocks.at(-1);
  return {
    file: name,
    bytes: statSync(file).size,
    sha256: sha256Of(file),
    firstSeq: heads[0]?.firstSeq ?? 0,
    lastSeq: last?.head.lastSeq ?? 0,
    firstAtMs: Math.min(...heads.map((head) => head.firstAtMs)),
    lastAtMs: Math.max(...heads.map((head) => head.lastAtMs)),
    blocks: blocks.length,
    rows: sum((head) => head.rows),
    frames: sum((head) => head.frames),
    gaps: sum((head) => head.gaps),
    lostRows: sum((head) => head.lostRows),
  };
}

export function sha256Of(file: string): string {
  const digest = createHash("sha256");
  const handle = openSync(file, "r");
  const part = Buffer.allocUnsafe(readBytes);
  try {
    for (;;) {
      const read = readSync(handle, part, 0, part.length, null);
      if (read === 0) return digest.digest("hex");
      digest.update(part.subarray(0, read));
    }
  } finally {
    closeSync(handle);
  }
}
