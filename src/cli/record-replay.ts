import { ConfigError } from "../../config/config-error.ts";
import { createHasher } from "../adapters/polymarket/hasher.ts";
import type { MarketFeed } from "../adapters/polymarket/market-feed.ts";
import type { Market } from "../engine/domain/market.ts";
import {
  ageMs,
  applyMarketEvent,
  checkClaims,
  createMarketBook,
  type MarketBook,
  markStale,
} from "../engine/domain/market-book.ts";
import type { MarketEvent } from "../engine/domain/market-event.ts";
import { formatPrice, type Price } from "../engine/domain/numbers.ts";
import { bestPrice } from "../engine/domain/order-book.ts";
import type { FeedEvent } from "../engine/ports/market-data.ts";
import { exitDone, exitFailed, exitNotRunning, exitWrongUse, readArguments } from "./arguments.ts";
import { FrameFileError, readFrameFile } from "./frame-files.ts";
import { FrameRecorder, RecordError } from "./frame-recorder.ts";
import { type ReplayReport, replayBooks } from "./replay-books.ts";
import {
  chooseMarkets,
  NoVenueError,
  openFeed,
  untilEnd,
  venueUrls,
  WatchError,
  watchHelp,
  watchOptions,
  wholeOption,
} from "./watch-markets.ts";

const recordHelp = `usage: pitboss record --out FILE [--top N] [SLUG | CONDITION-ID]...

Writes every raw frame of the market channel to FILE, one JSON line each, until Ctrl-C. \`pitboss replay FILE\` plays it.

  --out FILE       file to append to
${watchHelp}

example: pitboss record --out ./var/frames.jsonl --top 20 --seconds 60`;

const ingestHelp = `usage: pitboss ingest-ws [--top N] [--out FILE] [--json] [SLUG | CONDITION-ID]...

Follows markets and shows best bid, ask, middle and age of each, once a second.

  --out FILE       also write the raw frames, like \`record\`
  --json           one JSON line a market and second
${watchHelp}

example: pitboss ingest-ws --top 10`;

const replayHelp = `usage: pitboss replay FILE [--drop N] [--strict] [--json]

Plays recorded frames into books and prints counters, integrity failures, and a SHA-256 over all final books. Two
replays of one file print the same digest.

  --drop N     leave the N-th frame out (from 1), to see that it is noticed
  --strict     exit 1 when a frame or a snapshot contradicted a book
  --json       one object for programs

example: pitboss replay ../shared/data/ws/fed-decision-2026-07-20.frames.json --drop 6`;

const maxNames = 1_000;
const showEveryMs = 1_000;
const hasher = createHasher();

/** `pitboss replay`: 0 done, 1 without any event or with --strict when a book was contradicted, 2 wrong use. */
export function replayCommand(args: readonly string[]): Promise<number> {
  const parsed = readArguments(
    args,
    { drop: { type: "string" }, strict: { type: "boolean" }, json: { type: "boolean" } },
    replayHelp,
    1,
  );
  if (!parsed.ok) return Promise.resolve(parsed.exitCode);
  const [file] = parsed.rest;
  try {
    if (file === undefined) throw new WatchError("which file?");
    const report = replayBooks(readFrameFile(file), wholeOption(parsed.values.drop, "drop"));
    process.stdout.write(parsed.values.json ? `${JSON.stringify(report)}\n` : replayText(report));
    return Promise.resolve(replayVerdict(report, parsed.values.strict));
  } catch (error) {
    return Promise.resolve(explained("replay", replayHelp, error));
  }
}

