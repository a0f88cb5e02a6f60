import type { EventSpec, MarketSpec } from "../types.ts";
import { PRICE_ONE, priceText } from "./decimal.ts";
import { categoryFee } from "./fees.ts";
import { hashId, hashTokenId, negRiskIds, positionIds } from "./ids.ts";
import { createPrng, type Prng } from "./prng.ts";
import type { SimMarketSpec } from "./sim-market.ts";
import {
  type BinaryEntry,
  binaries,
  type GroupEntry,
  groups,
  type OutcomeEntry,
} from "./universe-catalog.ts";

export type BuiltMarket = {
  readonly spec: MarketSpec;
  /** What the crowd quotes, or null for a market without a book (placeholders). */
  readonly sim: SimMarketSpec | null;
};

export type BuiltEvent = {
  readonly event: EventSpec;
  readonly markets: readonly BuiltMarket[];
  readonly feeRate: number;
  readonly opportunities: boolean;
};

/** Resting dollars a side stay between these, whatever the seed draws. */
const DEPTH_MIN_USD = 500;
const DEPTH_MAX_USD = 20_000;
/** A coarse tick needs this much room below and above for ten levels. */
const COARSE_FAIR_MIN = 1_100;
const COARSE_FAIR_MAX = 8_800;
const FINE_FAIR_MIN = 150;
const FINE_FAIR_MAX = 9_850;
const COARSE_TICK = 100;
const FINE_TICK = 10;

/** Last second of the calendar month so many months after `nowMs`, in UTC. */
function monthEnd(nowMs: number, monthsAhead: number): Date {
  const now = new Date(nowMs);
  return new Date(
    Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + monthsAhead + 1, 1, 0, 0, 0) - 1000,
  );
}

const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

function dateText(date: Date): string {
  return `${MONTHS[date.getUTCMonth()] ?? ""} ${date.getUTCDate()}, ${date.getUTCFullYear()}`;
}

