import { isOpen, isResting } from "../domain/order.ts";
import { unreachable } from "../lib/assert.ts";
import type { ReadPurpose } from "../protocol/effect.ts";
import type {
  AccountEvent,
  AccountReport,
  CancelOutcome,
  VenueOrder,
} from "../protocol/venue-report.ts";
import { openActions } from "../state/action-cost.ts";
import { openOrders } from "../state/exposure.ts";
import { provisionalFills } from "../state/kept-orders.ts";
import { compareCopies, heardOnStream } from "./compare-copies.ts";
import { compareShares, tokensToCompare } from "./compare-shares.ts";
import { ask, emit, type StepContext } from "./context.ts";
import { closeGoneExternals, externalOrderReported } from "./external.ts";
import { killSnapshot } from "./kill.ts";
import { linkLost, linkUp } from "./links.ts";
import { raise } from "./notices.ts";
import { applyVenueOrder, fillReported, lookIfDue, watchOf } from "./order-progress.ts";
import { recordFill } from "./record-fill.ts";
import { tradingView } from "./trading-view.ts";
import { cancelAnswered } from "./venue-mode.ts";

/** Trades are read from a little before the oldest thing that is still open. */
const readBackMs = 20_000;

export function accountEvent(context: StepContext, event: AccountEvent): void {
  const { user } = context.state.live.links;
  switch (event.kind) {
    case "order.reported":
      user.lastFrameAtMs = context.atMs;
      venueOrderReported(context, event.order);
      return;
    case "fill.reported":
      user.lastFrameAtMs = context.atMs;
      heardOnStream(context, event.fill);
      fillReported(context, event.fill);
      ask(context, { kind: "account.read", purpose: "balance", fillsAfterS: null });
      return;
    case "link.up":
      linkUp(context, "user");
      context.state.live.userUpSinceMs = context.atMs;
      // The stream neither snapshots nor replays: the reads are the truth after every connect.
      if (context.state.ready) readAccount(context, "link");
      return;
    case "link.lost":
      linkLost(context, "user");
      return;
    default:
      unreachable(event);
  }
}

/** Asks for the venue's account of us, with every trade since the oldest open matter. */
export function readAccount(context: StepContext, purpose: ReadPurpose): void {
  const { state } = context;
  state.live.reconciling = true;
  state.live.nextReconcileAtMs = context.atMs + context.settings.waits.reconcileIntervalMs;
  // What others traded on the account since the last look matters as much as our own open orders. Trades carry the
  // venue's time: by our clock, when it is ahead, some would never be asked for.
  const venueNowMs = context.atMs + (state.live.clockOffsetMs ?? 0);
  let oldest = Math.min(venueNowMs, state.live.fillsReadToMs);
  state.live.fillsAskedAtMs = venueNowMs;
  for (const order of openOrders(state)) oldest = Math.min(oldest, order.createdAtMs);
  for (const fill of provisionalFills(state)) oldest = Math.min(oldest, fill.atMs);
  const fillsAfterS = Math.max(0, Math.floor((oldest - readBackMs) / 1000));
  state.live.fillsWindowMs = fillsAfterS * 1_000;
  ask(context, { kind: "account.read", purpose, fillsAfterS, tokens: tokensToCompare(context) });
}

/** Compares the venue's account with ours. Deterministic: the same report twice changes nothing the second time. */
export function accountRead(
  context: StepContext,
  purpose: ReadPurpose,
  report: AccountReport,
): void {
  const { state } = context;
  if (purpose !== "balance") state.live.reconciling = false;
  if (purpose === "periodic" && report.fills !== null) compareCopies(context, report.fills);
  for (const fill of report.fills ?? []) recordFill(context, fill);
  // The reads of a kill begin at the kill: they do not reach back to the last one that came.
  const reachesBack = purpose !== "kill" && purpose !== "balance";
  if (report.fills !== null && reachesBack) state.live.fillsReadToMs = state.live.fillsAskedAtMs;
  if (report.openOrders !== null) compareOpenOrders(context, report.openOrders);
  for (const order of openOrders(state)) {
    if (order.venueDone) lookIfDue(context, order.clientOid);
  }
  const isWithTrades = report.fills !== null && report.openOrders !== null;
  if (report.balance !== null) reportCash(context, report.balance.cash, isWithTrades);
  // Only beside the trades and orders of the same moment: alone a number of shares says little.
  if (isWithTrades) compareShares(context, report.shares ?? []);
  if (purpose === "kill" && report.openOrders !== null) killSnapshot(context, report.openOrders);
  if (purpose !== "balance") judgeWhole(context, purpose, report);
}

