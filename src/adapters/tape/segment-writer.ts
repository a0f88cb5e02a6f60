import { createHash } from "node:crypto";
import { closeSync, fdatasyncSync, ftruncateSync, openSync, unlinkSync, writevSync } from "node:fs";
import { join } from "node:path";
import type { BuiltBlock } from "./block-builder.ts";
import type { SegmentEntry } from "./manifest.ts";
import { encodeSegmentEnd, encodeSegmentHead, type SegmentHead } from "./segment-format.ts";
import { encodeIndex, type IndexedBlock, indexedBlock } from "./segment-index.ts";

const ownerOnly = 0o600;

/** Name of a segment: sorts by number. */
export function segmentName(number: number): string {
  return `${String(number).padStart(8, "0")}.seg`;
}

/**
 * One file that only grows. A write that fails is taken back to the end of the last whole block, so the file is a valid
 * segment at every moment; what a killed process leaves behind it is half a block at most, which readers leave out.
 */
export class SegmentWriter {
  readonly #head: SegmentHead;
  readonly #name: string;
  readonly #handle: number;
  readonly #digest = createHash("sha256");
  readonly #blocks: IndexedBlock[] = [];
  #bytes = 0;
  #frames = 0;
  #gaps = 0;
  #lostRows = 0;

  /** Makes a new file. @throws the system's error when it exists or the disk refuses */
  constructor(folder: string, head: SegmentHead) {
    this.#head = head;
    this.#name = segmentName(head.number);
    const file = join(folder, this.#name);
    this.#handle = openSync(file, "wx", ownerOnly);
    try {
      this.#append([encodeSegmentHead(head)]);
    } catch (error) {
      closeSync(this.#handle);
      // The next try begins under the same name.
      unlinkSync(file);
      throw error;
    }
  }

  get bytes(): number {
    return this.#bytes;
  }

  get createdMs(): number {
    return this.#head.createdMs;
  }

  /** Appends a block as a whole or not at all. @throws the system's error */
  append({ head, bytes }: BuiltBlock): void {
    const offset = this.#bytes;
    this.#append(bytes);
    this.#blocks.push(indexedBlock(offset, head));
    this.#frames += head.frames;
    this.#gaps += head.gaps;
    this.#lostRows += head.lostRows;
  }

  /** Writes the index and syncs the file. A disk without room for the index leaves a segment without one. */
  close(): SegmentEntry {
    const indexAt = this.#bytes;
    try {
      this.#append([encodeIndex(this.#blocks), encodeSegmentEnd(indexAt)]);
    } catch {
      // Readers find the blocks by their heads, as in a segment whose writer was killed.
    }
    try {
      fdatasyncSync(this.#handle);
    } finally {
      closeSync(this.#handle);
    }
    const [first, last] = [this.#blocks[0], this.#blocks.at(-1)];
    return {
      file: this.#name,
      bytes: this.#bytes,
      sha256: this.#digest.digest("hex"),
      firstSeq: first?.firstSeq ?? this.#head.firstSeq,
      lastSeq: last?.lastSeq ?? this.#head.firstSeq - 1,
      firstAtMs: Math.min(...this.#blocks.map((block) => block.firstAtMs), Number.MAX_SAFE_INTEGER),
      lastAtMs: Math.max(...this.#blocks.map((block) => block.lastAtMs), 0),
      blocks: this.#blocks.length,
      rows: this.#blocks.reduce((sum, block) => sum + block.rows, 0),
      frames: this.#frames,
      gaps: this.#gaps,
      lostRows: this.#lostRows,
    };
  }

  #append(parts: readonly Uint8Array[]): void {
    const wanted = parts.reduce((sum, part) => sum + part.length, 0);
    try {
      const written = writevSync(this.#handle, parts, this.#bytes);
      if (written !== wanted) throw new DiskFullError(written, wanted);
    } catch (error) {
      // Half a block behind the last whole one would be found as damage.
      ftruncateSync(this.#handle, this.#bytes);
      throw error;
    }
    for (const part of parts) this.#digest.update(part);
    this.#bytes += wanted;
  }
}

/** The disk took a part of what it was given, as it does when it fills up in the middle. */
export class DiskFullError extends Error {
  override readonly name = "DiskFullError";
  readonly code = "ENOSPC";

  constructor(written: number, wanted: number) {
    super(`ENOSPC: the disk took ${written} of ${wanted} bytes`);
  }
}
