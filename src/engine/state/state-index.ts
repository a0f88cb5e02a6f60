import type { ConditionId, TokenId } from "../domain/market.ts";
import type { Order } from "../domain/order.ts";

/**
 * What the checks of an order ask for, so that they need not walk every order and fill that is still kept. Says nothing
 * that `orders`, `fills` and `cards` do not say; kept beside them by `kept-orders.ts` and `kept-cards.ts` and by nothing
 * else.
 */
export type StateIndex = {
  /** In order of approval. */
  readonly openOrderIds: Set<string>;
  /**
   * Kept orders in order of approval, each with the newest creation time so far: it never falls, even where the clock was
   * set back between two runs.
   */
  readonly placed: { readonly clientOid: string; readonly newestMs: number }[];
  /** Shares that each strategy bought less those it sold, by token; tokens at zero are left out. */
  readonly netShares: Map<Order["strategy"], Map<TokenId, number>>;
  readonly provisionalFillIds: Set<string>;
  readonly fillIdsByHash: Map<string, string[]>;
  /** Nonces of open cards by the markets of their orders; a market without one is left out. */
  readonly openCards: Map<ConditionId, Set<string>>;
};

export function createIndex(): StateIndex {
  return {
    openOrderIds: new Set(),
    placed: [],
    netShares: new Map(),
    provisionalFillIds: new Set(),
    fillIdsByHash: new Map(),
    openCards: new Map(),
  };
}
