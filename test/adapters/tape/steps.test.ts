// The engine's inputs stand on a tape in their place among the market's rows, and only those who ask for them see them.

import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { journaledRows, tapeRows } from "../../../src/adapters/tape/tape-reader.ts";
import { openTapeRecorder } from "../../../src/adapters/tape/tape-recorder.ts";
import { verifyTape } from "../../../src/adapters/tape/verify-tape.ts";
import { frameOf, identity, startMs } from "./frames.ts";
import { scratchFolder, textsOf } from "./support.ts";

const count = 500;
const inputOf = (n: number) => JSON.stringify({ n, input: { kind: "tick", word: "naïve – 試す" } });

test("inputs keep their order among the frames and have numbers of the same row", async () => {
  const folder = join(scratchFolder(), "tape");
  const recorder = await openTapeRecorder({ folder, identity });
  for (let n = 0; n < count; n++) {
    recorder.frame(startMs + n, Buffer.from(frameOf(n)));
    recorder.step(startMs + n, inputOf(n));
  }
  await recorder.close();
  const rows = [...journaledRows(folder)];
  expect(rows.map((row) => row.seq)).toEqual(rows.map((_, i) => i + 1));
  expect(rows.slice(1).map((row) => (row.kind === "note" ? row.note : row.text))).toEqual(
    Array.from({ length: count }, (_, n) => [frameOf(n), inputOf(n)]).flat(),
  );
  expect(rows.slice(1).map((row) => row.kind)).toEqual(
    Array.from({ length: count }, () => ["frame", "step"]).flat(),
  );
  // Whoever reads the market sees the market alone.
  expect([...tapeRows(folder)].some((row) => (row.kind as string) === "step")).toBe(false);
  expect(textsOf(folder)).toEqual(Array.from({ length: count }, (_, n) => frameOf(n)));
  expect(verifyTape(folder, () => undefined)).toMatchObject({
    faults: [],
    rows: 1 + 2 * count,
    frames: count,
    gaps: 0,
  });
});

test("an input that could not be written is a gap in its place, told once", async () => {
  const folder = join(scratchFolder(), "tape");
  const states: string[] = [];
  const recorder = await openTapeRecorder({ folder, identity, onGap: (one) => states.push(one) });
  recorder.step(startMs, inputOf(0));
  recorder.missed(startMs + 1);
  recorder.missed(startMs + 2);
  recorder.step(startMs + 3, inputOf(3));
  const totals = await recorder.close();
  expect(states).toEqual(["begun", "ended"]);
  expect(totals).toMatchObject({ gaps: 1, lostRows: 2 });
  const [, before, gap, after] = [...journaledRows(folder)];
  expect(before).toMatchObject({ seq: 2, kind: "step", text: inputOf(0) });
  expect(gap).toMatchObject({ seq: 3, note: { note: "gap", lost: 2, fromMs: startMs + 1 } });
  expect(after).toMatchObject({ seq: 5, kind: "step", text: inputOf(3) });
});

test("what is flushed is on the disk although its block has time yet", async () => {
  const folder = join(scratchFolder(), "tape");
  const limits = { blockMs: 3_600_000 };
  const recorder = await openTapeRecorder({ folder, identity, limits });
  recorder.step(startMs, inputOf(0));
  recorder.flush();
  await vi.waitFor(
    () => expect([...journaledRows(folder)].at(-1)).toMatchObject({ text: inputOf(0) }),
    { timeout: 60_000, interval: 20 },
  );
  recorder.step(startMs + 1, inputOf(1));
  await recorder.close();
  expect([...journaledRows(folder)].map(({ seq }) => seq)).toEqual([1, 2, 3]);
}, 120_000);
