import type { ResyncReason } from "../domain/book-health.ts";
import type { ConditionId } from "../domain/market.ts";
import type { Price, Usd } from "../domain/numbers.ts";
import type { FeedHealth } from "../protocol/feed-health.ts";

/** How one followed market fares in this run. */
export type MarketHealthView = {
  readonly conditionId: ConditionId;
  /** The condition id while the catalog has not told the slug. */
  readonly slug: string;
  readonly status: "waiting" | "live" | "stale";
  /** Why it is not live; null while it is, or before its first book. */
  readonly reason: ResyncReason | null;
  /** Milliseconds since the book was last known to be right; null while it is not live. */
  readonly ageMs: number | null;
  readonly applied: number;
  readonly invalid: number;
  readonly repeated: number;
  readonly outdated: number;
  readonly hashesVerified: number;
  readonly hashesFailed: number;
  readonly hashesSkipped: number;
  readonly resyncs: Readonly<Partial<Record<ResyncReason, number>>>;
  readonly resyncsTotal: number;
  /** Resyncs for each frame applied; 0 before the first frame. */
  readonly resyncRatio: number;
  /** From the last request to the snapshot, milliseconds; null while there was none. */
  readonly lastResyncMs: number | null;
  readonly tickSize: Price;
  readonly tickEpoch: number;
  /** Of outcome 0; null when that side is empty or the book is not live. */
  readonly bid: Price | null;
  readonly ask: Price | null;
  readonly levels: number;
  /** Dollars resting within 2 cents of the best price of outcome 0. */
  readonly bidDepthUsd: Usd;
  readonly askDepthUsd: Usd;
};

/** Percentiles over the newest orders of this run, milliseconds; null before the first. */
export type StageView = {
  readonly stage: string;
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
};

/** Market data at large, for the status of the desk. */
export type DataView = {
  readonly applied: number;
  readonly invalid: number;
  readonly resyncs: number;
  /** Books judged by best prices alone, because hashes fail everywhere. */
  readonly hashesTrusted: boolean;
  /** The live book that was not heard of for longest; null without a live book. */
  readonly oldestMs: number | null;
};

/** Everything about the market data and the order path of this run. */
export type DataReport = {
  readonly atMs: number;
  readonly data: DataView;
  readonly markets: readonly MarketHealthView[];
  readonly resyncs: Readonly<Partial<Record<ResyncReason, number>>>;
  /** Null where market data does not come over connections. */
  readonly feed: FeedHealth | null;
  readonly stages: readonly StageView[];
  /** Changes of books that strategies listen to, and the wake-ups that were made of them. */
  readonly wakeUps: { readonly changes: number; readonly wakeUps: number };
};
