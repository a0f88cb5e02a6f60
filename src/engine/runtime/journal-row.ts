import type { EngineInput } from "../core/input.ts";
import type { Effect } from "../protocol/effect.ts";
import type { EngineSettings } from "../protocol/settings.ts";
import type { BookWindow } from "../state/digest.ts";

/** Layout of the rows; another one is not read. */
export const journalVersion = 1;

/** What a run decided with besides its inputs and the ledger before it. */
export type RunRow = {
  readonly run: {
    readonly version: typeof journalVersion;
    /** Names the code, too (`codeVersion`). */
    readonly settings: EngineSettings;
    /** Ledger number of the run's first fact. */
    readonly nextSeq: number;
    /** SHA-256 of the canonical state that the ledger was folded to. */
    readonly stateHash: string;
  };
};

/** One step; its time is the row's. What is absent is empty. */
export type StepRow = {
  /** Number of the step in its run, from 1. */
  readonly n: number;
  readonly correlationId: string;
  readonly entropy?: string;
  readonly input?: EngineInput;
  /** Instead of the input: which of the events that the run's frames gave, from 0. */
  readonly event?: number;
  /** Ledger numbers of its facts, the first and how many. */
  readonly facts?: readonly [firstSeq: number, count: number];
  /** Kinds of what it asked for outside, in order. */
  readonly effects?: readonly Effect["kind"][];
  /** SHA-256 of the canonical live state behind the step; there now and then. */
  readonly liveHash?: string;
  /** The books that it covers, where there are more than one digest takes; all of them when absent. */
  readonly liveBooks?: BookWindow;
  /** The step threw: an invariant was broken, and the run ended. */
  readonly broken?: true;
};

/** Steps of one millisecond, each the next event of the frames, that decided nothing. */
export type MarketStepsRow = {
  readonly n: number;
  readonly events: readonly [first: number, count: number];
};

/** The run was stopped in order: what it ended with. */
export type EndRow = {
  readonly end: {
    readonly steps: number;
    readonly stateHash: string;
    /** Of the whole live state; absent from older recordings. */
    readonly liveHash?: string;
  };
};

export type JournalRow = RunRow | StepRow | MarketStepsRow | EndRow;

/** The row that a text of the journal stands for. @throws SyntaxError when it is none */
export function journalRowOf(text: string): JournalRow {
  const value = JSON.parse(text) as Partial<RunRow & StepRow & MarketStepsRow & EndRow>;
  if (value.run !== undefined && value.run.version !== journalVersion) {
    throw new SyntaxError(`a journal of version ${String(value.run.version)}`);
  }
  if (value.run !== undefined || value.end !== undefined || typeof value.n === "number") {
    return value as JournalRow;
  }
  throw new SyntaxError("an unknown row");
}