function isoSeconds(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

function depth(prng: Prng, usd: number): number {
  return Math.min(DEPTH_MAX_USD, Math.max(DEPTH_MIN_USD, Math.round(usd * (0.6 + prng.next()))));
}

function simSpec(
  conditionId: string,
  fair: number,
  tick: number,
  depthUsd: number,
  prng: Prng,
): SimMarketSpec {
  const coarse = tick === COARSE_TICK;
  return {
    conditionId,
    fair,
    tick,
    fairMin: coarse ? COARSE_FAIR_MIN : FINE_FAIR_MIN,
    fairMax: coarse ? COARSE_FAIR_MAX : FINE_FAIR_MAX,
    bidGapTicks: coarse ? prng.int(0, 1) : prng.int(1, 2),
    askGapTicks: coarse ? 1 : prng.int(1, 3),
    depthUsd,
  };
}

/** Moves a few ticks of probability between the legs of a set, so that seeds differ and the sum stays one. */
function seededFairs(outcomes: readonly OutcomeEntry[], prng: Prng): number[] {
  const fairs = outcomes.map((entry) => entry.fair);
  const coarse = fairs.flatMap((fair, i) => (legTick(fair) === COARSE_TICK ? [i] : []));
  for (let i = 0; i < 4; i++) {
    const from = prng.pick(coarse);
    const to = prng.pick(coarse);
    if (from === to || (fairs[from] ?? 0) - COARSE_TICK < COARSE_FAIR_MIN + 200) continue;
    fairs[from] = (fairs[from] ?? 0) - COARSE_TICK;
    fairs[to] = (fairs[to] ?? 0) + COARSE_TICK;
  }
  return fairs;
}

function legTick(fair: number): number {
  return fair >= COARSE_FAIR_MIN + 200 ? COARSE_TICK : FINE_TICK;
}

type Identity = {
  readonly conditionId: string;
  readonly tokenIds: readonly [string, string];
};

function identity(
  seed: number,
  slug: string,
  version: "v1" | "v2",
  negRisk: { readonly eventSlug: string; readonly index: number } | null,
): Identity {
  if (version === "v2") {
    const base = `pitboss:paper:${seed}:${negRisk?.eventSlug ?? slug}:position`;
    return positionIds(base, negRisk !== null, negRisk?.index ?? 0);
  }
  return {
    conditionId: hashId(`pitboss:paper:${seed}:${slug}:condition`),
    tokenIds: [
      hashTokenId(`pitboss:paper:${seed}:${slug}:0`),
      hashTokenId(`pitboss:paper:${seed}:${slug}:1`),
    ],
  };
}

function groupEvent(seed: number, nowMs: number, entry: GroupEntry, gammaId: number): BuiltEvent {
  const prng = createPrng(seed, `build:${entry.slug}`);
  const end = monthEnd(nowMs, entry.monthsAhead);
  const ids = negRiskIds(`pitboss:paper:${seed}:${entry.slug}:neg-risk`);
  const fee = categoryFee(entry.category);
  const fairs = seededFairs(entry.outcomes, prng);
  const eventId = String(gammaId);
  const depthUsd = depth(prng, entry.depthUsd);
  const markets = entry.outcomes.map((out, index): BuiltMarket => {
    const slug = `${entry.slug}-${out.slug}`;
    const fair = fairs[index] ?? 0;
    const id = identity(seed, slug, entry.version, { eventSlug: entry.slug, index });
    const tick = legTick(fair);
    const placeholder = out.kind === "placeholder";
    const spec: MarketSpec = {
      conditionId: id.conditionId,
      questionId: ids.questionId(index),
      gammaId: String(gammaId * 100 + index),
      slug,
      question: entry.question.replace("{x}", out.title).replace("{date}", dateText(end)),
      description: entry.rules,
      outcomes: [
        { tokenId: id.tokenIds[0], name: "Yes" },
        { tokenId: id.tokenIds[1], name: "No" },
      ],
      tickSize: priceText(tick),
      minOrderSize: "5",
      negRisk: true,
      negRiskMarketId: ids.negRiskMarketId,
      negRiskOther: out.kind === "other",
      groupItemTitle: out.title,
      eventId,
      ...fee,
      version: entry.version,
      endDate: isoSeconds(end),
      eventStartTime: null,
      acceptingOrders: !placeholder,
      closed: false,
      secondsDelay: 0,
      tags: [entry.category],
      volume: placeholder ? "0" : String(depthUsd * prng.int(20, 400)),
      recordedGamma: null,
    };
    const sim = simSpec(id.conditionId, fair, tick, depthUsd, prng);
    // One leg bids a tick lower for sure, so that the bids of the set never add up to one.
    const quoted = index === 0 ? { ...sim, bidGapTicks: Math.max(1, sim.bidGapTicks) } : sim;
    return { spec, sim: placeholder ? null : quoted };
  });
  const event: EventSpec = {
    id: eventId,
    slug: entry.slug,
    title: entry.title,
    description: entry.rules,
    negRisk: true,
    negRiskAugmented: entry.augmented,
    negRiskMarketId: ids.negRiskMarketId,
    endDate: isoSeconds(end),
    tags: [entry.category],
    conditionIds: markets.map((market) => market.spec.conditionId),
    metadata: null,
  };
  const cheapest = Math.min(...fairs);
  return {
    event,
    markets,
    feeRate: Number(fee.feeRate ?? "0"),
    opportunities: !entry.augmented && cheapest >= COARSE_FAIR_MIN + 200,
  };
}

function binaryEvent(seed: number, nowMs: number, entry: BinaryEntry, gammaId: number): BuiltEvent {
  const prng = createPrng(seed, `build:${entry.slug}`);
  const end = monthEnd(nowMs, entry.monthsAhead);
  const fee = categoryFee(entry.category);
  const id = identity(seed, entry.slug, entry.version, null);
  const question = entry.question.replace("{date}", dateText(end));
  const shifted = entry.fair + (entry.tick === FINE_TICK ? 0 : prng.int(-2, 2) * entry.tick);
  const depthUsd = depth(prng, entry.depthUsd);
  const spec: MarketSpec = {
    conditionId: id.conditionId,
    questionId: hashId(`pitboss:paper:${seed}:${entry.slug}:question`),
    gammaId: String(gammaId * 100),
    slug: entry.slug,
    question,
    description: entry.rules,
    outcomes: [
      { tokenId: id.tokenIds[0], name: entry.outcomes[0] },
      { tokenId: id.tokenIds[1], name: entry.outcomes[1] },
    ],
    tickSize: priceText(entry.tick),
    minOrderSize: "5",
    negRisk: false,
    negRiskMarketId: null,
    negRiskOther: false,
    groupItemTitle: "",
    eventId: String(gammaId),
    ...fee,
    version: entry.version,
    endDate: isoSeconds(end),
    eventStartTime: null,
    acceptingOrders: true,
    closed: false,
    secondsDelay: entry.secondsDelay,
    tags: [entry.category],
    volume: String(depthUsd * prng.int(20, 400)),
    recordedGamma: null,
  };
  const event: EventSpec = {
    id: String(gammaId),
    slug: entry.slug,
    title: question,
    description: entry.rules,
    negRisk: false,
    negRiskAugmented: false,
    negRiskMarketId: null,
    endDate: isoSeconds(end),
    tags: [entry.category],
    conditionIds: [id.conditionId],
    metadata: null,
  };
  const sim = simSpec(
    id.conditionId,
    Math.min(PRICE_ONE - 20, shifted),
    entry.tick,
    depthUsd,
    prng,
  );
  return {
    event,
    markets: [{ spec, sim }],
    feeRate: Number(fee.feeRate ?? "0"),
    opportunities: false,
  };
}

/** First id of the events of the built-in universe, far above any real one. */
const FIRST_EVENT_ID = 90_000_001;

/** The built-in universe of one seed: neg-risk events first, then single markets. Only dates depend on `nowMs`. */
export function buildUniverse(seed: number, nowMs: number): BuiltEvent[] {
  return [
    ...groups.map((entry, i) => groupEvent(seed, nowMs, entry, FIRST_EVENT_ID + i)),
    ...binaries.map((entry, i) =>
      binaryEvent(seed, nowMs, entry, FIRST_EVENT_ID + groups.length + i),
    ),
  ];
}
