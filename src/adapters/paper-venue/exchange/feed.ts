import type { Market } from "./market.ts";
import type { LevelChange } from "./wire.ts";
import { bestBidAskFrame, bookFrame, lastTradeFrame, priceChangeFrame } from "./wire.ts";
import type { MarketFrame, UserFrame, Work } from "./work.ts";

/** Who carries frames to clients. */
export type FeedListener = {
  /** Whether any connection holds one of these tokens; without one no hash is computed. */
  wants(tokens: readonly string[]): boolean;
  market(frame: MarketFrame): void;
  user(frame: UserFrame): void;
};

function levelChanges(market: Market): LevelChange[] {
  const bids = market.book.bids.takeChanges().map((change) => ({ isBid: true, ...change }));
  const asks = market.book.asks.takeChanges().map((change) => ({ isBid: false, ...change }));
  return [...bids, ...asks];
}

/** Sends what an action did: price changes, then books and last trade prices when it traded, then the best prices. */
export class Feed {
  readonly #listeners = new Set<FeedListener>();

  add(listener: FeedListener): void {
    this.#listeners.add(listener);
  }

  publish(work: Work): void {
    for (const market of work.touched) this.#publishMarket(market, work);
    for (const frame of work.marketFrames) this.#send(frame);
    for (const frame of work.userFrames) {
      for (const listener of this.#listeners) listener.user(frame);
    }
  }

  #publishMarket(market: Market, work: Work): void {
    const changes = levelChanges(market);
    const prints = work.prints.get(market) ?? [];
    if (changes.length === 0 && prints.length === 0) return;
    // Every frame of an action carries the final hash and best prices, so the book is stamped once.
    market.book.stamp(work.nowMs);
    market.sample(work.nowMs);
    const tokens = [market.token(0), market.token(1)];
    if (![...this.#listeners].some((listener) => listener.wants(tokens))) return;
    for (const change of changes) {
      const json = JSON.stringify(priceChangeFrame(market, change));
      this.#send({ kind: "price_change", tokens, json });
    }
    if (prints.length > 0) {
      for (const outcome of [0, 1] as const) {
        const json = JSON.stringify(bookFrame(market, outcome, false));
        this.#send({ kind: "book", tokens: [market.token(outcome)], json });
      }
    }
    for (const print of prints) {
      const json = JSON.stringify(lastTradeFrame(market, print));
      this.#send({ kind: "last_trade_price", tokens: [market.token(print.outcome)], json });
    }
    this.#publishBest(market);
  }

  #publishBest(market: Market): void {
    const { bid, ask } = market.book.best(0);
    const best = `${bid ?? ""}/${ask ?? ""}`;
    if (best === market.lastBest) return;
    market.lastBest = best;
    for (const outcome of [0, 1] as const) {
      const json = JSON.stringify(bestBidAskFrame(market, outcome));
      this.#send({ kind: "best_bid_ask", tokens: [market.token(outcome)], json });
    }
  }

  #send(frame: MarketFrame): void {
    for (const listener of this.#listeners) listener.market(frame);
  }
}
