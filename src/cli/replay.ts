import { TapeError } from "../adapters/tape/tape-error.ts";
import { exitDone, exitFailed, exitWrongUse, readArguments } from "./arguments.ts";
import type { ReplayReport } from "./book-replay.ts";
import { FrameFileError, openRecording } from "./frame-files.ts";
import { type ReplayOptions, replayBooks, replayEverything } from "./replay-books.ts";
import { replayDecisionsCommand } from "./replay-decisions.ts";
import { marketsOption, timeOption } from "./tape-options.ts";
import { progressOnTerminal } from "./terminal-progress.ts";
import { WatchError, wholeOption } from "./watch-markets.ts";

const help = `usage: pitboss replay TAPE|FILE [options]
       pitboss replay --tape DIR --ledger STATE_DIR|FILE [options]

Plays recorded market data into books and prints counters, integrity failures, and a SHA-256 over all final books. Two
replays of one recording print the same digest, on any machine. TAPE is a folder of \`record --tape\`; FILE holds frames
as JSON lines, an array, or vectors, .gz too, in today's layout of changes or an old one.

  --fast          compare best prices, do not recompute the book hashes: many times faster on a tape
  --speed X       at X times the pace of the recording; a silence is played as 5 s at most
  --from TIME     count (and pace) from here on; what came before only builds the books
  --to TIME       end here. TIME is 2026-09-24T12:00:00Z or milliseconds since 1970
  --market ID,ID  only these condition ids
  --drop N        leave the N-th frame out (from 1), to see that it is noticed
  --strict        exit 1 when a frame or a snapshot contradicted a book, or the recording has a gap
  --json          one object for programs

With a ledger, decides everything again: folds it to where each recorded run of the service began, gives the engine every input
that the tape kept, and compares each fact with the ledger's row, up to the first gap of the tape. It says up to where all was
equal, or the first difference; exit 1 for that one.

  --ledger PATH   the service's state folder, or its ledger.db; a running service may go on
  --config FILE   instead of --ledger: the configuration that names its home
  --run N         this run of the tape alone, counted from 1
  --strict        exit 1 also when a run is not proved to its end

example: pitboss replay ./var/tape --fast --from 2026-09-24T12:00:00Z
example: pitboss replay --tape ./var/tape --ledger ./var/desk`;

/** `pitboss replay`: 0 done, 1 without any event or with --strict when a book was contradicted, 2 wrong use. */
export async function replayCommand(args: readonly string[]): Promise<number> {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const parsed = readArguments(
    args,
    {
      fast: flag,
      speed: text,
      from: text,
      to: text,
      market: text,
      drop: text,
      strict: flag,
      json: flag,
      tape: text,
      ledger: text,
      config: text,
      run: text,
    },
    help,
    1,
  );
  if (!parsed.ok) return parsed.exitCode;
  const { values, rest } = parsed;
  try {
    const path = values.tape ?? rest[0];
    if (path === undefined) throw new WatchError("which tape or file?");
    if (values.ledger !== undefined || values.config !== undefined) {
      refuseBookOptions(values);
      const { ledger, config, strict, json } = values;
      const run = wholeOption(values.run, "run");
      const progress = progressOnTerminal("rows");
      return await replayDecisionsCommand({
        tape: path,
        ledger,
        config,
        run,
        strict,
        json,
        progress,
      });
    }
    if (values.run !== undefined) throw new WatchError("--run needs --ledger or --config");
    const report = await replayBooks(openRecording(path), optionsOf(values));
    process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : replayText(report));
    return replayVerdict(report, values.strict);
  } catch (error) {
    if (error instanceof TapeError) {
      process.stderr.write(`replay: ${error.message}\n`);
      return exitFailed;
    }
    if (!(error instanceof WatchError || error instanceof FrameFileError)) throw error;
    process.stderr.write(`replay: ${error.message}\n${help}\n`);
    return exitWrongUse;
  }
}

type Values = Readonly<
  Record<"speed" | "from" | "to" | "market" | "drop", string | undefined> & { fast: boolean }
>;

/** A decision depends on everything before it: there is no part of a run to choose. @throws WatchError */
function refuseBookOptions(values: Values): void {
  const names = ["speed", "from", "to", "market", "drop", "fast"] as const;
  const wrong = names.find((name) => values[name] !== undefined && values[name] !== false);
  if (wrong !== undefined) throw new WatchError(`--${wrong} is for books, not with a ledger`);
}

/** @throws WatchError */
function optionsOf(values: Values): ReplayOptions {
  return {
    drop: wholeOption(values.drop, "drop"),
    hashes: !values.fast,
    fromMs: timeOption(values.from, "from") ?? replayEverything.fromMs,
    toMs: timeOption(values.to, "to") ?? replayEverything.toMs,
    markets: marketsOption(values.market),
    speed: speedOption(values.speed),
    keptBytes: replayEverything.keptBytes,
    progress: progressOnTerminal("frames"),
  };
}

function speedOption(text: string | undefined): number | null {
  if (text === undefined) return null;
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!(value >= 0.001 && value <= 1_000_000)) {
    throw new WatchError(`--speed must be a number from 0.001 to 1000000, was "${text}"`);
  }
  return value;
}

/** A recording without any market event is none, whatever was asked. */
function replayVerdict(report: ReplayReport, strict: boolean): number {
  if (Object.keys(report.events).length === 0) {
    process.stderr.write("replay: no event of the market channel was found\n");
    return exitFailed;
  }
  const contradicted =
    Object.keys(report.integrityFailures).length > 0 ||
    report.snapshotsDiffered > 0 ||
    report.gaps > 0;
  return strict && contradicted ? exitFailed : exitDone;
}

function replayText(report: ReplayReport): string {
  const tally = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .map(([name, n]) => `${name} ${n}`)
      .join(", ") || "none";
  const books = report.books.map(
    (book) =>
      `  ${book.conditionId} ${book.status} bid ${book.bid ?? "-"} ask ${book.ask ?? "-"} levels ${book.levels} frames ${book.framesApplied}`,
  );
  return [
    `frames ${report.frames}${report.dropped > 0 ? ` (dropped ${report.dropped})` : ""}`,
    `gaps ${report.gaps}${report.gaps > 0 ? ` (rows lost ${report.lostRows})` : ""}`,
    `events: ${tally(report.events)}`,
    `refused: ${tally(report.refused)}`,
    `hashes verified ${report.hashesVerified}`,
    `integrity failures: ${tally(report.integrityFailures)}`,
    `resynced by a later snapshot ${report.resynced}; snapshots on a live book: equal ${report.snapshotsAgreed}, different ${report.snapshotsDiffered}`,
    `books ${report.books.length}`,
    ...books,
    `digest ${report.digest}`,
    "",
  ].join("\n");
}
