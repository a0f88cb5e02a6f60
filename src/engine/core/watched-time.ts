import type { StepContext } from "./context.ts";

/**
 * Milliseconds since a time of the ledger, as far as this run has watched them pass. Times that an earlier run wrote, or this
 * one before its clock was set forward, may come from a wrong clock: a quarantine that ends early would release what can
 * still be booked.
 */
export function watchedForMs({ state, atMs }: StepContext, sinceMs: number): number {
  const fromMs = Math.max(state.startedAtMs, state.live.clockSetAtMs);
  return atMs - (sinceMs >= fromMs && sinceMs <= atMs ? sinceMs : fromMs);
}
