import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Config } from "../../config/config.ts";
import { ConfigError } from "../../config/config-error.ts";
import { loadConfig } from "../../config/load.ts";
import { type PruneBefore, type PrunedTable, pruneStore } from "../adapters/storage/prune-store.ts";
import { StoreError } from "../adapters/storage/store-error.ts";
import type { SegmentEntry } from "../adapters/tape/manifest.ts";
import { removeSegments, segmentsBefore } from "../adapters/tape/prune-tape.ts";
import { TapeError } from "../adapters/tape/tape-error.ts";
import { segmentBlocks } from "../adapters/tape/tape-reader.ts";
import { LogError } from "../engine/ports/log-error.ts";
import { openConfiguredStore } from "../open-store.ts";
import { hasConfiguredStore } from "../store-place.ts";
import { exitDone, exitFailed, exitWrongUse, readArguments } from "./arguments.ts";
import { barsHeading, MinuteBars } from "./minute-bars.ts";
import { snapshotFilePattern } from "./snapshot-file.ts";
import { explainStoreFailure } from "./store-command.ts";
import { configFileOf, WatchError, wholeOption } from "./watch-markets.ts";

const help = `usage: pitboss prune [--config FILE] [--tape DIR] [--snapshots DIR] [options]

Removes old recorded market data and says what that freed. Of each segment of a tape the best bid and ask of every minute
are kept before it goes: TAPE/minutes/NUMBER.csv.gz. A segment that is being recorded stays, whatever its age.
With --config the tables of the store are pruned, too: whole days of book events, trades and snapshots. One-minute
aggregates, the catalog, orders, fills and the ledger itself always stay.

  --config FILE       folders, store and days from [storage] of this configuration (default config/paper.toml, without its store)
  --tape DIR          the tape, instead of storage.tape_dir
  --snapshots DIR     the folder of \`pitboss snapshot\`, instead of storage.snapshot_dir
  --tape-days N       instead of storage.tape_retention_days (14)
  --event-days N      book events and trades of the store, instead of storage.event_retention_days (14)
  --snapshot-days N   snapshots in files and in the store, instead of storage.snapshot_retention_days (7)
  --dry-run           only say what would go
  --json              one object for programs

exit code: 0 done, 1 a tape or the store is damaged, or something cannot be removed, 2 wrong use
example: pitboss prune --config config/service.local.toml --dry-run`;

const dayMs = 86_400_000;

type Freed = { readonly files: number; readonly bytes: number };
type Pruned = {
  readonly dryRun: boolean;
  readonly tape: (Freed & { readonly rows: number; readonly minuteBars: number }) | null;
  readonly snapshots: Freed | null;
  /** Null when no store was looked at. */
  readonly store: { readonly place: string; readonly tables: readonly PrunedTable[] } | null;
};

/** `pitboss prune`. Resolves to the exit code. */
export async function pruneCommand(args: readonly string[]): Promise<number> {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const parsed = readArguments(
    args,
    {
      config: text,
      tape: text,
      snapshots: text,
      "tape-days": text,
      "event-days": text,
      "snapshot-days": text,
      "dry-run": flag,
      json: flag,
    },
    help,
  );
  if (!parsed.ok) return parsed.exitCode;
  const { values } = parsed;
  try {
    const config = loadConfig(configFileOf(values));
    const { storage } = config;
    const tape = values.tape ?? storage.tapeDir;
    const snapshots = values.snapshots ?? storage.snapshotDir;
    const hasStore = values.config !== undefined && hasConfiguredStore(config);
    if (tape === null && snapshots === null && !hasStore) {
      throw new WatchError("which folders? Name --tape or --snapshots, or set them in [storage]");
    }
    const days = (name: "tape-days" | "event-days" | "snapshot-days", configured: number) =>
      (wholeOption(values[name], name) ?? configured) * dayMs;
    const nowMs = Date.now();
    const eventsBeforeMs = nowMs - days("event-days", storage.eventRetentionDays);
    const snapshotsBeforeMs = nowMs - days("snapshot-days", storage.snapshotRetentionDays);
    const tapeBeforeMs = nowMs - days("tape-days", storage.tapeRetentionDays);
    const dryRun = values["dry-run"];
    const before = {
      book_events: eventsBeforeMs,
      trades: eventsBeforeMs,
      snapshots: snapshotsBeforeMs,
    };
    const pruned: Pruned = {
      dryRun,
      tape: tape === null ? null : pruneTape(tape, tapeBeforeMs, dryRun),
      snapshots: snapshots === null ? null : pruneSnapshots(snapshots, snapshotsBeforeMs, dryRun),
      store: hasStore ? await pruneTables(config, before, dryRun) : null,
    };
    process.stdout.write(values.json ? `${JSON.stringify(pruned)}\n` : prunedText(pruned));
    return exitDone;
  } catch (error) {
    return explained(error);
  }
}

