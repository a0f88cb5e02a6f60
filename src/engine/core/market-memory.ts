import type { ConditionId } from "../domain/market.ts";
import type { Price } from "../domain/numbers.ts";
import { bestPrice, isCrossed } from "../domain/order-book.ts";
import { createPriceTrail, keepPrices } from "../domain/price-trail.ts";
import { type EngineState, keptMarkets } from "../state/engine-state.ts";

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
  leaveBooks(state, [conditionId]);
}

/** Nothing more is kept of these books: they are followed no more. */
export function leaveBooks({ live }: EngineState, conditionIds: readonly ConditionId[]): void {
  for (const conditionId of conditionIds) {
    live.books.delete(conditionId);
    live.changedBooks.delete(conditionId);
    live.trails.delete(conditionId);
  }
}

/** Keeps the best prices of every believed book, so that a price that runs away is noticed. */
export function keepTrails(state: EngineState, nowMs: number, periodMs: number): void {
  for (const [conditionId, book] of state.live.books) {
    if (book.status !== "live" || isCrossed(book.ladder)) continue;
    let trail = state.live.trails.get(conditionId);
    if (trail === undefined) {
      trail = createPriceTrail();
      state.live.trails.set(conditionId, trail);
    }
    const best = (side: "buy" | "sell") => bestPrice(book.ladder, 0, side);
    keepPrices(trail, { bid: best("buy"), ask: best("sell") }, nowMs, periodMs);
  }
}

/** Forgets the oldest markets that nothing refers to, once there are too many of them. */
export function forgetMarkets(state: EngineState): void {
  if (state.markets.size <= keptMarkets) return;
  const needed = new Set<ConditionId>([...state.live.books.keys(), ...state.claims.keys()]);
  for (const { conditionId } of state.positions.values()) needed.add(conditionId);
  for (const { draft } of state.orders.values()) needed.add(draft.conditionId);
  for (const { conditionId } of state.externalOrders.values()) needed.add(conditionId);
  for (const { conditionId } of state.fills.values()) needed.add(conditionId);
  for (const { drafts } of state.cards.values()) {
    for (const { conditionId } of drafts) needed.add(conditionId);
  }
  for (const { terms } of state.actions.values()) {
    for (const { conditionId } of [...terms.takes, ...terms.gives]) needed.add(conditionId);
  }
  for (const conditionId of state.live.resolutions.keys()) needed.add(conditionId);
  const most = keptMarkets - keptMarkets / 10;
  for (const [conditionId, { outcomes, groupId }] of state.markets) {
    if (state.markets.size <= most) break;
    if (needed.has(conditionId)) continue;
    state.markets.delete(conditionId);
    for (const { tokenId } of outcomes) state.tokens.delete(tokenId);
    // A group without one of its markets is no group that could be judged.
    if (groupId !== null) state.groups.delete(groupId);
  }
}
