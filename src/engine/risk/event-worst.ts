import { externalReservedUsd, externalRest } from "../domain/external.ts";
import type { ConditionId, MarketGroup, OutcomeIndex } from "../domain/market.ts";
import { sharesForFloor, type Usd, usd } from "../domain/numbers.ts";
import type { OrderDraft } from "../domain/order.ts";
import type { LedgerState } from "../state/engine-state.ts";
import { openOrders, reservedShares, reservedUsd } from "../state/exposure.ts";
import { worstCaseUsd } from "./reserve.ts";

/** Dollars of one market that are lost when its outcome 0 wins and when its outcome 1 wins; negative for a gain. */
type Losses = [if0: number, if1: number];

/** A market without a group is an event of its own. */
export function eventOf(state: LedgerState, conditionId: ConditionId): string {
  return state.markets.get(conditionId)?.groupId ?? conditionId;
}

/**
 * The most that an event can still lose: over its outcomes, the cost of everything held less what that outcome is sure to
 * pay, with every open, in-flight and unknown order (and these drafts) filled or not, whichever is worse. Only confirmed
 * shares that no sale has claimed are sure to pay, and a sale's proceeds are not counted. Never below 0, and never above
 * the plain sum of costs and reservations, which is what the caps are on.
 */
export function worstLossOfEvent(
  state: LedgerState,
  event: string,
  drafts: readonly OrderDraft[],
): Usd {
  const losses = lossesByMarket(state, event, drafts);
  const group = state.groups.get(event);
  if (group !== undefined && isWhole(state, group)) return usd(worstOfOne(group, losses));
  let sum = 0;
  for (const [if0, if1] of losses.values()) sum += Math.max(0, if0, if1);
  return usd(sum);
}

/**
 * True when exactly one market of the group pays its outcome 0, and we know which ones those are. An augmented group can
 * be won by a market that does not exist yet, so nothing of one market makes up for another there.
 */
function isWhole(state: LedgerState, group: MarketGroup): boolean {
  if (!group.negRisk || group.augmented) return false;
  const declared = new Set(group.conditionIds);
  for (const market of state.markets.values()) {
    // A market that the group's own list does not name could be the one that wins.
    if (market.groupId === group.groupId && !declared.has(market.conditionId)) return false;
  }
  return true;
}

/** Every market pays its outcome 1 except the one that wins. */
function worstOfOne(group: MarketGroup, losses: ReadonlyMap<ConditionId, Losses>): number {
  let allLose = 0;
  for (const [, if1] of losses.values()) allLose += if1;
  let worst = Number.NEGATIVE_INFINITY;
  for (const conditionId of group.conditionIds) {
    const [if0, if1] = losses.get(conditionId) ?? [0, 0];
    worst = Math.max(worst, allLose - if1 + if0);
  }
  return Math.max(0, worst);
}

function lossesByMarket(
  state: LedgerState,
  event: string,
  drafts: readonly OrderDraft[],
): Map<ConditionId, Losses> {
  const losses = new Map<ConditionId, Losses>();
  const add = (
    conditionId: ConditionId,
    outcome: OutcomeIndex,
    ifWins: number,
    ifLoses: number,
  ) => {
    if (eventOf(state, conditionId) !== event) return;
    const sum = losses.get(conditionId) ?? [0, 0];
    sum[outcome] += ifWins;
    sum[outcome === 0 ? 1 : 0] += ifLoses;
    losses.set(conditionId, sum);
  };
  const claimed = claimedShares(state, drafts);
  for (const position of state.positions.values()) {
    const cost = Math.max(0, position.cost);
    const { tokenId, confirmed, provisionalSold } = position;
    const sure = Math.max(0, confirmed - provisionalSold - (claimed.get(tokenId) ?? 0));
    add(position.conditionId, position.outcome, cost - sure, cost);
  }
  for (const order of openOrders(state)) {
    const { draft } = order;
    const cost = reservedUsd(order);
    const spend = draft.spend === null ? null : Math.max(0, draft.spend - order.filledUsd);
    const least = leastShares(draft, spend, Math.max(0, draft.size - order.filled));
    if (cost > 0) add(draft.conditionId, draft.outcome, Math.max(0, cost - least), cost);
  }
  // A foreign order can bring fewer shares than its price promises: nothing of it makes up for its cost.
  for (const order of state.externalOrders.values()) {
    const cost = externalReservedUsd(order, state.markets.get(order.conditionId));
    if (cost > 0) add(order.conditionId, order.outcome, cost, cost);
  }
  for (const draft of drafts) {
    const cost = worstCaseUsd(state, draft);
    const least = leastShares(draft, draft.spend, draft.size);
    if (cost > 0) add(draft.conditionId, draft.outcome, Math.max(0, cost - least), cost);
  }
  return losses;
}

/** Fewest shares that a buy brings when it fills whole: those at its limit. */
function leastShares(draft: OrderDraft, spend: number | null, size: number): number {
  return spend === null ? size : sharesForFloor(usd(spend), draft.limit);
}

/** Shares by token that an open sale or a draft of one may take away before the end. */
function claimedShares(
  state: LedgerState,
  drafts: readonly OrderDraft[],
): ReadonlyMap<string, number> {
  const claimed = new Map<string, number>();
  const claim = (tokenId: string, size: number) =>
    claimed.set(tokenId, (claimed.get(tokenId) ?? 0) + size);
  for (const order of openOrders(state)) claim(order.draft.tokenId, reservedShares(order));
  for (const order of state.externalOrders.values()) {
    if (order.side === "sell") claim(order.tokenId, externalRest(order));
  }
  for (const draft of drafts) if (draft.side === "sell") claim(draft.tokenId, draft.size);
  return claimed;
}
