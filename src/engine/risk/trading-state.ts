import type { Side } from "../domain/market.ts";
import type { Denial, HaltReason, ReducingReason } from "../domain/reasons.ts";
import type { LedgerState } from "../state/engine-state.ts";

/**
 * What may be sent now. Killed and halted: nothing. Reducing: sales of held shares only. Cancels do not come here: they
 * are always allowed.
 */
export type TradingState =
  | { readonly state: "killed" }
  | { readonly state: "halted"; readonly reason: HaltReason }
  | { readonly state: "reducing"; readonly causes: readonly ReducingReason[] }
  | { readonly state: "active" };

/** The one answer to "may we trade": read by risk, by the gate before each first byte, and by every view. */
export function tradingState(state: LedgerState): TradingState {
  if (state.killed !== null) return { state: "killed" };
  if (state.halt !== null) return { state: "halted", reason: state.halt.reason };
  if (!state.ready) return { state: "halted", reason: "starting" };
  const { causes } = state.control.reducing;
  return causes.length > 0 ? { state: "reducing", causes } : { state: "active" };
}

/** Whether an order of this side may be made or sent in the present state. */
export function checkTradingState(state: LedgerState, side: Side): Denial | null {
  const trading = tradingState(state);
  switch (trading.state) {
    case "killed":
      return { code: "killed" };
    case "halted":
      if (trading.reason === "starting") return { code: "not_ready" };
      return { code: "paused", subject: trading.reason };
    case "reducing":
      return side === "sell" ? null : { code: "reducing", subject: trading.causes.join(", ") };
    case "active":
      return null;
  }
}
