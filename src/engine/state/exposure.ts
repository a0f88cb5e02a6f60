import { externalReservedUsd, externalRest } from "../domain/external.ts";
import type { ConditionId, TokenId } from "../domain/market.ts";
import { costCeil, type Shares, shares, type Usd, usd } from "../domain/numbers.ts";
import { isOpen, type Order } from "../domain/order.ts";
import { actionShares, costOfTakes, openActions, sharedCost } from "./action-cost.ts";
import type { LedgerState } from "./engine-state.ts";

/** Dollars an open buy can still take from the account at worst, its fee included; 0 for a sale or a closed order. */
export function reservedUsd(order: Order): Usd {
  if (!isOpen(order) || order.draft.side === "sell") return 0 as Usd;
  const { spend, limit, size } = order.draft;
  const open =
    spend !== null
      ? Math.max(0, spend - order.filledUsd)
      : costCeil(limit, shares(Math.max(0, size - order.filled)));
  return usd(open + Math.max(0, order.feeReserve - order.feesUsd));
}

/** Shares an open sale can still take. */
export function reservedShares(order: Order): Shares {
  if (!isOpen(order) || order.draft.side === "buy") return 0 as Shares;
  return shares(Math.max(0, order.draft.size - order.filled));
}

export type Exposure = {
  readonly total: Usd;
  readonly byToken: ReadonlyMap<TokenId, Usd>;
  readonly byMarket: ReadonlyMap<ConditionId, Usd>;
  /** Dollars reserved by open buys, those of others on the account included, and by splits. */
  readonly locked: Usd;
};

/**
 * Exposure = what is held at cost (confirmed and provisional) + everything that open, in-flight and unknown buys can
 * still add, and the cost that open contract calls put on what they give. Sales and calls never reduce it before they are done.
 */
export function exposureOf(state: LedgerState): Exposure {
  const byToken = new Map<TokenId, Usd>();
  const byMarket = new Map<ConditionId, Usd>();
  let total = 0;
  let locked = 0;
  const add = (tokenId: TokenId, conditionId: ConditionId, amount: number) => {
    if (amount === 0) return;
    byToken.set(tokenId, usd((byToken.get(tokenId) ?? 0) + amount));
    byMarket.set(conditionId, usd((byMarket.get(conditionId) ?? 0) + amount));
    total += amount;
  };
  for (const position of state.positions.values()) {
    add(position.tokenId, position.conditionId, Math.max(0, position.cost));
  }
  for (const order of openOrders(state)) {
    const reserved = reservedUsd(order);
    locked += reserved;
    add(order.draft.tokenId, order.draft.conditionId, reserved);
  }
  // What others ordered on the account takes its money just the same.
  for (const order of state.externalOrders.values()) {
    const reserved = externalReservedUsd(order, state.markets.get(order.conditionId));
    locked += reserved;
    add(order.tokenId, order.conditionId, reserved);
  }
  for (const { terms } of openActions(state)) {
    locked += terms.takesUsd;
    for (const { tokenId, conditionId, cost } of sharedCost(terms, costOfTakes(state, terms))) {
      add(tokenId, conditionId, cost);
    }
  }
  return { total: usd(total), byToken, byMarket, locked: usd(locked) };
}

/** In order of approval. */
export function openOrders(state: LedgerState): Order[] {
  const open: Order[] = [];
  for (const clientOid of state.index.openOrderIds) {
    const order = state.orders.get(clientOid);
    if (order !== undefined) open.push(order);
  }
  return open;
}

/** Cash that new buys may use: the smaller of our account and the venue's, less reservations. */
export function freeCash(state: LedgerState): Usd {
  if (state.cash === null) return 0 as Usd;
  const cash = state.venueCash === null ? state.cash : Math.min(state.cash, state.venueCash);
  return usd(Math.max(0, cash - exposureOf(state).locked));
}

/** Confirmed shares that no open or provisional sale has claimed: all that may be sold. */
export function freeShares(state: LedgerState, tokenId: TokenId): Shares {
  const position = state.positions.get(tokenId);
  if (position === undefined) return 0 as Shares;
  const mine = position.confirmed - position.provisionalSold;
  // The venue's figure may only take away from ours (V18): it lags behind a buy, and behind a sale as well.
  let free = Math.min(mine, state.venueShares.get(tokenId) ?? mine) - actionShares(state, tokenId);
  for (const order of openOrders(state)) {
    if (order.draft.tokenId === tokenId) free -= reservedShares(order);
  }
  for (const order of state.externalOrders.values()) {
    if (order.side === "sell" && order.tokenId === tokenId) free -= externalRest(order);
  }
  return shares(Math.max(0, free));
}