/** A comparison counts only when every part of it was read; trading waits for one after a start and after lost time. */
function judgeWhole(context: StepContext, purpose: ReadPurpose, report: AccountReport): void {
  const { state } = context;
  const whole = report.openOrders !== null && report.fills !== null && report.balance !== null;
  state.live.reconcileFailures = whole ? 0 : state.live.reconcileFailures + 1;
  if (whole && !state.ready) becomeReady(context);
  if (whole && purpose === "stall") endStall(context);
  const isNeeded = !state.ready || state.live.degraded.has("stalled");
  if (!whole && isNeeded) state.live.nextReconcileAtMs = context.atMs + retryStartMs;
}

/** What was missed while time was lost is read now: trading may go on. */
function endStall(context: StepContext): void {
  const stalled = context.state.live.degraded.get("stalled");
  if (stalled === undefined) return;
  context.state.live.degraded.delete("stalled");
  const afterMs = context.atMs - stalled.sinceMs;
  raise(context, null, { kind: "degraded.over", cause: "stalled", afterMs });
}

/** How soon the reconciliation that opens trading is tried again. */
const retryStartMs = 1_000;

function venueOrderReported(context: StepContext, order: VenueOrder): void {
  if (!applyVenueOrder(context, order)) externalOrderReported(context, order);
}

function compareOpenOrders(
  context: StepContext,
  reported: NonNullable<AccountReport["openOrders"]>,
): void {
  const { state } = context;
  const there = new Set<string>();
  for (const order of reported) {
    there.add(order.orderHash);
    venueOrderReported(context, order);
  }
  closeGoneExternals(context, there);
  for (const order of openOrders(state)) {
    if (there.has(order.orderHash)) continue;
    // Gone from the list: matched, canceled, or not booked yet. One targeted look tells, the absence does not.
    if (isResting(order) || order.status === "unknown") lookIfDue(context, order.clientOid);
  }
}

function reportCash(context: StepContext, cash: number, isWithTrades: boolean): void {
  const { state } = context;
  const { cash: own } = state;
  const quiet =
    openOrders(state).every((order) => isResting(order)) &&
    openActions(state).length === 0 &&
    context.atMs >= state.live.rebaseAfterMs;
  const settled = state.index.provisionalFillIds.size === 0;
  // Our own account follows the venue's only while nothing is under way that could be counted twice.
  // Less is believed at once. More may be a balance that lags behind a buy (V18): it must stay the same over several
  // reads beside the trades before it may be spent.
  const isCalm = quiet && settled && own !== cash;
  const rebase =
    own === null || (isCalm && (cash < own || lasts(context, own, cash, isWithTrades)));
  if (!isCalm) state.live.cashAbove = null;
  if (cash === state.venueCash && !rebase) return;
  emit(context, { kind: "cash.reported", cash: cash as NonNullable<typeof state.cash>, rebase });
}

/** True once the same surplus was read as often in a row as an absence must be. */
function lasts(context: StepContext, own: number, there: number, isWithTrades: boolean): boolean {
  const { live } = context.state;
  const before = live.cashAbove;
  const same = before?.own === own && before.there === there;
  const count = (same ? before.count : 0) + (isWithTrades ? 1 : 0);
  live.cashAbove = { own, there, count };
  return count >= context.settings.waits.quarantineCleanReads;
}

function becomeReady(context: StepContext): void {
  const { state, settings } = context;
  emit(context, { kind: "trading.ready" });
  if (settings.startHalted && state.killed === null && state.halt === null) {
    emit(context, {
      kind: "trading.halted",
      reason: "live_start",
      detail: "live trading starts halted; type /resume",
    });
  }
  const open = openOrders(state);
  raise(context, null, {
    kind: "started",
    trading: tradingView(state),
    openOrders: open.length,
    positions: state.positions.size,
    unknownOrders: open.filter((order) => order.status === "unknown").length,
  });
}

/** The venue's answer to a cancel is a hint; the order's end is proved by a look at it. */
export function cancelFinished(
  context: StepContext,
  clientOids: readonly string[],
  outcome: CancelOutcome,
): void {
  cancelAnswered(context, outcome);
  for (const clientOid of clientOids) {
    const order = context.state.orders.get(clientOid);
    if (order === undefined || !isOpen(order)) continue;
    const watch = watchOf(context, clientOid);
    watch.nextQueryAtMs = context.atMs;
    if (outcome.kind === "answered") lookIfDue(context, clientOid);
  }
}
