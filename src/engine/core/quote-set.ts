import type { Actor } from "../api/requests.ts";
import type { SetCard, SetLegCard, SetScanView, SetView } from "../api/views.ts";
import { derivedId } from "../domain/ids.ts";
import { ageMs } from "../domain/market-book.ts";
import { type Price, price, type Shares, shares, type Usd, usd } from "../domain/numbers.ts";
import type { OrderDraft } from "../domain/order.ts";
import type { Denial } from "../domain/reasons.ts";
import { mulDivCeil } from "../lib/mul-div.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { EngineSettings } from "../protocol/settings.ts";
import { checkLimits, checkRisk } from "../risk/check-risk.ts";
import { worstCaseUsd } from "../risk/reserve.ts";
import type { EngineState } from "../state/engine-state.ts";
import {
  bestSetSize,
  costOfSet,
  minimumSetSize,
  type SetCost,
  stepOfSet,
} from "../strategies/complete-sets.ts";
import { emit, type StepContext } from "./context.ts";
import { riskAfter } from "./quote-trade.ts";
import {
  findSet,
  legName,
  legsOfSet,
  type PricedLeg,
  type SetCandidate,
  setCandidates,
} from "./set-legs.ts";

/** Most sets that one scan shows; refused ones beyond it are counted, not listed. */
const shownSets = 200;

/** Dollars that one share of every leg pays in the end. */
function payoffsOf(set: SetCandidate): number {
  return set.kind === "neg-risk-convert" ? Math.max(0, set.outcomes.length - 1) : 1;
}

/** Profit of a set after venue fees and our own extra margin; a convert pays one dollar for each NO but one. */
function netProfit(settings: EngineSettings, set: SetCandidate, cost: SetCost): Usd {
  const extra = mulDivCeil(cost.cost, settings.dutch.extraFeePpm, 1_000_000);
  const paid = cost.shares * payoffsOf(set);
  return usd(paid - cost.cost - cost.fee - extra - settings.dutch.safetyMarginUsd);
}

/** Ranks every set that the known books form: profitable first, then those that need a contract call, then refused. */
export function scanSets(state: EngineState, settings: EngineSettings, nowMs: number): SetScanView {
  const candidates = setCandidates(state);
  const views = candidates.map((set) => viewOfSet(state, settings, set, nowMs));
  const rank = { profitable: 0, needs_convert: 1, refused: 2 } as const;
  views.sort(
    (a, b) =>
      rank[a.verdict] - rank[b.verdict] ||
      (b.profit ?? Number.NEGATIVE_INFINITY) - (a.profit ?? Number.NEGATIVE_INFINITY) ||
      (a.setId < b.setId ? -1 : 1),
  );
  return {
    scannedSets: candidates.length,
    scannedMarkets: state.live.books.size,
    atMs: nowMs,
    sets: views.slice(0, shownSets),
  };
}

function viewOfSet(
  state: EngineState,
  settings: EngineSettings,
  set: SetCandidate,
  nowMs: number,
): SetView {
  const base = {
    setId: set.setId,
    title: set.title,
    kind: set.kind,
    outcomes: set.outcomes.length,
  };
  const refused = (refusal: Denial, oldestBookMs: number | null = null): SetView => ({
    ...base,
    verdict: "refused",
    refusal,
    shares: null,
    cost: null,
    fee: null,
    profit: null,
    oldestBookMs,
  });
  const legs = legsOfSet(state, settings, set, nowMs);
  if (!legs.ok) return refused(legs.error);
  const oldestBookMs = Math.max(...legs.value.map((leg) => ageMs(leg.marketBook, nowMs)));
  const priced = priceSet(settings, set, legs.value, null);
  if (!priced.ok) return refused(priced.error, oldestBookMs);
  const within =
    priced.value.profit < settings.dutch.minProfitUsd || set.kind === "neg-risk-convert"
      ? priced
      : withinLimits(state, settings, set, legs.value, priced.value);
  const { cost, profit } = within.ok ? within.value : priced.value;
  const figures = { shares: cost.shares, cost: cost.cost, fee: cost.fee, profit, oldestBookMs };
  if (!within.ok) return { ...base, verdict: "refused", refusal: within.error, ...figures };
  if (profit < settings.dutch.minProfitUsd) {
    const beforeFee = profit + cost.fee;
    const code = beforeFee >= settings.dutch.minProfitUsd ? "set_fee" : "set_not_profitable";
    const refusal: Denial = { code, limit: settings.dutch.minProfitUsd, wanted: profit };
    return { ...base, verdict: "refused", refusal, ...figures };
  }
  const verdict = set.kind === "neg-risk-convert" ? "needs_convert" : "profitable";
  return { ...base, verdict, refusal: null, ...figures };
}

