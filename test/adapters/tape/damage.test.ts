import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { manifestName } from "../../../src/adapters/tape/manifest.ts";
import { SegmentReader } from "../../../src/adapters/tape/segment-reader.ts";
import { tapeRows } from "../../../src/adapters/tape/tape-reader.ts";
import { type TapeVerdict, verifyTape } from "../../../src/adapters/tape/verify-tape.ts";
import { frameOf, startMs } from "./frames.ts";
import { recordFrames, scratchFolder, textsOf } from "./support.ts";

const verified = (folder: string): TapeVerdict => verifyTape(folder, () => undefined);
const segment = "00000001.seg";
const frames = 400;

/** A tape of one segment in many blocks, and where its blocks begin. */
function tape(): {
  readonly folder: string;
  readonly starts: readonly number[];
  readonly size: number;
} {
  const folder = join(scratchFolder(), "tape");
  recordFrames(folder, frames);
  const reader = new SegmentReader(join(folder, segment));
  const starts = reader.scan().blocks.map((block) => block.offset);
  reader.close();
  return { folder, starts, size: reader.bytes };
}

/** A copy whose writer never closed it: cut off, and not in the manifest. */
function cutCopy(folder: string, bytes: number): string {
  const copy = join(scratchFolder(), "cut");
  cpSync(folder, copy, { recursive: true });
  rmSync(join(copy, manifestName));
  truncateSync(join(copy, segment), bytes);
  return copy;
}

describe("a segment that was cut off", () => {
  test("is whole up to its last whole block, wherever the cut is", () => {
    const { folder, starts, size } = tape();
    expect(starts.length).toBeGreaterThan(8);
    const boundaries = starts.flatMap((start) => [start - 1, start, start + 1]);
    const others = Array.from({ length: 60 }, (_, i) => 1 + Math.floor((i * (size - 2)) / 60));
    const all = textsOf(folder);
    expect(all).toEqual(Array.from({ length: frames }, (_, n) => frameOf(n)));
    for (const cut of [...boundaries, ...others, size - 1]) {
      const copy = cutCopy(folder, cut);
      const whole = starts.filter((_, i) => (starts[i + 1] ?? size - 1) <= cut).length;
      const verdict = verified(copy);
      expect(verdict.faults, `cut at ${cut}`).toEqual([]);
      // The last block is followed by the index, so its own end is not known here.
      expect(Math.abs(verdict.blocks - whole), `cut at ${cut}`).toBeLessThanOrEqual(1);
      const kept = cut < 64 ? [] : textsOf(copy);
      expect(kept).toEqual(all.slice(0, kept.length));
      expect(kept.length).toBe(verdict.frames);
    }
  });

  test("is closed by the next recording, which goes on with the next number", () => {
    const { folder, starts } = tape();
    const cut = cutCopy(folder, (starts[4] ?? 0) + 50);
    const before = textsOf(cut);
    expect(before.length).toBeGreaterThan(100);
    recordFrames(cut, 100);
    const verdict = verified(cut);
    expect(verdict).toMatchObject({ faults: [], tornBytes: 0, segments: 2 });
    expect(textsOf(cut)).toEqual([...before, ...textsOf(folder).slice(0, 100)]);
    const seqs = [...tapeRows(cut)].map((row) => row.seq);
    expect(seqs).toEqual(seqs.map((_, i) => i + 1));
  });
});

describe("tape-verify", () => {
  test("finds a bit that flipped, wherever it is", () => {
    const { folder, size } = tape();
    const file = join(folder, segment);
    const bytes = readFileSync(file);
    expect(verified(folder).faults).toEqual([]);
    for (let i = 0; i < 120; i++) {
      const at = Math.floor((i * (size - 1)) / 119);
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (i % 8));
      writeFileSync(file, flipped);
      expect(verified(folder).faults.length, `byte ${at}`).toBeGreaterThan(0);
    }
  });

  test("finds it by the block's own checksum, without a manifest", () => {
    const { folder, starts } = tape();
    const file = join(folder, segment);
    rmSync(join(folder, manifestName));
    const bytes = readFileSync(file);
    const end = (starts.at(-1) ?? 0) + 128;
    for (let at = 64; at < end; at += 97) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 4;
      writeFileSync(file, flipped);
      const { faults, frames: kept } = verified(folder);
      expect(faults.length, `byte ${at}`).toBeGreaterThan(0);
      // The blocks around it are not lost with it.
      expect(kept).toBeGreaterThan(frames - 100);
    }
  });

  test("finds a segment that is missing, swapped, or foreign", () => {
    const { folder } = tape();
    recordFrames(folder, 50);
    rmSync(join(folder, segment));
    expect(verified(folder).faults).toEqual([{ file: segment, what: "the file is missing" }]);
    writeFileSync(
      join(folder, segment),
      "no tape at all, but long enough to be looked at".repeat(9),
    );
    expect(verified(folder).faults.length).toBeGreaterThan(0);
    expect(() => verified(scratchFolder())).toThrow("holds no tape");
  });
});

describe("reading a part", () => {
  test("by time gives the rows of that time and no others", () => {
    const { folder } = tape();
    const range = { fromMs: startMs + 101, toMs: startMs + 207 };
    const rows = [...tapeRows(folder, range)];
    expect(rows.map((row) => row.atMs)).toEqual(
      Array.from({ length: 107 }, (_, i) => startMs + 101 + i),
    );
    expect([...tapeRows(folder, { fromMs: startMs + 9_000, toMs: startMs + 9_999 })]).toEqual([]);
  });

  test("stops at damage instead of leaving it out", () => {
    const { folder, starts } = tape();
    const file = join(folder, segment);
    const bytes = readFileSync(file);
    const at = (starts[3] ?? 0) + 140;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    expect(() => textsOf(folder)).toThrow(/block at byte \d+: the block's checksum does not fit/);
  });
});
