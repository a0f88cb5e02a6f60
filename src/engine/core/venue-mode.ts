import { isOpen, type Order } from "../domain/order.ts";
import type { RejectReason } from "../domain/reasons.ts";
import type { CancelOutcome, PostOutcome } from "../protocol/venue-report.ts";
import type { VenueMode } from "../state/control-state.ts";
import { emit, type StepContext } from "./context.ts";

/** The engine looked for a match and found too little: it runs, and takes orders that take. */
const matchingRefusals: ReadonlySet<RejectReason> = new Set(["no_match", "not_fully_filled"]);

/**
 * What the venue takes now, from its own answers and from time alone (polymarket-trading 8, reliability 2.4). A 425 run
 * is assumed over after a quiet while and followed by two minutes of post-only mode; a switched-off venue is tried again
 * by the next order after a wait that doubles up to its bound. An accepted order proves more than any assumption.
 */
export function postAnswered(
  context: StepContext,
  order: Order | undefined,
  outcome: PostOutcome,
): void {
  const { venue } = context.state.control;
  const { waits } = context.settings;
  if (outcome.kind === "accepted" && order !== undefined) {
    if (!order.draft.postOnly) become(context, "normal", null, 0);
    else if (venue.mode !== "normal" && venue.mode !== "post_only") {
      become(context, "post_only", context.atMs + waits.postOnlyMs, 0);
    }
    return;
  }
  if (outcome.kind === "rejected" && matchingRefusals.has(outcome.reason)) {
    become(context, "normal", null, 0);
    return;
  }
  // A late word about an order that has ended is about another time.
  if (outcome.kind !== "not_taken" || order === undefined || !isOpen(order)) return;
  const named = outcome.retryAfterMs ?? 0;
  switch (outcome.reason) {
    case "venue_restarting":
      become(context, "restarting", context.atMs + Math.max(waits.restartQuietMs, named), 0);
      return;
    case "post_only_mode":
      become(context, "post_only", context.atMs + (named > 0 ? named : waits.postOnlyMs), 0);
      return;
    case "venue_disabled": {
      const waitMs = Math.min(doubled(waits.venueProbeMs, venue.tries), waits.venueProbeMaxMs);
      // Disabled and cancel-only have one text; only the answer to a cancel tells them apart.
      const mode = venue.mode === "cancel_only" ? "cancel_only" : "disabled";
      become(context, mode, context.atMs + Math.max(waitMs, named), venue.tries + 1);
      return;
    }
    default:
      return;
  }
}

/** `ms` doubled `times` times; far beyond any bound it grows no more. */
function doubled(ms: number, times: number): number {
  let waitMs = ms;
  for (let i = 0; i < Math.min(times, 30); i++) waitMs *= 2;
  return waitMs;
}

/** A cancel that worked while trading is off: only cancels are taken. */
export function cancelAnswered(context: StepContext, outcome: CancelOutcome): void {
  const { venue } = context.state.control;
  if (venue.mode !== "disabled") return;
  if (outcome.kind !== "answered" || outcome.canceled.length === 0) return;
  become(context, "cancel_only", venue.untilMs, venue.tries);
}

/** What only time ends. */
export function tickVenueMode(context: StepContext): void {
  const { mode, untilMs, tries } = context.state.control.venue;
  if (untilMs === null || context.atMs < untilMs) return;
  if (mode === "restarting") {
    become(context, "post_only", context.atMs + context.settings.waits.postOnlyMs, tries);
  } else become(context, "normal", null, tries);
}

function become(
  context: StepContext,
  mode: VenueMode,
  untilMs: number | null,
  tries: number,
): void {
  const { venue } = context.state.control;
  if (venue.mode === mode && venue.untilMs === untilMs && venue.tries === tries) return;
  emit(context, { kind: "venue.mode", mode, untilMs, tries });
}
