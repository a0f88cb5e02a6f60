import type { Woken } from "../core/wake-up.ts";
import type { Clock } from "../ports/system.ts";
import type { LiveState } from "../state/engine-state.ts";

/** Markets of one wake-up at most: its step stays short, and what is left comes in the next turn. */
export const wokenMax = 64;

export type WakeUpCounts = {
  /** Changes of books that strategies listen to. */
  readonly changes: number;
  /** Wake-ups made of them, one a market: the difference was joined, never a frame. */
  readonly wakeUps: number;
};

/**
 * Wakes the strategies: one input a turn of the loop however many frames came in it, so that under load the frames go first
 * and only the wake-ups are joined. The market that waits longest comes first, and there is one timer for all of them.
 */
export class WakeUps {
  readonly #live: Pick<LiveState, "changedBooks">;
  readonly #clock: Pick<Clock, "after">;
  readonly #run: (books: readonly Woken[]) => void;
  #cancel: (() => void) | null = null;
  #stopped = false;
  #changes = 0;
  #wakeUps = 0;

  /** `run` makes the step. */
  constructor(
    live: Pick<LiveState, "changedBooks">,
    clock: Pick<Clock, "after">,
    run: (books: readonly Woken[]) => void,
  ) {
    this.#live = live;
    this.#clock = clock;
    this.#run = run;
  }

  get counts(): WakeUpCounts {
    return { changes: this.#changes, wakeUps: this.#wakeUps };
  }

  /** Called after every step. */
  stepped(): void {
    if (this.#live.changedBooks.size === 0 || this.#cancel !== null || this.#stopped) return;
    this.#cancel = this.#clock.after(0, () => {
      this.#cancel = null;
      this.#wake();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  #wake(): void {
    const books: Woken[] = [];
    for (const [conditionId, changes] of this.#live.changedBooks) {
      if (books.length === wokenMax) break;
      books.push([conditionId, changes]);
      this.#changes += changes;
    }
    // The market may have ended meanwhile.
    if (books.length === 0) return;
    this.#wakeUps += books.length;
    this.#run(books);
  }
}
