import type { TokenId } from "../domain/market.ts";
import { type Usd, usd } from "../domain/numbers.ts";
import type { Order, OrderDraft } from "../domain/order.ts";
import type { Denial } from "../domain/reasons.ts";
import { mulDivCeil } from "../lib/mul-div.ts";
import type { EngineSettings } from "../protocol/settings.ts";
import type { EngineState } from "../state/engine-state.ts";
import { exposureOf, freeCash, freeShares, openOrders, reservedUsd } from "../state/exposure.ts";
import { eventOf } from "./event-worst.ts";
import { worstCaseUsd } from "./reserve.ts";

/** Caps on what is held plus everything that open, in-flight and unknown orders and these drafts can add. */
export function checkExposure(
  state: EngineState,
  settings: EngineSettings,
  drafts: readonly OrderDraft[],
  strategy: Order["strategy"],
): Denial | null {
  const now = exposureOf(state);
  const { risk } = settings;
  const after = {
    total: now.total as number,
    strategy: strategyExposure(state, strategy),
    byToken: new Map<string, number>(now.byToken),
    byMarket: new Map<string, number>(now.byMarket),
    byEvent: eventExposure(state, now.byMarket),
  };
  for (const draft of drafts) {
    const more = worstCaseUsd(state, draft);
    if (more === 0) continue;
    after.total += more;
    after.strategy += more;
    const onToken = grow(after.byToken, draft.tokenId, more);
    const onMarket = grow(after.byMarket, draft.conditionId, more);
    const onEvent = grow(after.byEvent, eventOf(state, draft.conditionId), more);
    const denial =
      over("cap_outcome", risk.maxExposurePerOutcomeUsd, onToken) ??
      over("cap_market", risk.maxExposurePerMarketUsd, onMarket) ??
      over("cap_event", risk.maxExposurePerEventUsd, onEvent) ??
      over("cap_strategy", risk.maxExposurePerStrategyUsd, after.strategy) ??
      over("cap_total", risk.maxExposureTotalUsd, after.total);
    if (denial !== null) return denial;
  }
  return null;
}

function over(code: Denial["code"], limit: Usd, wanted: number): Denial | null {
  return wanted <= limit ? null : { code, limit, wanted };
}

function grow(sums: Map<string, number>, key: string, more: number): number {
  const sum = (sums.get(key) ?? 0) + more;
  sums.set(key, sum);
  return sum;
}

/**
 * Plain sums over the markets of each event: never below what the worst outcome can cost (`worstLossOfEvent`), and a sale
 * never raises them, while selling one leg of a hedge raises the worst case.
 */
export function eventExposure(
  state: EngineState,
  byMarket: ReadonlyMap<string, number>,
): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [conditionId, amount] of byMarket) grow(sums, eventOf(state, conditionId), amount);
  return sums;
}

/**
 * What a strategy holds and what its open orders can still add. A position's cost is shared out among the strategies by
 * the shares that each one bought and did not sell.
 */
function strategyExposure(state: EngineState, strategy: Order["strategy"]): number {
  let sum = 0;
  for (const order of openOrders(state)) {
    if (order.strategy === strategy) sum += reservedUsd(order);
  }
  const { netShares } = state.index;
  for (const [tokenId, net] of netShares.get(strategy) ?? []) {
    let held = 0;
    for (const shares of netShares.values()) held += shares.get(tokenId) ?? 0;
    const cost = Math.max(0, state.positions.get(tokenId)?.cost ?? 0);
    if (net > 0 && held > 0) sum += mulDivCeil(cost, Math.min(net, held), held);
  }
  return sum;
}

/** A cent: the cost of each fill is rounded up by less than a micro-dollar, and that is no trade from outside. */
const roundingUsd = 10_000;

/**
 * True when what is held and reserved is above a cap in force by more than the rounding of fills. No order of ours leads there: an outside trade on the
 * account, a sale that failed to settle or a lowered cap does. The caps of strategies are left out, because a position's
 * cost is shared out among strategies by an average that moves with the others' trades.
 */
export function isOverCap(state: EngineState, settings: EngineSettings): boolean {
  const { total, byToken, byMarket } = exposureOf(state);
  const { risk } = settings;
  const within = (sums: ReadonlyMap<string, number>, cap: Usd) =>
    [...sums.values()].every((sum) => sum <= cap + roundingUsd);
  return !(
    total <= risk.maxExposureTotalUsd + roundingUsd &&
    within(byToken, risk.maxExposurePerOutcomeUsd) &&
    within(byMarket, risk.maxExposurePerMarketUsd) &&
    within(eventExposure(state, byMarket), risk.maxExposurePerEventUsd)
  );
}

export function checkCash(state: EngineState, drafts: readonly OrderDraft[]): Denial | null {
  let wanted = 0;
  for (const draft of drafts) wanted += worstCaseUsd(state, draft);
  if (wanted === 0) return null;
  const limit = freeCash(state);
  return wanted <= limit ? null : { code: "insufficient_cash", limit, wanted: usd(wanted) };
}

export function checkShares(state: EngineState, drafts: readonly OrderDraft[]): Denial | null {
  const wanted = new Map<TokenId, number>();
  for (const draft of drafts) {
    if (draft.side === "buy") continue;
    const all = (wanted.get(draft.tokenId) ?? 0) + draft.size;
    wanted.set(draft.tokenId, all);
    const limit = freeShares(state, draft.tokenId);
    if (!(all <= limit)) return { code: "insufficient_shares", limit, wanted: all };
  }
  return null;
}
