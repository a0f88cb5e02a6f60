import { setTimeout as sleep } from "node:timers/promises";
import { type BucketRate, TokenBucket } from "./token-bucket.ts";

/** Our own limits, for each kind of request that the venue counts by signer (polymarket-trading 6.4). */
export type RateLimits = {
  readonly orders: BucketRate;
  /** Cancels that people and strategies ask for, counted by order. */
  readonly cancels: BucketRate;
  /** Cancel-all, which only a kill uses: nothing else can empty this one. */
  readonly killCancels: BucketRate;
};

/** Half of what the venue's lowest tier takes (40/s and bursts of 60 orders, 80/s and 120 cancels). */
export const defaultRateLimits: RateLimits = {
  orders: { perSecond: 20, burst: 30 },
  cancels: { perSecond: 30, burst: 45 },
  killCancels: { perSecond: 10, burst: 15 },
};

export type RequestKind = keyof RateLimits;

/** What the limits did in this run, for each kind of request. */
export type RateCounters = Readonly<
  Record<
    RequestKind,
    {
      /** Waited for our own limit, or were given up because of it. */
      readonly heldBack: number;
      /** Answered 429 by the venue. */
      readonly refused: number;
    }
  >
>;

/** A 429 without a Retry-After, or with one that cannot be read, pauses for this long. */
const pauseDefaultMs = 1_000;
const pauseMaxMs = 600_000;

/** Holds requests back below the venue's limits: the venue would queue them, and a stale order would arrive late. */
export class RateGuard {
  readonly #counters = {
    orders: { heldBack: 0, refused: 0 },
    cancels: { heldBack: 0, refused: 0 },
    killCancels: { heldBack: 0, refused: 0 },
  };
  readonly #buckets: Readonly<Record<RequestKind, TokenBucket>>;

  constructor(limits: RateLimits, nowMs: () => number = () => performance.now()) {
    this.#buckets = {
      orders: new TokenBucket(limits.orders, nowMs),
      cancels: new TokenBucket(limits.cancels, nowMs),
      killCancels: new TokenBucket(limits.killCancels, nowMs),
    };
  }

  /**
   * True when the request may leave, at once or after a wait; false when that would be later than `waitMaxMs` or never.
   * Not a promise when there is no wait, so that an order loses no turn of the loop.
   */
  admit(kind: RequestKind, cost: number, waitMaxMs: number): boolean | Promise<boolean> {
    const bucket = this.#buckets[kind];
    const waitMs = bucket.take(cost, waitMaxMs);
    if (waitMs === 0) return true;
    this.#counters[kind].heldBack++;
    if (waitMs === null) return false;
    // The venue may say "later" while we wait; the tokens are lost then, which errs on the slow side.
    return sleep(waitMs).then(() => bucket.pausedForMs() === 0);
  }

  counters(): RateCounters {
    return structuredClone(this.#counters);
  }

  /** The venue answered 429: nothing of this kind leaves before what it asked for has passed. */
  refused(kind: RequestKind, retryAfter: string | null): void {
    this.#counters[kind].refused++;
    this.#buckets[kind].pause(pauseAfter429(retryAfter));
  }
}

/** Milliseconds that a 429 with this Retry-After (seconds) asks for. */
export function pauseAfter429(retryAfter: string | null): number {
  const seconds = retryAfter === null ? Number.NaN : Number(retryAfter);
  const pauseMs = Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : pauseDefaultMs;
  return Math.min(pauseMaxMs, Math.max(pauseMs, 1));
}
