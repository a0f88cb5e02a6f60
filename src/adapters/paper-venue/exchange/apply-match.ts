import { randomBytes, randomUUID } from "node:crypto";
import type { Side } from "../types.ts";
import { averagePrice } from "./amounts.ts";
import { takerFee } from "./fees.ts";
import type { Market } from "./market.ts";
import { standsOnBids } from "./market-book.ts";
import type { MatchPlan, PlannedFill } from "./match-plan.ts";
import type { MakerFill, OrderRecord, OutcomeIndex, TradeRecord } from "./records.ts";
import { remainingShares } from "./records.ts";
import type { VenueState } from "./venue-state.ts";
import { CROWD_ADDRESS, CROWD_OWNER } from "./wire.ts";
import type { Work } from "./work.ts";
import { index } from "./work.ts";

/** Who takes: an order of ours, or the crowd. */
export type TakerSide = {
  readonly order: OrderRecord | null;
  readonly side: Side;
  readonly outcome: OutcomeIndex;
};

function randomHash(): string {
  return `0x${randomBytes(32).toString("hex")}`;
}

/** Signs of a trade's effect: a buy takes shares and gives cash. */
function signOf(side: Side): bigint {
  return side === "BUY" ? 1n : -1n;
}

function makerFill(market: Market, fill: PlannedFill): MakerFill {
  return {
    account: fill.order?.account ?? null,
    orderId: fill.order?.id ?? randomHash(),
    owner: fill.order?.owner ?? CROWD_OWNER,
    makerAddress: fill.order?.maker ?? CROWD_ADDRESS,
    matched: fill.shares,
    price: fill.makerPrice,
    tokenId: market.token(fill.makerOutcome),
    outcome: market.spec.outcomes[fill.makerOutcome].name,
    outcomeIndex: fill.makerOutcome,
    side: fill.makerSide,
    cash: fill.makerCash,
  };
}

/**
 * Moves cash and shares of every party of a trade: `direction` 1 when it matches, -1 when its settlement failed.
 * Cash and tokens both move at MATCHED, so that what was bought can be sold at once; only a failure undoes it.
 */
export function moveBalances(
  state: VenueState,
  work: Work,
  trade: TradeRecord,
  direction: 1n | -1n,
): void {
  const market = state.markets.market(trade.conditionId);
  if (market === null) return;
  const move = (address: string | null, part: Part): void => {
    const sign = signOf(part.side) * direction;
    const account = state.party(address);
    state.giveCash(work, account, -sign * part.cash);
    state.giveShares(work, account, market, part.outcomeIndex, sign * part.shares);
  };
  for (const maker of trade.makers) move(maker.account, { ...maker, shares: maker.matched });
  move(trade.account, { ...trade, shares: trade.size });
  state.giveCash(work, state.party(trade.account), -trade.fee * direction);
  state.feesCollected += trade.fee * direction;
}

type Part = {
  readonly side: Side;
  readonly outcomeIndex: OutcomeIndex;
  readonly shares: bigint;
  readonly cash: bigint;
};

function fillMaker(
  state: VenueState,
  work: Work,
  market: Market,
  fill: PlannedFill,
  trade: TradeRecord,
) {
  const { order } = fill;
  if (order === null) {
    const isBid = standsOnBids(fill.makerSide, fill.makerOutcome);
    market.book.side(isBid).consumeBackground(fill.bookPrice, fill.shares);
    return;
  }
  market.book.willChange(order);
  order.matched += fill.shares;
  order.tradeIds.push(trade.id);
  if (remainingShares(order) === 0n) {
    order.status = "MATCHED";
    market.book.remove(order);
    closeOrder(state, order, market);
  }
  work.orderChanged(order, "UPDATE");
}

/** Forgets an order that is no longer open in every list of open orders. */
export function closeOrder(state: VenueState, order: OrderRecord, market: Market | null): void {
  const account = state.accounts.get(order.account);
  if (account !== null) index(order, account, market);
  state.delayed.delete(order.id);
  state.expiring.delete(order.id);
}

/** Fee of a planned match for an order of ours; the crowd pays none. */
export function feeOf(market: Market, plan: MatchPlan): bigint {
  return takerFee(market.feeRate, plan.cash, plan.shares);
}

/** Carries out a plan: one trade for the whole taker order. Returns null when nothing but the crowd is involved. */
export function applyMatch(
  state: VenueState,
  work: Work,
  market: Market,
  taker: TakerSide,
  plan: MatchPlan,
): TradeRecord | null {
  const { order } = taker;
  const price = averagePrice(plan.cash, plan.shares, market.tick);
  const trade: TradeRecord = {
    id: randomUUID(),
    seq: state.nextSeq(),
    account: order?.account ?? null,
    takerOrderId: order?.id ?? randomHash(),
    owner: order?.owner ?? CROWD_OWNER,
    makerAddress: order?.maker ?? CROWD_ADDRESS,
    conditionId: market.id,
    tokenId: market.token(taker.outcome),
    outcome: market.spec.outcomes[taker.outcome].name,
    outcomeIndex: taker.outcome,
    side: taker.side,
    size: plan.shares,
    cash: plan.cash,
    fee: order === null ? 0n : feeOf(market, plan),
    price,
    matchTimeMs: work.nowMs,
    transactionHash: randomHash(),
    makers: plan.fills.map((fill) => makerFill(market, fill)),
    plan: "settle",
    status: "MATCHED",
    lastUpdateMs: work.nowMs,
    nextAtMs: work.nowMs + state.options.settleMs,
  };
  const ours = order !== null || trade.makers.some((maker) => maker.account !== null);
  const planned = ours ? { ...trade, plan: state.tradePlans.shift() ?? trade.plan } : trade;
  for (const fill of plan.fills) fillMaker(state, work, market, fill, planned);
  market.book.lastTrade = price;
  market.book.lastTradeSide = taker.side;
  const { transactionHash } = trade;
  const print = { outcome: taker.outcome, price, size: plan.shares, side: taker.side };
  work.printed(market, { ...print, transactionHash });
  if (!ours) return null;
  moveBalances(state, work, planned, 1n);
  state.unsettled.set(planned.id, planned);
  work.tradeChanged(planned);
  return planned;
}
