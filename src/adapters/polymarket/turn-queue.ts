import { type BucketRate, TokenBucket } from "./token-bucket.ts";

/**
 * Takers of something of which there is only so much a second, in the order in which they asked, each key once. Who leaves
 * gives its place back: requests that came to nothing must not make those after them wait.
 */
export class TurnQueue {
  readonly #bucket: TokenBucket;
  readonly #waiting = new Map<string, () => void>();
  #timer: NodeJS.Timeout | null = null;

  constructor(rate: BucketRate) {
    this.#bucket = new TokenBucket(rate, () => performance.now());
  }

  has(key: string): boolean {
    return this.#waiting.has(key);
  }

  /** Acts at once when a turn is free, which true says, else in its turn. Who waits already keeps its place. */
  enter(key: string, act: () => void): boolean {
    if (this.#waiting.size === 0 && this.#timer === null && this.#bucket.take(1, 0) === 0) {
      act();
      return true;
    }
    this.#waiting.set(key, act);
    this.#awaitTurn();
    return false;
  }

  leave(key: string): void {
    this.#waiting.delete(key);
  }

  /** Nobody has a turn for this long: the venue said so. */
  pause(forMs: number): void {
    this.#bucket.pause(forMs);
  }

  /** How much of a pause is left; 0 when there is none. */
  pausedForMs(): number {
    return this.#bucket.pausedForMs();
  }

  close(): void {
    this.#waiting.clear();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Only the turn of the first in the queue is taken ahead. */
  #awaitTurn(): void {
    if (this.#timer !== null || this.#waiting.size === 0) return;
    const turnMs = this.#bucket.take(1, Number.POSITIVE_INFINITY) ?? 0;
    this.#timer = setTimeout(() => this.#next(), turnMs);
  }

  #next(): void {
    const pausedMs = this.pausedForMs();
    if (pausedMs > 0) {
      this.#timer = setTimeout(() => this.#next(), pausedMs);
      return;
    }
    this.#timer = null;
    for (const [key, act] of this.#waiting) {
      this.#waiting.delete(key);
      act();
      break;
    }
    this.#awaitTurn();
  }
}
