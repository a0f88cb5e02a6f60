import type { Scheduler } from "./scheduler.ts";

/** How things reach one process: never after its death, and not while it is suspended. */
export class Lifeline {
  readonly #scheduler: Scheduler;
  #isAlive = true;
  #sleptMs = 0;
  #stoodStillMs = 0;
  /** What came while the process was suspended; null while it runs. */
  #backlog: (() => void)[] | null = null;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get isRunning(): boolean {
    return this.#isAlive && this.#backlog === null;
  }

  get wasSuspended(): boolean {
    return this.#stoodStillMs > 0 || this.#backlog !== null;
  }

  /** Virtual time that the process ran: what it leaves undone while it stands still is not its silence. */
  get ranMs(): number {
    return this.#scheduler.nowMs - this.#stoodStillMs;
  }

  /** Calls back inside the process; the returned function cancels it. */
  after(delayMs: number, run: () => void): () => void {
    let isCanceled = false;
    const cancel = this.#scheduler.after(delayMs, () => {
      this.#deliver(() => {
        if (!isCanceled) run();
      });
    });
    return () => {
      isCanceled = true;
      cancel();
    };
  }

  #deliver(run: () => void): void {
    if (!this.#isAlive) return;
    if (this.#backlog === null) run();
    else this.#backlog.push(run);
  }

  /** Milliseconds that the machine slept: its monotonic clock stood still as well. */
  get sleptMs(): number {
    return this.#sleptMs;
  }

  /**
   * The process stands still while the world goes on; what came meanwhile comes in order afterwards. When the whole
   * machine sleeps, its monotonic clock does too.
   */
  suspend(forMs: number, isMachine: boolean): void {
    if (!this.isRunning) return;
    this.#backlog = [];
    this.#scheduler.after(forMs, () => {
      this.#stoodStillMs += forMs;
      if (isMachine) this.#sleptMs += forMs;
      const waiting = this.#backlog ?? [];
      this.#backlog = null;
      for (const run of waiting) this.after(0, run);
    });
  }

  die(): void {
    this.#isAlive = false;
    this.#backlog = null;
  }
}
