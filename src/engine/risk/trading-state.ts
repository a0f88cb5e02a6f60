import type { Denial } from "../domain/reasons.ts";
import type { LedgerState } from "../state/engine-state.ts";

/** Killed, halted or not yet reconciled: no new risk, for nobody. Cancels do not come here. */
export function checkTradingState(state: LedgerState): Denial | null {
  if (state.killed !== null) return { code: "killed" };
  if (state.halt !== null) return { code: "paused", subject: state.halt.reason };
  if (!state.ready) return { code: "not_ready" };
  return null;
}
