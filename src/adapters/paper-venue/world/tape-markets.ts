import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { BackgroundBook, EventSpec, MarketSpec } from "../types.ts";
import { negRiskIds, noTokenOfToken } from "./ids.ts";
import { isObject, type JsonObject, text } from "./json.ts";
import { LoadedMarkets, unrecordedOutcomes } from "./loaded-markets.ts";
import { mirrorBook, tickOfLevels } from "./recorded-book.ts";
import { marketFromGamma } from "./recorded-gamma.ts";
import { deadEnd } from "./recorded-time.ts";
import type { ParsedTape, TapeBook } from "./tape-frames.ts";

export type TapeMarkets = {
  readonly loaded: LoadedMarkets;
  /** The messages that opened a market; they are not played again. */
  readonly openers: ReadonlySet<TapeBook>;
  readonly untitled: number;
};

/** Opens every market that has a book on the tape with the first of its books. */
export function openTapeMarkets(
  tape: ParsedTape,
  dataDir: string | null,
  nowMs: number,
): TapeMarkets {
  const loaded = new LoadedMarkets();
  const openers = new Set<TapeBook>();
  const firstBooks = new Map<string, TapeBook>();
  const assets = new Map<string, string[]>();
  for (const event of tape.frames.flatMap((frame) => frame.events)) {
    if (event.kind === "tick" || event.kind === "resolved") continue;
    const asset = event.kind === "book" ? event.recorded.assetId : event.assetId;
    const seen = assets.get(event.market) ?? [];
    if (!seen.includes(asset)) assets.set(event.market, [...seen, asset]);
    if (event.kind === "book" && !firstBooks.has(event.market)) firstBooks.set(event.market, event);
  }
  let untitled = 0;
  for (const [market, first] of firstBooks) {
    const gamma = gammaOf(dataDir, market);
    const described =
      gamma === null
        ? placeholder(first, assets.get(market) ?? [], nowMs)
        : marketFromGamma(gamma, first.recorded, nowMs);
    if (gamma === null) untitled++;
    loaded.addEvent(described.event);
    loaded.addMarket(described.spec, onOutcome0(described.spec, first));
    openers.add(first);
  }
  for (const event of loaded.events()) {
    const missing = unrecordedOutcomes(event, "5");
    if (missing !== null) loaded.addMarket(missing, { bids: [], asks: [], lastTradePrice: "" });
  }
  return { loaded, openers, untitled };
}

/** The recorded book as outcome 0 sees it. */
export function onOutcome0(spec: MarketSpec, event: TapeBook): BackgroundBook {
  const { book, assetId } = event.recorded;
  return assetId === spec.outcomes[0].tokenId ? book : mirrorBook(book);
}

function gammaOf(dataDir: string | null, market: string): JsonObject | null {
  if (dataDir === null || !/^0x[0-9a-fA-F]+$/.test(market)) return null;
  try {
    const value: unknown = JSON.parse(
      readFileSync(join(dataDir, "gamma", `${market}.json`), "utf8"),
    );
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/**
 * Whether the market is neg-risk, found by trying both in the ten members whose SHA-1 is the book's hash; null
 * when neither fits (the recorder left something out).
 */
function negRiskByHash(event: TapeBook): boolean | null {
  const { raw, recorded } = event;
  const wanted = text(raw, "hash");
  for (const negRisk of [true, false]) {
    const summary = JSON.stringify({
      market: event.market,
      asset_id: recorded.assetId,
      timestamp: text(raw, "timestamp"),
      hash: "",
      bids: raw["bids"],
      asks: raw["asks"],
      min_order_size: recorded.minOrderSize,
      tick_size: recorded.tickSize,
      neg_risk: negRisk,
      last_trade_price: text(raw, "last_trade_price"),
    });
    if (createHash("sha1").update(summary).digest("hex") === wanted) return negRisk;
  }
  return null;
}

function placeholder(
  first: TapeBook,
  assets: readonly string[],
  nowMs: number,
): { readonly spec: MarketSpec; readonly event: EventSpec } {
  const { market, recorded } = first;
  const slug = `tape-${market.slice(2, 12)}`;
  const title = `Taped market ${market.slice(0, 10)} (the tape has no titles)`;
  const negRisk = recorded.negRisk ?? negRiskByHash(first) ?? false;
  const ids = negRiskIds(`pitboss:tape:${market}`);
  const endDate = deadEnd(nowMs);
  const gammaId = BigInt(`0x${createHash("sha256").update(market).digest("hex").slice(0, 10)}`);
  const yes = recorded.assetId;
  const event: EventSpec = {
    id: gammaId.toString(),
    slug,
    title,
    description: "",
    negRisk,
    negRiskAugmented: false,
    negRiskMarketId: negRisk ? ids.negRiskMarketId : null,
    endDate,
    tags: [],
    conditionIds: [],
    metadata: null,
  };
  const spec: MarketSpec = {
    conditionId: market,
    questionId: ids.questionId(0),
    gammaId: gammaId.toString(),
    slug,
    question: title,
    description: "",
    outcomes: [
      { tokenId: yes, name: "Yes" },
      { tokenId: assets.find((asset) => asset !== yes) ?? noTokenOfToken(yes), name: "No" },
    ],
    tickSize: recorded.tickSize || tickOfLevels([...recorded.book.bids, ...recorded.book.asks]),
    minOrderSize: recorded.minOrderSize,
    negRisk,
    negRiskMarketId: event.negRiskMarketId,
    negRiskOther: false,
    groupItemTitle: "",
    eventId: event.id,
    feeRate: null,
    feeType: "zero_fees",
    rebateRate: "0",
    version: "v1",
    endDate,
    eventStartTime: null,
    acceptingOrders: true,
    closed: false,
    secondsDelay: 0,
    tags: [],
    volume: "0",
    recordedGamma: null,
  };
  return { spec, event };
}
