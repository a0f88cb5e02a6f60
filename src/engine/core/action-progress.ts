import type { Shares, Usd } from "../domain/numbers.ts";
import type { ActionFailure } from "../domain/position-action.ts";
import { isOpenAction, type PositionAction } from "../domain/position-action.ts";
import { unreachable } from "../lib/assert.ts";
import type { CallReport, SubmitOutcome } from "../protocol/contract-report.ts";
import { openActions } from "../state/action-cost.ts";
import type { ActionWatch } from "../state/engine-state.ts";
import { actionView } from "./action-view.ts";
import { ask, emit, type StepContext } from "./context.ts";
import { raise } from "./notices.ts";
import { watchedForMs } from "./watched-time.ts";

function watchOf(context: StepContext, actionId: string): ActionWatch {
  const { actionWatches } = context.state.live;
  const known = actionWatches.get(actionId);
  if (known !== undefined) return known;
  const watch: ActionWatch = {
    nextQueryAtMs: context.atMs,
    queries: 0,
    querying: false,
    askedAtMs: 0,
    submitting: false,
    resends: 0,
    absences: 0,
    sentAtMs: 0,
  };
  actionWatches.set(actionId, watch);
  return watch;
}

/** Asks for the bytes to be sent; until the answer is in, nothing else asks about them. */
export function startSubmit(context: StepContext, actionId: string): void {
  watchOf(context, actionId).submitting = true;
  ask(context, { kind: "action.submit", actionId });
}

/** A run begins: what the last one had in flight may or may not have left. */
export function startActions(context: StepContext): void {
  for (const action of openActions(context.state)) {
    if (action.status === "in_flight") {
      const detail = "the last run ended meanwhile";
      emit(context, { kind: "position.action.unknown", actionId: action.actionId, detail });
    }
    watchOf(context, action.actionId);
  }
  for (const claim of context.state.claims.values()) {
    ask(context, { kind: "claim.read", conditionId: claim.conditionId });
  }
}

function openAction(context: StepContext, actionId: string): PositionAction | null {
  const action = context.state.actions.get(actionId);
  return action !== undefined && isOpenAction(action) ? action : null;
}

/** What became of sending the bytes. */
export function submitFinished(
  context: StepContext,
  actionId: string,
  outcome: SubmitOutcome,
): void {
  const action = openAction(context, actionId);
  if (action === null) return;
  const watch = watchOf(context, actionId);
  watch.submitting = false;
  watch.sentAtMs = context.atMs;
  watch.nextQueryAtMs = context.atMs + context.settings.contracts.pollMs;
  // Once the bytes may have left, no later answer to the same bytes can take that back.
  const first = action.status === "in_flight";
  switch (outcome.kind) {
    case "accepted":
      watch.absences = 0;
      sent(context, action, outcome.reference);
      return;
    case "rejected":
      if (first) fail(context, action, { failure: "refused", detail: outcome.detail });
      else unknown(context, action, outcome.detail);
      return;
    case "blocked":
      if (first) fail(context, action, { failure: "not_sent", detail: outcome.denial.code });
      return;
    case "not_sent":
      return;
    case "unknown":
      unknown(context, action, outcome.detail);
      return;
    default:
      unreachable(outcome);
  }
}

function sent(context: StepContext, action: PositionAction, reference: string): void {
  if (action.status === "sent" && action.reference === reference) return;
  emit(context, { kind: "position.action.sent", actionId: action.actionId, reference });
}

function unknown(context: StepContext, action: PositionAction, detail: string): void {
  const { actionId } = action;
  if (action.status !== "unknown")
    emit(context, { kind: "position.action.unknown", actionId, detail });
  tell(context, actionId, "unknown", detail);
}

function fail(
  context: StepContext,
  action: PositionAction,
  end: {
    readonly failure: ActionFailure;
    readonly detail: string;
    readonly reference?: string;
    readonly gasUsd?: Usd;
  },
): void {
  const { actionId } = action;
  emit(context, {
    kind: "position.action.failed",
    actionId,
    failure: end.failure,
    reference: end.reference ?? null,
    gasUsd: end.gasUsd ?? (0 as Usd),
    detail: end.detail,
  });
  context.state.live.actionWatches.delete(actionId);
  tell(context, actionId, "ended", end.detail);
}

function confirmed(
  context: StepContext,
  action: PositionAction,
  report: Extract<CallReport, { readonly kind: "confirmed" }>,
): void {
  const { actionId } = action;
  const { reference, gasUsd } = report;
  emit(context, { kind: "position.action.confirmed", actionId, reference, gasUsd });
  const { live } = context.state;
  live.actionWatches.delete(actionId);
  // A balance that was read before the chain moved must not be taken for the truth about what is there now.
  live.rebaseAfterMs = context.atMs + context.settings.waits.reconcileIntervalMs;
  ask(context, { kind: "action.settled", actionId });
  tell(context, actionId, "ended", "");
}