async function pruneTables(config: Config, before: PruneBefore, dryRun: boolean) {
  const store = await openConfiguredStore(config);
  try {
    return { place: store.place, tables: await pruneStore(store, before, dryRun) };
  } finally {
    await store.close();
  }
}

function explained(error: unknown): number {
  if (error instanceof WatchError || error instanceof ConfigError) {
    process.stderr.write(`prune: ${error.message}\n${help}\n`);
    return exitWrongUse;
  }
  if (error instanceof StoreError || error instanceof LogError) {
    return explainStoreFailure("prune", error);
  }
  const isKnown = error instanceof TapeError || (error instanceof Error && "syscall" in error);
  if (!isKnown) throw error;
  process.stderr.write(`prune: ${error.message}. What is not yet removed stays as it is.\n`);
  return exitFailed;
}

/** One segment after the other: its minutes are on the disk before it goes. @throws TapeError */
function pruneTape(folder: string, beforeMs: number, dryRun: boolean): NonNullable<Pruned["tape"]> {
  const segments = segmentsBefore(folder, beforeMs);
  let minuteBars = 0;
  for (const segment of segments) {
    if (dryRun) continue;
    minuteBars += keepMinutes(folder, segment);
    removeSegments(folder, [segment]);
  }
  const sum = (of: (segment: SegmentEntry) => number) =>
    segments.reduce((total, segment) => total + of(segment), 0);
  return {
    files: segments.length,
    bytes: sum(({ bytes }) => bytes),
    rows: sum(({ rows }) => rows),
    minuteBars,
  };
}

function keepMinutes(folder: string, segment: SegmentEntry): number {
  const lines: string[] = [barsHeading];
  const bars = new MinuteBars((line) => lines.push(line));
  for (const block of segmentBlocks(join(folder, segment.file))) bars.block(block);
  bars.end();
  const minutes = join(folder, "minutes");
  mkdirSync(minutes, { recursive: true, mode: 0o700 });
  const file = join(minutes, segment.file.replace(/\.seg$/, ".csv.gz"));
  // A run that was cut short wrote the same bars; they are written again, in one step.
  const handle = openSync(`${file}.new`, "w", 0o600);
  try {
    writeSync(handle, gzipSync(lines.join("")));
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(`${file}.new`, file);
  return bars.count;
}

function pruneSnapshots(folder: string, beforeMs: number, dryRun: boolean): Freed {
  const old = (existsSync(folder) ? readdirSync(folder) : [])
    .filter((name) => snapshotFilePattern.test(name))
    .map((name) => ({ path: join(folder, name), ...sizeAndTime(join(folder, name)) }))
    .filter(({ mtimeMs }) => mtimeMs < beforeMs);
  if (!dryRun) for (const { path } of old) unlinkSync(path);
  return { files: old.length, bytes: old.reduce((sum, { size }) => sum + size, 0) };
}

function sizeAndTime(path: string): { readonly size: number; readonly mtimeMs: number } {
  const { size, mtimeMs } = statSync(path);
  return { size, mtimeMs };
}

function prunedText({ dryRun, tape, snapshots, store }: Pruned): string {
  const verb = dryRun ? "would free" : "freed";
  const lines: string[] = [];
  if (tape !== null) {
    const kept = dryRun ? "" : `, ${tape.minuteBars} one-minute aggregates kept`;
    lines.push(
      `tape: ${verb} ${tape.bytes} bytes in ${tape.files} segments (${tape.rows} rows)${kept}`,
    );
  }
  if (snapshots !== null) {
    lines.push(`snapshots: ${verb} ${snapshots.bytes} bytes in ${snapshots.files} files`);
  }
  for (const { table, rows, bytes } of store?.tables ?? []) {
    const room = bytes === null ? "" : ` (${bytes} bytes)`;
    lines.push(`table ${table}: ${verb} ${rows} rows${room}`);
  }
  return `${lines.join("\n")}\n`;
}
