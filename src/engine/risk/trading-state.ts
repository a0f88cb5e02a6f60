import type { Side } from "../domain/market.ts";
import type { Order } from "../domain/order.ts";
import type { Denial, HaltReason, ReducingReason } from "../domain/reasons.ts";
import type { LedgerState } from "../state/engine-state.ts";
import { checkLock } from "./throttles.ts";

/**
 * What may be sent now. Killed and halted: nothing. Reducing: what every cause lets pass, which is a sale of held shares
 * unless the venue's own mode is the cause. Cancels do not come here: they are always allowed.
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

/** What the trading state looks at in an order. */
export type OrderKind = {
  readonly strategy: Order["strategy"];
  readonly side: Side;
  readonly postOnly: boolean;
  /** The bytes were sent before, were not taken, and a look has shown that nothing rests. */
  readonly isRepost: boolean;
};

/** Killed, halted or not yet reconciled: nothing passes, whatever it is. */
export function checkStopped(state: LedgerState): Denial | null {
  const trading = tradingState(state);
  if (trading.state === "killed") return { code: "killed" };
  if (trading.state !== "halted") return null;
  if (trading.reason === "starting") return { code: "not_ready" };
  return { code: "paused", subject: trading.reason };
}

/** Whether such an order may be made or sent in the present state. */
export function checkTradingState(state: LedgerState, order: OrderKind): Denial | null {
  const stopped = checkStopped(state);
  if (stopped !== null) return stopped;
  const locked = checkLock(state, order);
  if (locked !== null) return locked;
  const { causes } = state.control.reducing;
  const against = causes.filter((cause) => !passes(cause, order));
  if (against.length === 0) return null;
  const code = against.some(isVenueMode) ? "venue_mode" : "reducing";
  return { code, subject: against.join(", ") };
}

function passes(cause: ReducingReason, order: OrderKind): boolean {
  switch (cause) {
    case "venue_restarting":
      return order.isRepost;
    case "venue_post_only":
      return order.postOnly;
    case "venue_cancel_only":
    case "venue_disabled":
      return false;
    default:
      return order.side === "sell";
  }
}

/** True for causes in the venue's mode: they stop sales too, and end by themselves. */
export function isVenueMode(cause: ReducingReason): boolean {
  return cause.startsWith("venue_");
}
