import { ConfigError } from "../../config/config-error.ts";
import { loadConfig } from "../../config/load.ts";
import { createHasher } from "../adapters/polymarket/hasher.ts";
import type { Market } from "../engine/domain/market.ts";
import {
  applyMarketEvent,
  checkClaims,
  createMarketBook,
  type MarketBook,
  markStale,
} from "../engine/domain/market-book.ts";
import { exitDone, exitFailed, exitNotRunning, exitWrongUse, readArguments } from "./arguments.ts";
import { openRecording } from "./frame-files.ts";
import { replayBooks, replayEverything } from "./replay-books.ts";
import { snapshotText, writeSnapshot } from "./snapshot-file.ts";
import {
  chooseMarkets,
  configFileOf,
  NoVenueError,
  openFeed,
  type VenueUrls,
  venueUrls,
  WatchError,
  watchHelp,
  watchOptions,
  wholeOption,
} from "./watch-markets.ts";

const help = `usage: pitboss snapshot [--dir DIR] [--top N] [SLUG | CONDITION-ID]...

Writes the books of markets as they are now, each one once its hash is verified, to DIR/books-TIME.jsonl.gz, reads the file
back and verifies it again. \`book-verify\` and \`replay\` read such files; \`prune\` removes old ones.

  --dir DIR        folder (default: storage.snapshot_dir of the configuration)
${watchHelp.replace("--seconds N      end after so long; else Ctrl-C ends", "--seconds N      wait so long for the books (default 20)")}
  --json           one object for programs

example: pitboss snapshot --dir ./var/snapshots --top 20`;

const maxNames = 1_000;
const waitSecondsDefault = 20;
const hasher = createHasher();

/** `pitboss snapshot`: 0 every book is written, 1 some could not be verified, 2 wrong use, 3 without a venue. */
export async function snapshotCommand(args: readonly string[]): Promise<number> {
  const { tape: _, out: __, ...options } = watchOptions;
  const parsed = readArguments(args, { ...options, dir: { type: "string" } }, help, maxNames);
  if (!parsed.ok) return parsed.exitCode;
  const { values, rest } = parsed;
  try {
    const folder = values.dir ?? loadConfig(configFileOf(values)).storage.snapshotDir;
    if (folder === null) throw new WatchError("where to? Name --dir DIR");
    const urls = venueUrls(values);
    const markets = await chooseMarkets(urls, rest, wholeOption(values.top, "top"));
    const seconds = wholeOption(values.seconds, "seconds") ?? waitSecondsDefault;
    const texts = await verifiedBooks(urls, markets, seconds * 1_000);
    const missing = markets.filter(({ conditionId }) => !texts.has(conditionId));
    const file = texts.size === 0 ? null : writeSnapshot(folder, Date.now(), [...texts.values()]);
    const verified = file === null ? 0 : await verifiedIn(file);
    const told = { file, books: verified, missing: missing.map(({ slug }) => slug) };
    process.stdout.write(values.json ? `${JSON.stringify(told)}\n` : textOf(told));
    return missing.length === 0 && verified === markets.length ? exitDone : exitFailed;
  } catch (error) {
    return explained(error);
  }
}

function explained(error: unknown): number {
  const message = error instanceof Error ? error.message : "";
  if (error instanceof NoVenueError) {
    process.stderr.write(`snapshot: ${message}\n`);
    return exitNotRunning;
  }
  if (error instanceof WatchError || error instanceof ConfigError) {
    process.stderr.write(`snapshot: ${message}\n${help}\n`);
    return exitWrongUse;
  }
  if (!(error instanceof Error && "syscall" in error)) throw error;
  process.stderr.write(`snapshot: ${message}\n`);
  return exitFailed;
}

/** Each book at its first moment of being live with a verified hash and nothing open; those that came in time. */
async function verifiedBooks(
  urls: VenueUrls,
  markets: readonly Market[],
  waitMs: number,
): Promise<ReadonlyMap<string, string>> {
  const books = new Map(markets.map((market) => [market.conditionId, bookOf(market)]));
  const texts = new Map<string, string>();
  const done = Promise.withResolvers<void>();
  const feed = openFeed(urls, () => undefined);
  feed.start((events) => {
    for (const event of events) {
      if (event.kind === "link.up") continue;
      if (event.kind === "link.lost") {
        for (const id of event.conditionIds) {
          const book = books.get(id);
          if (book !== undefined) markStale(book, "link_lost");
        }
        continue;
      }
      const book = books.get(event.conditionId);
      if (book === undefined) continue;
      if (applyMarketEvent(book, event, Date.now(), hasher) !== null) feed.resync(book.conditionId);
    }
    for (const book of books.values()) {
      if (checkClaims(book, hasher) !== null) feed.resync(book.conditionId);
      if (book.status !== "live" || book.hashesVerified === 0) continue;
      texts.set(book.conditionId, texts.get(book.conditionId) ?? snapshotText(book, hasher));
    }
    if (texts.size === books.size) done.resolve();
  });
  feed.watch([...books.values()]);
  const timer = setTimeout(done.resolve, waitMs);
  await done.promise;
  clearTimeout(timer);
  await feed.close();
  return texts;
}

function bookOf(market: Market): MarketBook {
  const tokenIds = [market.outcomes[0].tokenId, market.outcomes[1].tokenId] as const;
  return createMarketBook({ ...market, tokenIds });
}

/** How many books of the file have the hash that stands with them. */
async function verifiedIn(file: string): Promise<number> {
  const report = await replayBooks(openRecording(file), replayEverything);
  return Object.keys(report.integrityFailures).length === 0 ? report.hashesVerified : 0;
}

function textOf(told: {
  readonly file: string | null;
  readonly books: number;
  readonly missing: readonly string[];
}): string {
  const lines = [`${told.books} books verified, written to ${told.file ?? "no file"}`];
  for (const slug of told.missing) lines.push(`no verified book of ${slug}`);
  return `${lines.join("\n")}\n`;
}
