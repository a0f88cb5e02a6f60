import { backOffMs } from "./back-off.ts";
import type { FeedTimings } from "./feed-timings.ts";

/** What a wait for a snapshot can do. Each call may fail silently: the wait goes on until a snapshot came. */
export type SnapshotSource = {
  /** Unsubscribe and subscribe on the open connection. False while there is none. */
  readonly resubscribe: (conditionId: string) => boolean;
  /** Reads the book by REST and hands it on; false when that failed. */
  readonly readByRest: (conditionId: string) => Promise<boolean>;
};

type Wait = { timer: NodeJS.Timeout; restAttempts: number };

/**
 * Waits for the snapshot of each market that needs one: first from the stream, then by REST with a back-off that never
 * ends while the market is watched, because without a book the market is blind.
 */
export class SnapshotWatch {
  readonly #source: SnapshotSource;
  readonly #timings: FeedTimings;
  readonly #waits = new Map<string, Wait>();
  readonly #resyncedAtMs = new Map<string, number>();

  constructor(source: SnapshotSource, timings: FeedTimings) {
    this.#source = source;
    this.#timings = timings;
  }

  /** A subscription was just sent: its snapshot is due. */
  expect(conditionId: string): void {
    this.#schedule(conditionId, this.#timings.snapshotLimitMs, 0);
  }

  /** Asks for a fresh snapshot, at most once in 250 ms a market; a request in between is joined to the next. */
  resync(conditionId: string): void {
    const { resyncEveryMs } = this.#timings;
    const sinceMs = performance.now() - (this.#resyncedAtMs.get(conditionId) ?? -resyncEveryMs);
    if (sinceMs < resyncEveryMs) {
      this.#clear(conditionId);
      const timer = setTimeout(() => this.resync(conditionId), resyncEveryMs - sinceMs);
      this.#waits.set(conditionId, { timer, restAttempts: 0 });
      return;
    }
    this.#resyncedAtMs.set(conditionId, performance.now());
    // Without a connection the next one subscribes anew anyway.
    if (this.#source.resubscribe(conditionId)) this.expect(conditionId);
  }

  /** A snapshot of the market came. */
  arrived(conditionId: string): void {
    this.#clear(conditionId);
  }

  /** The market is not watched any more, or its connection is gone. */
  forget(conditionId: string): void {
    this.#clear(conditionId);
    this.#resyncedAtMs.delete(conditionId);
  }

  close(): void {
    for (const conditionId of this.#waits.keys()) this.#clear(conditionId);
  }

  #schedule(conditionId: string, delayMs: number, restAttempts: number): void {
    this.#clear(conditionId);
    const timer = setTimeout(() => void this.#fallBack(conditionId), delayMs);
    this.#waits.set(conditionId, { timer, restAttempts });
  }

  async #fallBack(conditionId: string): Promise<void> {
    const wait = this.#waits.get(conditionId);
    if (wait === undefined) return;
    const got = await this.#source.readByRest(conditionId);
    // The stream may have answered, or the market may have been left, while we read.
    if (this.#waits.get(conditionId) !== wait) return;
    if (got) {
      this.#clear(conditionId);
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
