import type { NoticeBody, OrderResult } from "../api/notices.ts";
import { type Shares, type Usd, usd } from "../domain/numbers.ts";
import type { Order } from "../domain/order.ts";
import { isOpen, isResting, restIsCanceled } from "../domain/order.ts";
import type { Told } from "../state/fact.ts";
import { emit, type StepContext } from "./context.ts";
import { orderView } from "./order-view.ts";

/** Raises a notice; `tells` marks what it told, so that it is not told again. */
export function raise(
  context: StepContext,
  chatId: number | null,
  body: NoticeBody,
  tells: readonly Told[] = [],
): void {
  const noticeId = context.state.lastNoticeId + 1;
  emit(context, {
    kind: "notice.raised",
    notice: { noticeId, atMs: context.atMs, chatId, body },
    tells,
  });
}

/** Tells what is new about an order: it rests, it filled in part, it ended, or nobody knows. Each step once. */
export function tellOrder(context: StepContext, clientOid: string): void {
  const order = context.state.orders.get(clientOid);
  if (order === undefined) return;
  const told = context.state.told.get(clientOid);
  if (order.status === "unknown") {
    tellUnknown(context, order, told);
    return;
  }
  if (order.strategy === "dutch") {
    tellSet(context, order);
    return;
  }
  if (isOpen(order)) {
    const { timeInForce } = order.draft;
    const rests = (timeInForce === "gtc" || timeInForce === "gtd") && !restIsCanceled(order);
    if (isResting(order) && rests && told !== "resting") {
      outcome(context, order, "resting", "resting");
    }
    return;
  }
  if (told !== "ended") outcome(context, order, resultOf(order), "ended");
}

/** Nobody knows what became of an order: told at once, and once more when it stays so for long. */
function tellUnknown(context: StepContext, order: Order, told: string | undefined): void {
  const { state, atMs } = context;
  const sinceMs = order.unknownSinceMs ?? atMs;
  // The clock of an earlier run may have been ahead: such an order is late by this run's time at the latest.
  const late =
    atMs - (sinceMs > atMs ? state.startedAtMs : sinceMs) >= context.settings.waits.settleAlarmMs;
  const step = late ? "unknown-late" : "unknown";
  if (told === step || told === "unknown-late") return;
  const body: NoticeBody = { kind: "order.unknown", order: orderView(context.state, order) };
  raise(context, order.chatId, body, [{ subject: order.clientOid, step }]);
}

function outcome(context: StepContext, order: Order, result: OrderResult, step: string): void {
  const body: NoticeBody = {
    kind: "order.outcome",
    order: orderView(context.state, order),
    result,
  };
  raise(context, order.chatId, body, [{ subject: order.clientOid, step }]);
}

/** How a closed order ended, in the words of the receipts. */
export function resultOf(order: Order): OrderResult {
  if (order.status === "filled") return "filled";
  if (order.filled > 0) return "partially_filled";
  if (order.status === "rejected") {
    const reason = order.rejectReason;
    const clean = reason === "no_match" || reason === "not_fully_filled";
    return clean ? "nothing_filled" : "rejected";
  }
  if (order.draft.immediate === true) return "nothing_filled";
  if (order.cancelAskedAtMs !== null) return "canceled";
  if (order.draft.timeInForce === "gtd") return "expired";
  return order.draft.timeInForce === "gtc" ? "canceled" : "nothing_filled";
}

/** A later fill of an order that was said to rest, or that comes after the order's end was told. */
export function tellFill(
  context: StepContext,
  clientOid: string,
  fill: { readonly size: Shares; readonly money: Usd; readonly fee: Usd },
): void {
  const order = context.state.orders.get(clientOid);
  if (order === undefined) return;
  const told = context.state.told.get(clientOid);
  if (told !== "ended" && (told !== "resting" || order.strategy === "dutch")) return;
  // The fill that completes an order is told by the order's end, which follows at once.
  if (told === "resting" && order.draft.spend === null && order.filled >= order.draft.size) return;
  raise(context, order.chatId, {
    kind: "order.filled",
    order: orderView(context.state, order),
    ...fill,
  });
}

function tellSet(context: StepContext, order: Order): void {
  const plan = context.state.plans.get(order.planId);
  if (plan === undefined || context.state.told.get(plan.planId) === "ended") return;
  const legs = plan.clientOids.flatMap((oid) => context.state.orders.get(oid) ?? []);
  if (legs.some(isOpen)) return;
  const least = Math.min(...legs.map((leg) => leg.filled));
  const body: NoticeBody = {
    kind: "set.outcome",
    title: plan.title,
    legs: legs.map((leg) => orderView(context.state, leg)),
    shares: least as Shares,
    cost: usd(legs.reduce<number>((sum, leg) => sum + leg.filledUsd, 0)),
    fee: usd(legs.reduce<number>((sum, leg) => sum + leg.feesUsd, 0)),
    complete: least > 0 && legs.every((leg) => leg.filled === least),
  };
  raise(context, order.chatId, body, [
    { subject: plan.planId, step: "ended" },
    ...legs.map((leg) => ({ subject: leg.clientOid, step: "ended" })),
  ]);
}
