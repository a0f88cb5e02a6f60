import type { Actor, CodeStep } from "../api/requests.ts";
import { derivedId } from "../domain/ids.ts";
import type { Denial } from "../domain/reasons.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { EngineState } from "../state/engine-state.ts";
import { emit, type StepContext } from "./context.ts";
import { raise } from "./notices.ts";

/** Codes in a row that may be refused before none is taken for a while. */
const refusedMax = 5;
/** A clock that is further off makes good codes look wrong, so it is named. */
const clockNamedMs = 30_000;

/** True when something is in force that only a person ends. */
function isForResume(state: EngineState): boolean {
  const { closedOnly, degraded, locks } = state.control;
  const isStopped = state.killed !== null || state.halt !== null;
  const isWarned = degraded.has("geoblock") || degraded.has("outbound");
  return isStopped || closedOnly || isWarned || locks.size > 0;
}

/** First step of resuming: an offer that is good only after a pause, so that it is not a reflex. */
export function askResume(
  context: StepContext,
  actor: Actor,
  commandId: string,
): Result<
  { readonly nonce: string; readonly readyAtMs: number; readonly expiresAtMs: number },
  Denial
> {
  const { state, settings } = context;
  if (!isForResume(state)) return err({ code: "not_killed" });
  if (!state.ready) return err({ code: "not_ready" });
  const nonce = derivedId(context.hasher.sha256Hex, context.entropy, `resume:${commandId}`);
  const readyAtMs = context.atMs + settings.resumeWaitMs;
  const expiresAtMs = readyAtMs + settings.resumeTtlMs;
  const { userId, chatId } = actor;
  emit(context, { kind: "resume.asked", nonce, userId, chatId, readyAtMs, expiresAtMs });
  return ok({ nonce, readyAtMs, expiresAtMs });
}

/** Second step, by the button: enough where no one-time code is asked for. */
export function confirmResume(
  context: StepContext,
  actor: Actor,
  nonce: string,
): Result<null, Denial> {
  const { state, settings, atMs } = context;
  const offer = state.resume;
  if (!isForResume(state)) return err({ code: "not_killed" });
  if (offer === null || offer.nonce !== nonce) return err({ code: "card_unknown" });
  if (offer.userId !== actor.userId || offer.chatId !== actor.chatId) {
    return err({ code: "card_not_yours" });
  }
  if (settings.resumeCode !== null) return err({ code: "resume_needs_code" });
  if (atMs < offer.readyAtMs) {
    return err({ code: "resume_too_soon", limit: offer.readyAtMs - atMs });
  }
  if (atMs >= offer.expiresAtMs) return err({ code: "card_expired" });
  return resume(context, actor);
}

/**
 * Second step, by a one-time code. Nothing is said of a code, and none is counted, before everything else allows the
 * resume: so it can be guessed only as often as the count lets it.
 */
export function resumeWithCode(
  context: StepContext,
  actor: Actor,
  code: CodeStep,
): Result<null, Denial> {
  const { state, settings, atMs } = context;
  const { resume: offer, resumeCodes } = state;
  if (!isForResume(state)) return err({ code: "not_killed", subject: "code" });
  const lockedMs = codesLockedMs(state, atMs);
  if (lockedMs > 0) return err({ code: "resume_code_locked", limit: lockedMs });
  const isOwn = offer?.userId === actor.userId && offer.chatId === actor.chatId;
  // Without the setting nobody can have judged the code.
  if (settings.resumeCode === null || !isOwn || atMs >= offer.expiresAtMs) {
    return err({ code: "resume_not_asked" });
  }
  if (atMs < offer.readyAtMs) {
    return err({ code: "resume_too_soon", limit: offer.readyAtMs - atMs, subject: "code" });
  }
  const { lockMs } = settings.resumeCode;
  if (code === "wrong") return refuseCode(context, actor, lockMs, wrongCode(context));
  if (resumeCodes.lastStep !== null && code <= resumeCodes.lastStep) {
    return refuseCode(context, actor, lockMs, { code: "resume_code_used" });
  }
  emit(context, { kind: "resume.code-used", step: code });
  return resume(context, actor);
}

function resume(context: StepContext, { userId }: Actor): Result<null, Denial> {
  emit(context, { kind: "trading.resumed", byUserId: userId });
  raise(context, null, { kind: "resumed", byUserId: userId });
  return ok(null);
}

/** For how long from `atMs` no code is taken; 0 when they are. */
export function codesLockedMs({ resumeCodes: { lock } }: EngineState, atMs: number): number {
  return lock === null ? 0 : Math.max(0, lock.sinceMs + lock.forMs - atMs);
}

/** Counts a refused code. The last one that is allowed locks, and every trader is told. */
function refuseCode(
  context: StepContext,
  { userId }: Actor,
  forMs: number,
  denial: Denial,
): Result<null, Denial> {
  const refused = context.state.resumeCodes.refused + 1;
  const isLast = refused >= refusedMax;
  const lockMs = isLast ? forMs : null;
  emit(context, { kind: "resume.code-refused", userId, refused, lockMs });
  if (!isLast) return err({ ...denial, limit: refusedMax - refused });
  raise(context, null, { kind: "resume.locked", byUserId: userId, forMs });
  return err({ code: "resume_code_locked", limit: forMs });
}

function wrongCode({ state }: StepContext): Denial {
  const { clockOffsetMs } = state.live;
  const isOff = clockOffsetMs !== null && Math.abs(clockOffsetMs) > clockNamedMs;
  const clock = isOff ? { subject: "clock", wanted: Math.abs(clockOffsetMs) } : {};
  return { code: "resume_code_wrong", ...clock };
}
