import { isOpen, type Order, restingStatus } from "../domain/order.ts";
import { decidedAfter, type RequestTiming } from "../domain/order-timing.ts";
import { assert, unreachable } from "../lib/assert.ts";
import { recordFill, settleFill } from "./apply-fill.ts";
import { changeOrder } from "./change-order.ts";
import { type EngineState, keptClosedOrders } from "./engine-state.ts";
import type { Fact } from "./fact.ts";
import { forgetOrder, keepOrder } from "./kept-orders.ts";

type OrderFact = Extract<
  Fact,
  {
    readonly kind:
      | "plan.approved"
      | "order.acked"
      | "order.refused"
      | "order.timed"
      | "order.unknown"
      | "order.absent"
      | "order.reported"
      | "order.closed"
      | "order.reopened"
      | "cancel.asked"
      | "fill.recorded"
      | "fill.settled";
  }
>;

/** Orders and their fills. */
export function applyOrderFact(state: EngineState, fact: OrderFact, atMs: number): void {
  switch (fact.kind) {
    case "plan.approved":
      approve(state, fact);
      return;
    case "order.acked":
      changeOrder(state, fact.clientOid, (order) => ({
        ...order,
        status: isOpen(order) && fact.state === "live" ? restingStatus(order) : order.status,
        unknownSinceMs: null,
        cleanAbsences: 0,
        delayed: fact.state === "delayed",
      }));
      return;
    case "order.refused":
      refuse(state, fact);
      return;
    case "order.timed":
      changeOrder(state, fact.clientOid, (order) => withRequest(order, fact.timing));
      return;
    case "order.unknown":
      becomeUnknown(state, fact.clientOid, atMs);
      return;
    case "order.absent":
      changeOrder(state, fact.clientOid, (order) => ({
        ...order,
        cleanAbsences: order.cleanAbsences + 1,
      }));
      return;
    case "order.reported":
      changeOrder(state, fact.clientOid, (order) => ({
        ...order,
        status: reportedStatus(order, fact.delayed === true),
        delayed: fact.delayed === true,
        unknownSinceMs: null,
        cleanAbsences: 0,
        refusal: fact.done && fact.matched === 0 ? order.refusal : null,
        venueMatched: fact.matched > order.venueMatched ? fact.matched : order.venueMatched,
        venueDone: order.venueDone || fact.done,
      }));
      return;
    case "order.closed":
      close(state, fact);
      return;
    case "order.reopened":
      reopen(state, fact.clientOid);
      return;
    case "cancel.asked":
      for (const clientOid of fact.clientOids) {
        changeOrder(state, clientOid, (order) => ({
          ...order,
          cancelAskedAtMs: order.cancelAskedAtMs ?? atMs,
        }));
      }
      return;
    case "fill.recorded":
      recordFill(state, fact.fill, fact.clientOid, atMs);
      return;
    case "fill.settled":
      settleFill(state, fact.fillId, fact.status, atMs);
      return;
    default:
      unreachable(fact);
  }
}

function approve(state: EngineState, fact: Extract<Fact, { kind: "plan.approved" }>): void {
  assert(!state.plans.has(fact.plan.planId), "a plan is approved once");
  state.plans.set(fact.plan.planId, fact.plan);
  state.planByCommand.set(fact.plan.commandId, fact.plan.planId);
  for (const order of fact.orders) {
    assert(!state.orders.has(order.clientOid), "a client order id has one order");
    assert(!state.oidByHash.has(order.orderHash), "an order hash belongs to one order");
    // Rows of an older version carry no refusal and no timing.
    const timing = order.timing ?? decidedAfter(order.planId, order.leg, 0);
    const delayed = order.delayed ?? false;
    keepOrder(state, { ...order, refusal: order.refusal ?? null, timing, delayed });
    state.oidByHash.set(order.orderHash, order.clientOid);
  }
}

/** A delayed order is held by the venue but does not rest: nothing of it can be canceled yet. */
function reportedStatus(order: Order, delayed: boolean): Order["status"] {
  if (!isOpen(order)) return order.status;
  return delayed && order.filled === 0 ? "in_flight" : restingStatus(order);
}

/** The first request that got an answer stays; the ones before it were not taken. */
function withRequest(order: Order, request: RequestTiming): Order {
  const { decidedMs } = order.timing;
  const after = (ms: number) => decidedMs + ms;
  return {
    ...order,
    timing: {
      ...order.timing,
      committedMs: order.timing.committedMs ?? after(request.committedMs),
      sentMs: request.sentMs === null ? order.timing.sentMs : after(request.sentMs),
      acknowledgedMs: after(request.acknowledgedMs),
    },
  };
}

function becomeUnknown(state: EngineState, clientOid: string, atMs: number): void {
  changeOrder(state, clientOid, (order) => ({
    ...order,
    status: "unknown",
    unknownSinceMs: order.unknownSinceMs ?? atMs,
    cleanAbsences: 0,
  }));
}

function refuse(state: EngineState, fact: Extract<Fact, { kind: "order.refused" }>): void {
  const refusal = { reason: fact.reason, detail: fact.detail };
  changeOrder(state, fact.clientOid, (order) => ({ ...order, refusal }));
}

function close(state: EngineState, fact: Extract<Fact, { kind: "order.closed" }>): void {
  changeOrder(state, fact.clientOid, (order) => {
    assert(isOpen(order), "an order is closed once");
    return { ...order, status: fact.status, rejectReason: fact.reason, unknownSinceMs: null };
  });
  state.closedOrders.push(fact.clientOid);
  while (state.closedOrders.length > keptClosedOrders) forgetOldest(state);
}

/** The one way back out of a terminal state: the order rests after all, and so does its reservation. */
function reopen(state: EngineState, clientOid: string): void {
  changeOrder(state, clientOid, (order) => {
    assert(order.status === "rejected", "only an order that was believed away is reopened");
    return { ...order, status: restingStatus(order), rejectReason: null, refusal: null };
  });
  const at = state.closedOrders.indexOf(clientOid);
  if (at >= 0) state.closedOrders.splice(at, 1);
}

function forgetOldest(state: EngineState): void {
  const oldest = state.closedOrders.shift();
  const order = oldest === undefined ? undefined : state.orders.get(oldest);
  if (order === undefined) return;
  forgetOrder(state, order);
  state.forgotten.set(order.orderHash, true);
  const plan = state.plans.get(order.planId);
  if (plan !== undefined && plan.clientOids.every((oid) => !state.orders.has(oid))) {
    state.plans.delete(plan.planId);
    state.planByCommand.delete(plan.commandId);
  }
}
