import { TapeError } from "../adapters/tape/tape-error.ts";
import { type TapeStepRow, tapeSteps } from "../adapters/tape/tape-steps.ts";
import type { EngineInput } from "../engine/core/input.ts";
import type { Woken } from "../engine/core/wake-up.ts";
import { type JournalRow, journalRowOf } from "../engine/runtime/journal-row.ts";

/** A run of a service whose inputs are on a tape. */
export type RecordedRun = {
  readonly beganMs: number;
  readonly codeVersion: string;
  readonly configHash: string;
  readonly mode: string;
  readonly steps: number;
  /** False for one that was killed, or that still goes on. */
  readonly stopped: boolean;
};

/** What an engine was given while it recorded a tape. */
export type TapeInputs = {
  readonly runs: readonly RecordedRun[];
  readonly steps: number;
  /** Steps by the kind of their input; "market" are events of frames. */
  readonly inputs: Readonly<Record<string, number>>;
  /** Steps that woke strategies, the markets that they were woken for, and the changes of books that those stand for. */
  readonly wakeUps: { readonly steps: number; readonly markets: number; readonly changes: number };
  /** Why the inputs behind these cannot be read; null when all were. */
  readonly damage: string | null;
};

/** Counts the engine's inputs on a tape; one without any has no run and no step. Reads all of them. */
export function countInputs(folder: string): TapeInputs {
  const runs: RecordedRun[] = [];
  const counts = new Map<string, number>();
  const wakeUps = { steps: 0, markets: 0, changes: 0 };
  let steps = 0;
  let damage: string | null = null;
  const add = (kind: string, count: number) => {
    steps += count;
    counts.set(kind, (counts.get(kind) ?? 0) + count);
    const run = runs.at(-1);
    // What the tape kept of a run whose beginning was pruned belongs to none of those that it shows.
    if (run !== undefined) runs[runs.length - 1] = { ...run, steps: run.steps + count };
  };
  try {
    for (const { atMs, text } of tapeSteps(folder)) {
      const row = journaled(text);
      if ("run" in row) runs.push(runOf(atMs, row));
      else if ("end" in row) endLast(runs);
      else if ("events" in row) add("market", row.events[1]);
      else {
        add(kindOf(row.input), 1);
        for (const [, changes] of wokenOf(row.input)) {
          wakeUps.markets++;
          wakeUps.changes += changes;
        }
      }
    }
  } catch (error) {
    if (!(error instanceof TapeError)) throw error;
    damage = error.message;
  }
  wakeUps.steps = counts.get("books.changed") ?? 0;
  const sorted = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  return { runs, steps, inputs: Object.fromEntries(sorted), wakeUps, damage };
}

/** The markets that a row of the engine's inputs wakes strategies for; none for any other row. @throws TapeError */
export function wokenBy({ text }: Pick<TapeStepRow, "text">): readonly Woken[] {
  // Most rows are something else, and some are long.
  if (!text.includes('"books.changed"')) return [];
  const row = journaled(text);
  return "input" in row ? wokenOf(row.input) : [];
}

function wokenOf(input: EngineInput | undefined): readonly Woken[] {
  return input?.kind === "books.changed" ? input.books : [];
}

function journaled(text: string): JournalRow {
  try {
    return journalRowOf(text);
  } catch (error) {
    const what = error instanceof Error ? error.message : "unreadable";
    throw new TapeError(`an input of the engine cannot be read: ${what}`);
  }
}

function runOf(beganMs: number, { run }: Extract<JournalRow, { readonly run: unknown }>) {
  const { codeVersion, configHash, mode } = run.settings;
  return { beganMs, codeVersion, configHash, mode, steps: 0, stopped: false };
}

function endLast(runs: RecordedRun[]): void {
  const run = runs.pop();
  if (run !== undefined) runs.push({ ...run, stopped: true });
}

/** Absent where the row names the event of a frame. */
function kindOf(input: EngineInput | undefined): string {
  if (input === undefined) return "market";
  if (input.kind === "request") return `request ${input.request.do}`;
  return input.kind === "market" ? `market ${input.event.kind}` : input.kind;
}

const runsShown = 20;

/** The lines of `tape-info` about the engine's inputs; none where no service recorded the tape. */
export function inputLines(inputs: TapeInputs): string[] {
  const { runs, steps, wakeUps, damage } = inputs;
  const kinds = Object.entries(inputs.inputs).map(([kind, count]) => `${kind} ${count}`);
  const more = runs.length > runsShown ? [`  and ${runs.length - runsShown} earlier ones`] : [];
  return [
    ...(damage === null ? [] : [`inputs of the engine are counted as far as they go: ${damage}`]),
    ...(steps + runs.length === 0
      ? []
      : [
          `inputs of the engine ${steps}${steps > 0 ? `: ${kinds.join(", ")}` : ""}`,
          `wake-ups of strategies ${wakeUps.steps}, for markets ${wakeUps.markets}, of changes of their books ${wakeUps.changes}`,
          `runs of a service ${runs.length}`,
          ...more,
          ...runs.slice(-runsShown).map(runLine),
        ]),
  ];
}

function runLine({ beganMs, codeVersion, configHash, mode, steps, stopped }: RecordedRun): string {
  const end = stopped ? "stopped in order" : "no end recorded";
  return `  from ${new Date(beganMs).toISOString()}, ${mode}, code ${codeVersion}, configuration ${configHash}: steps ${steps}, ${end}`;
}
