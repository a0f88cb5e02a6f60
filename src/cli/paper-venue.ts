import { fstatSync } from "node:fs";
import { parseArgs } from "node:util";
import {
  createPaperVenue,
  type PaperVenue,
} from "../adapters/paper-venue/http/create-paper-venue.ts";
import { createDataApiHandler } from "../adapters/paper-venue/world/data-api.ts";
import { createDataWorld } from "../adapters/paper-venue/world/data-world.ts";
import type { DrivenWorld } from "../adapters/paper-venue/world/driven-world.ts";
import { WorldError } from "../adapters/paper-venue/world/errors.ts";
import { createGammaHandler } from "../adapters/paper-venue/world/gamma-handler.ts";
import { lockState } from "../adapters/paper-venue/world/state-lock.ts";
import { createSyntheticListing } from "../adapters/paper-venue/world/synthetic-listing.ts";
import { createTapeWorld } from "../adapters/paper-venue/world/tape-world.ts";
import { createUniverse } from "../adapters/paper-venue/world/universe.ts";
import { TapeError } from "../adapters/tape/tape-error.ts";
import { isTapeFolder, tapeRows } from "../adapters/tape/tape-reader.ts";

const help = `usage: pitboss paper-venue --port N --state DIR [options]

A venue on this machine that speaks the real one's protocol: books, orders, sockets, market data. Nothing leaves
this machine and no real money moves. Control paths under /paper/ are for the offline desk only.

  --port N        port on 127.0.0.1 (0 picks a free one)
  --state DIR     accounts, orders and trades; one venue at a time
  --data DIR      recorded books instead of the built-in markets (books/ with gamma/, complete-sets/)
  --tape PATH     play a recorded tape or a file of market frames; titles from --data's gamma/ when given
  --speed X       speed of the tape (default 1)
  --seed N        seed of the built-in markets (default 1)
  --pace X        factor on the built-in order flow (default 1)
  --settle-ms N   time from MATCHED to MINED and from MINED to CONFIRMED (default 250)
  --cash USD      cash of a new account (default 1000)
  --still         nothing moves by itself
  --listed N      that many more markets in the listings, without books (for readers of the catalog)
  --parent-pid N  end when this process dies or closes our standard input
  --json          one JSON line when ready, for programs

example: pitboss paper-venue --port 8799 --state ./var/venue --seed 7`;

type Options = {
  readonly port: number;
  readonly state: string;
  readonly data: string | null;
  readonly tape: string | null;
  readonly speed: number;
  readonly seed: number;
  readonly pace: number;
  readonly settleMs: number;
  readonly cash: string;
  readonly still: boolean;
  readonly listed: number;
  readonly parentPid: number | null;
  readonly json: boolean;
};

const MAX_SETTLE_MS = 600_000;
const MAX_PACE = 1_000;
const MAX_SPEED = 1_000_000;
const MAX_LISTED = 1_000_000;
const PARENT_CHECK_MS = 500;

/** Wrong use of the command: told to the user, exit code 2. */
class UsageError extends Error {
  override readonly name = "UsageError";
}

function numberOption(
  values: Readonly<Record<string, string | boolean | undefined>>,
  name: string,
  bounds: { readonly min: number; readonly max: number; readonly whole: boolean },
  fallback: number | null,
): number {
  const text = values[name];
  if (text === undefined && fallback !== null) return fallback;
  if (text === undefined) throw new UsageError(`--${name} is required`);
  const value = typeof text === "string" && text.trim() !== "" ? Number(text) : Number.NaN;
  const { min, max, whole } = bounds;
  if (!(value >= min && value <= max) || (whole && !Number.isInteger(value)))
    throw new UsageError(
      `--${name} must be a ${whole ? "whole " : ""}number from ${min} to ${max}, was "${text}"`,
    );
  return value;
}

function parseOptions(args: readonly string[]): Options | "help" {
  const string = { type: "string" } as const;
  const boolean = { type: "boolean" } as const;
  let values: Readonly<Record<string, string | boolean | undefined>>;
  try {
    ({ values } = parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      options: {
        port: string,
        state: string,
        data: string,
        tape: string,
        speed: string,
        seed: string,
        pace: string,
        "settle-ms": string,
        cash: string,
        still: boolean,
        listed: string,
        "parent-pid": string,
        json: boolean,
        help: { ...boolean, short: "h" },
      },
    }));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  if (values["help"] === true) return "help";
  const text = (name: string): string | null => {
    const value = values[name];
    return typeof value === "string" && value !== "" ? value : null;
  };
  const state = text("state");
  if (state === null) throw new UsageError("--state is required");
  const cash = text("cash") ?? "1000";
  if (!/^\d{1,9}(?:\.\d{1,6})?$/.test(cash))
    throw new UsageError(`--cash must be dollars such as 1000 or 250.50, was "${cash}"`);
  const pid = { min: 1, max: 2 ** 31, whole: true };
  return {
    port: numberOption(values, "port", { min: 0, max: 65_535, whole: true }, null),
    state,
    data: text("data"),
    tape: text("tape"),
    speed: numberOption(values, "speed", { min: 0.001, max: MAX_SPEED, whole: false }, 1),
    seed: numberOption(values, "seed", { min: 0, max: 2 ** 31, whole: true }, 1),
    pace: numberOption(values, "pace", { min: 0, max: MAX_PACE, whole: false }, 1),
    settleMs: numberOption(values, "settle-ms", { min: 0, max: MAX_SETTLE_MS, whole: true }, 250),
    cash,
    still: values["still"] === true,
    listed: numberOption(values, "listed", { min: 0, max: MAX_LISTED, whole: true }, 0),
    parentPid:
      values["parent-pid"] === undefined ? null : numberOption(values, "parent-pid", pid, null),
    json: values["json"] === true,
  };
}

