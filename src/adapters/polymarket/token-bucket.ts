/** Tokens a second, and how many may be taken at once after a rest. */
export type BucketRate = { readonly perSecond: number; readonly burst: number };

/**
 * A token bucket whose takers queue: a taker that may wait is given the moment at which its tokens are there, and those
 * after it wait behind it. Time is monotonic milliseconds.
 */
export class TokenBucket {
  readonly #rate: BucketRate;
  readonly #nowMs: () => number;
  #tokens: number;
  #atMs: number;
  #pausedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(rate: BucketRate, nowMs: () => number) {
    this.#rate = rate;
    this.#nowMs = nowMs;
    this.#tokens = rate.burst;
    this.#atMs = nowMs();
  }

  /**
   * Takes `cost` tokens and returns how long to wait before using them, 0 for at once; null takes nothing: they would
   * come later than `waitMaxMs`, or never, because they are more than the bucket holds.
   */
  take(cost: number, waitMaxMs: number): number | null {
    const { perSecond, burst } = this.#rate;
    if (cost > burst) return null;
    const nowMs = this.#nowMs();
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#atMs) * perSecond) / 1_000);
    this.#atMs = nowMs;
    const missing = Math.max(0, cost - this.#tokens);
    const waitMs = Math.max(this.pausedForMs(), Math.ceil((missing * 1_000) / perSecond));
    if (waitMs > waitMaxMs) return null;
    this.#tokens -= cost;
    return waitMs;
  }

  /** Nothing leaves for this long: the venue said so. A shorter pause does not end a longer one. */
  pause(forMs: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#nowMs() + forMs);
  }

  /** How much of a pause is left; 0 when there is none. */
  pausedForMs(): number {
    return Math.max(0, Math.ceil(this.#pausedUntilMs - this.#nowMs()));
  }
}
