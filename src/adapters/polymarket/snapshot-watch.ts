import type { ResyncRequest } from "../../engine/ports/market-data.ts";
import type { Log } from "../../engine/ports/system.ts";
import { backOffMs } from "./back-off.ts";
import type { FeedTimings } from "./feed-timings.ts";
import type { BucketRate } from "./token-bucket.ts";
import { TurnQueue } from "./turn-queue.ts";

/** What a wait for a snapshot can do. Each call may fail silently: the wait goes on until a snapshot came. */
export type SnapshotSource = {
  /** Unsubscribe and subscribe on the open connection. False while there is none. */
  readonly resubscribe: (conditionId: string) => boolean;
  /** Reads the book by REST and hands it on; false when that failed. */
  readonly readByRest: (conditionId: string) => Promise<boolean>;
};

type Wait = {
  /** Null while it has its place among those who take turns, or while its book is read. */
  timer: NodeJS.Timeout | null;
  readonly restAttempts: number;
};

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
  readonly #turns: TurnQueue;
  /** REST reads take turns as well: a stream without books must not become thousands of requests at once. */
  readonly #reads: TurnQueue;
  readonly #waits = new Map<string, Wait>();
  readonly #resyncs = new Map<string, Resync>();
  /** Newest durations from request to snapshot, milliseconds, overwritten in a circle. */
  readonly #durations: number[] = [];
  #asked = 0;
  #measured = 0;
  #throttled = 0;

  constructor(source: SnapshotSource, timings: FeedTimings, rate: BucketRate, log: Log) {
    this.#source = source;
    this.#timings = timings;
    this.#log = log;
    this.#turns = new TurnQueue(rate);
    this.#reads = new TurnQueue(rate);
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
      this.#throttled++;
      this.#clear(conditionId);
      const timer = setTimeout(() => this.resync(conditionId, request), pauseMs);
      this.#waits.set(conditionId, { timer, restAttempts: 0 });
      return;
    }
    if (!this.#turns.has(conditionId)) this.#clear(conditionId);
    if (this.#turns.enter(conditionId, () => this.#ask(conditionId, request))) return;
    this.#throttled++;
    this.#waits.set(conditionId, { timer: null, restAttempts: 0 });
  }

  #ask(conditionId: string, request: ResyncRequest | null): void {
    const nowMs = performance.now();
    const last = this.#resyncs.get(conditionId);
    // At rest is what was left alone for the longest pause beyond its own one.
    const isAgain =
      last !== undefined && nowMs < this.#mayAskAtMs(last) + this.#timings.resyncLongestMs;
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
    this.#durations[this.#measured++ % keptDurations] = tookMs;
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

  /** The venue refused a read: none is made for this long. */
  pauseReads(forMs: number): void {
    this.#reads.pause(forMs);
  }

  /** How much of that is left; 0 when reads may be made. */
  readsPausedForMs(): number {
    return this.#reads.pausedForMs();
  }

  close(): void {
    this.#turns.close();
    this.#reads.close();
    for (const conditionId of this.#waits.keys()) this.#clear(conditionId);
  }

  /** What is left of the pause after the last request. */
  #pauseMs(last: Resync, nowMs: number): number {
    return Math.max(0, Math.ceil(this.#mayAskAtMs(last) - nowMs));
  }

  /** The pause doubles with each request in a row. */
  #mayAskAtMs({ atMs, inRow }: Resync): number {
    const { resyncEveryMs, resyncLongestMs } = this.#timings;
    return atMs + Math.min(resyncLongestMs, resyncEveryMs * 2 ** Math.min(inRow, maxDoublings));
  }

  #schedule(conditionId: string, delayMs: number, restAttempts: number): void {
    this.#clear(conditionId);
    const timer = setTimeout(() => this.#fallBack(conditionId), delayMs);
    this.#waits.set(conditionId, { timer, restAttempts });
  }

  #fallBack(conditionId: string): void {
    const wait = this.#waits.get(conditionId);
    if (wait === undefined) return;
    wait.timer = null;
    this.#reads.enter(conditionId, () => void this.#read(conditionId, wait));
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
    if (wait.timer !== null) clearTimeout(wait.timer);
    this.#turns.leave(conditionId);
    this.#reads.leave(conditionId);
    this.#waits.delete(conditionId);
  }
}
