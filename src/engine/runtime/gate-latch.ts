/** How long the command that belongs to a closed gate may be on its way. */
const unconfirmedKillMs = 5_000;

/** The gate in memory: closed at once by anybody, opened only by somebody who knows of every closing. */
export class GateLatch {
  #closed: boolean;
  #closings = 0;
  #ending = false;
  /** When the gate was closed by somebody whose command has not been worked on yet. */
  #unexplainedSinceMs: number | null = null;

  constructor(closed: boolean) {
    this.#closed = closed;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** How often it was closed: whoever opens it says up to which closing he knew. */
  get closings(): number {
    return this.#closings;
  }

  /** The process is ending: nothing new leaves, and nobody has to explain it. */
  get ending(): boolean {
    return this.#ending;
  }

  end(): void {
    this.#ending = true;
  }

  close(nowMs: number): void {
    this.#closed = true;
    this.#unexplainedSinceMs ??= nowMs;
    this.#closings++;
  }

  /** A later closing wins over an earlier wish to open. */
  open(closings: number): void {
    if (this.#closings !== closings) return;
    this.#closed = false;
    this.#unexplainedSinceMs = null;
  }

  /** True once when it was closed for a while and nothing that came since says why. */
  isUnexplained(nowMs: number, explained: boolean): boolean {
    if (explained) this.#unexplainedSinceMs = null;
    if (this.#unexplainedSinceMs === null) return false;
    if (nowMs - this.#unexplainedSinceMs < unconfirmedKillMs) return false;
    this.#unexplainedSinceMs = null;
    return true;
  }
}
