import type { FillReport } from "../domain/fill.ts";
import { isOpen, isResting, type Order, restIsCanceled } from "../domain/order.ts";
import type { Denial, RejectReason } from "../domain/reasons.ts";
import { unreachable } from "../lib/assert.ts";
import type { QueryOutcome, VenueOrder } from "../protocol/venue-report.ts";
import { checkRepost } from "../risk/check-risk.ts";
import type { OrderWatch } from "../state/engine-state.ts";
import type { Fact } from "../state/fact.ts";
import { fillsOf } from "../state/kept-orders.ts";
import { ask, emit, type StepContext } from "./context.ts";
import { postSeen, refusalSeen } from "./evidence.ts";
import { halt } from "./halt.ts";
import type { EngineInput } from "./input.ts";
import { resync } from "./links.ts";
import { tellOrder } from "./notices.ts";
import { recordFill } from "./record-fill.ts";
import { postAnswered } from "./venue-mode.ts";
import { watchedForMs } from "./watched-time.ts";

type OrderClosed = Extract<Fact, { readonly kind: "order.closed" }>;

/** The same bytes are sent again at most this often. */
const maxReposts = 3;
/** First look at an order that the venue took, so that its receipt comes at once. */
const firstLookMs = 0;

export function watchOf(context: StepContext, clientOid: string): OrderWatch {
  const { watches } = context.state.live;
  const known = watches.get(clientOid);
  if (known !== undefined) return known;
  const watch: OrderWatch = {
    nextQueryAtMs: context.atMs,
    queries: 0,
    querying: false,
    askedAtMs: 0,
    repost: false,
    reposts: 0,
  };
  watches.set(clientOid, watch);
  return watch;
}

/** What became of one POST (design 5.4, reliability 1.6). */
export function postFinished(
  context: StepContext,
  input: Extract<EngineInput, { readonly kind: "post.finished" }>,
): void {
  const { clientOid, outcome, timing, durationMs } = input;
  if (timing !== undefined && context.state.orders.has(clientOid)) {
    emit(context, { kind: "order.timed", clientOid, timing });
  }
  const order = context.state.orders.get(clientOid);
  postAnswered(context, order, outcome);
  postSeen(context, outcome, durationMs ?? null, order !== undefined && isOpen(order));
  if (order === undefined || !isOpen(order)) return;
  // Only an answer that proves that nothing was taken allows the bytes to be sent again.
  watchOf(context, clientOid).repost = false;
  switch (outcome.kind) {
    case "accepted":
      emit(context, { kind: "order.acked", clientOid, state: outcome.state });
      afterAck(context, clientOid);
      return;
    case "duplicated":
      // An earlier copy reached the engine. That says nothing about its fate: ask for it.
      emit(context, { kind: "order.acked", clientOid, state: "matched" });
      lookSoon(context, clientOid);
      return;
    case "rejected":
      refused(context, order, outcome.reason, outcome.detail);
      return;
    case "not_taken": {
      const watch = watchOf(context, clientOid);
      watch.repost = passing.has(outcome.reason);
      if (!watch.repost) {
        refused(context, order, outcome.reason, outcome.detail);
        return;
      }
      watch.nextQueryAtMs = context.atMs + (outcome.retryAfterMs ?? backoffMs(context, watch));
      return;
    }
    case "not_sent": {
      const watch = watchOf(context, clientOid);
      watch.repost = true;
      watch.nextQueryAtMs = context.atMs + backoffMs(context, watch);
      return;
    }
    case "blocked":
      // Only this send was stopped: an order that the venue is known to hold, or may hold, is not over by that.
      if (order.status !== "in_flight") lookSoon(context, clientOid);
      else reject(context, order, unsentReason(outcome.denial), outcome.denial.code);
      return;
    case "unknown":
      // The venue's own word that it has the order is worth more than a lost answer.
      if (isResting(order)) lookSoon(context, clientOid);
      else becomeUnknown(context, clientOid, outcome.detail);
      return;
    case "id_mismatch":
      becomeUnknown(context, clientOid, "the venue answered with another order id");
      halt(context, "order_id_mismatch", `sent ${order.orderHash}, got ${outcome.got}`);
      return;
    default:
      unreachable(outcome);
  }
}

