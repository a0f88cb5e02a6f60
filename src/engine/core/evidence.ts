import type { Side } from "../domain/market.ts";
import type { Order } from "../domain/order.ts";
import type { RejectReason } from "../domain/reasons.ts";
import type { PostOutcome } from "../protocol/venue-report.ts";
import { executionsOf, lockKey } from "../risk/throttles.ts";
import type { Breaker } from "../state/control-state.ts";
import { emit, type StepContext } from "./context.ts";
import { halt } from "./halt.ts";
import { raise } from "./notices.ts";

/** Refusals that are no trouble: nothing to match with, or nothing was sent at all. */
const harmless: ReadonlySet<RejectReason> = new Set([
  "no_match",
  "not_fully_filled",
  "not_sent",
  "dry_run",
  "not_found_after_quarantine",
]);
const refusalWindowMs = 60_000;

/**
 * The breakers on a send. Several in a row without an answer: nobody knows any more what the venue does with our orders,
 * so nothing new is sent until a person has looked. Late answers: counted, and judged with the other causes.
 */
export function postSeen(
  context: StepContext,
  outcome: PostOutcome,
  durationMs: number | null,
  isOpen: boolean,
): void {
  const { risk } = context.settings;
  switch (outcome.kind) {
    case "blocked":
    case "id_mismatch":
      return;
    case "unknown":
    case "not_sent": {
      // A late word about an order that has ended is no failure of today.
      if (!isOpen) return;
      const inRow = count(context, "failures", 0);
      if (inRow < risk.breakerFailuresInRow) return;
      halt(context, "consecutive_failures", `${inRow} sends in a row without an answer`);
      return;
    }
    default:
      clear(context, "failures");
      if (durationMs === null || durationMs <= risk.breakerSlowAckMs) return;
      count(context, "slow_acks", risk.breakerSlowWindowMs);
  }
}

/** The throttle on repeated executions: what is done again and again is stopped until a person lets it go on. */
export function executionSeen(context: StepContext, order: Order): void {
  const { state, settings } = context;
  const { strategy } = order;
  const { side } = order.draft;
  const lock = lockKey({ strategy, side });
  if (state.control.locks.has(lock)) return;
  const executions = executionsOf(state, settings, order, context.atMs);
  if (executions < settings.risk.repeatMaxExecutions) return;
  emit(context, { kind: "strategy.locked", lock, executions });
  const market = state.markets.get(order.draft.conditionId);
  raise(context, null, {
    kind: "strategy.locked",
    strategy,
    side,
    question: market?.question ?? order.draft.conditionId,
    executions,
    windowMs: settings.risk.repeatWindowMs,
  });
}

/** What the venue's refusal of an order says about the account, the place, and our picture of the venue. */
export function refusalSeen(
  context: StepContext,
  side: Side,
  reason: RejectReason,
  detail: string,
): void {
  const { control } = context.state;
  countRefusal(context, reason);
  if (reason === "unauthorized") halt(context, "unauthorized", detail);
  if (reason === "banned") halt(context, "banned", detail);
  // Closing orders are still taken: held shares can be sold.
  if (reason === "closed_only" && !control.closedOnly) {
    emit(context, { kind: "account.closed-only" });
  }
  if (reason !== "geoblocked") return;
  // A blocked place may still close positions; a sale that is refused as well says that it may not.
  if (side === "sell") halt(context, "geoblocked", detail);
  else if (!control.degraded.has("geoblock")) {
    emit(context, { kind: "desk.degraded", source: "geoblock", detail });
  }
}

/** The breaker: a burst of refusals means that our picture of the venue is wrong, so new risk stops by itself. */
function countRefusal(context: StepContext, reason: RejectReason): void {
  if (harmless.has(reason)) return;
  const refusals = count(context, "refusals", refusalWindowMs);
  if (refusals < context.settings.risk.breakerRejectsPerMinute) return;
  halt(context, "reject_burst", `${refusals} refusals by the venue within a minute`);
}

/** Counts one piece of evidence and says how many stand within the window (0: without end). A restart forgets none. */
function count(context: StepContext, breaker: Breaker, windowMs: number): number {
  const sinceMs = windowMs === 0 ? 0 : context.atMs - windowMs;
  emit(context, { kind: "breaker.counted", breaker, sinceMs });
  return context.state.control.breakers[breaker].length;
}

function clear(context: StepContext, breaker: Breaker): void {
  if (context.state.control.breakers[breaker].length === 0) return;
  emit(context, { kind: "breaker.cleared", breaker });
}
