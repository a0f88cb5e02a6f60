import { resolve } from "node:path";
import type { Config } from "../../config/config.ts";
import { ConfigError } from "../../config/config-error.ts";
import { loadConfig } from "../../config/load.ts";
import type { Market } from "../engine/domain/market.ts";
import { type Price, parsePrice, parseShares, type Shares } from "../engine/domain/numbers.ts";
import type { OrderDraft, PreparedOrder } from "../engine/domain/order.ts";
import { LogError } from "../engine/ports/log-error.ts";
import { ServiceError } from "../service-error.ts";
import { exitDone, exitFailed, exitWrongUse, readArguments } from "./arguments.ts";
import { type CheckDesk, openCheckDesk } from "./order-check/check-desk.ts";
import { nearness, provedBook, restingDraft } from "./order-check/far-order.ts";
import { postAndCancel } from "./order-check/post-and-cancel.ts";
import { preparedOrder, shownOrder } from "./order-check/shown-order.ts";
import { plainText } from "./plain-text.ts";

const help = `usage: pitboss relayer-dry-run --config FILE --market SLUG --outcome NAME --side buy|sell --price P --size N [--send-and-cancel] [--json]
Builds, signs and hashes an order and shows all of it: body, hash, domain, and who signed by a second implementation.
Nothing is sent. Refused while a service runs on this key.
  --send-and-cancel  also post it, post-only and far from the book, cancel it and prove that it is gone
  --json             one JSON object
exit code: 0 shown (and proved gone), 1 something does not hold, 2 wrong use or configuration
example: pitboss relayer-dry-run --config config/service.local.toml --market fed-decision-in-december --outcome Yes --side buy --price 0.01 --size 5`;

const options = {
  config: { type: "string" },
  market: { type: "string" },
  outcome: { type: "string" },
  side: { type: "string" },
  price: { type: "string" },
  size: { type: "string" },
  "send-and-cancel": { type: "boolean" },
  json: { type: "boolean" },
} as const;

type Wish = {
  readonly config: string;
  readonly market: string;
  readonly outcome: string;
  readonly side: "buy" | "sell";
  readonly limit: Price;
  readonly size: Shares;
};

/** `pitboss relayer-dry-run`: one order from draft to signed bytes, before the eyes of its owner. */
export async function relayerDryRunCommand(args: readonly string[]): Promise<number> {
  const read = readArguments(args, options, help);
  if (!read.ok) return read.exitCode;
  const wish = wishOf(read.values);
  if (typeof wish === "string") return refused(`${wish}\n\n${help}`);
  const isSent = read.values["send-and-cancel"];
  let desk: CheckDesk | null = null;
  try {
    const config = loadConfig(resolve(wish.config), "service");
    if (isSent && config.relayer.dryRun) {
      return refused(
        "--send-and-cancel: relayer.dry_run = true, so nothing is ever sent; write dry_run = false",
      );
    }
    desk = await openCheckDesk(config, "relayer-dry-run", { readOnly: !isSent });
    return await walk(desk, wish, { isSent, json: read.values.json });
  } catch (error) {
    if (error instanceof ConfigError || error instanceof ServiceError)
      return refused(error.message);
    if (!(error instanceof LogError)) throw error;
    process.stderr.write(`the ledger cannot be read: ${error.message}; nothing was sent\n`);
    return exitFailed;
  } finally {
    await desk?.end();
  }
}

function refused(message: string): number {
  process.stderr.write(`relayer-dry-run: ${message}\n`);
  return exitWrongUse;
}

function wishOf(
  values: Readonly<Record<keyof typeof options, string | boolean | undefined>>,
): Wish | string {
  const { config, market, outcome, side } = values;
  for (const [name, value] of Object.entries({ config, market, outcome })) {
    if (typeof value !== "string" || value === "") return `--${name} is missing`;
  }
  if (side !== "buy" && side !== "sell") return "--side is buy or sell";
  const limit = parsePrice(String(values.price));
  const size = parseShares(String(values.size));
  if (limit === null || limit <= 0)
    return "--price is dollars a share between 0 and 1, such as 0.01";
  if (size === null || size <= 0) return "--size is shares, such as 5";
  return {
    config: String(config),
    market: String(market),
    outcome: String(outcome),
    side,
    limit,
    size,
  };
}

async function walk(
  desk: CheckDesk,
  wish: Wish,
  { isSent, json }: { readonly isSent: boolean; readonly json: boolean },
): Promise<number> {
  const fail = (message: string): number => {
    process.stderr.write(`${plainText(message)}; nothing was sent\n`);
    return exitFailed;
  };
  const { venue, catalog } = desk.polymarket;
  const connected = await venue.connect();
  if (!connected.ok) return fail(`the venue: ${connected.error}`);
  const found = await catalog.find({ by: "slug", value: wish.market }, 1);
  if (!found.ok) return fail(`the catalog: ${found.error}`);
  const market = found.value.markets.find((one) => one.slug === wish.market);
  if (market === undefined) return fail(`there is no market "${wish.market}" that can be traded`);
  const draft = draftOf(market, wish);
  if (typeof draft === "string") return fail(draft);
  if (isSent) {
    const book = await provedBook(market, desk.polymarket);
    const near = book.ok ? nearness(book.value, draft) : book.error;
    if (near !== null) return fail(`not posted: ${near}`);
    const over = overCap(desk.config, draft);
    if (over !== null) return fail(over);
  }
  const order = preparedOrder(venue, draft);
  const shown = shownOrder(desk, draft, order);
  const holds = shown.signedBy !== null && shown.hashAgrees;
  process.stdout.write(json && !isSent ? `${JSON.stringify(shown)}\n` : `${shown.text}\n`);
  if (!holds) return fail("the second implementation does not agree");
  if (!isSent) {
    if (!json) process.stdout.write("nothing was sent\n");
    return exitDone;
  }
  return sendAndCancel(desk, draft, order);
}

function draftOf(market: Market, wish: Wish): OrderDraft | string {
  const at = market.outcomes.findIndex(
    (one) => one.name.toLowerCase() === wish.outcome.toLowerCase(),
  );
  if (at !== 0 && at !== 1) {
    return `the outcomes are ${market.outcomes.map((one) => `"${one.name}"`).join(" and ")}`;
  }
  const { side, limit, size } = wish;
  const draft = restingDraft(market, { outcome: at, side, limit, size });
  return draft.ok ? draft.value : draft.error;
}

function overCap({ risk }: Config, { limit, size }: OrderDraft): string | null {
  const dollars = (limit * size) / 10_000;
  return dollars <= risk.maxNotionalPerOrderUsd
    ? null
    : "it is larger than risk.max_notional_per_order_usd";
}

async function sendAndCancel(
  desk: CheckDesk,
  draft: OrderDraft,
  order: PreparedOrder,
): Promise<number> {
  const say = (holds: boolean, name: string, what: string) => {
    process.stdout.write(`${holds ? "ok  " : "FAIL"} ${name}: ${plainText(what)}\n`);
  };
  const end = await postAndCancel(desk, draft, order, say);
  if (end.proved) {
    process.stdout.write("posted, canceled and proved gone: no trade, nothing is locked\n");
    return exitDone;
  }
  process.stdout.write(`NOT PROVED. ${plainText(end.money)}\n`);
  return exitFailed;
}
