import type { OrderView } from "../api/views.ts";
import { isOpen, type Order } from "../domain/order.ts";
import type { LedgerState } from "../state/engine-state.ts";
import { reservedUsd } from "../state/exposure.ts";

/** An order as people and programs see it. */
export function orderView(state: LedgerState, order: Order): OrderView {
  const market = state.markets.get(order.draft.conditionId);
  const { draft } = order;
  return {
    clientOid: order.clientOid,
    shortId: order.orderHash.slice(2, 10),
    orderHash: order.orderHash,
    conditionId: draft.conditionId,
    question: market?.question ?? draft.conditionId,
    outcome: draft.outcome,
    outcomeName: market?.outcomes[draft.outcome].name ?? String(draft.outcome),
    side: draft.side,
    timeInForce: draft.timeInForce,
    status: order.status,
    rejectReason: order.rejectReason,
    limit: draft.limit,
    size: draft.size,
    spend: draft.spend,
    filled: order.filled,
    filledUsd: order.filledUsd,
    feesUsd: order.feesUsd,
    reservedUsd: reservedUsd(order),
    createdAtMs: order.createdAtMs,
    planId: order.planId,
    leg: order.leg,
    strategy: order.strategy,
    cancelAsked: order.cancelAskedAtMs !== null,
    timing: order.timing,
    delayed: isOpen(order) && order.delayed,
  };
}