function afterAck(context: StepContext, clientOid: string): void {
  const order = context.state.orders.get(clientOid);
  if (order === undefined) return;
  // Of a leg of a set, or a marketable limit order, nothing rests: what did not match at once is canceled at once.
  if (restIsCanceled(order) && isResting(order)) askCancel(context, [order], "remainder");
  // A kill that came while the request was under way has already asked for its cancel; ask again, it may have been
  // too early for the venue.
  else if (order.cancelAskedAtMs !== null && isResting(order)) {
    ask(context, { kind: "order.cancel", clientOids: [clientOid] });
  }
  lookSoon(context, clientOid);
  tellOrder(context, clientOid);
}

function lookSoon(context: StepContext, clientOid: string): void {
  const watch = watchOf(context, clientOid);
  watch.nextQueryAtMs = context.atMs + firstLookMs;
  lookIfDue(context, clientOid);
}

function becomeUnknown(context: StepContext, clientOid: string, detail: string): void {
  emit(context, { kind: "order.unknown", clientOid, detail });
  const watch = watchOf(context, clientOid);
  watch.nextQueryAtMs = context.atMs + backoffMs(context, watch);
  tellOrder(context, clientOid);
}

/**
 * The venue's refusal. Its breakers act at once; the reservation is released only when one look by hash has confirmed
 * that the venue holds nothing, because a refusal can stand beside an order that lives (reliability 1.6, 2.2).
 */
function refused(context: StepContext, order: Order, reason: RejectReason, detail: string): void {
  const { clientOid } = order;
  emit(context, { kind: "order.refused", clientOid, reason, detail });
  refusalSeen(context, order.draft.side, reason, detail);
  lookSoon(context, clientOid);
}

/** Ends an order of which it is proven that the venue holds nothing. */
function reject(context: StepContext, order: Order, reason: RejectReason, detail: string): void {
  const { clientOid } = order;
  emit(context, { kind: "order.closed", clientOid, status: "rejected", reason, detail });
  context.state.live.watches.delete(clientOid);
  tellOrder(context, clientOid);
}

function unsentReason(denial: Denial): RejectReason {
  return denial.subject === "dry_run" ? "dry_run" : "not_sent";
}

/** States of the venue that pass: the same bytes may be sent again after a look. The rest is for a person to change. */
const passing: ReadonlySet<RejectReason> = new Set([
  "venue_restarting",
  "rate_limited",
  // The API key was derived anew; the adapter answers so once.
  "unauthorized",
]);

function backoffMs(context: StepContext, watch: OrderWatch): number {
  const steps = context.settings.waits.queryBackoffMs;
  return steps[Math.min(watch.queries, steps.length - 1)] ?? 1000;
}

/** Asks for a cancel of open orders; they stay open until the venue proves otherwise. */
export function askCancel(context: StepContext, orders: readonly Order[], by: string): void {
  const clientOids = orders.map((order) => order.clientOid);
  if (clientOids.length === 0) return;
  emit(context, { kind: "cancel.asked", clientOids, by });
  ask(context, { kind: "order.cancel", clientOids });
  for (const clientOid of clientOids) {
    const watch = watchOf(context, clientOid);
    watch.nextQueryAtMs = context.atMs + backoffMs(context, watch);
  }
}

/** Emits the query of an order whose time has come. */
export function lookIfDue(context: StepContext, clientOid: string): void {
  const watch = watchOf(context, clientOid);
  if (watch.querying || context.atMs < watch.nextQueryAtMs) return;
  watch.querying = true;
  watch.askedAtMs = context.atMs;
  watch.queries++;
  ask(context, { kind: "order.query", clientOid });
}

