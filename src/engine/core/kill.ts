import type { OrderFate } from "../api/notices.ts";
import { isOpen, type Order } from "../domain/order.ts";
import type { VenueOrder } from "../protocol/venue-report.ts";
import { openActions } from "../state/action-cost.ts";
import { openOrders } from "../state/exposure.ts";
import { actionView } from "./action-view.ts";
import { ask, emit, type StepContext } from "./context.ts";
import { externalOrderView } from "./external.ts";
import { raise } from "./notices.ts";
import { askCancel } from "./order-progress.ts";
import { orderView } from "./order-view.ts";
import { tradingView } from "./trading-view.ts";
import { watchedForMs } from "./watched-time.ts";

/** While a killed desk is not proven flat, everything is canceled again this often. */
const sweepEveryMs = 2_000;
/** After this long a kill is reported with what is still open; it is reported again when all is settled. */
const firstReportMs = 8_000;

/**
 * Accepts a kill: the gate is closed already, this makes it last. Killing twice reports what is open now and takes an
 * open offer to resume away: whoever says kill last wins.
 */
export function kill(
  context: StepContext,
  byUserId: number | null,
  note: string,
): { readonly openOrders: number } {
  const { state } = context;
  const open = openOrders(state);
  if (state.killed === null) {
    emit(context, {
      kind: "trading.killed",
      byUserId,
      note: note.slice(0, 200),
      open: open.map((order) => order.clientOid),
      external: [...state.externalOrders.values()],
    });
    raise(context, null, { kind: "killed", trading: tradingView(state), openOrders: open.length });
    state.live.killCleanSnapshots = 0;
    state.live.killFirstCleanAtMs = null;
  } else if (state.resume !== null) emit(context, { kind: "resume.withdrawn" });
  sweep(context);
  reportKill(context);
  return { openOrders: open.length };
}

/** Cancels everything the venue may hold of ours, known or not, and looks again. */
function sweep(context: StepContext): void {
  context.state.live.nextKillSweepAtMs = context.atMs + sweepEveryMs;
  askCancel(context, openOrders(context.state), "kill");
  ask(context, { kind: "orders.cancel-all" });
  ask(context, { kind: "account.read", purpose: "kill", fillsAfterS: fillsSinceKill(context) });
}

function fillsSinceKill(context: StepContext): number {
  const { killed } = context.state;
  // A kill of a run whose clock was ahead lies in the future.
  const nowMs = context.atMs + (context.state.live.clockOffsetMs ?? 0);
  let oldest = Math.min(killed?.atMs ?? nowMs, nowMs);
  for (const order of openOrders(context.state)) oldest = Math.min(oldest, order.createdAtMs);
  return Math.max(0, Math.floor(oldest / 1000) - 60);
}

/** Called on every tick of a killed desk. */
export function tickKill(context: StepContext): void {
  const { state } = context;
  if (state.killed === null) return;
  if (context.atMs >= state.live.nextKillSweepAtMs && !provenFlat(context)) sweep(context);
  if (state.killReported !== "settled") reportKill(context);
}

/** Flat is proven by several clean snapshots over a window, because an order in flight may be booked late. */
function provenFlat(context: StepContext): boolean {
  const { live } = context.state;
  const { waits } = context.settings;
  if (live.killFirstCleanAtMs === null || openOrders(context.state).length > 0) return false;
  return (
    live.killCleanSnapshots >= waits.killCleanSnapshots &&
    watchedForMs(context, live.killFirstCleanAtMs) >= waits.killWindowMs
  );
}

/** One read of the venue's open orders during a kill. */
export function killSnapshot(context: StepContext, reported: readonly VenueOrder[]): void {
  const { live } = context.state;
  if (context.state.killed === null) return;
  if (reported.length > 0) {
    live.killCleanSnapshots = 0;
    live.killFirstCleanAtMs = null;
    return;
  }
  live.killCleanSnapshots++;
  live.killFirstCleanAtMs ??= context.atMs;
}

/** Tells what became of each order that was open, as soon as all ended, or after a while with what is still open. */
function reportKill(context: StepContext): void {
  const { state } = context;
  const { killed } = state;
  if (killed === null || state.killReported === "settled") return;
  const orders = killed.open.flatMap((oid) => state.orders.get(oid) ?? []);
  const external = killed.external.map((order) => ({
    order: externalOrderView(state, order),
    fate: state.externalOrders.has(order.orderHash) ? ("still_open" as const) : ("gone" as const),
  }));
  const settled = !orders.some(isOpen) && external.every((one) => one.fate === "gone");
  const late = context.atMs - killed.atMs >= firstReportMs;
  if (!settled && (!late || state.killReported === "partly")) return;
  const fates = orders.map(
    (order): OrderFate => ({
      order: orderView(state, order),
      fate: fateOf(order),
    }),
  );
  emit(context, { kind: "kill.reported", settled });
  const calls = openActions(state).map((action) => actionView(state, action));
  if (orders.length + external.length + calls.length === 0) return;
  raise(context, null, { kind: "kill.report", orders: fates, external, calls, settled });
}

function fateOf(order: Order): OrderFate["fate"] {
  if (isOpen(order) && order.delayed) return "delayed";
  if (order.status === "unknown" || order.status === "in_flight") return "unknown";
  if (isOpen(order)) return "still_open";
  if (order.status === "filled") return "filled";
  return order.status === "canceled" ? "canceled" : "was_done";
}
