import { resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { type Config, deskModeOf } from "../../config/config.ts";
import { ConfigError } from "../../config/config-error.ts";
import { loadConfig } from "../../config/load.ts";
import type { Market } from "../engine/domain/market.ts";
import type { MarketBook } from "../engine/domain/market-book.ts";
import { formatPrice, formatShares, formatUsd } from "../engine/domain/numbers.ts";
import type { OrderDraft } from "../engine/domain/order.ts";
import { LogError } from "../engine/ports/log-error.ts";
import { ServiceError } from "../service-error.ts";
import { exitDone, exitFailed, exitWrongUse, readArguments } from "./arguments.ts";
import { type CheckDesk, openCheckDesk } from "./order-check/check-desk.ts";
import { cheapestWish, nearness, provedBook, restingDraft } from "./order-check/far-order.ts";
import { postAndCancel, type Say } from "./order-check/post-and-cancel.ts";
import { preparedOrder } from "./order-check/shown-order.ts";
import { plainText } from "./plain-text.ts";

const help = `usage: pitboss smoke-live --config FILE [--market SLUG] [--read-only | --yes]
The first walk on a venue: clock, access, market, book with its hash, balance, orders, trades and the private stream are
read; then, after you typed SEND, one post-only order far from the book is posted, canceled and proved gone.
Refused while a service runs on this key, while the desk is killed, and live without a passed preflight.
  --market SLUG  where to (default: the first configured market, else the one with the most volume)
  --read-only    read, post nothing
  --yes          post without asking
exit code: 0 everything held, 1 something is in doubt (the last line says what state the money is in), 2 wrong use
example: pitboss smoke-live --config config/service.local.toml`;

const tradesBackS = 86_400;
const goWord = "SEND";
const candidatesMax = 20;

/** `pitboss smoke-live`: proves the whole order path with the least money there is. */
export async function smokeLiveCommand(args: readonly string[]): Promise<number> {
  const read = readArguments(
    args,
    {
      config: { type: "string" },
      market: { type: "string" },
      "read-only": { type: "boolean" },
      yes: { type: "boolean" },
    },
    help,
  );
  if (!read.ok) return read.exitCode;
  const { config: file, market, yes, "read-only": readOnly } = read.values;
  if (file === undefined) return refused(`name the configuration with --config FILE\n\n${help}`);
  let desk: CheckDesk | null = null;
  try {
    const config = loadConfig(resolve(file), "service");
    if (config.relayer.dryRun && !readOnly) {
      return refused(
        "relayer.dry_run = true, so nothing is ever sent: write dry_run = false, or use --read-only",
      );
    }
    if (!readOnly && !yes && !process.stdin.isTTY) {
      return refused("there is no terminal to ask on: use --yes or --read-only");
    }
    desk = await openCheckDesk(config, "smoke-live", { readOnly });
    const found = await walk(desk, market ?? null);
    if (found === null) {
      process.stdout.write("smoke-live FAILED before anything was sent: no money is locked\n");
      return exitFailed;
    }
    if (readOnly) {
      process.stdout.write("smoke-live: every read held; nothing was sent\n");
      return exitDone;
    }
    return await order(desk, found, yes);
  } catch (error) {
    if (error instanceof ConfigError || error instanceof ServiceError)
      return refused(error.message);
    if (!(error instanceof LogError)) throw error;
    process.stderr.write(
      `smoke-live: the ledger cannot be read: ${error.message}; nothing was sent\n`,
    );
    return exitFailed;
  } finally {
    await desk?.end();
  }
}

function refused(message: string): number {
  process.stderr.write(`smoke-live: ${message}\n`);
  return exitWrongUse;
}

const say: Say = (holds, name, what) => {
  process.stdout.write(`${holds ? "ok  " : "FAIL"} ${name}: ${plainText(what)}\n`);
};

type Found = { readonly market: Market; readonly draft: OrderDraft };

/** The reads, in the order in which a start makes them; null when one does not hold. */
async function walk(desk: CheckDesk, slug: string | null): Promise<Found | null> {
  const { polymarket, config } = desk;
  const { venue } = polymarket;
  say(
    true,
    "desk",
    `${deskModeOf(config)} at ${config.relayer.baseUrl}, signer ${venue.account.signer}`,
  );
  const connected = await venue.connect();
  if (!connected.ok) {
    say(false, "connect", connected.error);
    return null;
  }
  say(true, "connect", `API key accepted, clocks differ by ${connected.value.clockOffsetMs} ms`);
  const { place, account } = await polymarket.readAccess();
  const isOpen = place.state === "open" && account.state === "open";
  say(isOpen, "access", `place ${place.state}, account ${account.state}`);
  const held = [isOpen, await accountReads(desk), await streamConnects(desk)];
  const found = await findMarket(desk, slug);
  return held.every(Boolean) ? found : null;
}

async function accountReads({ polymarket }: CheckDesk): Promise<boolean> {
  const { venue } = polymarket;
  const sinceS = Math.floor(Date.now() / 1_000) - tradesBackS;
  const [balance, orders, fills] = await Promise.all([
    venue.balance(),
    venue.openOrders(),
    venue.fills(sinceS),
  ]);
  say(balance.ok, "balance", balance.ok ? `$${formatUsd(balance.value.cash)}` : balance.error);
  say(orders.ok, "open orders", orders.ok ? `${orders.value.length}` : orders.error);
  say(fills.ok, "trades", fills.ok ? `${fills.value.length} within a day` : fills.error);
  return balance.ok && orders.ok && fills.ok;
}

async function streamConnects({ polymarket, config }: CheckDesk): Promise<boolean> {
  const waitMs = config.venueWaits.feedLostAfterMs;
  const holds = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), waitMs);
    polymarket.venue.listen((event) => {
      if (event.kind !== "link.up") return;
      clearTimeout(timer);
      resolve(true);
    });
  });
  say(holds, "private stream", holds ? "connected" : `not connected within ${waitMs} ms`);
  return holds;
}

