import type { Actor } from "../api/requests.ts";
import type { ExternalOrderView } from "../api/views.ts";
import { type ExternalOrder, externalReservedUsd } from "../domain/external.ts";
import { feeCharged } from "../domain/fees.ts";
import { costOfShares, type Fill, type FillReport } from "../domain/fill.ts";
import type { Market } from "../domain/market.ts";
import type { Usd } from "../domain/numbers.ts";
import type { Denial } from "../domain/reasons.ts";
import { mulDivFloor } from "../lib/mul-div.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { VenueOrder } from "../protocol/venue-report.ts";
import type { LedgerState } from "../state/engine-state.ts";
import { ask, emit, type StepContext } from "./context.ts";
import { raise } from "./notices.ts";

/** News of an order on our account that is none of ours (V29): counted, and told once. */
export function externalOrderReported(context: StepContext, report: VenueOrder): void {
  const { state } = context;
  const { orderHash } = report;
  if (state.forgotten.has(orderHash)) return;
  const known = state.externalOrders.get(orderHash);
  if (report.state === "ended" || report.state === "matched") {
    if (known !== undefined) emit(context, { kind: "external.closed", orderHash });
    return;
  }
  const matched = Math.max(known?.matched ?? 0, report.matched) as VenueOrder["matched"];
  if (known !== undefined && known.matched === matched) return;
  keepMarket(context, report.conditionId);
  const order: ExternalOrder = {
    orderHash,
    conditionId: report.conditionId,
    tokenId: report.tokenId,
    outcome: state.tokens.get(report.tokenId)?.outcome ?? 0,
    side: report.side,
    price: report.price,
    size: report.originalSize,
    matched,
    firstSeenAtMs: known?.firstSeenAtMs ?? context.atMs,
  };
  emit(context, { kind: "external.order", order });
  if (state.told.has(orderHash)) return;
  raise(context, null, { kind: "external.order", order: externalOrderView(state, order) }, [
    { subject: orderHash, step: "external" },
  ]);
}

/** A person names an order of somebody else: its cancel is asked for, whoever placed it. */
export function cancelExternal(
  context: StepContext,
  actor: Actor,
  orderHash: string,
): Result<null, Denial> {
  if (!context.state.externalOrders.has(orderHash)) {
    return err({ code: "order_unknown", subject: orderHash.slice(2, 10) });
  }
  emit(context, { kind: "external.cancel", orderHash, by: `user ${actor.userId}` });
  ask(context, { kind: "external.cancel", orderHash });
  return ok(null);
}

/** The venue's whole list of open orders: what is missing in it is over. Its fills come as trades. */
export function closeGoneExternals(context: StepContext, there: ReadonlySet<string>): void {
  for (const orderHash of context.state.externalOrders.keys()) {
    if (!there.has(orderHash)) emit(context, { kind: "external.closed", orderHash });
  }
}

/** A trade of somebody else on our account: it moves our position and our cash like one of ours. */
export function externalFillReported(context: StepContext, report: FillReport): void {
  const { state } = context;
  const fillId = `${report.tradeId}:${report.orderHash}`;
  if (state.forgotten.has(report.orderHash) || state.forgotten.has(fillId)) return;
  const known = state.fills.get(fillId);
  if (known !== undefined) {
    if (known.status !== "provisional" || report.status === "provisional") return;
    emit(context, { kind: "fill.settled", fillId, status: report.status });
    if (report.status === "failed") tell(context, known, "reversed");
    return;
  }
  const fill = newExternalFill(context, report, fillId);
  keepMarket(context, fill.conditionId);
  emit(context, { kind: "external.fill", fill });
  if (fill.status !== "failed") tell(context, fill, "filled");
}

function newExternalFill(context: StepContext, report: FillReport, fillId: string): Fill {
  const { state } = context;
  const token = state.tokens.get(report.tokenId);
  // A market that nobody has read yet stands under its token until the catalog names it.
  const conditionId = token?.conditionId ?? report.conditionId ?? report.tokenId;
  const market = state.markets.get(conditionId);
  const position = state.positions.get(report.tokenId);
  const fee = market === undefined ? (0 as Usd) : feeOf(market, report);
  const own = {
    fillId,
    conditionId,
    outcome: token?.outcome ?? 0,
    fee,
    external: true,
    ...(market === undefined ? { unread: true as const } : {}),
  } as const;
  if (report.side === "buy" || position === undefined) {
    return { ...report, ...own, costOfSold: 0 as Usd };
  }
  const { gone } = position;
  if (gone !== undefined && report.atMs <= gone.atMs && report.size <= gone.size) {
    // The shares were seen to be missing, and taken off, before this sale of them was reported.
    const costOfSold = mulDivFloor(gone.cost, report.size, gone.size) as Usd;
    return { ...report, ...own, costOfSold, absorbed: true };
  }
  return { ...report, ...own, costOfSold: costOfShares(position, report.size) };
}

function feeOf(market: Market, report: Pick<Fill, "isMaker" | "money" | "size">): Usd {
  return report.isMaker ? (0 as Usd) : feeCharged(market.fee, report.money, report.size);
}

/** Markets were read: what others did in them before is put there, with the fee that it cost. */
export function learnExternalFills(context: StepContext): void {
  const { state } = context;
  for (const fillId of state.externalFills) {
    const fill = state.fills.get(fillId);
    const token = fill?.unread === true ? state.tokens.get(fill.tokenId) : undefined;
    const market = token === undefined ? undefined : state.markets.get(token.conditionId);
    if (fill === undefined || token === undefined || market === undefined) continue;
    // With its names, so that the position can be read after a restart too.
    emit(context, { kind: "markets.listed", markets: [market], groups: [] });
    emit(context, { kind: "external.learned", fillId, ...token, fee: feeOf(market, fill) });
  }
}

/** The market's names and fees go into the ledger with the first thing that somebody else does in it. */
function keepMarket(context: StepContext, conditionId: string): void {
  const { state } = context;
  const market = state.markets.get(conditionId);
  if (market === undefined) return;
  for (const position of state.positions.values()) {
    if (position.conditionId === conditionId) return;
  }
  for (const order of state.externalOrders.values()) {
    if (order.conditionId === conditionId) return;
  }
  emit(context, { kind: "markets.listed", markets: [market], groups: [] });
}

function tell(context: StepContext, fill: Fill, what: "filled" | "reversed"): void {
  const market = context.state.markets.get(fill.conditionId);
  raise(context, null, {
    kind: "external.fill",
    what,
    question: market?.question ?? fill.conditionId,
    outcomeName: market?.outcomes[fill.outcome].name ?? fill.tokenId.slice(0, 12),
    side: fill.side,
    size: fill.size,
    money: fill.money,
  });
}

/** A foreign order as people and programs see it. */
export function externalOrderView(state: LedgerState, order: ExternalOrder): ExternalOrderView {
  const market = state.markets.get(order.conditionId);
  const outcome = state.tokens.get(order.tokenId)?.outcome ?? order.outcome;
  return {
    orderHash: order.orderHash,
    shortId: order.orderHash.slice(2, 10),
    conditionId: order.conditionId,
    question: market?.question ?? order.conditionId,
    outcomeName: market?.outcomes[outcome].name ?? order.tokenId.slice(0, 12),
    side: order.side,
    price: order.price,
    size: order.size,
    matched: order.matched,
    reservedUsd: externalReservedUsd(order, market),
    firstSeenAtMs: order.firstSeenAtMs,
  };
}
