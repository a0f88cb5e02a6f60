import type { ConditionId } from "../domain/market.ts";
import type { Price } from "../domain/numbers.ts";
import type { EngineState } from "../state/engine-state.ts";

/** Ticks change at runtime; orders are built from the market, so it follows the book. */
export function setTickSize(state: EngineState, conditionId: ConditionId, tickSize: Price): void {
  const market = state.markets.get(conditionId);
  if (market !== undefined && market.tickSize !== tickSize) {
    state.markets.set(conditionId, { ...market, tickSize });
  }
}

/** A resolved market trades no more, and its book says nothing. */
export function endMarket(state: EngineState, conditionId: ConditionId): void {
  const market = state.markets.get(conditionId);
  if (market !== undefined) state.markets.set(conditionId, { ...market, tradable: false });
  state.live.books.delete(conditionId);
}