/** A market whose book proves itself and has room for an order that nobody reaches. */
async function findMarket(desk: CheckDesk, slug: string | null): Promise<Found | null> {
  const { catalog } = desk.polymarket;
  const name = slug ?? desk.config.markets[0]?.slug ?? null;
  const query =
    name === null ? ({ by: "top", value: "" } as const) : ({ by: "slug", value: name } as const);
  const found = await catalog.find(query, candidatesMax);
  if (!found.ok) {
    say(false, "market", found.error);
    return null;
  }
  const markets = found.value.markets.filter((one) => name === null || one.slug === name);
  let why = "there is none that can be traded";
  for (const market of markets) {
    const book = await provedBook(market, desk.polymarket);
    const draft = book.ok ? farDraft(market, book.value) : book.error;
    if (typeof draft === "string") {
      why = `${market.slug}: ${draft}`;
      continue;
    }
    say(true, "market", `${market.slug} (${market.version}), its book proves its hash`);
    return { market, draft };
  }
  say(false, "market", why);
  return null;
}

function farDraft(market: Market, book: MarketBook): OrderDraft | string {
  const draft = restingDraft(market, cheapestWish(market));
  if (!draft.ok) return draft.error;
  return nearness(book, draft.value) ?? draft.value;
}

async function order(desk: CheckDesk, { market, draft }: Found, yes: boolean): Promise<number> {
  const dollars = formatUsd(Math.ceil((draft.limit * draft.size) / 10_000) as never);
  const what = `BUY ${formatShares(draft.size)} ${market.outcomes[draft.outcome].name} @ $${formatPrice(draft.limit)} = $${dollars}, post-only, in "${market.question}"`;
  process.stdout.write(`\nthe order: ${plainText(what)}\n`);
  if (overCap(desk.config, draft))
    return refused("even that is above risk.max_notional_per_order_usd");
  if (!yes && !(await goes())) {
    process.stdout.write("smoke-live: not sent, as you wished; no money is locked\n");
    return exitFailed;
  }
  // From the first byte on, Ctrl-C must not leave an order behind.
  const finishFirst = () => process.stderr.write("the cancel comes first; one moment\n");
  process.on("SIGINT", finishFirst);
  try {
    const end = await postAndCancel(desk, draft, preparedOrder(desk.polymarket.venue, draft), say);
    process.stdout.write(
      end.proved
        ? "smoke-live passed: posted, canceled, proved gone; no trade, nothing is locked\n"
        : `smoke-live NOT PROVED. ${plainText(end.money)}\n`,
    );
    return end.proved ? exitDone : exitFailed;
  } finally {
    process.off("SIGINT", finishFirst);
  }
}

function overCap({ risk }: Config, { limit, size }: OrderDraft): boolean {
  return (limit * size) / 10_000 > risk.maxNotionalPerOrderUsd;
}

async function goes(): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const typed = await lines.question(`type ${goWord} to post it, anything else to stop: `);
    return typed.trim() === goWord;
  } finally {
    lines.close();
  }
}
