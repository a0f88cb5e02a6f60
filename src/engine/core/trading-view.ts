import type { TradingView } from "../api/views.ts";
import type { LedgerState } from "../state/engine-state.ts";

/** Whether new risk is taken, and if not since when and why. */
export function tradingView(state: LedgerState): TradingView {
  return { ...stateOf(state), causes: state.control.reducing.causes };
}

function stateOf(state: LedgerState): Omit<TradingView, "causes"> {
  const { killed, halt } = state;
  if (killed !== null) {
    return {
      state: "killed",
      reason: "killed",
      sinceMs: killed.atMs,
      byUserId: killed.byUserId,
      note: killed.note,
    };
  }
  if (halt !== null) {
    return {
      state: "halted",
      reason: halt.reason,
      sinceMs: halt.atMs,
      byUserId: null,
      note: halt.detail,
    };
  }
  if (!state.ready) {
    const sinceMs = state.startedAtMs;
    return { state: "halted", reason: "starting", sinceMs, byUserId: null, note: "" };
  }
  const { causes, sinceMs: reducingSinceMs } = state.control.reducing;
  if (causes.length > 0) {
    return { state: "reducing", reason: null, sinceMs: reducingSinceMs, byUserId: null, note: "" };
  }
  const sinceMs = Math.max(state.startedAtMs, state.resumedAtMs, reducingSinceMs);
  return { state: "active", reason: null, sinceMs, byUserId: null, note: "" };
}
