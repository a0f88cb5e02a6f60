import type { ReducingReason } from "../domain/reasons.ts";
import type { EngineSettings } from "../protocol/settings.ts";
import type { EngineState } from "../state/engine-state.ts";
import { dayLossUsd } from "./day-limits.ts";
import { isOverCap } from "./exposure-caps.ts";

/** Every cause for which no new risk may be taken now, in a fixed order. */
export function reducingCauses(
  state: EngineState,
  settings: EngineSettings,
  nowMs: number,
): ReducingReason[] {
  const { control } = state;
  const causes: readonly (readonly [ReducingReason, boolean])[] = [
    ["day_loss", !(dayLossUsd(state, nowMs) < settings.risk.maxDailyLossUsd)],
    ["over_cap", isOverCap(state, settings)],
    ["closed_only", control.closedOnly],
    ["slow_acks", !(slowAcks(state, settings, nowMs) < settings.risk.breakerSlowAcks)],
    ["feed_stale", isFeedStale(state, settings, nowMs)],
    ["venue_restarting", control.venue.mode === "restarting"],
    ["venue_post_only", control.venue.mode === "post_only"],
    ["venue_cancel_only", control.venue.mode === "cancel_only"],
    ["venue_disabled", control.venue.mode === "disabled"],
    ["telegram", control.degraded.has("telegram")],
    ["geoblock", control.degraded.has("geoblock")],
    ["account", control.degraded.has("account")],
    ["outbound", control.degraded.has("outbound")],
  ];
  return causes.flatMap(([cause, holds]) => (holds ? [cause] : []));
}

function slowAcks(state: EngineState, settings: EngineSettings, nowMs: number): number {
  const sinceMs = nowMs - settings.risk.breakerSlowWindowMs;
  return state.control.breakers.slow_acks.filter((seenMs) => seenMs > sinceMs).length;
}

/** Prices come no more: the link of market data is down, or not one book with money in it is believed. */
function isFeedStale(state: EngineState, settings: EngineSettings, nowMs: number): boolean {
  const { links, booksStaleSinceMs } = state.live;
  const lostAtMs = links.market.up ? null : links.market.lostAtMs;
  return [lostAtMs, booksStaleSinceMs].some(
    (sinceMs) => sinceMs !== null && !(nowMs - sinceMs < settings.waits.feedLostAfterMs),
  );
}
