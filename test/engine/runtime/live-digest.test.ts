import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LedgerCursor } from "../../../src/cli/ledger-cursor.ts";
import { ReplayRun } from "../../../src/cli/replay-run.ts";
import type { EngineInput, Envelope } from "../../../src/engine/core/input.ts";
import { step } from "../../../src/engine/core/step.ts";
import type { MarketBook } from "../../../src/engine/domain/market-book.ts";
import { journalRowOf, type StepRow } from "../../../src/engine/runtime/journal-row.ts";
import { booksPerDigest, StepJournal } from "../../../src/engine/runtime/step-journal.ts";
import { canonicalLive } from "../../../src/engine/state/digest.ts";
import { createState, type EngineState } from "../../../src/engine/state/engine-state.ts";
import { openCoreDesk } from "../support/core-desk.ts";
import { plainHasher } from "../support/hasher.ts";
import { holds } from "../support/holds.ts";
import { marketOf } from "../support/markets.ts";
import { testSettings } from "../support/settings.ts";

const many = Array.from({ length: 2 * booksPerDigest + 100 }, (_, i) => marketOf(i + 100));
const settings = testSettings();
const [rounds, books] = [2, many.length];
const ticks = rounds * 3;

/** A run with more books than a digest takes: its rows, and the state that it ended with. */
function recorded(): { readonly rows: readonly Row[]; readonly state: EngineState } {
  const rows: Row[] = [];
  const journal = new StepJournal(
    {
      step: (atMs, text) => rows.push({ atMs, text }),
      missed: () => expect.unreachable("a row was not written"),
      flush: () => undefined,
    },
    1,
  );
  const state = createState();
  journal.begun({ state, settings, hasher: plainHasher, nextSeq: 1 }, 1);
  const inputs: EngineInput[] = [
    { kind: "books.watched", markets: many },
    ...Array.from({ length: ticks }, () => ({ kind: "tick" as const })),
  ];
  for (const [i, input] of inputs.entries()) {
    const envelope: Envelope = { atMs: 1_000 + i, entropy: "", correlationId: "", input };
    journal.stepped(envelope, step(state, settings, plainHasher, envelope), 1);
  }
  journal.ended();
  return { rows, state };
}

type Row = { readonly atMs: number; readonly text: string };

const noLedger = new LedgerCursor({ read: async () => [] });

/** Decides the rows again; `spoil` changes a book before the first tick. The number of the last tick that was proved. */
async function replayed(rows: readonly Row[], spoil: (books: MarketBook[]) => void) {
  const [begun, ...rest] = rows.map(({ atMs, text }) => ({ atMs, row: journalRowOf(text) }));
  if (begun === undefined || !("run" in begun.row)) throw new TypeError("no run");
  const run = new ReplayRun(begun.row, createState(), noLedger, plainHasher);
  for (const [i, { atMs, row }] of rest.entries()) {
    if (i === 1) spoil([...run.state.live.books.values()]);
    if (run.end !== null) break;
    if ("end" in row) run.finish(row, { tapeSeq: i, atMs });
    else await run.step(row as StepRow, { tapeSeq: i, atMs });
  }
  return { end: run.end, liveHashes: run.liveHashes, got: run.difference?.got };
}

describe("the digest of the live state", () => {
  test("takes turns where there are many books, and covers each of them within a round", () => {
    const { rows } = recorded();
    const windows = rows.flatMap(({ text }) => {
      const row = journalRowOf(text);
      return "liveBooks" in row ? [row.liveBooks] : [];
    });
    const round = [0, booksPerDigest, 2 * booksPerDigest].map((from) => [from, booksPerDigest]);
    expect(windows).toEqual(Array.from({ length: rounds }, () => round).flat());
  });

  test("finds a book that is not the same, whichever it is, within a round; at the end every one", async () => {
    const { rows } = recorded();
    const nothing = await replayed(rows, () => undefined);
    expect(nothing).toEqual({ end: "stopped", liveHashes: ticks, got: undefined });
    for (const [at, found] of [
      [0, 1],
      [booksPerDigest - 1, 1],
      [booksPerDigest, 2],
      [books - 1, 3],
    ] as const) {
      const spoilt = await replayed(rows, (all) => {
        const book = all[at];
        if (book !== undefined) book.resyncs++;
      });
      expect(spoilt).toMatchObject({ end: "different", liveHashes: found });
    }
    const unhashed = rows.map(({ atMs, text }) => ({
      atMs,
      text: text.replace(/,"liveHash":"\w+","liveBooks":\[\d+,\d+\]/, ""),
    }));
    const late = await replayed(unhashed, (all) => {
      const book = all[books - 1];
      if (book !== undefined) book.resyncs++;
    });
    expect(late).toMatchObject({ end: "different", liveHashes: 0 });
    expect(late.got).toMatch(/^live state /);
  });

  test("says in its windows what it says as a whole", () => {
    holds(
      fc.property(
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 1, max: 12 }),
        (count, size) => {
          const desk = openCoreDesk();
          for (const market of many.slice(0, count)) desk.list(market);
          const booksIn = (text: string) => (JSON.parse(text) as { books: unknown[] }).books;
          const parts: unknown[] = [];
          for (let from = 0; from < count + 2; from += size) {
            parts.push(...booksIn(canonicalLive(desk.state, [from, size])));
          }
          const whole = canonicalLive(desk.state);
          expect(parts).toEqual(booksIn(whole));
          expect(canonicalLive(desk.state, [0, count + 2])).toBe(whole);
        },
      ),
      40,
    );
  });
});
