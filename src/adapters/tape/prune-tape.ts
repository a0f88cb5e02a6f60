import { unlinkSync } from "node:fs";
import { join } from "node:path";
import { readManifest, type SegmentEntry, writeManifest } from "./manifest.ts";

/** Closed segments of a tape whose last row is older than this, oldest first. @throws TapeError */
export function segmentsBefore(folder: string, beforeMs: number): readonly SegmentEntry[] {
  const segments = readManifest(folder)?.segments ?? [];
  return segments.filter((segment) => segment.blocks > 0 && segment.lastAtMs < beforeMs);
}

/**
 * Removes closed segments. The manifest forgets them first: what is cut short leaves files that the next call finds again,
 * never names of files that are gone. A recording that goes on meanwhile drops them from its own list.
 */
export function removeSegments(folder: string, segments: readonly SegmentEntry[]): void {
  const manifest = readManifest(folder);
  if (manifest === null || segments.length === 0) return;
  const gone = new Set(segments.map(({ file }) => file));
  const kept = manifest.segments.filter(({ file }) => !gone.has(file));
  const removed = {
    lastSeq: Math.max(manifest.removed.lastSeq, ...segments.map(({ lastSeq }) => lastSeq)),
    lastNumber: Math.max(manifest.removed.lastNumber, ...segments.map(numberOf)),
  };
  writeManifest(folder, { ...manifest, segments: kept, removed });
  for (const file of gone) unlinkSync(join(folder, file));
}

function numberOf({ file }: SegmentEntry): number {
  return Number.parseInt(file, 10);
}
