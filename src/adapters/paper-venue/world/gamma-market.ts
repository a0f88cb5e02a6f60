import type { EventSpec, MarketState } from "../types.ts";
import { gammaConditionId, hashId, hashTokenId } from "./ids.ts";
import type { JsonObject } from "./json.ts";
import { spacedTime } from "./recorded-time.ts";

export type GammaShape = {
  /** Keyset answers hold real arrays where the other ones hold JSON inside strings. */
  readonly arrays: boolean;
};

const DAY_MS = 86_400_000;

/** Whether Gamma calls the market closed. */
export function isClosed(state: MarketState): boolean {
  return state.spec.closed || state.resolved !== null;
}

function iso(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** When a built market is said to have been created: a year before its end, a day before a window's start. */
function createdMs(state: MarketState): number {
  const { endDate, eventStartTime } = state.spec;
  return eventStartTime === null
    ? Date.parse(endDate) - 365 * DAY_MS
    : Date.parse(eventStartTime) - DAY_MS;
}

/** Mid, or the one side there is, or the last trade; 1 and 0 once resolved. */
export function outcomePrices(state: MarketState): [string, string] {
  if (state.resolved !== null) return state.resolved === 0 ? ["1", "0"] : ["0", "1"];
  const bid = Number(state.bestBid ?? "0");
  const ask = Number(state.bestAsk ?? "1");
  const known = state.bestBid !== null || state.bestAsk !== null;
  const price = known ? (bid + ask) / 2 : Number(state.lastTradePrice || "0.5");
  return [String(round(price)), String(round(1 - price))];
}

function round(value: number): number {
  return Number(value.toFixed(6));
}

/** What the exchange knows better than any recorded or built object. */
function liveMembers(state: MarketState): Record<string, unknown> {
  const { spec } = state;
  const bid = state.bestBid === null ? null : Number(state.bestBid);
  const ask = state.bestAsk === null ? null : Number(state.bestAsk);
  const live: Record<string, unknown> = {
    ...(bid === null ? {} : { bestBid: bid }),
    bestAsk: ask ?? 1,
    spread: round((ask ?? 1) - (bid ?? 0)),
    lastTradePrice: Number(state.lastTradePrice || "0"),
    orderPriceMinTickSize: Number(state.tickSize),
    orderMinSize: Number(spec.minOrderSize),
    acceptingOrders: state.acceptingOrders && state.resolved === null,
    closed: isClosed(state),
    endDate: spec.endDate,
    endDateIso: spec.endDate.slice(0, 10),
  };
  if (state.resolved !== null) {
    live["closedTime"] = spacedTime(Date.parse(spec.endDate));
    live["umaEndDate"] = spec.endDate;
    live["umaResolutionStatus"] = "resolved";
    live["automaticallyResolved"] = true;
  }
  return live;
}

function feeMembers(state: MarketState): Record<string, unknown> {
  const { feeRate, feeType, rebateRate } = state.spec;
  if (feeRate === null) return { feesEnabled: false, feeType: null, feeSchedule: null };
  return {
    feesEnabled: true,
    feeType,
    feeSchedule: {
      exponent: 1,
      rate: Number(feeRate),
      takerOnly: true,
      rebateRate: Number(rebateRate),
    },
  };
}

/**
 * Ids by version. A V2 market trades its position ids and its CTF ids have no book; a third of the V1 markets
 * carry position ids that have no book, as on the real venue. So whoever picks by presence picks wrongly.
 */
function idMembers(state: MarketState, shape: GammaShape): Record<string, unknown> {
  const { conditionId, outcomes, version, gammaId } = state.spec;
  const tokens = outcomes.map(({ tokenId }) => tokenId);
  const list = (ids: string[]): unknown => (shape.arrays ? ids : JSON.stringify(ids));
  const others = [0, 1].map((i) => hashTokenId(`pitboss:no-book:${conditionId}:${i}`));
  if (version === "v2")
    return { version, clobTokenIds: list(others), positionIds: tokens, comboStatus: "enabled" };
  const decorated = Number(gammaId.slice(-4)) % 3 === 0;
  return {
    version,
    clobTokenIds: list(tokens),
    comboStatus: "disabled",
    ...(decorated ? { positionIds: others } : {}),
  };
}

function volumeMembers(volume: string): Record<string, unknown> {
  const total = Number(volume);
  const liquidity = round(total / 12);
  return {
    volume,
    volumeNum: total,
    volumeClob: total,
    volume24hr: round(total / 40),
    volume1wk: round(total / 9),
    volume1mo: round(total / 2),
    volume1yr: total,
    liquidity: String(liquidity),
    liquidityNum: liquidity,
    liquidityClob: liquidity,
  };
}

function builtMembers(state: MarketState): Record<string, unknown> {
  const { spec } = state;
  const created = createdMs(state);
  return {
    ...volumeMembers(spec.volume),
    startDate: iso(created),
    startDateIso: iso(created).slice(0, 10),
    createdAt: iso(created),
    updatedAt: iso(created),
    deployingTimestamp: iso(created),
    acceptingOrdersTimestamp: iso(created),
    image: "",
    icon: "",
    resolutionSource: "",
    marketMakerAddress: "",
    submitted_by: `0x${hashId(spec.slug).slice(2, 42)}`,
    resolvedBy: `0x${hashId(spec.conditionId).slice(2, 42)}`,
    groupItemThreshold: String(Number(spec.gammaId) % 100),
    negRiskRequestID: spec.negRisk ? hashId(`request:${spec.questionId}`) : "",
    umaBond: "500",
    umaReward: "5",
    umaResolutionStatuses: "[]",
    customLiveness: 0,
    makerBaseFee: 1000,
    takerBaseFee: 1000,
    rewardsMinSize: 50,
    rewardsMaxSpread: 4.5,
    enableOrderBook: true,
    active: true,
    archived: false,
    automaticallyActive: true,
    clearBookOnStart: false,
    manualActivation: false,
    hasReviewedDates: true,
    holdingRewardsEnabled: false,
    pagerDutyNotificationEnabled: false,
    pendingDeployment: false,
    deploying: false,
    requiresTranslation: false,
    rfqEnabled: false,
    restricted: true,
    approved: true,
    ready: false,
    funded: false,
    featured: false,
    cyom: false,
    new: false,
  };
}

/** A market as Gamma writes it, with prices, tick and state as the exchange has them now. */
export function gammaMarket(state: MarketState, shape: GammaShape): Record<string, unknown> {
  const { spec } = state;
  const list = (values: readonly string[]): unknown =>
    shape.arrays ? values : JSON.stringify(values);
  const names = spec.outcomes.map(({ name }) => name);
  if (spec.recordedGamma !== null) {
    const recorded: JsonObject = spec.recordedGamma;
    const prices =
      spec.closed && state.resolved === null
        ? toList(recorded["outcomePrices"], shape)
        : list(outcomePrices(state));
    return {
      ...recorded,
      outcomes: list(names),
      clobTokenIds: toList(recorded["clobTokenIds"], shape),
      ...liveMembers(state),
      outcomePrices: prices,
    };
  }
  return {
    id: spec.gammaId,
    question: spec.question,
    conditionId: gammaConditionId(spec.conditionId, spec.version),
    slug: spec.slug,
    description: spec.description,
    questionID: spec.questionId,
    groupItemTitle: spec.groupItemTitle,
    outcomes: list(names),
    outcomePrices: list(outcomePrices(state)),
    ...builtMembers(state),
    ...idMembers(state, shape),
    ...feeMembers(state),
    negRisk: spec.negRisk,
    negRiskOther: spec.negRiskOther,
    ...(spec.negRiskMarketId === null ? {} : { negRiskMarketID: spec.negRiskMarketId }),
    ...(spec.eventStartTime === null ? {} : { eventStartTime: spec.eventStartTime }),
    secondsDelay: spec.secondsDelay,
    ...liveMembers(state),
  };
}

function toList(value: unknown, shape: GammaShape): unknown {
  return shape.arrays && typeof value === "string" ? JSON.parse(value) : value;
}

export type EventExtras = {
  readonly metadata: JsonObject | null;
};

/** An event as Gamma writes it, without its markets. */
export function gammaEvent(
  event: EventSpec,
  states: readonly MarketState[],
  extras: EventExtras,
): Record<string, unknown> {
  const closed = states.length > 0 && states.every(isClosed);
  const volume = states.reduce((sum, { spec }) => sum + Number(spec.volume), 0);
  const tags = event.tags.map((tag) => ({ id: tag, label: tag, slug: tag }));
  const metadata = { ...event.metadata, ...extras.metadata };
  if (event.recordedGamma !== undefined)
    return { ...event.recordedGamma, closed, endDate: event.endDate, tags };
  const first = states[0];
  const created = first === undefined ? event.endDate : iso(createdMs(first));
  return {
    id: event.id,
    ticker: event.slug,
    slug: event.slug,
    title: event.title,
    description: event.description,
    resolutionSource: "",
    startDate: created,
    creationDate: created,
    createdAt: created,
    updatedAt: created,
    endDate: event.endDate,
    image: "",
    icon: "",
    active: true,
    closed,
    archived: false,
    new: false,
    featured: false,
    restricted: true,
    volume: round(volume),
    volume24hr: round(volume / 40),
    volume1wk: round(volume / 9),
    volume1mo: round(volume / 2),
    volume1yr: round(volume),
    liquidity: round(volume / 12),
    liquidityClob: round(volume / 12),
    openInterest: round(volume / 8),
    competitive: 0.9,
    commentCount: 0,
    enableOrderBook: true,
    enableNegRisk: event.negRisk,
    negRisk: event.negRisk,
    negRiskAugmented: event.negRiskAugmented,
    ...(event.negRiskMarketId === null ? {} : { negRiskMarketID: event.negRiskMarketId }),
    showAllOutcomes: true,
    showMarketImages: false,
    automaticallyActive: true,
    pendingDeployment: false,
    deploying: false,
    requiresTranslation: false,
    cyom: false,
    eventMetadata: metadata,
    tags,
  };
}
