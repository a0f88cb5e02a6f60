import type { ConditionId } from "../domain/market.ts";
import type { EngineState } from "../state/engine-state.ts";
import { openOrders } from "../state/exposure.ts";

/** Why a market is followed; the first that holds, in this order. */
export type WantReason =
  | "position"
  | "order"
  | "external"
  | "claim"
  | "resolution"
  | "card"
  | "strategy"
  | "look"
  | "scan";

export type WantedMarket = { readonly conditionId: ConditionId; readonly why: WantReason };

export type Scan = { readonly conditionIds: readonly ConditionId[]; readonly atMs: number };

export type WantedInputs = {
  readonly state: EngineState;
  readonly nowMs: number;
  /** Markets that the configured strategies trade. */
  readonly strategies: Iterable<ConditionId>;
  /** When a person last looked at a market, in the order of the looks. */
  readonly looks: ReadonlyMap<ConditionId, number>;
  /** The markets of the last scan for sets, and when it was asked for. */
  readonly scan?: Scan | null;
  /** How long a look or a scan counts. */
  readonly lookTtlMs: number;
  /** Bound; markets with money in them always come first, and are never left out. */
  readonly max: number;
};

export type Wanted = {
  readonly markets: readonly WantedMarket[];
  /** Markets that the bound kept out. */
  readonly leftOut: number;
};

/** The markets with money in them: shares, open orders of ours and of others, claims. These are never left. */
export function marketsWithMoney(state: EngineState): Map<ConditionId, WantReason> {
  const reasons = new Map<ConditionId, WantReason>();
  const hold = (conditionId: ConditionId, why: WantReason) => {
    // What others traded in a market that nobody has read yet stands under its token.
    if (conditionId.startsWith("0x") && !reasons.has(conditionId)) reasons.set(conditionId, why);
  };
  for (const position of state.positions.values()) {
    const { confirmed, provisionalBought, provisionalSold, unexplained } = position;
    // A sale that is not confirmed may come back; only where nothing is left and nothing is under way, money is out.
    const isOut = confirmed + provisionalBought + provisionalSold + unexplained === 0;
    if (!isOut) hold(position.conditionId, "position");
  }
  for (const order of openOrders(state)) hold(order.draft.conditionId, "order");
  for (const order of state.externalOrders.values()) hold(order.conditionId, "external");
  for (const conditionId of state.claims.keys()) hold(conditionId, "claim");
  return reasons;
}

/**
 * The markets that have to be followed now, the most important first: what money is in, what a person may confirm, what
 * strategies trade, what people looked at lately. Pure: subscriptions and refreshes are drawn from the same answer.
 */
export function wantedMarkets(inputs: WantedInputs): Wanted {
  const { state, nowMs, looks, scan = null, lookTtlMs, max } = inputs;
  const reasons = marketsWithMoney(state);
  const want = (conditionId: ConditionId, why: WantReason) => {
    if (!reasons.has(conditionId)) reasons.set(conditionId, why);
  };
  const withMoney = reasons.size;
  for (const conditionId of state.live.resolutions.keys()) want(conditionId, "resolution");
  for (const card of state.cards.values()) {
    if (card.state !== "open" || card.expiresAtMs <= nowMs) continue;
    for (const { conditionId } of card.drafts) want(conditionId, "card");
  }
  for (const conditionId of inputs.strategies) want(conditionId, "strategy");
  // Of two looks in one moment the later one counts as newer.
  const newest = [...looks].reverse().sort(([, a], [, b]) => b - a);
  for (const [conditionId, atMs] of newest) {
    if (nowMs - atMs < lookTtlMs) want(conditionId, "look");
  }
  if (scan !== null && nowMs - scan.atMs < lookTtlMs) {
    for (const conditionId of scan.conditionIds) want(conditionId, "scan");
  }
  const all = [...reasons].map(([conditionId, why]) => ({ conditionId, why }));
  const markets = all.slice(0, Math.max(withMoney, max));
  return { markets, leftOut: all.length - markets.length };
}
