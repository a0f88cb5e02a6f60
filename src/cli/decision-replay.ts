import { TapeError } from "../adapters/tape/tape-error.ts";
import type { TapeRow } from "../adapters/tape/tape-row.ts";
import type { Hasher } from "../engine/ports/hasher.ts";
import { type JournalRow, journalRowOf, type RunRow } from "../engine/runtime/journal-row.ts";
import { canonicalState } from "../engine/state/digest.ts";
import type { LedgerCursor } from "./ledger-cursor.ts";
import { type Difference, ReplayRun, type RunEnd } from "./replay-run.ts";

/** What a replay of one recorded run proved. */
export type RunReport = {
  /** Which of the tape's runs, from 1. */
  readonly run: number;
  readonly beganMs: number;
  /** Of the code that recorded it. */
  readonly codeVersion: string;
  readonly configHash: string;
  /** Steps that were made again, and facts of theirs that are the ledger's. */
  readonly steps: number;
  readonly facts: number;
  /** Digests of the live state on the way that were equal. */
  readonly liveHashes: number;
  /** Ledger rows that were proved; `toSeq` is lower than `fromSeq` when there is none. */
  readonly fromSeq: number;
  readonly toSeq: number;
  /** Rows that the run wrote behind them: the tape says nothing about how they were decided. */
  readonly unproved: number;
  readonly end: RunEnd;
  /** More about the end; empty when there is nothing to say. */
  readonly detail: string;
  readonly difference: Difference | null;
  /** SHA-256 of the canonical state behind the last step. */
  readonly digest: string;
};

export type DecisionReport = { readonly runs: readonly RunReport[] };

export type DecisionOptions = {
  /** Number of the run, from 1; null for all. */
  readonly run: number | null;
  /** Told now and then how far the tape is. */
  readonly progress: (rows: number, atMs: number) => void;
};

const rowsPerProgress = 20_000;

/** The ledger and the tape are not of one service. */
export class ReplayMismatch extends Error {
  override readonly name = "ReplayMismatch";
}

/**
 * Makes every recorded run of a tape decide again, each from the ledger before it, and stops at the first difference.
 * @throws ReplayMismatch, LedgerError, TapeError when not even the first run can be read
 */
export async function replayDecisions(
  rows: Iterable<TapeRow>,
  ledger: LedgerCursor,
  hasher: Hasher,
  options: DecisionOptions,
): Promise<DecisionReport> {
  const replay = new DecisionReplay(ledger, hasher, options);
  try {
    for (const row of rows) {
      await replay.row(row);
      if (replay.isOver) break;
    }
  } catch (error) {
    if (!(error instanceof TapeError) || !replay.isRunning) throw error;
    await replay.cut("gap", error.message);
  }
  await replay.cut("cut", "");
  return { runs: replay.reports };
}

class DecisionReplay {
  readonly reports: RunReport[] = [];
  readonly #ledger: LedgerCursor;
  readonly #hasher: Hasher;
  readonly #options: DecisionOptions;
  #run: ReplayRun | null = null;
  #head: { readonly row: RunRow["run"]; readonly beganMs: number } | null = null;
  #runs = 0;
  #rows = 0;
  #nextSeq: number | null = null;

  constructor(ledger: LedgerCursor, hasher: Hasher, options: DecisionOptions) {
    this.#ledger = ledger;
    this.#hasher = hasher;
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.#run !== null;
  }

  /** True behind the run that was asked for, and behind a difference. */
  get isOver(): boolean {
    const last = this.reports.at(-1);
    return last !== undefined && (last.end === "different" || last.run === this.#options.run);
  }

  async row(row: TapeRow): Promise<void> {
    if (++this.#rows % rowsPerProgress === 0) this.#options.progress(this.#rows, row.atMs);
    if (this.#nextSeq !== null && row.seq !== this.#nextSeq) {
      await this.cut("gap", `rows ${this.#nextSeq} to ${row.seq - 1} are not on the tape`);
    }
    this.#nextSeq = row.seq + 1;
    if (row.kind === "note") await this.#note(row);
    else if (row.kind === "frame") this.#run?.frame(row.text);
    else await this.#journaled(rowOf(row), row);
  }

  async #note({ note, seq }: Extract<TapeRow, { kind: "note" }>): Promise<void> {
    if (note.note === "session") await this.cut("cut", "");
    if (note.note !== "gap") return;
    this.#nextSeq = seq + Math.max(1, note.lost);
    await this.cut("gap", `${note.lost} rows from ${seq} on were lost (${note.reason})`);
  }

  async #journaled(journaled: JournalRow, { seq: tapeSeq, atMs }: TapeRow): Promise<void> {
    if ("run" in journaled) {
      await this.cut("cut", "");
      await this.#begin(journaled, atMs);
      return;
    }
    const run = this.#run;
    if (run === null) return;
    if ("end" in journaled) run.finish(journaled, { tapeSeq, atMs });
    else if ("events" in journaled) run.marketSteps(journaled, { tapeSeq, atMs });
    else await run.step(journaled, { tapeSeq, atMs });
    if (run.end !== null) await this.cut(run.end, "");
  }

  async #begin(row: RunRow, beganMs: number): Promise<void> {
    this.#runs++;
    if (this.#options.run !== null && this.#options.run !== this.#runs) return;
    const { nextSeq, stateHash } = row.run;
    const state = await this.#ledger.foldedTo(nextSeq);
    if (state === null) {
      throw new ReplayMismatch(
        `run ${this.#runs} of the tape began behind ledger row ${nextSeq - 1}, but this ledger ends before it: they are not of one service`,
      );
    }
    if (this.#hasher.sha256Hex(canonicalState(state)) !== stateHash) {
      throw new ReplayMismatch(
        `the ledger up to row ${nextSeq - 1} does not fold to the state that run ${this.#runs} of the tape began with: another ledger, or other code`,
      );
    }
    this.#run = new ReplayRun(row, state, this.#ledger, this.#hasher);
    this.#head = { row: row.run, beganMs };
  }

  /** The run is told about as far as it came; what follows on the tape until the next run is passed over. */
  async cut(end: RunEnd, detail: string): Promise<void> {
    const run = this.#run;
    const head = this.#head;
    if (run === null || head === null) return;
    this.#run = null;
    const { settings, nextSeq } = head.row;
    this.reports.push({
      run: this.#runs,
      beganMs: head.beganMs,
      codeVersion: settings.codeVersion,
      configHash: settings.configHash,
      steps: run.steps,
      facts: run.facts,
      liveHashes: run.liveHashes,
      fromSeq: nextSeq,
      toSeq: run.nextSeq - 1,
      unproved: end === "different" ? 0 : await run.unprovedRows(),
      end,
      detail,
      difference: run.difference,
      digest: run.digest(),
    });
  }
}

function rowOf({ seq, text }: Extract<TapeRow, { kind: "step" }>): JournalRow {
  try {
    return journalRowOf(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : "unreadable";
    throw new TapeError(`row ${seq} of the tape: ${why}`);
  }
}
