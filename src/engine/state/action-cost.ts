import { costOfShares } from "../domain/fill.ts";
import type { ConditionId, TokenId } from "../domain/market.ts";
import type { Shares, Usd } from "../domain/numbers.ts";
import { type ActionTerms, isOpenAction, type PositionAction } from "../domain/position-action.ts";
import { assert } from "../lib/assert.ts";
import { mulDivFloor } from "../lib/mul-div.ts";
import type { LedgerState } from "./engine-state.ts";

/** Cost that a call puts on one of the outcomes that it gives. */
export type PlannedCost = {
  readonly tokenId: TokenId;
  readonly conditionId: ConditionId;
  readonly cost: Usd;
};

/** What the shares that a call takes stand in the books for, at average cost. */
export function costOfTakes(state: LedgerState, terms: ActionTerms): number {
  let cost = 0;
  for (const { tokenId, size } of terms.takes) {
    const position = state.positions.get(tokenId);
    if (position !== undefined) cost += costOfShares(position, size);
  }
  return cost;
}

/**
 * How a call's cost lies on what it gives: dollars in, plus what the given-up shares had cost, less dollars out, in parts of
 * what the outcomes were worth; the first one bears what does not divide. Nothing when the dollars out cover it.
 */
export function sharedCost(terms: ActionTerms, costOut: number): readonly PlannedCost[] {
  const { gives, weights } = terms;
  const cost = Math.max(0, terms.takesUsd + costOut - terms.givesUsd);
  if (gives.length === 0 || cost === 0) return [];
  const whole = weights.reduce((sum, one) => sum + one, 0);
  assert(weights.length === gives.length && whole > 0, "every given outcome has a weight");
  const parts = weights.map((one) => mulDivFloor(cost, one, whole));
  const rest = cost - parts.reduce((sum, one) => sum + one, 0);
  return gives.map(({ tokenId, conditionId }, i) => ({
    tokenId,
    conditionId,
    cost: ((parts[i] ?? 0) + (i === 0 ? rest : 0)) as Usd,
  }));
}

export function openActions(state: LedgerState): PositionAction[] {
  const open: PositionAction[] = [];
  for (const action of state.actions.values()) if (isOpenAction(action)) open.push(action);
  return open;
}

/** Shares of a token that open calls take. */
export function actionShares(state: LedgerState, tokenId: TokenId): Shares {
  let size = 0;
  for (const action of openActions(state)) {
    for (const leg of action.terms.takes) if (leg.tokenId === tokenId) size += leg.size;
  }
  return size as Shares;
}
