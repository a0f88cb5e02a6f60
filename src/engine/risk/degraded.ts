import type { OrderDraft } from "../domain/order.ts";
import type { DegradedCause, Denial } from "../domain/reasons.ts";
import { unreachable } from "../lib/assert.ts";
import type { EngineState } from "../state/engine-state.ts";

/** What is wrong around the engine refuses a part of new orders while it lasts. Cancels do not come here. */
export function checkDegraded(state: EngineState, drafts: readonly OrderDraft[]): Denial | null {
  for (const cause of state.live.degraded.keys()) {
    if (drafts.some((draft) => refuses(cause, draft))) return { code: "degraded", subject: cause };
  }
  return null;
}

function refuses(cause: DegradedCause, draft: OrderDraft): boolean {
  switch (cause) {
    case "clock":
    case "stalled":
      return true;
    case "heartbeat":
      // Only an order that rests can be canceled by the venue's dead-man switch.
      return draft.timeInForce === "gtc" || draft.timeInForce === "gtd";
    case "book_hash":
      // What is held may be sold: that only lowers risk.
      return draft.side === "buy";
    case "clock_warn":
      return false;
    default:
      return unreachable(cause);
  }
}
