import { ConfigError } from "../../config/config-error.ts";
import { configHash } from "../../config/config-hash.ts";
import { loadConfig } from "../../config/load.ts";
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
import { FrameRecorder, RecordError, type Recorder } from "./frame-recorder.ts";
import { openTapeSink } from "./tape-sink.ts";
import {
  chooseMarkets,
  configFileOf,
  NoVenueError,
  openFeed,
  untilEnd,
  venueUrls,
  WatchError,
  watchHelp,
  watchOptions,
  wholeOption,
} from "./watch-markets.ts";

const recordHelp = `usage: pitboss record --tape DIR [--out FILE] [--top N] [SLUG | CONDITION-ID]...

Records every frame of the market channel until Ctrl-C. A tape is a folder of compressed segments that outlives a kill and
a full disk; \`pitboss replay DIR\` plays it, \`tape-info\`, \`tape-verify\` and \`tape-export\` look into it.

  --tape DIR       folder to record into; goes on where an earlier recording ended
  --out FILE       file to append the raw frames to, one JSON line each
${watchHelp}

example: pitboss record --tape ./var/tape --top 20 --seconds 60`;

const ingestHelp = `usage: pitboss ingest-ws [--top N] [--out FILE] [--json] [SLUG | CONDITION-ID]...

Follows markets and shows best bid, ask, middle and age of each, once a second.

  --tape DIR, --out FILE   also record, like \`record\`
  --json                   one JSON line a market and second
${watchHelp}

example: pitboss ingest-ws --top 10`;

const maxNames = 1_000;
const showEveryMs = 1_000;
const hasher = createHasher();

/** `pitboss record`: 0 when it ended as asked, 1 when the disk failed, 2 wrong use, 3 without a venue. */
export async function recordCommand(args: readonly string[]): Promise<number> {
  const parsed = readArguments(args, watchOptions, recordHelp, maxNames);
  if (!parsed.ok) return parsed.exitCode;
  try {
    if (parsed.values.tape === undefined && parsed.values.out === undefined) {
      throw new WatchError("where to? Name --tape DIR, or --out FILE for JSON lines");
    }
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
  const known = error instanceof WatchError || error instanceof ConfigError;
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
  const recorders: Recorder[] = [];
  const feed = openFeed(urls, (frame) => {
    for (const recorder of recorders) recorder.frame(frame);
  });
  // Books on the tape are whole again only with the snapshots that follow a gap.
  const resyncAll = () => {
    for (const conditionId of watches.keys()) feed.resync(conditionId);
  };
  recorders.push(...(await openRecorders(values, resyncAll)));
  feed.start((events) => {
    const touched = new Set<MarketBook>();
    for (const event of events) {
      const book = applyToWatch(watches, feed, recorders, event);
      if (book !== null) touched.add(book);
    }
    // Everything of one socket read is applied: the groups that it held are complete.
    for (const book of touched) {
      if (checkClaims(book, hasher) !== null) feed.resync(book.conditionId);
    }
  });
  const books = [...watches.values()].map(({ book }) => book);
  for (const recorder of recorders) recorder.followed?.(books);
  feed.watch(books);
  const timer = setInterval(() => {
    show?.([...watches.values()], feed);
    for (const recorder of recorders) progress(feed, recorder);
  }, showEveryMs);
  await untilEnd(seconds, AbortSignal.any(recorders.map(({ failed }) => failed)));
  clearInterval(timer);
  show?.([...watches.values()], feed);
  await feed.close();
  for (const recorder of recorders) {
    await recorder.close();
    process.stderr.write(`recorded ${recorder.frames} frames\n`);
  }
}

/** What --tape and --out ask for. @throws RecordError, ConfigError */
async function openRecorders(values: Values, onGapEnded: () => void): Promise<Recorder[]> {
  const { tape, out } = values;
  const recorders: Recorder[] = [];
  if (typeof tape === "string") {
    const hash = configHash(loadConfig(configFileOf(values)));
    recorders.push(await openTapeSink(tape, hash, onGapEnded));
  }
  if (typeof out === "string") recorders.push(new FrameRecorder(out));
  return recorders;
}

function watchOf(market: Market): Watch {
  const tokenIds = [market.outcomes[0].tokenId, market.outcomes[1].tokenId] as const;
  return { market, book: createMarketBook({ ...market, tokenIds }) };
}

/** The book that the event changed. */
function applyToWatch(
  watches: ReadonlyMap<string, Watch>,
  feed: MarketFeed,
  recorders: readonly Recorder[],
  event: MarketEvent | FeedEvent,
): MarketBook | null {
  if (event.kind === "link.up") {
    for (const recorder of recorders) recorder.link("up");
    return null;
  }
  if (event.kind === "link.lost") {
    for (const recorder of recorders) recorder.link("lost", event.conditionIds);
    for (const id of event.conditionIds) {
      const watch = watches.get(id);
      if (watch !== undefined) markStale(watch.book, "link_lost");
    }
    return null;
  }
  const watch = watches.get(event.conditionId);
  if (watch === undefined) return null;
  const reason = applyMarketEvent(watch.book, event, Date.now(), hasher);
  if (reason !== null) feed.resync(event.conditionId);
  return watch.book;
}

function progress(feed: MarketFeed, recorder: Recorder): void {
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