/** Tells how a call ended, that nobody knows, and once more when that lasts. Each once. */
function tell(
  context: StepContext,
  actionId: string,
  step: "unknown" | "unknown-late" | "ended",
  detail: string,
): void {
  const { state } = context;
  const action = state.actions.get(actionId);
  const told = state.told.get(actionId);
  if (action === undefined || told === step || told === "ended") return;
  if (told === "unknown-late" && step === "unknown") return;
  const view = actionView(state, action);
  raise(context, action.chatId, { kind: "action.outcome", action: view, detail }, [
    { subject: actionId, step },
  ]);
}

/** Looks at every open call whose time has come. */
export function tickActions(context: StepContext): void {
  const { waits } = context.settings;
  for (const action of openActions(context.state)) {
    const watch = watchOf(context, action.actionId);
    const since = action.unknownSinceMs;
    if (since !== null && context.atMs - since >= waits.settleAlarmMs) {
      tell(context, action.actionId, "unknown-late", "");
    }
    if (watch.submitting || watch.querying || context.atMs < watch.nextQueryAtMs) continue;
    watch.querying = true;
    watch.askedAtMs = context.atMs;
    watch.queries++;
    ask(context, { kind: "action.query", actionId: action.actionId });
  }
}

/** The answer to a look at one call. */
export function callReported(context: StepContext, actionId: string, report: CallReport): void {
  const action = openAction(context, actionId);
  if (action === null) return;
  const watch = watchOf(context, actionId);
  watch.querying = false;
  watch.nextQueryAtMs = context.atMs + context.settings.contracts.pollMs;
  if (report.kind !== "absent" && report.kind !== "failed") watch.absences = 0;
  switch (report.kind) {
    case "pending":
      sent(context, action, report.reference);
      return;
    case "confirmed":
      confirmed(context, action, report);
      return;
    case "reverted":
      fail(context, action, { ...report, failure: "reverted" });
      return;
    case "refused":
      fail(context, action, { failure: "refused", detail: report.detail });
      return;
    case "void":
      fail(context, action, { failure: "void", detail: report.detail });
      return;
    case "absent":
      absent(context, action, watch);
      return;
    case "failed":
      return;
    default:
      unreachable(report);
  }
}

/** Nobody has it and its nonce is free: the same bytes again while that is allowed, then the quarantine. */
function absent(context: StepContext, action: PositionAction, watch: ActionWatch): void {
  const { state, settings, atMs } = context;
  const { contracts, waits } = settings;
  // Bytes that are on their way cannot be missed yet.
  if (watch.submitting) return;
  watch.absences++;
  if (action.status !== "unknown") {
    const detail = "neither mined nor waiting";
    emit(context, { kind: "position.action.unknown", actionId: action.actionId, detail });
  }
  const times = [action.unknownSinceMs ?? atMs, action.lastSentAtMs, watch.sentAtMs];
  // A process that slept gets the answer of before: only the time until it was asked for was watched.
  const answerMs = atMs - watch.askedAtMs;
  const waited = Math.min(...times.map((sinceMs) => watchedForMs(context, sinceMs))) - answerMs;
  const inWindow = atMs < action.createdAtMs + contracts.resendWindowMs;
  const mayResend = inWindow && watch.resends < contracts.maxResends;
  if (mayResend) {
    // After a kill or a halt nothing leaves; the look goes on.
    if (state.killed !== null || state.halt !== null || !state.ready) return;
    watch.resends++;
    watch.absences = 0;
    emit(context, { kind: "position.action.resent", actionId: action.actionId });
    startSubmit(context, action.actionId);
    return;
  }
  if (waited < waits.quarantineMs || watch.absences < waits.quarantineCleanReads) return;
  const failure = "not_found_after_quarantine";
  fail(context, action, { failure, detail: `absent for ${waited} ms` });
}

/** Shares of a claim as the account holds them: none left means that somebody else was paid for them already. */
export function claimRead(
  context: StepContext,
  conditionId: string,
  sizes: readonly { readonly tokenId: string; readonly size: Shares }[] | null,
): void {
  const claim = context.state.claims.get(conditionId);
  if (claim === undefined || sizes === null) return;
  for (const action of openActions(context.state)) {
    if (action.terms.takes.some((leg) => leg.conditionId === conditionId)) return;
  }
  const left = claim.legs.some((leg) =>
    sizes.some((one) => one.tokenId === leg.tokenId && one.size > 0),
  );
  if (!left) emit(context, { kind: "claim.closed", conditionId });
}
