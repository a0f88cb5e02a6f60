import type { Log } from "../../engine/ports/system.ts";
import type { RefusalReason } from "./parse-book.ts";

/** A stream that nobody can read any more would fill the disk with lines that say the same. */
const everyMs = 10_000;

/** Tells of refused messages: the first of a reason at once, then how many came, at most so often. */
export class RefusalLog {
  readonly #log: Log;
  readonly #told = new Map<RefusalReason, { atMs: number; since: number }>();

  constructor(log: Log) {
    this.#log = log;
  }

  told(reason: RefusalReason, conditionId: string | null): void {
    const nowMs = performance.now();
    const last = this.#told.get(reason);
    if (last !== undefined && nowMs - last.atMs < everyMs) {
      last.since++;
      return;
    }
    const untold = last === undefined ? 0 : last.since;
    this.#told.set(reason, { atMs: nowMs, since: 0 });
    this.#log.warn("market_feed.refused", { reason, conditionId, untold });
  }
}
