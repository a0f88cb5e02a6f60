// The waits of the protocol divided by the time scale, in the service's own keys.

/** Production lets a trade settle in about this time (MATCHED to MINED, MINED to CONFIRMED). */
const settleMs = 2_000;
/** Time limits: a machine is not faster because its waits are shorter, so they keep a length in real milliseconds. */
const limitsMs = {
  post_timeout_ms: { real: 600, max: 60_000 },
  read_timeout_ms: { real: 600, max: 60_000 },
  connect_timeout_ms: { real: 600, max: 60_000 },
  order_deadline_ms: { real: 900, max: 90_000 },
  ledger_commit_max_ms: { real: 600, max: 60_000 },
  feed_lost_after_ms: { real: 1_200, max: 120_000 },
} as const;

/** Overrides of the service's configuration, as `section.key=value`. Waits that are not named here keep their default. */
export function scaledOverrides(timeScale: number): readonly string[] {
  const limits = Object.entries(limitsMs).map(
    ([key, { real, max }]) => `venue_waits.${key}=${Math.min(max, real * timeScale)}`,
  );
  // Crashes are the point here, and what rests must outlive them.
  const guards = ["service.crash_loop_crashes=0", "relayer.heartbeat=off"];
  return [`venue_waits.time_scale=${timeScale}`, ...limits, ...guards];
}

/** The venue's own wait, as its command takes it. */
export function scaledSettleMs(timeScale: number): number {
  return Math.max(1, Math.round(settleMs / timeScale));
}

/** A fault's length, given as it would be in production. */
export function scaledFaultMs(timeScale: number, productionMs: number): number {
  return Math.max(1, Math.round(productionMs / timeScale));
}
