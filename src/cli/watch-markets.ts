import type { ParseArgsOptionsConfig } from "node:util";
import { loadConfig } from "../../config/load.ts";
import { defaultTimeouts } from "../adapters/polymarket/create-polymarket.ts";
import { defaultFeedTimings } from "../adapters/polymarket/feed-timings.ts";
import { createGammaClient } from "../adapters/polymarket/gamma-client.ts";
import { createHttpClient } from "../adapters/polymarket/http-client.ts";
import { createMarketFeed, type MarketFeed } from "../adapters/polymarket/market-feed.ts";
import type { Market } from "../engine/domain/market.ts";
import type { Log, LogFields } from "../engine/ports/system.ts";

/** Options of the commands that follow markets of a venue. */
export const watchOptions = {
  config: { type: "string" },
  "ws-url": { type: "string" },
  "gamma-url": { type: "string" },
  "clob-url": { type: "string" },
  top: { type: "string" },
  seconds: { type: "string" },
  out: { type: "string" },
  tape: { type: "string" },
  json: { type: "boolean" },
} as const satisfies ParseArgsOptionsConfig;

export const watchHelp = `  --config FILE    take the venue's addresses from a config file (default config/paper.toml)
  --ws-url URL     base of the sockets, e.g. ws://127.0.0.1:8790/ws
  --gamma-url URL  base of the catalog, e.g. http://127.0.0.1:8790/gamma
  --clob-url URL   base of the REST books, e.g. http://127.0.0.1:8790
  --top N          the N markets with the most volume, beside those named
  --seconds N      end after so long; else Ctrl-C ends`;

/** Wrong use of a command: told to the user, exit code 2. */
export class WatchError extends Error {
  override readonly name = "WatchError";
}

/** The catalog does not answer: there is nothing to watch. Exit code 3. */
export class NoVenueError extends Error {
  override readonly name = "NoVenueError";
}

export type VenueUrls = { readonly ws: string; readonly gamma: string; readonly clob: string };

const defaultConfig = new URL("../../config/paper.toml", import.meta.url).pathname;
const maxMarkets = 1_000;
const maxSeconds = 10_000_000;

/** The configuration that the options name; config/paper.toml when they name none. */
export function configFileOf(
  values: Readonly<Record<string, string | boolean | undefined>>,
): string {
  const { config } = values;
  return typeof config === "string" ? config : defaultConfig;
}

/** Addresses from the options, each falling back to the config file. @throws ConfigError */
export function venueUrls(
  values: Readonly<Record<string, string | boolean | undefined>>,
): VenueUrls {
  const text = (name: string) => (typeof values[name] === "string" ? values[name] : null);
  const [ws, gamma, clob] = [text("ws-url"), text("gamma-url"), text("clob-url")];
  if (ws !== null && gamma !== null && clob !== null) return { ws, gamma, clob };
  const { relayer } = loadConfig(configFileOf(values));
  return {
    ws: ws ?? relayer.wsUrl,
    gamma: gamma ?? relayer.gammaUrl,
    clob: clob ?? relayer.baseUrl,
  };
}

/** A whole number of an option. @throws WatchError */
export function wholeOption(text: string | undefined, name: string): number | null {
  if (text === undefined) return null;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= 1 && value <= maxSeconds)) {
    throw new WatchError(`--${name} must be a whole number from 1 to ${maxSeconds}, was "${text}"`);
  }
  return value;
}

/** The named markets (slug, event slug or condition id) and the `top` ones by volume. @throws WatchError, NoVenueError */
export async function chooseMarkets(
  urls: VenueUrls,
  names: readonly string[],
  top: number | null,
): Promise<readonly Market[]> {
  const http = createHttpClient({ baseUrl: urls.gamma, timeouts: defaultTimeouts, connections: 2 });
  const catalog = createGammaClient({ http, log: stderrLog });
  const chosen = new Map<string, Market>();
  try {
    for (const name of names) {
      const found = name.startsWith("0x")
        ? await ask(catalog.find({ by: "conditionId", value: name }, 1))
        : await firstOf([
            () => ask(catalog.find({ by: "slug", value: name }, 1)),
            () => ask(catalog.find({ by: "eventSlug", value: name }, maxMarkets)),
          ]);
      if (found.length === 0) throw new WatchError(`no market, event or condition id "${name}"`);
      for (const market of found) chosen.set(market.conditionId, market);
    }
    if (top !== null) {
      const found = await ask(catalog.find({ by: "top", value: "" }, Math.min(top, maxMarkets)));
      for (const market of found) chosen.set(market.conditionId, market);
    }
  } catch (error) {
    if (!(error instanceof NoVenueError)) throw error;
    throw new NoVenueError(
      `no catalog at ${urls.gamma}: ${error.message}. Name a venue with --config or the --…-url options, or start one: pitboss paper-venue --help`,
    );
  } finally {
    await catalog.close();
  }
  if (chosen.size === 0)
    throw new WatchError("which markets? Name slugs or condition ids, or --top N");
  if (chosen.size > maxMarkets) throw new WatchError(`at most ${maxMarkets} markets`);
  return [...chosen.values()];
}

type Answer = Awaited<ReturnType<ReturnType<typeof createGammaClient>["find"]>>;

async function ask(answer: Promise<Answer>): Promise<readonly Market[]> {
  const found = await answer;
  if (!found.ok) throw new NoVenueError(found.error);
  return found.value.markets;
}

async function firstOf(
  tries: readonly (() => Promise<readonly Market[]>)[],
): Promise<readonly Market[]> {
  for (const attempt of tries) {
    const found = await attempt();
    if (found.length > 0) return found;
  }
  return [];
}

/** A feed of its own that also shows every raw frame. */
export function openFeed(urls: VenueUrls, onFrame: (frame: Buffer) => void): MarketFeed {
  return createMarketFeed({
    wsUrl: urls.ws,
    http: createHttpClient({ baseUrl: urls.clob, timeouts: defaultTimeouts, connections: 2 }),
    timings: defaultFeedTimings,
    log: stderrLog,
    onFrame,
  });
}

/** JSON lines on standard error, as all commands log. */
const stderrLog: Log = {
  info: (event, fields) => logLine("info", event, fields),
  warn: (event, fields) => logLine("warn", event, fields),
  error: (event, fields) => logLine("error", event, fields),
};

function logLine(level: string, event: string, fields: LogFields = {}): void {
  process.stderr.write(`${JSON.stringify({ level, msg: event, ...fields })}\n`);
}

/** Resolves with Ctrl-C, SIGTERM, after `seconds`, or when `abort` fires. */
export function untilEnd(seconds: number | null, abort: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = seconds === null ? null : setTimeout(end, seconds * 1_000);
    function end(): void {
      if (timer !== null) clearTimeout(timer);
      process.off("SIGINT", end);
      process.off("SIGTERM", end);
      abort.removeEventListener("abort", end);
      resolve();
    }
    process.on("SIGINT", end);
    process.on("SIGTERM", end);
    abort.addEventListener("abort", end);
  });
}
