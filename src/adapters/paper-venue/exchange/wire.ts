import { formatMicro, formatTradePrice, ONE } from "./amounts.ts";
import type { Market } from "./market.ts";
import type { MakerFill, OrderRecord, OutcomeIndex, TradeRecord } from "./records.ts";
import { isOpen } from "./records.ts";

/** Shapes of orders, trades and books as they leave the venue, on REST and on the sockets. */

export const CROWD_OWNER = "c0c0c0c0-0000-4000-8000-000000000000";
export const CROWD_ADDRESS = "0x00000000000000000000000000000000C0FFeE00";

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}

/** An order as `/data/orders` and `/data/order/{id}` show it. */
export function orderBody(order: OrderRecord): Record<string, unknown> {
  return {
    id: order.id,
    status: order.status,
    owner: order.owner,
    maker_address: order.maker,
    market: order.conditionId,
    asset_id: order.tokenId,
    side: order.side,
    original_size: formatMicro(order.originalSize),
    size_matched: formatMicro(order.matched),
    price: formatMicro(order.price),
    associate_trades: [...order.tradeIds],
    outcome: order.outcome,
    created_at: seconds(order.createdAtMs),
    expiration: String(order.expirationS),
    order_type: order.orderType,
  };
}

export type OrderEvent = "PLACEMENT" | "UPDATE" | "CANCELLATION";

/** An order event of the user channel. `note` is the free text that the venue appends to a killed order's status. */
export function orderFrame(
  order: OrderRecord,
  type: OrderEvent,
  nowMs: number,
  note = "",
): Record<string, unknown> {
  return {
    ...orderBody(order),
    event_type: "order",
    type,
    status: note === "" ? order.status : `${order.status}_${note}`,
    order_owner: order.owner,
    // A killed order comes with an empty matched size (recorded on the real channel).
    size_matched: note === "" ? formatMicro(order.matched) : "",
    associate_trades: order.tradeIds.length === 0 ? null : [...order.tradeIds],
    created_at: String(seconds(order.createdAtMs)),
    timestamp: String(nowMs),
  };
}

function makerBody(maker: MakerFill): Record<string, unknown> {
  return {
    order_id: maker.orderId,
    owner: maker.owner,
    maker_address: maker.makerAddress,
    matched_amount: formatMicro(maker.matched),
    price: formatMicro(maker.price),
    fee_rate_bps: "0",
    asset_id: maker.tokenId,
    outcome: maker.outcome,
    outcome_index: maker.outcomeIndex,
    side: maker.side,
  };
}

/** The transaction is known to the world once it is mined. */
function shownHash(trade: TradeRecord): string {
  return trade.status === "MINED" || trade.status === "CONFIRMED" ? trade.transactionHash : "";
}

/** A trade as one of its parties sees it on `/data/trades`. */
export function tradeBody(trade: TradeRecord, account: string): Record<string, unknown> {
  return {
    id: trade.id,
    taker_order_id: trade.takerOrderId,
    market: trade.conditionId,
    asset_id: trade.tokenId,
    side: trade.side,
    size: formatMicro(trade.size),
    fee_rate_bps: "0",
    price: formatMicro(trade.price),
    status: trade.status,
    match_time: String(seconds(trade.matchTimeMs)),
    match_time_nano: `${trade.matchTimeMs}000000`,
    last_update: String(seconds(trade.lastUpdateMs)),
    outcome: trade.outcome,
    bucket_index: 0,
    owner: trade.owner,
    maker_address: trade.makerAddress,
    maker_orders: trade.makers.map(makerBody),
    transaction_hash: shownHash(trade),
    err_msg: trade.status === "FAILED" ? "execution reverted" : null,
    trader_side: trade.account === account ? "TAKER" : "MAKER",
  };
}

/** A trade event of the user channel. */
export function tradeFrame(
  trade: TradeRecord,
  account: string,
  nowMs: number,
): Record<string, unknown> {
  const { match_time_nano: _, err_msg: __, ...body } = tradeBody(trade, account);
  return {
    ...body,
    event_type: "trade",
    type: "TRADE",
    trade_owner: trade.owner,
    timestamp: String(nowMs),
  };
}

