/** So many frames in a row have to be late, or early: single ones that the venue held back or misdated mean nothing. */
const framesMin = 50;

/**
 * How far behind a connection's reader is. A frame bears the venue's time of its change; the clocks may differ, so the
 * smallest difference seen on the connection counts as no lag at all.
 */
export class LagWatch {
  readonly #maxMs: number;
  #leastMs = Number.POSITIVE_INFINITY;
  #early = 0;
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
    this.#early = 0;
    this.#late = 0;
    this.#lagMs = 0;
  }

  /** Takes our time less the frame's; true when the reader cannot keep up and the backlog had better be thrown away. */
  isBehind(differenceMs: number): boolean {
    // A jump ahead by more than any lag that is borne has to last before all other frames are called late.
    const isJump = Number.isFinite(this.#leastMs) && differenceMs < this.#leastMs - this.#maxMs;
    this.#early = isJump ? this.#early + 1 : 0;
    if (isJump && this.#early < framesMin) return false;
    this.#leastMs = Math.min(this.#leastMs, differenceMs);
    this.#lagMs = differenceMs - this.#leastMs;
    this.#late = this.#lagMs > this.#maxMs ? this.#late + 1 : 0;
    return this.#late >= framesMin;
  }
}