/** The answer to a look at one order, with the trades read beside it (null when that read failed). */
export function queryFinished(
  context: StepContext,
  clientOid: string,
  outcome: QueryOutcome,
  fills: readonly FillReport[] | null,
): void {
  const watch = watchOf(context, clientOid);
  watch.querying = false;
  watch.nextQueryAtMs = context.atMs + backoffMs(context, watch);
  for (const fill of fills ?? []) recordFill(context, fill);
  const order = context.state.orders.get(clientOid);
  if (order === undefined || !isOpen(order)) return;
  if (outcome.kind === "found") {
    applyVenueOrder(context, outcome.order);
    cancelAgain(context, clientOid, outcome.order);
    return;
  }
  // A read that failed proves nothing, and neither does "absent" while the trades could not be read.
  if (outcome.kind === "failed" || fills === null) return;
  if (order.filled > 0) {
    goneWithFills(context, order);
    return;
  }
  absent(context, order, watch);
}

/** A cancel can get lost on its way: whoever asked for it wants the order gone, so it is asked for until it is. */
function cancelAgain(context: StepContext, clientOid: string, report: VenueOrder): void {
  const order = context.state.orders.get(clientOid);
  if (order === undefined || order.cancelAskedAtMs === null || !isResting(order)) return;
  const [firstWaitMs = 0] = context.settings.waits.queryBackoffMs;
  // The first cancel may still be on its way.
  if (context.atMs - order.cancelAskedAtMs < firstWaitMs) return;
  if (report.state === "live") ask(context, { kind: "order.cancel", clientOids: [clientOid] });
}

/**
 * Trades of an order that the venue's look-up does not know: it was booked. One answer may be older than its booking, so
 * the order counts as over only after several clean reads in a row with no fill between them.
 */
function goneWithFills(context: StepContext, order: Order): void {
  const { clientOid } = order;
  if (!isFull(order)) {
    emit(context, { kind: "order.absent", clientOid });
    if (order.cleanAbsences + 1 < context.settings.waits.quarantineCleanReads) return;
  }
  emit(context, { kind: "order.reported", clientOid, matched: order.filled, done: true });
  closeIfComplete(context, clientOid);
}

function absent(context: StepContext, order: Order, watch: OrderWatch): void {
  const { clientOid } = order;
  const { waits } = context.settings;
  if (order.refusal !== null) {
    reject(context, order, order.refusal.reason, order.refusal.detail);
    return;
  }
  if (watch.repost && order.status === "in_flight") {
    repost(context, order, watch);
    return;
  }
  if (order.unknownSinceMs === null) {
    becomeUnknown(context, clientOid, "the venue does not know the order");
    return;
  }
  emit(context, { kind: "order.absent", clientOid });
  // A process that slept gets the answer of before: only the time until it was asked for was watched.
  const answerMs = context.atMs - watch.askedAtMs;
  const waited = watchedForMs(context, order.unknownSinceMs) - answerMs;
  if (waited >= waits.quarantineMs && order.cleanAbsences + 1 >= waits.quarantineCleanReads) {
    reject(context, order, "not_found_after_quarantine", `absent for ${waited} ms`);
  }
}

/** The same bytes once more while deadline, count and price bound hold and nobody asked for a cancel (design 5.5). */
function repost(context: StepContext, order: Order, watch: OrderWatch): void {
  const { state, settings, atMs } = context;
  const inTime = atMs < order.deadlineMs && order.cancelAskedAtMs === null;
  if (!inTime || watch.reposts >= maxReposts) {
    reject(context, order, "not_sent", "the venue did not take it in time");
    return;
  }
  const denial = checkRepost(state, settings, order, atMs);
  if (denial?.code === "book_stale") {
    // An old book says nothing about the bound: a fresh one first, then the next look decides.
    resync(context, order.draft.conditionId, "order_recheck");
    return;
  }
  if (denial !== null) {
    reject(context, order, "not_sent", `not sent again: ${denial.code}`);
    return;
  }
  watch.repost = false;
  watch.reposts++;
  ask(context, { kind: "order.post", clientOid: order.clientOid });
}

