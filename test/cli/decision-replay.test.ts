// What a service decided is decided again from its tape and its ledger, and whatever is not the same is found.

import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { createHasher } from "../../src/adapters/polymarket/hasher.ts";
import { openLedger } from "../../src/adapters/sqlite/ledger.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import { journaledRows } from "../../src/adapters/tape/tape-reader.ts";
import type { TapeRow } from "../../src/adapters/tape/tape-row.ts";
import { replayDecisions } from "../../src/cli/decision-replay.ts";
import { LedgerCursor } from "../../src/cli/ledger-cursor.ts";
import type { EngineInput } from "../../src/engine/core/input.ts";
import type { LogRecord } from "../../src/engine/ports/durable-log.ts";
import { journalRowOf, type StepRow } from "../../src/engine/runtime/journal-row.ts";
import { createServiceTape } from "../../src/tape-recording.ts";
import { collectingLog } from "../adapters/polymarket/paper-desk.ts";
import { trader } from "../engine/support/core-desk.ts";
import { priceOf, sharesOf } from "../engine/support/levels.ts";
import { type LiveDesk, openLiveDesk, privateKey, until } from "../engine/support/live-desk.ts";
import { dollars } from "../engine/support/settings.ts";
import { standing, standingRunners, standingTaxed } from "../engine/support/standing-world.ts";

const paper = loadConfig(new URL("../../config/paper.toml", import.meta.url).pathname);
const hasher = createHasher();
const liveHashEvery = 20;

/** Everything that a recorded service left. */
type Left = { readonly rows: readonly TapeRow[]; readonly ledger: readonly LogRecord[] };
let left: Left;

const amount = { unit: "shares", value: sharesOf("20") } as const;

async function trade(desk: LiveDesk): Promise<void> {
  const { conditionId } = standingTaxed;
  await desk.place({ conditionId, amount: { unit: "usd", value: dollars(5) } });
  await until("filled and settled", () => {
    const fills = [...desk.engine.state.fills.values()];
    return fills.length > 0 && fills.every((fill) => fill.status !== "provisional");
  });
  const resting = { conditionId: standing.conditionId, amount };
  const { clientOid } = await desk.place({ ...resting, limit: priceOf("0.43") });
  await until("it rests", () => desk.order(clientOid).status === "live");
  await desk.engine.cancelOrders(trader, "tg:c", [clientOid]);
  await until("it is gone", () => desk.order(clientOid).status === "canceled");
  await desk.place({ ...resting, limit: priceOf("0.41") });
}

async function resume(desk: LiveDesk): Promise<void> {
  const offer = await desk.engine.askResume(trader, "tg:r");
  if (!offer.ok) throw new TypeError("no offer");
  const press = () => desk.engine.confirmResume(trader, "tg:r2", offer.value.nonce);
  await until("resumed", async () => (await press()).ok);
}

/** A card is left by its book: strategies are woken and one tells of it. */
async function outdate(desk: LiveDesk): Promise<void> {
  const { conditionId } = standingTaxed;
  await desk.card({ conditionId, amount: { unit: "usd", value: dollars(25) } });
  const offer = (size: string) =>
    desk.venue.exchange.setBackgroundLevel(conditionId, "SELL", "0.53", size);
  offer("1");
  const told = () => desk.notices().some(({ kind }) => kind === "card.outdated");
  await until("the trader is told", told);
  offer("1000");
}

