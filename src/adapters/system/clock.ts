import { assert } from "../../engine/lib/assert.ts";
import type { Clock } from "../../engine/ports/system.ts";

/** Longer delays overflow the timer and would fire at once. */
const delayMsMax = 2 ** 31 - 1;

/** The machine's clocks. A pending `after` keeps the process alive until it fires or is cancelled. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (delayMs, callback) => {
    assert(delayMs >= 0 && delayMs <= delayMsMax, "a delay is between 0 and 2^31 - 1 ms");
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
