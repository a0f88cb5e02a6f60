import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { BlockMarket } from "./market-table.ts";
import { TapeError } from "./tape-error.ts";

export const manifestName = "manifest.json";

/** A closed segment: its file is never changed again. Times are local milliseconds. */
export type SegmentEntry = {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly blocks: number;
  readonly rows: number;
  readonly frames: number;
  readonly gaps: number;
  readonly lostRows: number;
};

/** What a tape is: who recorded it, which markets were followed or met, its closed segments. */
export type Manifest = {
  readonly format: "pitboss-tape";
  readonly version: 1;
  readonly createdMs: number;
  /** Of the newest recording; each recording's own stand in its first row. */
  readonly codeVersion: string;
  readonly configHash: string;
  readonly markets: readonly BlockMarket[];
  readonly segments: readonly SegmentEntry[];
  /** The last of the segments that were removed for their age: numbers are never given twice. */
  readonly removed: { readonly lastSeq: number; readonly lastNumber: number };
};

export function emptyManifest(nowMs: number): Manifest {
  return {
    format: "pitboss-tape",
    version: 1,
    createdMs: nowMs,
    codeVersion: "",
    configHash: "",
    markets: [],
    segments: [],
    removed: { lastSeq: 0, lastNumber: 0 },
  };
}

/** The manifest of a folder, or null when there is none. @throws TapeError when it is damaged or of another version */
export function readManifest(folder: string): Manifest | null {
  const file = join(folder, manifestName);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new TapeError(`${file}: ${error instanceof Error ? error.message : "unreadable"}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new TapeError(`${file}: is no JSON; the segments beside it can be read without it`);
  }
  const { format, version, segments, markets } = value as Partial<Manifest>;
  if (format !== "pitboss-tape" || !Array.isArray(segments) || !Array.isArray(markets)) {
    throw new TapeError(`${file}: is no manifest of a tape`);
  }
  if (version !== 1) throw new TapeError(`${file}: version ${String(version)} is not known here`);
  return value as Manifest;
}

/** Replaces the manifest in one step: a reader finds the old one or the new one. @throws the system's error */
export function writeManifest(folder: string, manifest: Manifest): void {
  const file = join(folder, manifestName);
  const draft = `${file}.new`;
  const handle = openSync(draft, "w", 0o600);
  try {
    writeSync(handle, `${JSON.stringify(manifest, null, 1)}\n`);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(draft, file);
}