/** Two runs that trade, one that was killed and carried on, and a third whose ledger is not kept. */
async function record(folder: string): Promise<Left> {
  const tapeDir = join(folder, "tape");
  const config = { ...paper, storage: { ...paper.storage, tapeDir } };
  const tape = createServiceTape(config, systemClock, { liveHashEvery });
  await tape.open(collectingLog().log);
  const risk = { duplicateWindowMs: 0 };
  let desk = await openLiveDesk({ tape, resumeWaitMs: 50, maxBooks: 2, doubledBooks: 2, risk });
  // Books of markets without money in them make room for others.
  for (const one of [...standingRunners, standing]) await desk.engine.market(one.conditionId);
  await outdate(desk);
  const { ledgerFile } = desk;
  const copy = join(folder, "ledger.db");
  await trade(desk);
  await desk.engine.kill(trader, "tg:k", "enough");
  desk = await desk.restart();
  await resume(desk);
  await trade(desk);
  // The second connection brings events once more, which are on the tape and no steps.
  const repeated = () => desk.polymarket.marketData.health?.().duplicates ?? 0;
  await until("something came twice", () => repeated() > 0);
  await desk.place({ conditionId: standing.conditionId, limit: priceOf("0.39"), amount });
  desk = await desk.restart(() => copyFileSync(ledgerFile, copy));
  await desk.close();
  await tape.close();
  const log = await openLedger(copy);
  const ledger = await log.read(1, 10_000);
  await log.close();
  return { rows: [...journaledRows(tapeDir)], ledger };
}

const logOf = (ledger: readonly LogRecord[]) => ({
  read: async (fromSeq: number, limit: number) =>
    ledger.filter(({ seq }) => seq >= fromSeq).slice(0, limit),
});

const replay = ({ rows, ledger }: Left, run: number | null = null) =>
  replayDecisions(rows, new LedgerCursor(logOf(ledger)), hasher, {
    run,
    progress: () => undefined,
  });

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pitboss-decisions-"));
  left = await record(folder);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ends = async (some: Left) => (await replay(some)).runs.map(({ end }) => end);

/** The tape with the first input for which `change` has something else. */
function withInput(change: (row: StepRow) => StepRow | null): { rows: TapeRow[]; at: TapeRow } {
  const rows = [...left.rows];
  for (const [i, row] of rows.entries()) {
    if (row.kind !== "step") continue;
    const journaled = journalRowOf(row.text);
    const other = "correlationId" in journaled ? change(journaled) : null;
    if (other === null) continue;
    rows[i] = { ...row, text: JSON.stringify(other) };
    return { rows, at: row };
  }
  throw new TypeError("no such input");
}

/** The ledger with another size of the first fill. */
function withOtherFill() {
  const at = left.ledger.findIndex(({ kind }) => kind === "fill.recorded");
  const row = left.ledger[at];
  if (row === undefined) throw new TypeError("no fill");
  const body = row.body.replace(/"size":(\d+)/, '"size":1$1');
  return { row, body, ledger: left.ledger.with(at, { ...row, body }) };
}

/** The place of the n-th row that begins a run. */
const runRow = (n: number) =>
  left.rows.flatMap((row, i) => (row.kind === "step" && row.text.startsWith('{"run"') ? [i] : []))[
    n - 1
  ] ?? -1;

