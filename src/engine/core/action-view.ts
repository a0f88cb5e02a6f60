import type { ActionView, ClaimView, NamedShares } from "../api/actions.ts";
import type { PositionAction, ShareAmount } from "../domain/position-action.ts";
import type { EngineState } from "../state/engine-state.ts";

export function namedShares(
  state: EngineState,
  legs: readonly ShareAmount[],
): readonly NamedShares[] {
  return legs.map((leg) => {
    const market = state.markets.get(leg.conditionId);
    return {
      ...leg,
      outcomeName: market?.outcomes[leg.outcome].name ?? String(leg.outcome),
      question: market?.question ?? leg.conditionId,
    };
  });
}

export function actionView(state: EngineState, action: PositionAction): ActionView {
  const { actionId, title, terms, status, failure, reference, gasUsd, profitUsd } = action;
  return {
    actionId,
    kind: terms.call.kind,
    title,
    status,
    failure,
    takesUsd: terms.takesUsd,
    givesUsd: terms.givesUsd,
    takes: namedShares(state, terms.takes),
    gives: namedShares(state, terms.gives),
    gasUsd,
    profitUsd,
    reference,
    createdAtMs: action.createdAtMs,
  };
}

/** Open calls first, then the newest. */
export function actionViews(state: EngineState): readonly ActionView[] {
  const rank = (action: PositionAction) =>
    action.status === "confirmed" || action.status === "failed" ? 1 : 0;
  return [...state.actions.values()]
    .sort((a, b) => rank(a) - rank(b) || b.createdAtMs - a.createdAtMs)
    .map((action) => actionView(state, action));
}

export function claimViews(state: EngineState): readonly ClaimView[] {
  return [...state.claims.values()].map((claim) => {
    const market = state.markets.get(claim.conditionId);
    const winner = market?.outcomes.find((one) => one.tokenId === claim.winningTokenId);
    return {
      conditionId: claim.conditionId,
      question: market?.question ?? claim.conditionId,
      winner: winner?.name ?? "?",
      shares: namedShares(state, claim.legs),
      paysUsd: claim.paysUsd,
    };
  });
}
