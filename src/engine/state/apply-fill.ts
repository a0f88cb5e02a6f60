import type { Fill } from "../domain/fill.ts";
import { addShares, addUsd, subShares, subUsd, usd } from "../domain/numbers.ts";
import { isOpen, isResting, type Order, restingStatus } from "../domain/order.ts";
import type { OrderTiming } from "../domain/order-timing.ts";
import { assert } from "../lib/assert.ts";
import {
  bookFill,
  confirmInPosition,
  countDay,
  dayProfitOf,
  reverseInPosition,
} from "./apply-position.ts";
import { changeOrder } from "./change-order.ts";
import type { EngineState } from "./engine-state.ts";
import { keepFill } from "./kept-orders.ts";

/** Keeps a fill and, unless it is dead already, books its position, cash and figures of the day. */
export function enterFill(state: EngineState, fill: Fill, atMs: number): void {
  assert(!state.fills.has(fill.fillId), "a fill is recorded once");
  keepFill(state, fill);
  if (fill.status === "failed") return;
  bookFill(state, fill);
  countDay(state, atMs, fill.money, fill.side === "sell" ? dayProfitOf(fill) : 0);
  if (state.cash !== null) {
    const flow = fill.side === "buy" ? -(fill.money + fill.fee) : fill.money - fill.fee;
    state.cash = usd(state.cash + flow);
  }
}

/** Books a fill of one of our orders: order, position, cash and the figures of the day. */
export function recordFill(state: EngineState, fill: Fill, clientOid: string, atMs: number): void {
  enterFill(state, fill, atMs);
  if (fill.status === "failed") return;
  changeOrder(state, clientOid, (order) => {
    const filled = addShares(order.filled, fill.size);
    const filledOrder: Order = {
      ...order,
      filled,
      filledUsd: addUsd(order.filledUsd, fill.money),
      feesUsd: addUsd(order.feesUsd, fill.fee),
      unknownSinceMs: null,
      cleanAbsences: 0,
      refusal: null,
      timing: withFill(order, atMs),
    };
    return isOpen(order) ? { ...filledOrder, status: restingStatus(filledOrder) } : filledOrder;
  });
}

function withFill({ timing, createdAtMs }: Order, atMs: number): OrderTiming {
  if (timing.filledMs !== null) return timing;
  return { ...timing, filledMs: timing.decidedMs + Math.max(0, atMs - createdAtMs) };
}

/** A provisional fill came to its end: it stands, or everything that it moved goes back. */
export function settleFill(
  state: EngineState,
  fillId: string,
  status: "confirmed" | "failed",
  atMs: number,
): void {
  const fill = state.fills.get(fillId);
  assert(fill?.status === "provisional", "only a provisional fill settles");
  keepFill(state, { ...fill, status });
  const position = state.positions.get(fill.tokenId);
  assert(position !== undefined, "a fill has a position");
  if (status === "confirmed") {
    state.positions.set(fill.tokenId, confirmInPosition(position, fill));
    return;
  }
  state.positions.set(fill.tokenId, reverseInPosition(position, fill));
  // A sale that never was made no profit and no loss today.
  countDay(state, atMs, 0 - fill.money, fill.side === "sell" ? 0 - dayProfitOf(fill) : 0);
  const oid = state.oidByHash.get(fill.orderHash);
  if (oid !== undefined) {
    changeOrder(state, oid, (order) => {
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
