import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import { defaultFolderLimits, FolderWriter } from "../../../src/adapters/tape/folder-writer.ts";
import { tapeRows } from "../../../src/adapters/tape/tape-reader.ts";
import type { TapeRow } from "../../../src/adapters/tape/tape-row.ts";
import { frameOf, identity, startMs } from "./frames.ts";

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A fresh folder, removed after the test. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "pitboss-tape-"));
  folders.push(folder);
  return folder;
}

/** Records `count` frames into a folder in one go. Small blocks: every `blockRows` rows. */
export function recordFrames(
  folder: string,
  count: number,
  blockRows = 40,
  textOf: (n: number) => string = frameOf,
): void {
  const writer = new FolderWriter(folder, identity, defaultFolderLimits, startMs);
  addFrames(writer, [0, count], blockRows, textOf);
  writer.close(startMs + count);
}

export function addFrames(
  writer: FolderWriter,
  [from, to]: readonly [number, number],
  blockRows: number,
  textOf: (n: number) => string = frameOf,
): void {
  for (let n = from; n < to; n++) {
    const bytes = Buffer.from(textOf(n));
    writer.frame(startMs + n, bytes, [0, bytes.length], startMs + n);
    // Time enough has passed for a block: it is written.
    if (n % blockRows === blockRows - 1) writer.tick(startMs + n + defaultFolderLimits.blockMs);
  }
}

/** Texts of the frames of a tape, in order. */
export function textsOf(folder: string): string[] {
  return [...tapeRows(folder)].flatMap((row) => (row.kind === "frame" ? [row.text] : []));
}

export function notesOf(folder: string): Extract<TapeRow, { kind: "note" }>[] {
  return [...tapeRows(folder)].filter((row) => row.kind === "note");
}
