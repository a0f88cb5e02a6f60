import type { MarketRef } from "../api/requests.ts";
import type { ConditionId, Market } from "../domain/market.ts";
import type { Result } from "../lib/result.ts";
import type { EngineState } from "../state/engine-state.ts";
import type { Books } from "./books.ts";

/** A market that the catalog did not name is asked for again after this long. */
const retryMs = 60_000;

export type OutsideMarketsDeps = {
  readonly state: EngineState;
  readonly books: Books;
  readonly find: (ref: MarketRef, limit: number) => Promise<Result<readonly Market[], unknown>>;
};

/** Somebody else can trade a market that this desk never looked at: its name, fee and prices are fetched then. */
export class OutsideMarkets {
  readonly #deps: OutsideMarketsDeps;
  readonly #askedAtMs = new Map<ConditionId, number>();
  readonly #watched = new Set<ConditionId>();

  constructor(deps: OutsideMarketsDeps) {
    this.#deps = deps;
  }

  /** Called now and then; asks for what is missing, one question a market at a time. */
  learn(nowMs: number): void {
    const { state } = this.#deps;
    for (const order of state.externalOrders.values()) this.#need(order.conditionId, nowMs);
    for (const position of state.positions.values()) {
      if (position.external !== 0) {
        const token = state.tokens.get(position.tokenId);
        this.#need(token?.conditionId ?? position.conditionId, nowMs);
      }
    }
  }

  #need(conditionId: ConditionId, nowMs: number): void {
    const { state, books, find } = this.#deps;
    if (this.#watched.has(conditionId)) return;
    const market = state.markets.get(conditionId);
    if (market !== undefined) {
      this.#watched.add(conditionId);
      this.#askedAtMs.delete(conditionId);
      books.watch([market]);
      return;
    }
    if (nowMs - (this.#askedAtMs.get(conditionId) ?? Number.NEGATIVE_INFINITY) < retryMs) return;
    this.#askedAtMs.set(conditionId, nowMs);
    void find({ by: "conditionId", value: conditionId }, 1);
  }
}
