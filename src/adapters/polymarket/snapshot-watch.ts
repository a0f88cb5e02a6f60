import type { ResyncRequest } from "../../engine/ports/market-data.ts";
import type { Log } from "../../engine/ports/system.ts";
import { backOffMs } from "./back-off.ts";
import type { FeedTimings } from "./feed-timings.ts";
import { type BucketRate, TokenBucket } from "./token-bucket.ts";

/** What a wait for a snapshot can do. Each call may fail silently: the wait goes on until a snapshot came. */
export type SnapshotSource = {
  /** Unsubscribe and subscribe on the open connection. False while there is none. */
  readonly resubscribe: (conditionId: string) => boolean;
  /** Reads the book by REST and hands it on; false when that failed. */
  readonly readByRest: (conditionId: string) => Promise<boolean>;
};

type Wait = { timer: NodeJS.Timeout; restAttempts: number };

/** The last request for a snapshot of one market. */
type Resync = {
  atMs: number;
  /** Requests in a row that did not bring rest. */
  inRow: number;
  request: ResyncRequest | null;
  /** The snapshot that was asked for has not come. */
  isOpen: boolean;
};

/** Durations that are kept for the percentiles. */
const keptDurations = 512;
const maxDoublings = 20;

/**
 * Waits for the snapshot of each market that needs one: first from the stream, then by REST with a back-off that never
 * ends while the market is watched, because without a book the market is blind. Requests are throttled twice: one market
 * may ask again only after a pause that doubles while snapshots do not help, and all together take turns.
 */
export class SnapshotWatch {
  readonly #source: SnapshotSource;
  readonly #timings: FeedTimings;
  readonly #log: Log;
  readonly #bucket: TokenBucket;
  /** REST reads take turns as well: a stream without books must not become thousands of requests at once. */
  readonly #reads: TokenBucket;
  readonly #waits = new Map<string, Wait>();
  readonly #resyncs = new Map<string, Resync>();
  /** Newest durations from request to snapshot, milliseconds, overwritten in a circle. */
  readonly #durations: number[] = [];
  #asked = 0;
  #throttled = 0;

  constructor(source: SnapshotSource, timings: FeedTimings, rate: BucketRate, log: Log) {
    this.#source = source;
    this.#timings = timings;
    this.#log = log;
    this.#bucket = new TokenBucket(rate, () => performance.now());
    this.#reads = new TokenBucket(rate, () => performance.now());
  }

  /** Snapshots asked for because a book was not believed, and requests that had to wait. */
  counters(): { readonly asked: number; readonly throttled: number; readonly waiting: number } {
    return { asked: this.#asked, throttled: this.#throttled, waiting: this.#waits.size };
  }

  /** Milliseconds from request to snapshot, newest 512. */
  durations(): readonly number[] {
    return this.#durations;
  }

  /** A subscription was just sent: its snapshot is due. */
  expect(conditionId: string): void {
    this.#schedule(conditionId, this.#timings.snapshotLimitMs, 0);
  }

  /** Asks for a fresh snapshot as soon as the throttles let it; requests meanwhile are joined to the waiting one. */
  resync(conditionId: string, request: ResyncRequest | null): void {
    const nowMs = performance.now();
    const last = this.#resyncs.get(conditionId);
    const pauseMs = last === undefined ? 0 : this.#pauseMs(last, nowMs);
    if (pauseMs > 0) {
      this.#later(conditionId, pauseMs, () => this.resync(conditionId, request));
      return;
    }
    const turnMs = this.#bucket.take(1, Number.POSITIVE_INFINITY) ?? 0;
    if (turnMs > 0) this.#later(conditionId, turnMs, () => this.#ask(conditionId, request));
    else this.#ask(conditionId, request);
  }

  #ask(conditionId: string, request: ResyncRequest | null): void {
    const nowMs = performance.now();
    const last = this.#resyncs.get(conditionId);
    const isAgain = last !== undefined && nowMs - last.atMs < this.#timings.resyncLongestMs;
    const inRow = isAgain ? last.inRow + 1 : 0;
    this.#resyncs.set(conditionId, { atMs: nowMs, inRow, request, isOpen: true });
    this.#asked++;
    this.#log.info("market_feed.resync", { conditionId, ...request });
    // Without a connection the next one subscribes anew anyway.
    if (this.#source.resubscribe(conditionId)) this.expect(conditionId);
  }

  /** A snapshot of the market came. */
  arrived(conditionId: string): void {
    this.#clear(conditionId);
    const resync = this.#resyncs.get(conditionId);
    if (resync?.isOpen !== true) return;
    resync.isOpen = false;
    const tookMs = performance.now() - resync.atMs;
    this.#durations[(this.#asked - 1) % keptDurations] = tookMs;
    this.#log.info("market_feed.resynced", { conditionId, tookMs, ...resync.request });
  }

  /** The connection of the market is gone: the next one subscribes anew. */
  lost(conditionId: string): void {
    this.#clear(conditionId);
  }

  /** The market is not watched any more. */
  forget(conditionId: string): void {
    this.#clear(conditionId);
    this.#resyncs.delete(conditionId);
  }

  close(): void {
    for (const conditionId of this.#waits.keys()) this.#clear(conditionId);
  }

  /** What is left of the pause after the last request; it doubles with each request in a row. */
  #pauseMs(last: Resync, nowMs: number): number {
    const { resyncEveryMs, resyncLongestMs } = this.#timings;
    const doubled = resyncEveryMs * 2 ** Math.min(last.inRow, maxDoublings);
    return Math.max(0, last.atMs + Math.min(resyncLongestMs, doubled) - nowMs);
  }

  #later(conditionId: string, pauseMs: number, act: () => void): void {
    this.#throttled++;
    this.#clear(conditionId);
    const timer = setTimeout(act, pauseMs);
    this.#waits.set(conditionId, { timer, restAttempts: 0 });
  }

  #schedule(conditionId: string, delayMs: number, restAttempts: number): void {
    this.#clear(conditionId);
    const timer = setTimeout(() => this.#fallBack(conditionId), delayMs);
    this.#waits.set(conditionId, { timer, restAttempts });
  }

  #fallBack(conditionId: string): void {
    const wait = this.#waits.get(conditionId);
    if (wait === undefined) return;
    const turnMs = this.#reads.take(1, Number.POSITIVE_INFINITY) ?? 0;
    wait.timer = setTimeout(() => void this.#read(conditionId, wait), turnMs);
  }

  async #read(conditionId: string, wait: Wait): Promise<void> {
    const got = await this.#source.readByRest(conditionId);
    // The stream may have answered, or the market may have been left, while we read.
    if (this.#waits.get(conditionId) !== wait) return;
    if (got) {
      this.arrived(conditionId);
      return;
    }
    const attempts = wait.restAttempts + 1;
    const pauseMs = this.#timings.snapshotLimitMs + backOffMs(attempts, this.#timings);
    this.#schedule(conditionId, pauseMs, attempts);
  }

  #clear(conditionId: string): void {
    const wait = this.#waits.get(conditionId);
    if (wait === undefined) return;
    clearTimeout(wait.timer);
    this.#waits.delete(conditionId);
  }
}
