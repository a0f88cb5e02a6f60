import { costOfShares } from "../domain/fill.ts";
import { addShares, type Shares, subShares, type Usd, usd } from "../domain/numbers.ts";
import {
  type ActionTerms,
  type Claim,
  isOpenAction,
  type PositionAction,
  type ShareAmount,
} from "../domain/position-action.ts";
import { assert, unreachable } from "../lib/assert.ts";
import { sharedCost } from "./action-cost.ts";
import { countDay, emptyPosition, gainShares } from "./apply-position.ts";
import { type EngineState, keptClosedActions } from "./engine-state.ts";
import type { Fact } from "./fact.ts";

type ActionFact = Extract<
  Fact,
  {
    readonly kind:
      | "position.action.approved"
      | "position.action.sent"
      | "position.action.resent"
      | "position.action.unknown"
      | "position.action.confirmed"
      | "position.action.failed"
      | "claim.opened"
      | "claim.closed";
  }
>;

export function isActionFact(fact: Fact): fact is ActionFact {
  return fact.kind.startsWith("position.action.") || fact.kind.startsWith("claim.");
}

/** Calls on the position contracts, and claims on resolved markets. */
export function applyActionFact(state: EngineState, fact: ActionFact, atMs: number): void {
  switch (fact.kind) {
    case "position.action.approved":
      assert(!state.actions.has(fact.action.actionId), "an action is approved once");
      state.actions.set(fact.action.actionId, fact.action);
      forgetOldest(state);
      return;
    case "position.action.sent":
      change(state, fact.actionId, (action) => ({
        ...action,
        status: "sent",
        reference: fact.reference,
        unknownSinceMs: null,
      }));
      return;
    case "position.action.resent":
      change(state, fact.actionId, (action) => ({ ...action, lastSentAtMs: atMs }));
      return;
    case "position.action.unknown":
      change(state, fact.actionId, (action) => ({
        ...action,
        status: "unknown",
        unknownSinceMs: action.unknownSinceMs ?? atMs,
      }));
      return;
    case "position.action.confirmed":
      confirm(state, fact, atMs);
      return;
    case "position.action.failed":
      change(state, fact.actionId, (action) => ({
        ...action,
        status: "failed",
        failure: fact.failure,
        reference: fact.reference ?? action.reference,
        gasUsd: fact.gasUsd,
        profitUsd: usd(0 - fact.gasUsd),
        unknownSinceMs: null,
      }));
      countDay(state, atMs, 0, 0 - fact.gasUsd);
      return;
    case "claim.opened":
      state.claims.set(fact.claim.conditionId, fact.claim);
      return;
    case "claim.closed":
      state.claims.delete(fact.conditionId);
      return;
    default:
      unreachable(fact);
  }
}

function change(
  state: EngineState,
  actionId: string,
  update: (action: PositionAction) => PositionAction,
): void {
  const action = state.actions.get(actionId);
  assert(action !== undefined && isOpenAction(action), "a fact moves an action that is open");
  state.actions.set(actionId, update(action));
}

function forgetOldest(state: EngineState): void {
  if (state.actions.size <= keptClosedActions) return;
  for (const action of state.actions.values()) {
    if (isOpenAction(action)) continue;
    state.actions.delete(action.actionId);
    return;
  }
}

/** The one place where a call moves shares and dollars: only what the chain has made final is in the books. */
function confirm(
  state: EngineState,
  fact: Extract<Fact, { kind: "position.action.confirmed" }>,
  atMs: number,
): void {
  const action = state.actions.get(fact.actionId);
  assert(action !== undefined && isOpenAction(action), "a fact moves an action that is open");
  const { terms } = action;
  let costOut = 0;
  for (const leg of terms.takes) costOut += takeShares(state, leg);
  const shared = sharedCost(terms, costOut);
  terms.gives.forEach((leg, i) => give(state, leg, shared[i]?.cost ?? (0 as Usd)));
  const costIn = shared.reduce((sum, one) => sum + one.cost, 0);
  const profit = profitBeforeGas(terms, costOut, costIn);
  attribute(state, terms, profit - fact.gasUsd);
  countDay(state, atMs, 0, profit - fact.gasUsd);
  if (state.cash !== null) state.cash = usd(state.cash + terms.givesUsd - terms.takesUsd);
  state.actions.set(fact.actionId, {
    ...action,
    status: "confirmed",
    reference: fact.reference,
    gasUsd: fact.gasUsd,
    profitUsd: usd(profit - fact.gasUsd),
    unknownSinceMs: null,
  });
}

/** Dollars out and cost put on new shares, less dollars in and what the given-up shares stood for. A wrap is no profit. */
export function profitBeforeGas(terms: ActionTerms, costOut: number, costIn: number): number {
  if (terms.call.kind === "wrap") return 0;
  return terms.givesUsd + costIn - terms.takesUsd - costOut;
}

/**
 * Takes shares out of the books and returns what they stood for. Shares that are bought and mined, but not confirmed here,
 * are taken when they are. A market that was settled meanwhile has them as a claim, whose payoff is profit already.
 */
function takeShares(state: EngineState, leg: ShareAmount): number {
  const position = state.positions.get(leg.tokenId) ?? emptyPosition(leg);
  const held = Math.min(position.confirmed, leg.size) as Shares;
  const coming = Math.max(0, position.provisionalBought - (position.owed ?? 0));
  const owed = Math.min(leg.size - held, coming) as Shares;
  const size = addShares(held, owed);
  let cost = 0;
  if (size > 0) {
    cost = costOfShares(position, size);
    state.positions.set(leg.tokenId, {
      ...position,
      confirmed: subShares(position.confirmed, held),
      provisionalSold: addShares(position.provisionalSold, owed),
      owed: (position.owed ?? 0) + owed,
      cost: usd(position.cost - cost),
    });
  }
  return cost + takeFromClaim(state, leg, subShares(leg.size, size));
}

function takeFromClaim(state: EngineState, leg: ShareAmount, size: Shares): number {
  const claim = state.claims.get(leg.conditionId);
  const claimed = claim?.legs.find((one) => one.tokenId === leg.tokenId);
  if (size === 0 || claim === undefined || claimed === undefined) return 0;
  const taken = Math.min(size, claimed.size);
  const paid = leg.tokenId === claim.winningTokenId ? taken : 0;
  const legs = claim.legs
    .map((one) => (one === claimed ? { ...one, size: (one.size - taken) as Shares } : one))
    .filter((one) => one.size > 0);
  if (legs.length === 0) state.claims.delete(claim.conditionId);
  else {
    const rest: Claim = { ...claim, legs, paysUsd: usd(claim.paysUsd - paid) };
    state.claims.set(claim.conditionId, rest);
  }
  return paid;
}

function give(state: EngineState, leg: ShareAmount, cost: Usd): void {
  const before = state.positions.get(leg.tokenId) ?? emptyPosition(leg);
  const gained = gainShares(before, leg.size);
  state.positions.set(leg.tokenId, { ...gained, cost: usd(before.cost + cost) });
}

/** The result stands with the first position that took part, so that the sum over all positions is exact. */
function attribute(state: EngineState, terms: ActionTerms, profit: number): void {
  if (profit === 0) return;
  for (const { tokenId } of [...terms.takes, ...terms.gives]) {
    const position = state.positions.get(tokenId);
    if (position === undefined) continue;
    state.positions.set(tokenId, { ...position, realizedUsd: usd(position.realizedUsd + profit) });
    return;
  }
}
