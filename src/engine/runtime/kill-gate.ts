/** How long the command that belongs to a closed gate may be on its way. */
const unconfirmedKillMs = 5_000;

/** The gate that a kill closes in memory at once, whatever the disk or the chat do; what makes it last comes after. */
export class KillGate {
  #closed: boolean;
  #closings = 0;
  /** When the gate was closed by somebody whose command has not been worked on yet. */
  #unexplainedSinceMs: number | null = null;

  constructor(closed: boolean) {
    this.#closed = closed;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** How often the gate was closed: whoever opens it says up to which closing he knew. */
  get closings(): number {
    return this.#closings;
  }

  close(nowMs: number): void {
    this.#closed = true;
    this.#unexplainedSinceMs ??= nowMs;
    this.#closings++;
  }

  /** Opens unless it was closed again since `closings` was read: a later kill wins over an earlier resume. */
  open(closings: number): void {
    if (this.#closings !== closings) return;
    this.#closed = false;
    this.#unexplainedSinceMs = null;
  }

  /**
   * True once, when the gate was closed and no command followed in time. A kill or halt that came since explains the gate,
   * whoever ends it later.
   */
  isOverdue(nowMs: number, isExplained: boolean): boolean {
    if (isExplained) this.#unexplainedSinceMs = null;
    const since = this.#unexplainedSinceMs;
    if (since === null || nowMs - since < unconfirmedKillMs) return false;
    this.#unexplainedSinceMs = null;
    return true;
  }
}
