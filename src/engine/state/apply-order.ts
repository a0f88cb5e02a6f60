import type { Fill, Position } from "../domain/fill.ts";
import {
  addShares,
  addUsd,
  type Shares,
  shares,
  subShares,
  subUsd,
  type Usd,
  usd,
} from "../domain/numbers.ts";
import { isOpen, isResting, type Order } from "../domain/order.ts";
import { assert, unreachable } from "../lib/assert.ts";
import { type EngineState, keptClosedOrders } from "./engine-state.ts";
import type { Fact } from "./fact.ts";

type OrderFact = Extract<
  Fact,
  {
    readonly kind:
      | "plan.approved"
      | "order.acked"
      | "order.unknown"
      | "order.absent"
      | "order.reported"
      | "order.closed"
      | "cancel.asked"
      | "fill.recorded"
      | "fill.settled"
      | "market.settled"
      | "cash.reported";
  }
>;

/** Orders, fills, positions and cash. */
export function applyOrderFact(state: EngineState, fact: OrderFact, atMs: number): void {
  switch (fact.kind) {
    case "plan.approved":
      approve(state, fact);
      return;
    case "order.acked":
      change(state, fact.clientOid, (order) => ({
        ...order,
        status: isOpen(order) && fact.state === "live" ? restingStatus(order) : order.status,
        unknownSinceMs: null,
        cleanAbsences: 0,
      }));
      return;
    case "order.unknown":
      change(state, fact.clientOid, (order) => ({
        ...order,
        status: "unknown",
        unknownSinceMs: order.unknownSinceMs ?? atMs,
        cleanAbsences: 0,
      }));
      return;
    case "order.absent":
      change(state, fact.clientOid, (order) => ({
        ...order,
        cleanAbsences: order.cleanAbsences + 1,
      }));
      return;
    case "order.reported":
      change(state, fact.clientOid, (order) => ({
        ...order,
        status: isOpen(order) ? restingStatus(order) : order.status,
        unknownSinceMs: null,
        cleanAbsences: 0,
        venueMatched: fact.matched > order.venueMatched ? fact.matched : order.venueMatched,
        venueDone: order.venueDone || fact.done,
      }));
      return;
    case "order.closed":
      close(state, fact);
      return;
    case "cancel.asked":
      for (const clientOid of fact.clientOids) {
        change(state, clientOid, (order) => ({
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
    case "market.settled":
      settlePositions(state, fact.conditionId, fact.winningTokenId, atMs);
      return;
    case "cash.reported":
      state.venueCash = fact.cash;
      if (fact.rebase || state.cash === null) state.cash = fact.cash;
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
    state.orders.set(order.clientOid, order);
    state.oidByHash.set(order.orderHash, order.clientOid);
  }
}

function restingStatus(order: Order): Order["status"] {
  return order.filled > 0 ? "partially_filled" : "live";
}

function change(state: EngineState, clientOid: string, update: (order: Order) => Order): void {
  const order = state.orders.get(clientOid);
  assert(order !== undefined, "a fact names an order that exists");
  state.orders.set(clientOid, update(order));
}

function close(state: EngineState, fact: Extract<Fact, { kind: "order.closed" }>): void {
  change(state, fact.clientOid, (order) => {
    assert(isOpen(order), "an order is closed once");
    return { ...order, status: fact.status, rejectReason: fact.reason, unknownSinceMs: null };
  });
  state.closedOrders.push(fact.clientOid);
  while (state.closedOrders.length > keptClosedOrders) forgetOldest(state);
}

function forgetOldest(state: EngineState): void {
  const oldest = state.closedOrders.shift();
  const order = oldest === undefined ? undefined : state.orders.get(oldest);
  if (order === undefined) return;
  state.orders.delete(order.clientOid);
  state.oidByHash.delete(order.orderHash);
  const plan = state.plans.get(order.planId);
  if (plan !== undefined && plan.clientOids.every((oid) => !state.orders.has(oid))) {
    state.plans.delete(plan.planId);
    state.planByCommand.delete(plan.commandId);
  }
  for (const fill of state.fills.values()) {
    if (fill.orderHash === order.orderHash) state.fills.delete(fill.fillId);
  }
}

function recordFill(state: EngineState, fill: Fill, clientOid: string, atMs: number): void {
  assert(!state.fills.has(fill.fillId), "a fill is recorded once");
  state.fills.set(fill.fillId, fill);
  if (fill.status === "failed") return;
  change(state, clientOid, (order) => {
    const filled = addShares(order.filled, fill.size);
    const filledOrder: Order = {
      ...order,
      filled,
      filledUsd: addUsd(order.filledUsd, fill.money),
      feesUsd: addUsd(order.feesUsd, fill.fee),
      unknownSinceMs: null,
      cleanAbsences: 0,
    };
    return isOpen(order) ? { ...filledOrder, status: restingStatus(filledOrder) } : filledOrder;
  });
  const before = state.positions.get(fill.tokenId)?.realizedUsd ?? 0;
  bookFill(state, fill);
  const after = state.positions.get(fill.tokenId)?.realizedUsd ?? 0;
  countDay(state, atMs, fill.money, after - before);
  if (state.cash !== null) {
    const flow = fill.side === "buy" ? -(fill.money + fill.fee) : fill.money - fill.fee;
    state.cash = usd(state.cash + flow);
  }
}

function emptyPosition(fill: Fill): Position {
  return {
    tokenId: fill.tokenId,
    conditionId: fill.conditionId,
    outcome: fill.outcome,
    confirmed: 0 as Shares,
    provisionalBought: 0 as Shares,
    provisionalSold: 0 as Shares,
    cost: 0 as Usd,
    realizedUsd: 0 as Usd,
  };
}

function bookFill(state: EngineState, fill: Fill): void {
  const before = state.positions.get(fill.tokenId) ?? emptyPosition(fill);
  const confirmed = fill.status === "confirmed";
  if (fill.side === "buy") {
    state.positions.set(fill.tokenId, {
      ...before,
      confirmed: confirmed ? addShares(before.confirmed, fill.size) : before.confirmed,
      provisionalBought: confirmed
        ? before.provisionalBought
        : addShares(before.provisionalBought, fill.size),
      cost: usd(before.cost + fill.money + fill.fee),
    });
    return;
  }
  state.positions.set(fill.tokenId, {
    ...before,
    confirmed: confirmed ? shares(Math.max(0, before.confirmed - fill.size)) : before.confirmed,
    provisionalSold: confirmed
      ? before.provisionalSold
      : addShares(before.provisionalSold, fill.size),
    cost: usd(before.cost - fill.costOfSold),
    realizedUsd: usd(before.realizedUsd + profitOf(fill)),
  });
}

function settleFill(
  state: EngineState,
  fillId: string,
  status: "confirmed" | "failed",
  atMs: number,
): void {
  const fill = state.fills.get(fillId);
  assert(fill?.status === "provisional", "only a provisional fill settles");
  state.fills.set(fillId, { ...fill, status });
  const position = state.positions.get(fill.tokenId);
  assert(position !== undefined, "a fill has a position");
  if (status === "confirmed") {
    state.positions.set(fill.tokenId, confirmInPosition(position, fill));
    return;
  }
  state.positions.set(fill.tokenId, reverseInPosition(position, fill));
  // A sale that never was made no profit and no loss today.
  countDay(state, atMs, 0 - fill.money, fill.side === "sell" ? 0 - profitOf(fill) : 0);
  const oid = state.oidByHash.get(fill.orderHash);
  if (oid !== undefined) {
    change(state, oid, (order) => {
      const reduced: Order = {
        ...order,
        filled: subShares(order.filled, fill.size),
        filledUsd: subUsd(order.filledUsd, fill.money),
        feesUsd: subUsd(order.feesUsd, fill.fee),
      };
      return isResting(order) ? { ...reduced, status: restingStatus(reduced) } : reduced;
    });
  }
  if (state.cash !== null) {
    const flow = fill.side === "buy" ? fill.money + fill.fee : fill.fee - fill.money;
    state.cash = usd(state.cash + flow);
  }
}

function confirmInPosition(position: Position, fill: Fill): Position {
  if (fill.side === "buy") {
    // A fill that is confirmed after its market was settled has nothing left to move.
    if (position.provisionalBought < fill.size) return position;
    return {
      ...position,
      confirmed: addShares(position.confirmed, fill.size),
      provisionalBought: subShares(position.provisionalBought, fill.size),
    };
  }
  if (position.provisionalSold < fill.size) return position;
  return {
    ...position,
    confirmed: shares(Math.max(0, position.confirmed - fill.size)),
    provisionalSold: subShares(position.provisionalSold, fill.size),
  };
}

function reverseInPosition(position: Position, fill: Fill): Position {
  const moved = fill.side === "buy" ? position.provisionalBought : position.provisionalSold;
  if (moved < fill.size) return position;
  if (fill.side === "buy") {
    const paid = fill.money + fill.fee;
    // A sale in between took part of this cost along in its average: what is missing is profit of that sale.
    const held = Math.min(paid, position.cost);
    return {
      ...position,
      provisionalBought: subShares(position.provisionalBought, fill.size),
      cost: usd(position.cost - held),
      realizedUsd: usd(position.realizedUsd + paid - held),
    };
  }
  // The sold shares never left: they come back at what they had cost, and the profit of the sale is undone.
  return {
    ...position,
    provisionalSold: subShares(position.provisionalSold, fill.size),
    cost: usd(position.cost + fill.costOfSold),
    realizedUsd: usd(position.realizedUsd - profitOf(fill)),
  };
}

function profitOf(sale: Fill): number {
  return sale.money - sale.fee - sale.costOfSold;
}

/**
 * Ends the positions of a resolved market at their payoff. Cash is not touched: the venue (or a redemption) pays, and
 * the next quiet reading of the balance brings it in.
 */
function settlePositions(
  state: EngineState,
  conditionId: string,
  winningTokenId: string,
  atMs: number,
): void {
  for (const position of state.positions.values()) {
    if (position.conditionId !== conditionId) continue;
    const held = position.confirmed + position.provisionalBought - position.provisionalSold;
    const paid = position.tokenId === winningTokenId ? Math.max(0, held) : 0;
    countDay(state, atMs, 0, paid - position.cost);
    state.positions.set(position.tokenId, {
      ...position,
      confirmed: 0 as Shares,
      provisionalBought: 0 as Shares,
      provisionalSold: 0 as Shares,
      cost: 0 as Usd,
      realizedUsd: usd(position.realizedUsd + paid - position.cost),
    });
  }
}

const dayMs = 86_400_000;

/** Adds to the figures of the UTC day; the first fill of a new day starts them anew. */
function countDay(state: EngineState, atMs: number, volume: number, realized: number): void {
  const startMs = atMs - (atMs % dayMs);
  const sameDay = state.day.startMs === startMs;
  const { volumeUsd, realizedUsd } = state.day;
  state.day = {
    startMs,
    volumeUsd: usd(Math.max(0, (sameDay ? volumeUsd : 0) + volume)),
    realizedUsd: usd((sameDay ? realizedUsd : 0) + realized),
  };
}