/** As much as one process keeps in memory to play. */
const MAX_TAPE_CHARS = 512 * 1024 * 1024;

/** Texts of the frames of a recorded tape. @throws WorldError when it is damaged or too large */
function* framesOf(folder: string): Generator<string> {
  let chars = 0;
  try {
    for (const row of tapeRows(folder)) {
      if (row.kind !== "frame") continue;
      chars += row.text.length;
      if (chars > MAX_TAPE_CHARS)
        throw new WorldError(
          `${folder}: more than ${MAX_TAPE_CHARS} characters of frames; play a part: pitboss tape-export --from --to`,
        );
      yield row.text;
    }
  } catch (error) {
    if (error instanceof TapeError) throw new WorldError(error.message);
    throw error;
  }
}

function createWorld(options: Options, venue: PaperVenue): DrivenWorld {
  const { exchange, state } = venue;
  const nowMs = Date.now;
  if (options.tape !== null)
    return createTapeWorld({
      exchange,
      source: isTapeFolder(options.tape) ? framesOf(options.tape) : options.tape,
      dataDir: options.data,
      speed: options.speed,
      nowMs,
    });
  if (options.data !== null) return createDataWorld(exchange, options.data, nowMs());
  const tokens = new Set(
    state.accounts
      .all()
      .flatMap((account) => [
        ...account.held().map(([tokenId]) => tokenId),
        ...[...account.open.values()].map(({ tokenId }) => tokenId),
      ]),
  );
  const { seed, pace, still } = options;
  return createUniverse({
    exchange,
    seed,
    pace,
    still,
    nowMs,
    heldTokens: tokens,
  });
}

function announce(options: Options, port: number, summary: string): void {
  const baseUrl = `http://127.0.0.1:${port}`;
  const ready = {
    ready: true,
    port,
    baseUrl,
    gammaUrl: `${baseUrl}/gamma`,
    dataUrl: `${baseUrl}/data`,
    wsUrl: `ws://127.0.0.1:${port}/ws`,
    summary,
  };
  process.stdout.write(
    options.json
      ? `${JSON.stringify(ready)}\n`
      : `paper venue on ${baseUrl} (sockets ${ready.wsUrl}): ${summary}. Ctrl-C ends it.\n`,
  );
}

/** Whether standard input is a pipe or socket that a parent holds open; /dev/null and terminals are not. */
function inputIsHeldByParent(): boolean {
  try {
    const input = fstatSync(0);
    return input.isFIFO() || input.isSocket();
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Resolves when the process is told to end: a signal, or the death of its parent. */
function untilToldToEnd(parentPid: number | null): Promise<void> {
  return new Promise((resolve) => {
    let watch: NodeJS.Timeout | null = null;
    const end = (): void => {
      if (watch !== null) clearInterval(watch);
      process.off("SIGINT", end);
      process.off("SIGTERM", end);
      process.off("disconnect", end);
      process.stdin.off("end", end);
      process.stdin.off("error", end);
      process.stdin.pause();
      resolve();
    };
    process.on("SIGINT", end);
    process.on("SIGTERM", end);
    process.on("disconnect", end);
    if (parentPid === null) return;
    watch = setInterval(() => {
      if (!isAlive(parentPid)) end();
    }, PARENT_CHECK_MS);
    if (!inputIsHeldByParent()) return;
    process.stdin.on("end", end);
    process.stdin.on("error", end);
    process.stdin.resume();
  });
}

async function run(options: Options): Promise<void> {
  const { listed, seed } = options;
  const lock = lockState(options.state);
  try {
    const venue = createPaperVenue({
      stateDir: options.state,
      settleMs: options.settleMs,
      startCashUsd: options.cash,
    });
    let world: DrivenWorld | null = null;
    try {
      const created = createWorld(options, venue);
      world = created;
      venue.onMove((conditionId, ticks) => created.move(conditionId, ticks));
      venue.setMounts({
        gamma: createGammaHandler({
          exchange: venue.exchange,
          metadata: (eventId) => created.eventMetadata(eventId),
          ...(listed > 0 && {
            synthetic: createSyntheticListing({ seed, markets: listed, nowMs: Date.now() }),
          }),
        }),
        data: createDataApiHandler(venue.state),
      });
      const { port } = await venue.listen(options.port);
      const ended = untilToldToEnd(options.parentPid);
      created.start();
      announce(options, port, created.summary);
      await ended;
    } finally {
      world?.stop();
      await venue.close();
    }
  } finally {
    lock.release();
  }
}

/** What to say about an error of the user's making, or null for a fault of the program. */
function explain(error: unknown): string | null {
  if (error instanceof UsageError || error instanceof WorldError) return error.message;
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "EADDRINUSE") return "the port is taken; choose another --port or 0 for a free one";
  if (code === "EACCES" || code === "ENOTDIR" || code === "EROFS") return (error as Error).message;
  return null;
}

/** `pitboss paper-venue`: runs a paper venue until told to end. Returns the exit code: 0 done, 2 wrong use. */
export async function paperVenueCommand(args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args);
    if (options === "help") {
      process.stdout.write(`${help}\n`);
      return 0;
    }
    await run(options);
    return 0;
  } catch (error) {
    const message = explain(error);
    if (message === null) throw error;
    process.stderr.write(`paper-venue: ${message}\n`);
    if (error instanceof UsageError) process.stderr.write("try: pitboss paper-venue --help\n");
    return 2;
  }
}