describe("a replay of decisions", () => {
  test("gives every fact of every run again, and the same digest each time", async () => {
    const { runs } = await replay(left);
    expect(runs.map(({ end }) => end)).toEqual(["stopped", "stopped", "not_durable"]);
    const [first, second, third] = runs;
    expect(first).toMatchObject({ fromSeq: 1, unproved: 0, difference: null });
    expect(second).toMatchObject({ fromSeq: (first?.toSeq ?? 0) + 1, unproved: 0 });
    expect(second?.toSeq).toBe(left.ledger.length);
    expect(third).toMatchObject({ facts: 0, fromSeq: left.ledger.length + 1 });
    expect(first?.liveHashes).toBeGreaterThan(0);
    // What the runs did: trades, a cancel, a kill, a resume, all over real sockets.
    const kinds = new Set(left.ledger.map(({ kind }) => kind));
    for (const kind of [
      "fill.settled",
      "cancel.asked",
      "order.closed",
      "trading.killed",
      "trading.resumed",
    ]) {
      expect(kinds, kind).toContain(kind);
    }
    const inputs = left.rows
      .filter(({ kind }) => kind === "step")
      .map((row) => JSON.stringify(row));
    for (const input of ["books.dropped", "fill.reported", "post.finished", "catalog.read"]) {
      expect(
        inputs.some((text) => text.includes(input)),
        input,
      ).toBe(true);
    }
    expect(await replay(left)).toEqual({ runs });
    expect((await replay(left, 2)).runs).toEqual([second]);
  });

  test("market data is kept once: its steps name the event of the frame that brought it", () => {
    const named = left.rows.filter(
      ({ kind, ...row }) => "text" in row && kind === "step" && /"events?":/.test(row.text),
    );
    expect(named.length).toBeGreaterThan(3);
    const whole = left.rows.filter(
      (row) => row.kind === "step" && row.text.includes('"book.delta"'),
    );
    expect(whole).toEqual([]);
  });

  test("the tape holds no key and no seed", () => {
    const text = left.rows.map((row) => ("text" in row ? row.text : "")).join("\n");
    expect(text).not.toContain(privateKey.slice(2));
    expect(text).not.toContain("a-relayer-key");
  });

  test("another fact in the ledger is found at its row", async () => {
    const { row, body, ledger } = withOtherFill();
    const { runs } = await replay({ ...left, ledger });
    expect(runs).toHaveLength(1);
    expect(runs[0]).toMatchObject({ end: "different", toSeq: row.seq - 1 });
    const difference = { ledgerSeq: row.seq, expected: body, got: row.body };
    expect(runs[0]?.difference).toMatchObject({ ...difference, correlationId: row.correlationId });
  });

  test("another input is found where it first decides something else", async () => {
    const { rows, at } = withInput((row) => {
      const { input } = row;
      if (input?.kind !== "request" || input.request.do !== "quote") return null;
      const amount = { unit: "usd", value: dollars(6) } as const;
      const request = { ...input.request, request: { ...input.request.request, amount } };
      return { ...row, input: { ...input, request } };
    });
    const { runs } = await replay({ ...left, rows });
    const [run] = runs;
    expect(run).toMatchObject({ end: "different", difference: { tapeSeq: at.seq } });
    expect(run?.difference?.input).toBe("request quote");
    expect(run?.difference?.ledgerSeq).toBe((run?.toSeq ?? 0) + 1);
  });

  test("other times, other chance, other settings and a lost row of the ledger are found", async () => {
    const entropy = withInput((row) =>
      row.entropy === undefined ? null : { ...row, entropy: "00" },
    );
    expect(await ends({ ...left, rows: entropy.rows })).toEqual(["different"]);
    const decided = left.rows.findIndex(
      (row, i) => i > runRow(1) + 10 && row.kind === "step" && row.text.includes('"facts"'),
    );
    const later = left.rows.map((row, i) => (i === decided ? { ...row, atMs: row.atMs + 1 } : row));
    expect(await ends({ ...left, rows: later })).toEqual(["different"]);
    const rows = [...left.rows];
    const begun = rows[runRow(1)];
    if (begun?.kind !== "step") throw new TypeError("no run");
    const text = begun.text.replace(/"cardTtlMs":\d+/, '"cardTtlMs":7');
    rows[runRow(1)] = { ...begun, text };
    expect(await ends({ ...left, rows })).toEqual(["different"]);
    const shorter = left.ledger.toSpliced(20, 1);
    await expect(ends({ ...left, ledger: shorter })).rejects.toThrow("ledger row 21 is missing");
  });

  test("wake-ups of strategies are inputs with what they joined, and decide the same again", async () => {
    const wake = (change: (row: StepRow) => StepRow) =>
      withInput((row) =>
        row.input?.kind === "books.changed" && row.facts !== undefined ? change(row) : null,
      );
    const { at } = wake((row) => row);
    const { input } = journalRowOf(at.kind === "step" ? at.text : "") as StepRow;
    const books = [[standingTaxed.conditionId, expect.any(Number)]];
    expect(input).toEqual({ kind: "books.changed", books });
    const elsewhere = wake((row) => ({
      ...row,
      input: { kind: "books.changed", books: [[standing.conditionId, 1]] },
    }));
    const { runs } = await replay({ ...left, rows: elsewhere.rows });
    expect(runs[0]).toMatchObject({ end: "different", difference: { input: "books.changed" } });
    expect(runs[0]?.difference).toMatchObject({ tapeSeq: at.seq, got: "no fact" });
  });

  test("what is asked of the outside is compared too, although no fact says it", async () => {
    const { rows, at } = withInput((row) =>
      row.effects === undefined || row.facts !== undefined
        ? null
        : { ...row, effects: ["order.post"] },
    );
    const { runs } = await replay({ ...left, rows });
    expect(runs[0]).toMatchObject({
      end: "different",
      difference: { tapeSeq: at.seq, ledgerSeq: null, expected: "asks for order.post" },
    });
  });

  test("a step that broke an invariant is proved by breaking it again", async () => {
    const nonsense = { kind: "no such thing" } as unknown as EngineInput;
    const instead = (broken: boolean) =>
      withInput(({ n, correlationId, input }) =>
        input?.kind === "tick"
          ? { n, correlationId, input: nonsense, ...(broken && { broken }) }
          : null,
      ).rows;
    expect(await ends({ ...left, rows: instead(true) })).toEqual([
      "broken",
      "stopped",
      "not_durable",
    ]);
    const { runs } = await replay({ ...left, rows: instead(false) });
    expect(runs[0]).toMatchObject({ difference: { expected: "a step that ends" } });
    expect(runs[0]?.difference?.got).toMatch(/^a broken invariant: /);
    const unbroken = withInput((row) => ({ ...row, broken: true })).rows;
    const { runs: others } = await replay({ ...left, rows: unbroken });
    expect(others[0]).toMatchObject({ difference: { expected: "a broken invariant" } });
  });

  test("a gap ends what is proved of its run, and the next run is proved again", async () => {
    const [from, to] = [runRow(1) + 40, runRow(1) + 45];
    const lost = left.rows[from]?.seq ?? 0;
    const rows = [...left.rows.slice(0, from), ...left.rows.slice(to)];
    const [first, ...others] = (await replay({ ...left, rows })).runs;
    expect(first).toMatchObject({
      end: "gap",
      detail: `rows ${lost} to ${lost + 4} are not on the tape`,
    });
    const firstRun = left.ledger.filter(({ seq }) => seq < (others[0]?.fromSeq ?? 0));
    expect(first?.unproved).toBe(firstRun.length - (first?.toSeq ?? 0));
    expect(first?.unproved).toBeGreaterThan(0);
    expect(others.map(({ end }) => end)).toEqual(["stopped", "not_durable"]);
  });

  test("rows that the recorder lost are told as it told them", async () => {
    const at = runRow(2) + 20;
    const seq = left.rows[at]?.seq ?? 0;
    const gap = { note: "gap", reason: "overload", lost: 3, fromMs: 0 } as const;
    const told: TapeRow = { seq, atMs: left.rows[at]?.atMs ?? 0, kind: "note", note: gap };
    const rows = [...left.rows.slice(0, at), told, ...left.rows.slice(at + 3)];
    const { runs } = await replay({ ...left, rows }, 2);
    expect(runs[0]).toMatchObject({
      end: "gap",
      detail: `3 rows from ${seq} on were lost (overload)`,
    });
  });

  test("a tape that ends in the middle proves its beginning", async () => {
    // Behind the row that ends the run come frames of the next one, and the run is whole.
    const endRow = left.rows.findIndex(
      (row, i) => i > runRow(1) && row.kind === "step" && row.text.startsWith('{"end"'),
    );
    expect(endRow).toBeGreaterThan(runRow(1) + 7);
    for (let end = runRow(1) + 1; end <= endRow; end += 7) {
      const { runs } = await replay({ ...left, rows: left.rows.slice(0, end) });
      expect(runs.map((run) => run.end)).toEqual(["cut"]);
    }
  });

  test("a ledger of somebody else is refused in words", async () => {
    await expect(replay({ ...left, ledger: left.ledger.slice(0, 10) }, 2)).rejects.toThrow(
      /run 2 of the tape began behind ledger row \d+, but this ledger ends before it/,
    );
    const { ledger } = withOtherFill();
    await expect(replay({ ...left, ledger }, 2)).rejects.toThrow(/does not fold to the state/);
  });
});
