import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { ConfigError } from "../../config/config-error.ts";
import { loadConfig } from "../../config/load.ts";
import { createHasher } from "../adapters/polymarket/hasher.ts";
import { openLedger } from "../adapters/sqlite/ledger.ts";
import { TapeError } from "../adapters/tape/tape-error.ts";
import { isTapeFolder, journaledRows } from "../adapters/tape/tape-reader.ts";
import { codeVersion } from "../code-version.ts";
import type { DurableLog } from "../engine/ports/durable-log.ts";
import { LogError } from "../engine/ports/log-error.ts";
import { LedgerError } from "../engine/runtime/ledger-writer.ts";
import { ledgerFileName, openLedgerToRead } from "../open-ledger.ts";
import { ServiceError } from "../service-error.ts";
import { exitDone, exitFailed } from "./arguments.ts";
import {
  type DecisionReport,
  ReplayMismatch,
  type RunReport,
  replayDecisions,
} from "./decision-replay.ts";
import { LedgerCursor } from "./ledger-cursor.ts";
import type { Difference } from "./replay-run.ts";
import { WatchError } from "./watch-markets.ts";

export type DecisionReplayOptions = {
  readonly tape: string;
  /** A state folder or the ledger's file. */
  readonly ledger: string | undefined;
  /** Names the ledger's home instead. */
  readonly config: string | undefined;
  readonly run: number | null;
  readonly strict: boolean;
  readonly json: boolean;
  readonly progress: (rows: number, atMs: number) => void;
};

/** Longest part of a fact that is shown; --json has it whole. */
const shownChars = 600;

/** The decisions part of `pitboss replay`. @throws WatchError for what cannot be opened */
export async function replayDecisionsCommand(options: DecisionReplayOptions): Promise<number> {
  const { tape, json, strict, progress, run } = options;
  if (!isTapeFolder(tape)) throw new WatchError(`${tape}: is no folder of a tape`);
  try {
    const ledger = await openedLedger(options);
    try {
      const rows = journaledRows(tape);
      const cursor = new LedgerCursor(ledger);
      const report = await replayDecisions(rows, cursor, createHasher(), { run, progress });
      if (report.runs.length === 0) {
        const which = run === null ? "no run of a service" : `no run ${run}`;
        process.stderr.write(`replay: ${which} is recorded on this tape\n`);
        return exitFailed;
      }
      process.stdout.write(json ? `${JSON.stringify(report)}\n` : decisionText(report));
      return verdictOf(report, strict);
    } finally {
      await ledger.close();
    }
  } catch (error) {
    if (!isExpected(error)) throw error;
    process.stderr.write(`replay: ${error.message}\n`);
    return exitFailed;
  }
}

function isExpected(error: unknown): error is Error {
  const kinds = [TapeError, LedgerError, LogError, ReplayMismatch, ServiceError];
  return kinds.some((kind) => error instanceof kind);
}

type OpenLedger = Pick<DurableLog, "read" | "close">;

async function openedLedger({ ledger, config }: DecisionReplayOptions): Promise<OpenLedger> {
  if (ledger !== undefined) {
    const isFolder = existsSync(ledger) && statSync(ledger).isDirectory();
    const file = isFolder ? join(ledger, ledgerFileName) : ledger;
    if (!existsSync(file)) throw new WatchError(`${file}: there is no ledger`);
    return openLedger(file);
  }
  try {
    const opened = await openLedgerToRead(loadConfig(resolve(config ?? "")));
    if (opened === null) throw new WatchError("no ledger was written yet by this configuration");
    return opened;
  } catch (error) {
    if (error instanceof ConfigError) throw new WatchError(error.faults.join("\n"));
    throw error;
  }
}

/** A gap or a cut is no difference: what is there was equal, and the text says how far. */
function verdictOf({ runs }: DecisionReport, strict: boolean): number {
  const isWhole = ({ end }: RunReport) => end === "stopped" || end === "broken";
  if (runs.some(({ end }) => end === "different")) return exitFailed;
  return strict && !runs.every(isWhole) ? exitFailed : exitDone;
}

function decisionText({ runs }: DecisionReport): string {
  return `${runs.flatMap(runLines).join("\n")}\n`;
}

function runLines(run: RunReport): string[] {
  const { fromSeq, toSeq, steps, facts, liveHashes, unproved } = run;
  const rows = toSeq < fromSeq ? "no ledger row" : `ledger rows ${fromSeq} to ${toSeq}`;
  const checks = liveHashes === 0 ? "" : `, ${liveHashes} digests on the way`;
  const beyond =
    unproved === 0 ? [] : [`  not proved: ${unproved} ledger rows behind them, of the same run`];
  const other =
    run.codeVersion === codeVersion()
      ? []
      : [`  recorded by code ${run.codeVersion}, replayed by ${codeVersion()}`];
  return [
    `run ${run.run}, begun ${new Date(run.beganMs).toISOString()}: ${endText(run)}`,
    `  decided again: ${steps} steps, ${facts} facts, ${rows} equal${checks}`,
    ...beyond,
    ...other,
    ...(run.difference === null ? [] : differenceLines(run.difference)),
    `  digest ${run.digest}`,
  ];
}

function endText({ end, detail }: RunReport): string {
  const why = detail === "" ? "" : `: ${detail}`;
  switch (end) {
    case "stopped":
      return "equal to its end";
    case "cut":
      return "equal as far as it is recorded; it was killed, or it still goes on";
    case "gap":
      return `equal up to a gap of the tape${why}`;
    case "not_durable":
      return "equal as far as it is durable; its last decisions never reached the ledger, and nothing of them left";
    case "broken":
      return "equal, to the invariant that it broke";
    case "different":
      return "DIFFERENT";
  }
}

function differenceLines(difference: Difference): string[] {
  const { step, tapeSeq, ledgerSeq, atMs, correlationId, input, expected, got } = difference;
  const row = ledgerSeq === null ? "" : `, ledger row ${ledgerSeq}`;
  return [
    `  first difference: step ${step}${row}, tape row ${tapeSeq}, at ${new Date(atMs).toISOString()}`,
    `    input     ${input}, correlation id ${correlationId || "-"}`,
    `    expected  ${shown(expected)}`,
    `    got       ${shown(got)}`,
  ];
}

function shown(text: string): string {
  return text.length <= shownChars
    ? text
    : `${text.slice(0, shownChars)}… (${text.length} characters)`;
}
