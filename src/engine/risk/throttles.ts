import type { Side } from "../domain/market.ts";
import type { Order } from "../domain/order.ts";
import type { Denial } from "../domain/reasons.ts";
import type { EngineSettings } from "../protocol/settings.ts";
import type { EngineState, LedgerState } from "../state/engine-state.ts";
import { ordersSince } from "../state/kept-orders.ts";

type Actor = { readonly strategy: Order["strategy"]; readonly side: Side };

/** What a throttle that has tripped stops: one strategy on one side. */
export function lockKey({ strategy, side }: Actor): string {
  return `${strategy} ${side}`;
}

/** A strategy that a person has to let go on first. A memory read, for the gate as well. */
export function checkLock(state: LedgerState, actor: Actor): Denial | null {
  const key = lockKey(actor);
  return state.control.locks.has(key) ? { code: "repeated_execution", subject: key } : null;
}

/**
 * How often a strategy was applied to the same token and side within the window, and something came of it (RTS 6 Art. 15:
 * repeated automated execution). Counts orders, not their fills; what was before a resume does not count.
 */
export function executionsOf(
  state: LedgerState,
  settings: EngineSettings,
  like: Order,
  nowMs: number,
): number {
  const sinceMs = Math.max(nowMs - settings.risk.repeatWindowMs, state.resumedAtMs);
  const { tokenId, side } = like.draft;
  let executions = 0;
  for (const order of ordersSince(state, sinceMs)) {
    if (order.strategy !== like.strategy || order.draft.side !== side) continue;
    if (order.draft.tokenId === tokenId && Math.max(order.filled, order.venueMatched) > 0) {
      executions++;
    }
  }
  return executions;
}

/**
 * Requests about orders within the window: sends, looks and cancels. Only new orders are refused for them; a look and a
 * cancel never are, and a kill least of all.
 */
export function checkMessageRate(
  state: EngineState,
  settings: EngineSettings,
  more: number,
  nowMs: number,
): Denial | null {
  const { messageRateMax: limit, messageRateWindowMs: windowMs } = settings.risk;
  const sinceMs = nowMs - windowMs;
  let recent = 0;
  for (const atMs of state.live.requestedAtMs) if (atMs > sinceMs) recent++;
  const wanted = recent + more;
  return wanted <= limit ? null : { code: "message_rate", limit, wanted };
}
