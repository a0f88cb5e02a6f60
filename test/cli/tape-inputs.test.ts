// What `tape-info` and `tape-export` say of the engine that recorded a tape.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { defaultFolderLimits, FolderWriter } from "../../src/adapters/tape/folder-writer.ts";
import { readFrameFile } from "../../src/cli/frame-files.ts";
import { countInputs, inputLines } from "../../src/cli/tape-inputs.ts";
import { tapeExportCommand } from "../../src/cli/tape-tools.ts";
import type { EngineInput } from "../../src/engine/core/input.ts";
import type { JournalRow } from "../../src/engine/runtime/journal-row.ts";
import { frameOf, identity, marketOf, startMs } from "../adapters/tape/frames.ts";
import { scratchFolder } from "../adapters/tape/support.ts";
import { testSettings } from "../engine/support/settings.ts";

const [first, second] = [marketOf(1), marketOf(2)];
const settings = { ...testSettings(), codeVersion: "c1", configHash: "h1" };

const begun = (): JournalRow => ({ run: { version: 1, settings, nextSeq: 1, stateHash: "s" } });
const ended = (steps: number): JournalRow => ({ end: { steps, stateHash: "s" } });
const given = (n: number, input: EngineInput): JournalRow => ({ n, correlationId: "", input });
const woken = (...books: [string, number][]): EngineInput => ({ kind: "books.changed", books });

const twoRuns: readonly JournalRow[] = [
  begun(),
  given(1, { kind: "run.start" }),
  given(2, { kind: "market", event: { kind: "link.up", feed: "market", epoch: 1 } }),
  { n: 3, events: [0, 7] },
  { n: 10, correlationId: "market", event: 7, facts: [1, 1] },
  given(11, woken([first.conditionId, 5], [second.conditionId, 3])),
  begun(),
  given(1, { kind: "tick" }),
  given(2, { kind: "request", request: { do: "kill", byUserId: null, note: "" } }),
  given(3, woken([second.conditionId, 1])),
  ended(3),
];

/** A tape of the rows, a frame before each, in blocks of a few. */
function record(rows: readonly JournalRow[]): string {
  const folder = join(scratchFolder(), "tape");
  const writer = new FolderWriter(folder, identity, defaultFolderLimits, startMs);
  for (const [i, row] of rows.entries()) {
    const atMs = startMs + i;
    const frame = Buffer.from(frameOf(i));
    writer.frame(atMs, frame, [0, frame.length], atMs);
    const step = Buffer.from(JSON.stringify(row));
    writer.step(atMs, step, [0, step.length], atMs);
    if (i % 4 === 3) writer.tick(atMs + defaultFolderLimits.blockMs);
  }
  writer.close(startMs + rows.length);
  return folder;
}

describe("what an engine was given", () => {
  test("is counted by kind and by run, with what each wake-up stands for", () => {
    const counted = countInputs(record(twoRuns));
    const run = { codeVersion: "c1", configHash: "h1", mode: "paper" };
    expect(counted).toEqual({
      runs: [
        { ...run, beganMs: startMs, steps: 11, stopped: false },
        { ...run, beganMs: startMs + 6, steps: 3, stopped: true },
      ],
      steps: 14,
      inputs: {
        market: 8,
        "books.changed": 2,
        "market link.up": 1,
        "request kill": 1,
        "run.start": 1,
        tick: 1,
      },
      wakeUps: { steps: 2, markets: 3, changes: 9 },
      damage: null,
    });
    expect(Object.keys(counted.inputs).slice(0, 2)).toEqual(["market", "books.changed"]);
    expect(inputLines(counted)).toContain(
      "wake-ups of strategies 2, for markets 3, of changes of their books 9",
    );
  });

  test("is nothing on a tape of frames alone, and of a run whose beginning is gone its rest", () => {
    const none = countInputs(record([]));
    expect(none).toMatchObject({ runs: [], steps: 0, damage: null });
    expect(inputLines(none)).toEqual([]);
    const rest = countInputs(record(twoRuns.slice(3)));
    expect(rest.runs).toHaveLength(1);
    expect([rest.steps, rest.runs[0]?.steps]).toEqual([12, 3]);
  });

  test("is counted as far as it can be read", () => {
    const unknown = { nothing: 1 } as unknown as JournalRow;
    const counted = countInputs(record([...twoRuns.slice(0, 3), unknown, ...twoRuns.slice(3)]));
    expect(counted.steps).toBe(2);
    expect(counted.damage).toMatch(/unknown row/);
    expect(inputLines(counted)[0]).toMatch(/^inputs of the engine are counted as far as they go: /);
  });
});

describe("an export", () => {
  async function exported(tape: string, ...more: string[]): Promise<string> {
    const out = join(tape, "..", `out${more.length}.jsonl`);
    expect(await tapeExportCommand([tape, "--out", out, ...more])).toBe(0);
    return out;
  }

  const wakeUpsIn = (file: string) =>
    readFileSync(file, "utf8")
      .split("\n")
      .flatMap((line) => (line.includes("wakeUp") ? [JSON.parse(line)] : []));

  test("says where strategies were woken when it is asked to, and can still be played", async () => {
    const tape = record(twoRuns);
    const without = await exported(tape);
    expect(wakeUpsIn(without)).toEqual([]);
    const all = await exported(tape, "--wake-ups");
    const [one, two] = [first.conditionId, second.conditionId];
    expect(wakeUpsIn(all)).toEqual([
      {
        t: startMs + 5,
        wakeUp: [
          [one, 5],
          [two, 3],
        ],
      },
      { t: startMs + 9, wakeUp: [[two, 1]] },
    ]);
    const played = readFrameFile(all);
    expect(played.filter(({ frame }) => frame !== null)).toEqual(
      readFrameFile(without).filter(({ frame }) => frame !== null),
    );
    const chosen = await exported(tape, "--wake-ups", "--market", one);
    expect(wakeUpsIn(chosen)).toEqual([{ t: startMs + 5, wakeUp: [[one, 5]] }]);
  });
});
