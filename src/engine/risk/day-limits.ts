import type { Usd } from "../domain/numbers.ts";
import { usd } from "../domain/numbers.ts";
import type { OrderDraft } from "../domain/order.ts";
import type { Denial } from "../domain/reasons.ts";
import type { EngineSettings } from "../protocol/settings.ts";
import type { EngineState } from "../state/engine-state.ts";
import { exposureOf } from "../state/exposure.ts";
import { notionalOf } from "./reserve.ts";

const dayMs = 86_400_000;

/** Caps on a UTC day: dollars traded, open orders included, and what may be lost before only sales are taken. */
export function checkDay(
  state: EngineState,
  settings: EngineSettings,
  drafts: readonly OrderDraft[],
  nowMs: number,
): Denial | null {
  const lost = dayLossUsd(state, nowMs);
  const buys = drafts.some((draft) => draft.side === "buy");
  const { maxDailyLossUsd, maxDailyVolumeUsd } = settings.risk;
  if (buys && !(lost < maxDailyLossUsd)) {
    return { code: "cap_day_loss", limit: maxDailyLossUsd, wanted: lost };
  }
  let volume = (isToday(state, nowMs) ? state.day.volumeUsd : 0) + exposureOf(state).locked;
  for (const draft of drafts) volume += notionalOf(draft);
  // Sales are never stopped by the day's volume: they take risk away.
  if (!buys || volume <= maxDailyVolumeUsd) return null;
  return { code: "cap_day_volume", limit: maxDailyVolumeUsd, wanted: volume };
}

/** Realised loss of the UTC day; 0 after a gain or without a fill today. */
export function dayLossUsd(state: EngineState, nowMs: number): Usd {
  return isToday(state, nowMs) ? usd(Math.max(0, 0 - state.day.realizedUsd)) : (0 as Usd);
}

function isToday(state: EngineState, nowMs: number): boolean {
  return state.day.startMs === nowMs - (nowMs % dayMs);
}
