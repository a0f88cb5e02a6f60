import type { Side } from "../domain/market.ts";
import type { RejectReason } from "../domain/reasons.ts";
import { emit, type StepContext } from "./context.ts";
import { halt } from "./halt.ts";

/** Refusals that are no trouble: nothing to match with, or nothing was sent at all. */
const harmless: ReadonlySet<RejectReason> = new Set([
  "no_match",
  "not_fully_filled",
  "not_sent",
  "dry_run",
  "not_found_after_quarantine",
]);
const breakerWindowMs = 60_000;

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
  const { live } = context.state;
  live.rejectedAtMs = live.rejectedAtMs.filter((at) => context.atMs - at < breakerWindowMs);
  live.rejectedAtMs.push(context.atMs);
  const count = live.rejectedAtMs.length;
  if (count < context.settings.risk.breakerRejectsPerMinute) return;
  halt(context, "consecutive_failures", `${count} refusals by the venue within a minute`);
}
