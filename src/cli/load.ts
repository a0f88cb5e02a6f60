import { basename, resolve } from "node:path";
import { loadConfig } from "../../config/load.ts";
import { loadTape, type TapeFrame } from "../adapters/storage/load-tape.ts";
import type { Store } from "../adapters/storage/store.ts";
import { isTapeFolder } from "../adapters/tape/tape-reader.ts";
import { openLedgerToRead } from "../open-ledger.ts";
import { openConfiguredStore } from "../open-store.ts";
import { projectLedger } from "../project-ledger.ts";
import { exitDone, exitWrongUse, readArguments } from "./arguments.ts";
import { readFrameFile } from "./frame-files.ts";
import { explainStoreFailure } from "./store-command.ts";
import { framesOfTape, nameOfTape } from "./tape-frames.ts";
import { progressOnTerminal } from "./terminal-progress.ts";

const help = `usage: pitboss load --config FILE [RECORDING...]
Fills the store's tables: orders, fills, positions, audit, commands and notices from the ledger, and book events, snapshots
and trades from recordings. It goes on where the last load ended; what is there already is not written again.
  --config FILE   names the home: files in its state folder, or its database
  RECORDING       a tape, or frames of the market channel in any layout that replay reads; a tape is known
                  by its name and when it was begun, a file by its name
A running service may go on meanwhile.
exit code: 0 done, 1 it could not be done, 2 wrong use or configuration
example: pitboss load --config config/service.local.toml tuesday.jsonl`;

const recordingsMax = 1_000;
const framesPerProgress = 20_000;

/** `pitboss load`. Resolves to the exit code. */
export async function loadCommand(args: readonly string[]): Promise<number> {
  const read = readArguments(args, { config: { type: "string" } }, help, recordingsMax);
  if (!read.ok) return read.exitCode;
  const { config: file } = read.values;
  if (file === undefined) {
    process.stderr.write(`load: name the configuration with --config FILE\n\n${help}\n`);
    return exitWrongUse;
  }
  try {
    const config = loadConfig(resolve(file));
    const store = await openConfiguredStore(config);
    try {
      const ledger = await openLedgerToRead(config);
      if (ledger === null) process.stdout.write("ledger: none yet\n");
      else {
        try {
          const { from, to } = await projectLedger(ledger, store, Date.now());
          process.stdout.write(
            to > from
              ? `ledger: rows ${from + 1} to ${to}\n`
              : `ledger: nothing new behind row ${to}\n`,
          );
        } finally {
          await ledger.close();
        }
      }
      for (const recording of read.rest) await loadFile(store, recording);
    } finally {
      await store.close();
    }
    return exitDone;
  } catch (error) {
    return explainStoreFailure("load", error);
  }
}

async function loadFile(store: Store, file: string): Promise<void> {
  const isTape = isTapeFolder(file);
  const name = basename(file);
  const report = await loadTape(
    store,
    isTape ? { name: nameOfTape(file), was: name } : { name },
    counted(isTape ? framesOfTape(file) : framesOf(file)),
    Date.now(),
  );
  const { bookEvents, snapshots, trades, framesKnown, undated } = report;
  const more = [
    ...(framesKnown > 0 ? [`${framesKnown} frames were there already`] : []),
    ...(undated > 0 ? [`${undated} events without a time left out`] : []),
  ];
  const counts = `${bookEvents} book events, ${snapshots} snapshots, ${trades} trades`;
  process.stdout.write(`${[`${name}: ${counts}`, ...more].join("; ")}\n`);
}

function* counted(frames: Iterable<TapeFrame>): Generator<TapeFrame> {
  const progress = progressOnTerminal("frames");
  let count = 0;
  for (const frame of frames) {
    if (++count % framesPerProgress === 0) progress(count, frame.atMs);
    yield frame;
  }
}

/** Frames of a file count from 1, so that they keep their numbers when it grows. */
function* framesOf(file: string): Generator<TapeFrame> {
  for (const [i, step] of readFrameFile(file).entries()) {
    if (step.frame !== null) yield { seq: i + 1, atMs: step.atMs, events: step.frame.events };
  }
}