/** A book event. The first snapshot carries tick size and last trade price; later ones do not. */
export function bookFrame(
  market: Market,
  outcome: OutcomeIndex,
  first: boolean,
): Record<string, unknown> {
  const { book } = market;
  const view = book.view(outcome);
  return {
    market: market.id,
    asset_id: market.token(outcome),
    timestamp: String(book.timestampMs),
    hash: book.hash(outcome),
    bids: view.bids,
    asks: view.asks,
    ...(first ? { tick_size: book.tickSize, last_trade_price: book.lastTradeText() } : {}),
    event_type: "book",
  };
}

/** A book as GET /book answers it: the hashed members in their order, with the hash filled in. */
export function bookBody(market: Market, outcome: OutcomeIndex): Record<string, unknown> {
  const { book } = market;
  const view = book.view(outcome);
  return {
    market: market.id,
    asset_id: market.token(outcome),
    timestamp: String(book.timestampMs),
    hash: book.hash(outcome),
    bids: view.bids,
    asks: view.asks,
    min_order_size: market.spec.minOrderSize,
    tick_size: book.tickSize,
    neg_risk: market.spec.negRisk,
    last_trade_price: book.lastTradeText(),
  };
}

export type LevelChange = {
  readonly isBid: boolean;
  readonly price: bigint;
  readonly size: bigint;
};

/** One level's new total, told for both outcomes: a bid of one is an ask of the other at the complement. */
export function priceChangeFrame(market: Market, change: LevelChange): Record<string, unknown> {
  const entry = (outcome: OutcomeIndex): Record<string, unknown> => {
    const best = market.book.best(outcome);
    return {
      asset_id: market.token(outcome),
      price: formatMicro(outcome === 0 ? change.price : ONE - change.price),
      size: formatMicro(change.size),
      side: change.isBid === (outcome === 0) ? "BUY" : "SELL",
      hash: market.book.hash(outcome),
      best_bid: best.bid === null ? "0" : formatMicro(best.bid),
      best_ask: best.ask === null ? "1" : formatMicro(best.ask),
    };
  };
  return {
    market: market.id,
    price_changes: change.isBid ? [entry(0), entry(1)] : [entry(1), entry(0)],
    timestamp: String(market.book.timestampMs),
    event_type: "price_change",
  };
}

export function bestBidAskFrame(market: Market, outcome: OutcomeIndex): Record<string, unknown> {
  const { bid, ask } = market.book.best(outcome);
  return {
    market: market.id,
    asset_id: market.token(outcome),
    best_bid: formatMicro(bid ?? 0n),
    best_ask: formatMicro(ask ?? 0n),
    spread: formatMicro(bid === null || ask === null ? 0n : ask - bid),
    timestamp: String(market.book.timestampMs),
    event_type: "best_bid_ask",
  };
}

/** What one taker did, for last_trade_price. */
export type TradePrint = {
  readonly outcome: OutcomeIndex;
  readonly price: bigint;
  readonly size: bigint;
  readonly side: "BUY" | "SELL";
  readonly transactionHash: string;
};

export function lastTradeFrame(market: Market, print: TradePrint): Record<string, unknown> {
  return {
    market: market.id,
    asset_id: market.token(print.outcome),
    price: formatTradePrice(print.price),
    size: formatMicro(print.size),
    fee_rate_bps: "0",
    side: print.side,
    timestamp: String(market.book.timestampMs),
    event_type: "last_trade_price",
    transaction_hash: print.transactionHash,
  };
}

/** Amounts and ids of a POST /order answer. Amounts are human decimals, empty when nothing matched. */
export function placedBody(
  order: OrderRecord,
  matched: { readonly shares: bigint; readonly cash: bigint } | null,
): Record<string, unknown> {
  const buys = order.side === "BUY";
  const making = matched === null ? "" : formatMicro(buys ? matched.cash : matched.shares);
  const taking = matched === null ? "" : formatMicro(buys ? matched.shares : matched.cash);
  return {
    errorMsg: "",
    orderID: order.id,
    takingAmount: taking,
    makingAmount: making,
    status: isOpen(order) ? order.status.toLowerCase() : "matched",
    ...(matched === null ? {} : { tradeIDs: [...order.tradeIds] }),
    success: true,
  };
}
