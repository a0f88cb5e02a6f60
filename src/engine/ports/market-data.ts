import type { ResyncReason } from "../domain/book-health.ts";
import type { ConditionId, TokenId } from "../domain/market.ts";
import type { MarketEvent } from "../domain/market-event.ts";
import type { FeedHealth } from "../protocol/feed-health.ts";
import type { BookRead } from "../protocol/venue-report.ts";

export type WatchedMarket = {
  readonly conditionId: ConditionId;
  readonly tokenIds: readonly [TokenId, TokenId];
};

/** Connection news of the public stream. A new epoch starts with every connection; its books begin empty. */
export type FeedEvent =
  | {
      readonly kind: "link.up";
      readonly feed: "market";
      readonly epoch: number;
      /** Connections that are still away. */
      readonly away?: number;
    }
  /** Markets that were carried by the lost connection and by no other one. */
  | {
      readonly kind: "link.lost";
      readonly feed: "market";
      readonly conditionIds: readonly ConditionId[];
      readonly detail: string;
      /** Closed by the venue or the network unless said: no data although the venue had some, or a reader too slow. */
      readonly cause?: "silent" | "lagging";
    };

/** Why a snapshot is asked for, and the name of the request in the log. */
export type ResyncRequest = { readonly reason: ResyncReason; readonly resyncId: string };

export type MarketFeedListener = (events: readonly (MarketEvent | FeedEvent)[]) => void;

/** Public market data. Subscribes to one token a market (index 0): the other is its mirror. */
export type MarketDataPort = {
  start(listener: MarketFeedListener): void;
  watch(markets: readonly WatchedMarket[]): void;
  unwatch(conditionIds: readonly ConditionId[]): void;
  /** Asks for a fresh snapshot of one market: unsubscribe and subscribe on the same connection. */
  resync(conditionId: ConditionId, request?: ResyncRequest): void;
  /** Carry these markets, and no others, on a second connection as well; what comes first counts. */
  double?(conditionIds: readonly ConditionId[]): void;
  /** One REST read of token 0's book. */
  readBook(market: WatchedMarket): Promise<BookRead>;
  counters(): FeedCounters;
  /** Every connection and what was noticed on them; absent where there is no connection to speak of. */
  health?(): FeedHealth;
  close(): Promise<void>;
};

export type FeedCounters = {
  readonly connections: number;
  readonly watched: number;
  readonly frames: number;
  readonly framesInvalid: number;
  readonly reconnects: number;
  readonly lastFrameAtMs: number | null;
};