type PricedSet = { readonly cost: SetCost; readonly profit: Usd };

/**
 * The set at the largest size up to its best one that the desk's limits and cash let through, so that what a scan offers
 * can be executed; the denial of the smallest size when even that is too much.
 */
function withinLimits(
  state: EngineState,
  settings: EngineSettings,
  set: SetCandidate,
  legs: readonly PricedLeg[],
  best: PricedSet,
): Result<PricedSet, Denial> {
  const denialOf = (cost: SetCost): Denial | null =>
    checkLimits(state, settings, draftsOf(settings, legs, cost));
  if (denialOf(best.cost) === null) return ok(best);
  const step = stepOfSet(legs);
  const least = minimumSetSize(legs, settings.dutch.minSize);
  let fitting = least === null ? null : costOfSet(legs, least);
  if (fitting === null) return err({ code: "no_liquidity" });
  const denial = denialOf(fitting);
  if (denial !== null) return err(denial);
  let tooLarge = best.cost.shares as number;
  while (tooLarge - fitting.shares > step) {
    const half = Math.floor((tooLarge - fitting.shares) / step / 2) * step;
    const tried = costOfSet(legs, shares(fitting.shares + half));
    if (tried !== null && denialOf(tried) === null) fitting = tried;
    else tooLarge = fitting.shares + half;
  }
  return ok({ cost: fitting, profit: netProfit(settings, set, fitting) });
}

function priceSet(
  settings: EngineSettings,
  set: SetCandidate,
  legs: readonly PricedLeg[],
  wanted: Shares | null,
): Result<PricedSet, Denial> {
  const least = minimumSetSize(legs, settings.dutch.minSize);
  if (least === null) return err({ code: "no_liquidity" });
  if (wanted !== null) {
    const step = stepOfSet(legs);
    const size = shares(wanted - (wanted % step));
    if (size < least) return err({ code: "min_size", limit: least, wanted });
    const cost = costOfSet(legs, size);
    if (cost === null) return err({ code: "no_liquidity", wanted });
    return ok({ cost, profit: netProfit(settings, set, cost) });
  }
  if (least > settings.dutch.maxSize) {
    return err({ code: "min_size", limit: least, wanted: settings.dutch.maxSize });
  }
  const best = bestBy(settings, set, legs, least);
  if (best === null) return err({ code: "min_size", limit: least });
  return ok(best);
}

function bestBy(
  settings: EngineSettings,
  set: SetCandidate,
  legs: readonly PricedLeg[],
  least: Shares,
): PricedSet | null {
  const cost = bestSetSize(legs, least, settings.dutch.maxSize, payoffsOf(set));
  return cost === null ? null : { cost, profit: netProfit(settings, set, cost) };
}

