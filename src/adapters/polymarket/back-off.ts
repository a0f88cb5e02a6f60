import { randomInt } from "node:crypto";
import type { FeedTimings } from "./feed-timings.ts";

const maxDoublings = 16;

/**
 * Pause before attempt `attempt` (0 is the first), with full jitter: uniform between 0 and the doubled bound, so that
 * many clients do not come back in step.
 */
export function backOffMs(
  attempt: number,
  { backOffFirstMs, backOffLongestMs }: FeedTimings,
): number {
  const bound = Math.min(backOffLongestMs, backOffFirstMs * 2 ** Math.min(attempt, maxDoublings));
  return randomInt(Math.ceil(bound) + 1);
}
