// What a loader reads of a tape's columns, beside what the parser says of the same frames.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { defaultFolderLimits, FolderWriter } from "../../src/adapters/tape/folder-writer.ts";
import { manifestName } from "../../src/adapters/tape/manifest.ts";
import { tapeRows } from "../../src/adapters/tape/tape-reader.ts";
import { stepOfRow } from "../../src/cli/frame-files.ts";
import { framesOfTape, nameOfTape } from "../../src/cli/tape-frames.ts";
import { frameOf, identity, marketOf, startMs } from "../adapters/tape/frames.ts";
import { addFrames, recordFrames, scratchFolder } from "../adapters/tape/support.ts";

/** Frames that the packer takes and the parser has its own opinion about. */
function oddFrame(price: string, sizes: readonly string[], best: string, count: number): string {
  const { conditionId, tokens } = marketOf(1);
  const entry = (i: number) => ({
    asset_id: tokens[i % 2],
    price,
    size: sizes[i % sizes.length],
    side: i % 2 === 0 ? "BUY" : "SELL",
    hash: "",
    best_bid: best,
    best_ask: best,
  });
  return JSON.stringify({
    market: conditionId,
    price_changes: Array.from({ length: count }, (_, i) => entry(i)),
    timestamp: String(startMs),
    event_type: "price_change",
  });
}

const frames = fc.array(
  fc.oneof(
    fc.nat({ max: 400 }).map(frameOf),
    fc
      .tuple(
        fc.constantFrom("0.5", "0", "1", "0.0001", "0.9999"),
        fc.array(fc.constantFrom("0", "7", "0.000001", "123456789.5", "21000000.25"), {
          minLength: 1,
          maxLength: 3,
        }),
        fc.constantFrom("0", "1", "0.51"),
        fc.integer({ min: 0, max: 4 }),
      )
      .map((parts) => oddFrame(...parts)),
  ),
  { minLength: 1, maxLength: 60 },
);

test("every frame gives the events that the parser reads, but for the hashes of changes", () => {
  fc.assert(
    fc.property(frames, (texts) => {
      const folder = scratchFolder();
      recordFrames(folder, texts.length, 40, (n) => texts[n] ?? "");
      const parsed = [...tapeRows(folder)].flatMap((row) => {
        const { frame } = stepOfRow(row);
        return frame === null ? [] : [{ seq: row.seq, atMs: row.atMs, events: frame.events }];
      });
      const unhashed = (value: unknown) =>
        JSON.stringify(value, (key, part: unknown) =>
          key === "markets" ? undefined : key === "hash" ? null : part,
        );
      expect(unhashed([...framesOfTape(folder)])).toBe(unhashed(parsed));
    }),
    { numRuns: 60 },
  );
}, 240_000);

test("the markets that were followed come with the first frame, for a load that asks for all of them at once", () => {
  const folder = scratchFolder();
  const writer = new FolderWriter(folder, identity, defaultFolderLimits, startMs);
  const followed = [1, 2, 3].map((n) => {
    const { conditionId, tokens } = marketOf(n);
    return { conditionId, tokenIds: tokens };
  });
  writer.followed(followed, startMs);
  addFrames(writer, [0, 30], 10);
  writer.close(startMs + 30);
  const [first, ...rest] = framesOfTape(folder);
  expect(first?.markets?.slice(0, 3)).toEqual(followed);
  expect(rest.some(({ markets }) => markets != null && markets.length > 0)).toBe(true);
});

test("a tape is named by its folder and when it was begun; without a manifest that says so, by its folder", () => {
  const folder = join(scratchFolder(), "tuesday");
  mkdirSync(folder);
  recordFrames(folder, 3);
  expect(nameOfTape(folder)).toBe(`tuesday ${new Date(startMs).toISOString()}`);
  const manifest = join(folder, manifestName);
  writeFileSync(manifest, "torn");
  expect(nameOfTape(folder)).toBe("tuesday");
});
