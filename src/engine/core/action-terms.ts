import type { ActionRequest } from "../api/actions.ts";
import type { Market, OutcomeIndex } from "../domain/market.ts";
import { type Shares, type Usd, usd } from "../domain/numbers.ts";
import { bestPrice } from "../domain/order-book.ts";
import type { ActionTerms, ContractMarket, ShareAmount } from "../domain/position-action.ts";
import type { Denial } from "../domain/reasons.ts";
import { mulDivFloor } from "../lib/mul-div.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { EngineState } from "../state/engine-state.ts";
import { freeShares } from "../state/exposure.ts";

const bipsOne = 10_000;

/** What a request would take and give, from the books as they are. */
export function termsOf(
  state: EngineState,
  request: ActionRequest,
  feeBips: number,
): Result<ActionTerms, Denial> {
  if (request.kind === "wrap") return wrapTerms(request.amount);
  if (request.kind === "redeem") return redeemTerms(state, request.conditionId);
  const market = state.markets.get(request.conditionId);
  if (market === undefined) return err({ code: "market_unknown" });
  switch (request.kind) {
    case "split":
      return splitTerms(state, market, request.size);
    case "merge":
      return mergeTerms(state, market, request.size);
    case "convert":
      return convertTerms(state, market, request.size, feeBips);
  }
}

function wrapTerms(amount: Usd): Result<ActionTerms, Denial> {
  if (!(amount > 0)) return err({ code: "amount_invalid" });
  const call = { kind: "wrap", amount } as const;
  return ok({ call, takesUsd: 0 as Usd, givesUsd: amount, takes: [], gives: [], weights: [] });
}

function contractMarket(market: Market): ContractMarket {
  const { conditionId, version, negRisk } = market;
  return { conditionId, version, negRisk };
}

function legOf(market: Market, outcome: OutcomeIndex, size: Shares): ShareAmount {
  const { tokenId } = market.outcomes[outcome];
  return { tokenId, conditionId: market.conditionId, outcome, size };
}

function bothLegs(market: Market, size: Shares): readonly ShareAmount[] {
  return [legOf(market, 0, size), legOf(market, 1, size)];
}

/** Half a dollar, in the unit of prices. */
const evenOdds = 5_000;

/** What a share is worth by the middle of its book, in the unit of prices; even odds where there is no believable book. */
function worthOf(state: EngineState, market: Market, outcome: OutcomeIndex): number {
  const book = state.live.books.get(market.conditionId);
  if (book === undefined || book.status !== "live") return evenOdds;
  const bid = bestPrice(book.ladder, outcome, "buy");
  const ask = bestPrice(book.ladder, outcome, "sell");
  return bid === null || ask === null ? evenOdds : Math.floor((bid + ask) / 2);
}

/** A share of each outcome for every dollar. */
function splitTerms(
  state: EngineState,
  market: Market,
  size: Shares | null,
): Result<ActionTerms, Denial> {
  if (size === null || !(size > 0)) return err({ code: "amount_invalid" });
  if (!market.tradable) return err({ code: "market_closed", subject: market.question });
  return ok({
    call: { kind: "split", market: contractMarket(market), size },
    takesUsd: usd(size),
    givesUsd: 0 as Usd,
    takes: [],
    gives: bothLegs(market, size),
    weights: [worthOf(state, market, 0), worthOf(state, market, 1)],
  });
}

function mergeTerms(
  state: EngineState,
  market: Market,
  wanted: Shares | null,
): Result<ActionTerms, Denial> {
  const [first, second] = market.outcomes.map((one) => freeShares(state, one.tokenId));
  const most = Math.min(first ?? 0, second ?? 0);
  const size = wanted ?? (most as Shares);
  if (size === 0) return err({ code: "insufficient_shares", limit: most, wanted: 0 });
  if (!(size > 0)) return err({ code: "amount_invalid" });
  return ok({
    call: { kind: "merge", market: contractMarket(market), size },
    takesUsd: 0 as Usd,
    givesUsd: usd(size),
    takes: bothLegs(market, size),
    gives: [],
    weights: [],
  });
}

/** Fills that are not final yet may still be undone: what they bought is not there to be redeemed. */
function redeemTerms(state: EngineState, conditionId: string): Result<ActionTerms, Denial> {
  const claim = state.claims.get(conditionId);
  const market = state.markets.get(conditionId);
  if (claim === undefined) return err({ code: "nothing_to_redeem" });
  if (market === undefined) return err({ code: "market_unknown" });
  for (const fill of state.fills.values()) {
    if (fill.conditionId === conditionId && fill.status === "provisional") {
      return err({ code: "not_confirmed", subject: market.question });
    }
  }
  return ok({
    call: {
      kind: "redeem",
      market: contractMarket(market),
      legs: claim.legs,
      winningTokenId: claim.winningTokenId,
    },
    takesUsd: 0 as Usd,
    givesUsd: claim.paysUsd,
    takes: claim.legs,
    gives: [],
    weights: [],
  });
}

type Question = { readonly market: Market; readonly index: number };

/** Every question of a market's group, or null when one of them is not known exactly. */
function questionsOf(state: EngineState, market: Market): readonly Question[] | null {
  const group = market.groupId === null ? undefined : state.groups.get(market.groupId);
  if (group === undefined) return null;
  const questions: Question[] = [];
  for (const conditionId of group.conditionIds) {
    const one = state.markets.get(conditionId);
    if (one?.negRiskMarketId === undefined || one.questionIndex === undefined) return null;
    if (one.negRiskMarketId !== market.negRiskMarketId) return null;
    questions.push({ market: one, index: one.questionIndex });
  }
  return questions.sort((a, b) => a.index - b.index);
}

/**
 * NO of the named market, and of every other market of the event in which at least as many are free, for YES of the rest
 * and a dollar for every NO but one. What comes out is less by the neg-risk market's fee, as the contract computes it.
 */
function convertTerms(
  state: EngineState,
  market: Market,
  wanted: Shares | null,
  feeBips: number,
): Result<ActionTerms, Denial> {
  const group = market.groupId === null ? undefined : state.groups.get(market.groupId);
  if (!market.negRisk || group === undefined) return err({ code: "action_unsupported" });
  if (group.augmented) return err({ code: "set_augmented", subject: group.title });
  const questions = questionsOf(state, market);
  const marketId = market.negRiskMarketId;
  if (questions === null || marketId === undefined || market.version !== "v1") {
    return err({ code: "action_unsupported", subject: group.title });
  }
  const freeNo = (one: Market) => freeShares(state, one.outcomes[1].tokenId);
  const size = wanted ?? freeNo(market);
  if (size === 0) return err({ code: "insufficient_shares", limit: freeNo(market), wanted: 0 });
  if (!(size > 0)) return err({ code: "amount_invalid" });
  const given = questions.filter((one) => one.market === market || freeNo(one.market) >= size);
  if (given.length === questions.length && given.length === 1) {
    return err({ code: "action_unsupported", subject: group.title });
  }
  const out = (size - mulDivFloor(size, feeBips, bipsOne)) as Shares;
  const rest = questions.filter((one) => !given.includes(one));
  return ok({
    call: {
      kind: "convert",
      marketId,
      questions: given.map((one) => one.index),
      questionCount: questions.length,
      size,
      feeBips,
    },
    takesUsd: 0 as Usd,
    givesUsd: usd((given.length - 1) * out),
    takes: given.map((one) => legOf(one.market, 1, size)),
    gives: rest.map((one) => legOf(one.market, 0, out)),
    weights: rest.map((one) => worthOf(state, one.market, 0)),
  });
}