/** A file without any market event is no recording, whatever was asked. */
function replayVerdict(report: ReplayReport, strict: boolean): number {
  if (Object.keys(report.events).length === 0) {
    process.stderr.write("replay: the file holds no event of the market channel\n");
    return exitFailed;
  }
  const contradicted =
    Object.keys(report.integrityFailures).length > 0 || report.snapshotsDiffered > 0;
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

/** `pitboss record`: 0 when it ended as asked, 1 when the disk failed, 2 wrong use, 3 without a venue. */
export async function recordCommand(args: readonly string[]): Promise<number> {
  const parsed = readArguments(args, watchOptions, recordHelp, maxNames);
  if (!parsed.ok) return parsed.exitCode;
  try {
    if (parsed.values.out === undefined) throw new WatchError("--out FILE is required");
    await follow(parsed.values, parsed.rest, null);
    return exitDone;
  } catch (error) {
    return explained("record", recordHelp, error);
  }
}

/** `pitboss ingest-ws`: 0 when it ended as asked, 1 when the disk failed, 2 wrong use, 3 without a venue. */
export async function ingestWsCommand(args: readonly string[]): Promise<number> {
  const parsed = readArguments(args, watchOptions, ingestHelp, maxNames);
  if (!parsed.ok) return parsed.exitCode;
  try {
    const { json } = parsed.values;
    await follow(parsed.values, parsed.rest, json ? showLines : showTable);
    return exitDone;
  } catch (error) {
    return explained("ingest-ws", ingestHelp, error);
  }
}

function explained(command: string, help: string, error: unknown): number {
  if (error instanceof RecordError || error instanceof NoVenueError) {
    process.stderr.write(`${command}: ${error.message}\n`);
    return error instanceof NoVenueError ? exitNotRunning : exitFailed;
  }
  const known =
    error instanceof WatchError || error instanceof FrameFileError || error instanceof ConfigError;
  if (!known) throw error;
  process.stderr.write(`${command}: ${error.message}\n${help}\n`);
  return exitWrongUse;
}

type Watch = { readonly market: Market; readonly book: MarketBook };
type Show = (watches: readonly Watch[], feed: MarketFeed) => void;
type Values = Readonly<Record<keyof typeof watchOptions, string | boolean | undefined>>;

/** Follows the chosen markets until told to end; records, shows, or both. */
async function follow(values: Values, names: readonly string[], show: Show | null): Promise<void> {
  const text = (name: keyof typeof watchOptions) =>
    typeof values[name] === "string" ? values[name] : undefined;
  const seconds = wholeOption(text("seconds"), "seconds");
  const urls = venueUrls(values);
  const markets = await chooseMarkets(urls, names, wholeOption(text("top"), "top"));
  const watches = new Map(markets.map((market) => [market.conditionId, watchOf(market)]));
  const out = text("out");
  const recorder = out === undefined ? null : new FrameRecorder(out);
  const feed = openFeed(urls, (frame) => recorder?.frame(frame));
  feed.start((events) => {
    for (const event of events) applyToWatch(watches, feed, recorder, event);
    // Everything of one socket read is applied: the groups that it held are complete.
    for (const { book } of watches.values()) {
      if (checkClaims(book, hasher) !== null) feed.resync(book.conditionId);
    }
  });
  feed.watch([...watches.values()].map(({ book }) => book));
  const timer = setInterval(() => {
    show?.([...watches.values()], feed);
    if (recorder !== null) progress(feed, recorder);
  }, showEveryMs);
  await untilEnd(seconds, recorder?.failed ?? new AbortController().signal);
  clearInterval(timer);
  show?.([...watches.values()], feed);
  await feed.close();
  await recorder?.close();
  if (recorder !== null) process.stderr.write(`recorded ${recorder.frames} frames\n`);
}

function watchOf(market: Market): Watch {
  const tokenIds = [market.outcomes[0].tokenId, market.outcomes[1].tokenId] as const;
  return { market, book: createMarketBook({ ...market, tokenIds }) };
}

function applyToWatch(
  watches: ReadonlyMap<string, Watch>,
  feed: MarketFeed,
  recorder: FrameRecorder | null,
  event: MarketEvent | FeedEvent,
): void {
  if (event.kind === "link.up") {
    recorder?.link("up");
    return;
  }
  if (event.kind === "link.lost") {
    recorder?.link("lost");
    for (const id of event.conditionIds) {
      const watch = watches.get(id);
      if (watch !== undefined) markStale(watch.book, "link_lost");
    }
    return;
  }
  const watch = watches.get(event.conditionId);
  if (watch === undefined) return;
  const reason = applyMarketEvent(watch.book, event, Date.now(), hasher);
  if (reason !== null) feed.resync(event.conditionId);
}

function progress(feed: MarketFeed, recorder: FrameRecorder): void {
  const { connections, framesInvalid, reconnects } = feed.counters();
  process.stderr.write(
    `${recorder.frames} frames, ${recorder.bytes} bytes, ${connections} connections, ${framesInvalid} invalid, ${reconnects} reconnects\n`,
  );
}

function quoteOf({ book }: Watch): { bid: Price | null; ask: Price | null; mid: string | null } {
  const bid = bestPrice(book.ladder, 0, "buy");
  const ask = bestPrice(book.ladder, 0, "sell");
  const mid = bid === null || ask === null ? null : ((bid + ask) / 20_000).toFixed(5);
  return { bid, ask, mid };
}

const shown = (value: Price | null) => (value === null ? null : formatPrice(value));

function showLines(watches: readonly Watch[]): void {
  const now = Date.now();
  for (const watch of watches) {
    const { bid, ask, mid } = quoteOf(watch);
    const { status, hashesVerified, resyncs, conditionId } = watch.book;
    const age = ageMs(watch.book, now);
    const line = {
      t: now,
      slug: watch.market.slug,
      conditionId,
      bid: shown(bid),
      ask: shown(ask),
      mid,
      ageMs: Number.isFinite(age) ? age : null,
      status,
      hashesVerified,
      resyncs,
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
}

const clearScreen = "\u001b[2J\u001b[H";
const slugWidth = 48;

/** Control characters of a foreign name must not reach the terminal. */
function printable(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, "?").slice(0, slugWidth);
}

function showTable(watches: readonly Watch[], feed: MarketFeed): void {
  const now = Date.now();
  const { frames, connections, framesInvalid } = feed.counters();
  const rows = watches.map((watch) => {
    const { bid, ask, mid } = quoteOf(watch);
    const age = ageMs(watch.book, now);
    const cells = [shown(bid) ?? "-", shown(ask) ?? "-", mid ?? "-"].map((cell) =>
      cell.padStart(8),
    );
    const seconds = Number.isFinite(age) ? `${(age / 1_000).toFixed(1)} s` : "-";
    return `${printable(watch.market.slug).padEnd(slugWidth)} ${cells.join(" ")} ${seconds.padStart(9)} ${watch.book.status}`;
  });
  const head = `${"market".padEnd(slugWidth)} ${["bid", "ask", "mid"].map((name) => name.padStart(8)).join(" ")} ${"age".padStart(9)} state`;
  const foot = `${connections} connections, ${frames} frames, ${framesInvalid} invalid`;
  const screen = process.stdout.isTTY ? clearScreen : "";
  process.stdout.write(`${screen}${[head, ...rows, foot].join("\n")}\n`);
}
