import { feeCharged } from "../domain/fees.ts";
import { costOfShares, type Fill, type FillReport } from "../domain/fill.ts";
import type { Usd } from "../domain/numbers.ts";
import type { Order } from "../domain/order.ts";
import { emit, type StepContext } from "./context.ts";
import { executionSeen } from "./evidence.ts";
import { externalFillReported } from "./external.ts";
import { raise, tellFill } from "./notices.ts";
import { orderView } from "./order-view.ts";

/**
 * Books our part of a venue trade once, however often it is reported, and follows its settlement. Returns the order it
 * belongs to; null when none of ours made it, and then it counts as somebody else's on our account.
 */
export function recordFill(context: StepContext, report: FillReport): string | null {
  const { state } = context;
  const clientOid = state.oidByHash.get(report.orderHash);
  const order = clientOid === undefined ? undefined : state.orders.get(clientOid);
  if (clientOid === undefined || order === undefined) {
    externalFillReported(context, report);
    return null;
  }
  const fillId = `${report.tradeId}:${report.orderHash}`;
  const known = state.fills.get(fillId);
  if (known === undefined) {
    const fill = newFill(context, order, report, fillId);
    emit(context, { kind: "fill.recorded", fill, clientOid });
    // A fill that is reported dead before it was known is kept, so that a late MATCHED cannot revive it.
    if (fill.status !== "failed") {
      tellFill(context, clientOid, fill);
      executionSeen(context, order);
    }
    return clientOid;
  }
  if (known.status === "provisional" && report.status !== "provisional") {
    emit(context, { kind: "fill.settled", fillId, status: report.status });
    if (report.status === "failed") tellReversal(context, clientOid, known);
  }
  return clientOid;
}

function newFill(context: StepContext, order: Order, report: FillReport, fillId: string): Fill {
  const position = context.state.positions.get(report.tokenId);
  const sells = report.side === "sell" && position !== undefined;
  return {
    ...report,
    fillId,
    conditionId: order.draft.conditionId,
    outcome: order.draft.outcome,
    fee: report.isMaker ? (0 as Usd) : takerFee(context, order, report),
    costOfSold: sells ? costOfShares(position, report.size) : (0 as Usd),
  };
}

/** The venue charges each taker match on its own average price, cut off after 10 micro-dollars. */
function takerFee(context: StepContext, order: Order, report: FillReport): Usd {
  const market = context.state.markets.get(order.draft.conditionId);
  if (market === undefined) return 0 as Usd;
  return feeCharged(market.fee, report.money, report.size);
}

function tellReversal(context: StepContext, clientOid: string, fill: Fill): void {
  const order = context.state.orders.get(clientOid);
  if (order === undefined) return;
  raise(context, order.chatId, {
    kind: "fill.reversed",
    order: orderView(context.state, order),
    size: fill.size,
    money: fill.money,
  });
}
