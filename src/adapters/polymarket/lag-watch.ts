/** So many frames in a row have to be late: one that the venue itself held back is no backlog of ours. */
const lateFramesMin = 50;

/**
 * How far behind a connection's reader is. A frame bears the venue's time of its change; the clocks may differ, so the
 * smallest difference seen on the connection counts as no lag at all.
 */
export class LagWatch {
  readonly #maxMs: number;
  #leastMs = Number.POSITIVE_INFINITY;
  #late = 0;
  #lagMs = 0;

  constructor(maxMs: number) {
    this.#maxMs = maxMs;
  }

  /** Milliseconds that the newest frame was late. */
  get lagMs(): number {
    return this.#lagMs;
  }

  /** A new connection: nothing is buffered any more. */
  begin(): void {
    this.#leastMs = Number.POSITIVE_INFINITY;
    this.#late = 0;
    this.#lagMs = 0;
  }

  /** Takes our time less the frame's; true when the reader cannot keep up and the backlog had better be thrown away. */
  isBehind(differenceMs: number): boolean {
    this.#leastMs = Math.min(this.#leastMs, differenceMs);
    this.#lagMs = differenceMs - this.#leastMs;
    this.#late = this.#lagMs > this.#maxMs ? this.#late + 1 : 0;
    return this.#late >= lateFramesMin;
  }
}