/** Takes over the venue's own account of one of our orders. */
export function applyVenueOrder(context: StepContext, report: VenueOrder): boolean {
  const clientOid = context.state.oidByHash.get(report.orderHash);
  const order = clientOid === undefined ? undefined : context.state.orders.get(clientOid);
  if (clientOid === undefined || order === undefined) return false;
  if (!isOpen(order)) {
    if (order.status !== "rejected" || report.state !== "live") return true;
    bookedAfterAll(context, order);
    return applyVenueOrder(context, report);
  }
  const done = report.state === "matched" || report.state === "ended";
  const { matched } = report;
  const delayed = report.state === "delayed";
  const isNews =
    order.status === "unknown" ||
    (order.status === "in_flight" && !(delayed && order.delayed)) ||
    matched > order.venueMatched ||
    (done && !order.venueDone);
  if (isNews) {
    const held = delayed ? { delayed } : {};
    emit(context, { kind: "order.reported", clientOid, matched, done, ...held });
  }
  if (restIsCanceled(order) && !done && !delayed && order.cancelAskedAtMs === null) {
    askCancel(context, [order], "remainder");
  }
  closeIfComplete(context, clientOid);
  return true;
}

/**
 * The venue booked an order that was given up: a request can be held up longer than any quarantine (reliability 2.1,
 * 2.12). It counts again from here on. Its trader was told that it is gone, so it is canceled and not left to trade.
 */
function bookedAfterAll(context: StepContext, order: Order): void {
  emit(context, { kind: "order.reopened", clientOid: order.clientOid });
  tellOrder(context, order.clientOid);
  askCancel(context, [order], "booked after it was given up");
}

/** Closes an order that the venue ended, once every share that the venue counted has arrived as a fill. */
export function closeIfComplete(context: StepContext, clientOid: string): void {
  const order = context.state.orders.get(clientOid);
  if (order === undefined || !isOpen(order)) return;
  if (order.venueDone && arrived(context, order) >= order.venueMatched) {
    emit(context, { kind: "order.closed", clientOid, ...endOf(order) });
    context.state.live.watches.delete(clientOid);
    ask(context, { kind: "account.read", purpose: "balance", fillsAfterS: null });
  } else if (order.venueDone) {
    lookIfDue(context, clientOid);
  }
  tellOrder(context, clientOid);
}

/** A refused order that the venue shows as ended without a match was refused, not canceled. */
function endOf(order: Order): Pick<OrderClosed, "status" | "reason" | "detail"> {
  if (order.refusal !== null && order.filled === 0) return { status: "rejected", ...order.refusal };
  return { status: isFull(order) ? "filled" : "canceled", reason: null, detail: "" };
}

/** Shares of every fill that came, those included that failed: the venue counted them when it matched them. */
function arrived(context: StepContext, order: Order): number {
  if (order.filled >= order.venueMatched) return order.filled;
  let failed = 0;
  for (const fill of fillsOf(context.state, order.orderHash)) {
    if (fill.status === "failed") failed += fill.size;
  }
  return order.filled + failed;
}

function isFull(order: Order): boolean {
  if (order.draft.spend === null) return order.filled >= order.draft.size;
  // A buy of dollars is full when its dollars are spent; less than a cent can be left by rounding.
  return order.draft.spend - order.filledUsd < 10_000;
}

/** News of the private stream and of the reads: our fills first, then what they complete. */
export function fillReported(context: StepContext, report: FillReport): boolean {
  const clientOid = recordFill(context, report);
  if (clientOid === null) return false;
  const order = context.state.orders.get(clientOid);
  if (order !== undefined && isOpen(order)) {
    if (order.draft.spend === null && order.filled >= order.draft.size) {
      emit(context, { kind: "order.reported", clientOid, matched: order.filled, done: true });
    }
    closeIfComplete(context, clientOid);
  }
  return true;
}
