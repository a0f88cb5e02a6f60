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
    ["venue_restarting", control.venue.mode === "restarting"],
    ["venue_post_only", control.venue.mode === "post_only"],
    ["venue_cancel_only", control.venue.mode === "cancel_only"],
    ["venue_disabled", control.venue.mode === "disabled"],
    ["telegram", control.degraded.has("telegram")],
    ["geoblock", control.degraded.has("geoblock")],
    ["account", control.degraded.has("account")],
  ];
  return causes.flatMap(([cause, holds]) => (holds ? [cause] : []));
}