/** The card of a long set: share-sized limit orders of equal size on every leg. */
export function quoteSet(
  context: StepContext,
  actor: Actor,
  commandId: string,
  setId: string,
  wanted: Shares | null,
): Result<SetCard, Denial> {
  const { state, settings, atMs } = context;
  const set = findSet(state, setId);
  if (set === null) return err({ code: "market_unknown" });
  if (set.kind === "neg-risk-convert") return err({ code: "needs_convert" });
  const legs = legsOfSet(state, settings, set, atMs);
  if (!legs.ok) return legs;
  const priced = priceSet(settings, set, legs.value, wanted);
  if (!priced.ok) return priced;
  const within =
    wanted === null ? withinLimits(state, settings, set, legs.value, priced.value) : priced;
  if (!within.ok) return within;
  const { cost, profit } = within.value;
  if (profit < settings.dutch.minProfitUsd) {
    return err({ code: "set_not_profitable", limit: settings.dutch.minProfitUsd, wanted: profit });
  }
  const drafts = draftsOf(settings, legs.value, cost);
  const risk = checkRisk(state, settings, {
    drafts,
    nowMs: atMs,
    userId: actor.userId,
    strategy: "dutch" as const,
    gate: false,
  });
  if (!risk.ok) return risk;
  const nonce = derivedId(context.hasher.sha256Hex, context.entropy, `card:${commandId}`);
  const shown = setCardOf(context, set, legs.value, { cost, profit, drafts, nonce });
  emit(context, {
    kind: "markets.listed",
    markets: set.markets,
    groups: set.group === null ? [] : [set.group],
  });
  emit(context, {
    kind: "card.created",
    card: {
      nonce,
      kind: "set",
      userId: actor.userId,
      chatId: actor.chatId,
      commandId,
      createdAtMs: atMs,
      expiresAtMs: shown.expiresAtMs,
      title: set.title,
      drafts,
      shown,
      state: "open",
    },
  });
  return ok(shown);
}

function draftsOf(
  settings: EngineSettings,
  legs: readonly PricedLeg[],
  cost: SetCost,
): OrderDraft[] {
  return legs.map((leg, i) => draftOfLeg(settings, leg, cost, i));
}

/**
 * A leg is a share-sized limit order that crosses the book, because a fak or fok buy of the venue spends dollars and
 * would buy more shares when the price is better than its limit. What does not match at once is canceled at once.
 */
function draftOfLeg(
  settings: EngineSettings,
  leg: PricedLeg,
  cost: SetCost,
  i: number,
): OrderDraft {
  return {
    conditionId: leg.market.conditionId,
    tokenId: leg.market.outcomes[leg.outcome].tokenId,
    outcome: leg.outcome,
    side: "buy",
    timeInForce: "gtc",
    limit: legLimit(settings, leg, cost.legs[i]?.worst ?? null),
    spend: null,
    size: cost.shares,
    tickSize: leg.market.tickSize,
    negRisk: leg.market.negRisk,
    version: leg.market.version,
    expirationS: null,
    postOnly: false,
  };
}

function legLimit(settings: EngineSettings, leg: PricedLeg, worst: Price | null): Price {
  const slipped = (worst ?? leg.tickSize) + settings.dutch.slippageTicks * leg.tickSize;
  return price(Math.min(slipped, 10_000 - leg.tickSize));
}

function setCardOf(
  context: StepContext,
  set: SetCandidate,
  legs: readonly PricedLeg[],
  priced: {
    readonly cost: SetCost;
    readonly profit: Usd;
    readonly drafts: readonly OrderDraft[];
    readonly nonce: string;
  },
): SetCard {
  const { state, settings, atMs } = context;
  const { cost, drafts } = priced;
  const worst = drafts.map((draft) => worstCaseUsd(state, draft));
  const maxSpend = worst.reduce<number>((sum, leg) => sum + leg, 0);
  const cards: SetLegCard[] = legs.map((leg, i) => ({
    conditionId: leg.market.conditionId,
    question: legName(leg.market, leg.outcome),
    outcome: leg.outcome,
    outcomeName: leg.market.outcomes[leg.outcome].name,
    limit: drafts[i]?.limit ?? leg.tickSize,
    worst: cost.legs[i]?.worst ?? leg.tickSize,
    money: cost.legs[i]?.money ?? (0 as Usd),
    fee: cost.legs[i]?.fee ?? (0 as Usd),
  }));
  return {
    nonce: priced.nonce,
    createdAtMs: atMs,
    expiresAtMs: atMs + settings.setCardTtlMs,
    mode: settings.mode,
    setId: set.setId,
    title: set.title,
    kind: set.kind,
    shares: cost.shares,
    legs: cards,
    oldestBookMs: Math.max(...legs.map((leg) => ageMs(leg.marketBook, atMs))),
    cost: cost.cost,
    fee: cost.fee,
    profit: priced.profit,
    // Worst: only the cheapest leg fails, and it is the one that wins.
    maxLoss: usd(maxSpend - Math.min(...worst)),
    maxSpend: usd(maxSpend),
    riskAfter: riskAfter(state, settings, drafts),
  };
}
