import type { ConditionId } from "../domain/market.ts";
import type { EngineState } from "../state/engine-state.ts";

/** Comparisons under way at most: reads that somebody waits for have the same few places. */
const maxUnderWay = 2;

export type BookCanaryParts = {
  readonly state: EngineState;
  /** Reads the book by REST and compares it with ours. */
  readonly compare: (conditionId: ConditionId) => Promise<void>;
  /** Longest time between two comparisons while any book is live. */
  readonly intervalMs: number;
  /** Within this time every live book is compared once, however many there are. */
  readonly roundMs: number;
};

/**
 * A quiet book and a frozen one look alike, and a change that was lost shows only with the next one: REST reads tell them
 * apart. The live books take turns, the one whose last comparison is longest ago first, spread evenly over a round.
 */
export class BookCanary {
  readonly #parts: BookCanaryParts;
  /** When each live book was last compared; one that never was stands first. */
  #comparedAtMs = new Map<ConditionId, number>();
  #nextAtMs = 0;
  #underWay = 0;

  constructor(parts: BookCanaryParts) {
    this.#parts = parts;
  }

  /** Called now and then; starts the comparisons that are due. */
  tick(nowMs: number): void {
    while (this.#underWay < maxUnderWay && nowMs >= this.#nextAtMs) {
      const { intervalMs, roundMs, state } = this.#parts;
      const [conditionId, liveBooks] = this.#oldest();
      const pauseMs = Math.min(intervalMs, roundMs / Math.max(1, liveBooks));
      // What a late tick missed is made up for; a long pause of the process is no reason for a burst of reads.
      this.#nextAtMs = Math.max(this.#nextAtMs, nowMs - maxUnderWay * pauseMs) + pauseMs;
      if (conditionId === null) return;
      // Whatever comes of it: a read that fails must not keep the others from their turn.
      this.#comparedAtMs.set(conditionId, nowMs);
      this.#forgetLeft(state.live.books);
      void this.#compare(conditionId);
    }
  }

  async #compare(conditionId: ConditionId): Promise<void> {
    this.#underWay++;
    try {
      await this.#parts.compare(conditionId);
    } finally {
      this.#underWay--;
    }
  }

  /** The live book that was not compared for longest, and how many live books there are. */
  #oldest(): readonly [ConditionId | null, number] {
    let oldest: ConditionId | null = null;
    let oldestAtMs = Number.POSITIVE_INFINITY;
    let liveBooks = 0;
    for (const { conditionId, status } of this.#parts.state.live.books.values()) {
      if (status !== "live") continue;
      liveBooks++;
      const atMs = this.#comparedAtMs.get(conditionId) ?? Number.NEGATIVE_INFINITY;
      if (atMs >= oldestAtMs) continue;
      oldest = conditionId;
      oldestAtMs = atMs;
    }
    return [oldest, liveBooks];
  }

  #forgetLeft(books: ReadonlyMap<ConditionId, unknown>): void {
    if (this.#comparedAtMs.size <= 2 * books.size) return;
    this.#comparedAtMs = new Map([...this.#comparedAtMs].filter(([id]) => books.has(id)));
  }
}
