import { moveBalances } from "./apply-match.ts";
import { requireBalance } from "./balance-check.ts";
import { cancelOrder } from "./cancel-orders.ts";
import { executeOrder } from "./execute-order.ts";
import type { ActivityRow, OrderRecord, TradeRecord } from "./records.ts";
import { VenueError } from "./venue-error.ts";
import type { VenueState } from "./venue-state.ts";
import type { Work } from "./work.ts";
import { index } from "./work.ts";

/** What happens by itself: settlement of trades, the end of taker delays, and GTD expiry. */

function expiryMs(state: VenueState, order: OrderRecord): number {
  return order.expirationS * 1000 - state.options.gtdMarginMs;
}

/** Fills appear in Data API answers once they are on chain. */
function minedRows(state: VenueState, trade: TradeRecord, nowMs: number): ActivityRow[] {
  const row = (account: string, part: Omit<ActivityRow, keyof typeof common>): ActivityRow => ({
    ...common,
    ...part,
    seq: state.nextSeq(),
    account,
  });
  const common = {
    seq: 0,
    account: "",
    type: "TRADE" as const,
    atMs: nowMs,
    conditionId: trade.conditionId,
    transactionHash: trade.transactionHash,
  };
  const rows: ActivityRow[] = [];
  if (trade.account !== null) {
    const { makerAddress: address, tokenId, outcomeIndex, side, size, cash, price } = trade;
    rows.push(row(trade.account, { address, tokenId, outcomeIndex, side, size, cash, price }));
  }
  for (const maker of trade.makers) {
    if (maker.account === null) continue;
    const { makerAddress: address, tokenId, outcomeIndex, side, cash, price } = maker;
    const part = { address, tokenId, outcomeIndex, side, size: maker.matched, cash, price };
    rows.push(row(maker.account, part));
  }
  return rows;
}

function advance(state: VenueState, work: Work, trade: TradeRecord): void {
  const { settleMs } = state.options;
  trade.lastUpdateMs = work.nowMs;
  trade.nextAtMs = work.nowMs + settleMs;
  if (trade.status === "MATCHED" && trade.plan === "fail") {
    trade.status = "FAILED";
    trade.nextAtMs = null;
    moveBalances(state, work, trade, -1n);
  } else if (trade.status === "MATCHED" && trade.plan === "retry") {
    trade.status = "RETRYING";
  } else if (trade.status === "MATCHED" || trade.status === "RETRYING") {
    trade.status = "MINED";
    work.activity.push(...minedRows(state, trade, work.nowMs));
  } else {
    trade.status = "CONFIRMED";
    trade.nextAtMs = null;
  }
  if (trade.nextAtMs === null) state.unsettled.delete(trade.id);
  work.tradeChanged(trade);
}

/** A delayed order is judged again from its balance on; a refusal now ends it as INVALID. */
function endDelay(state: VenueState, work: Work, order: OrderRecord): void {
  const market = state.markets.market(order.conditionId);
  const account = state.party(order.account);
  if (market === null) return;
  state.delayed.delete(order.id);
  order.matchAtMs = null;
  order.status = "LIVE";
  account.open.delete(order.id);
  market.open.delete(order.id);
  try {
    requireBalance(account, order);
    // A kill has already been recorded and told; the answer went out as `delayed` long ago.
    executeOrder(state, work, market, order);
  } catch (error) {
    if (!(error instanceof VenueError)) throw error;
    index(order, account, market);
    cancelOrder(state, work, order, "INVALID");
  }
}

function listed(state: VenueState, conditionId: string): boolean {
  return state.markets.market(conditionId) !== null;
}

/** When the next thing is due, in milliseconds since 1970; null when nothing is. Unlisted markets wait. */
export function nextDueMs(state: VenueState): number | null {
  let next = Number.POSITIVE_INFINITY;
  for (const trade of state.unsettled.values()) {
    if (listed(state, trade.conditionId)) next = Math.min(next, trade.nextAtMs ?? next);
  }
  for (const order of state.delayed.values()) {
    if (listed(state, order.conditionId)) next = Math.min(next, order.matchAtMs ?? next);
  }
  for (const order of state.expiring.values()) {
    if (order.status === "LIVE") next = Math.min(next, expiryMs(state, order));
  }
  return Number.isFinite(next) ? next : null;
}

/** Does everything that is due by now. */
export function runDue(state: VenueState): void {
  const nowMs = state.now();
  const trades = [...state.unsettled.values()].filter(
    (trade) => (trade.nextAtMs ?? nowMs) <= nowMs && listed(state, trade.conditionId),
  );
  const delayed = [...state.delayed.values()].filter(
    (order) => (order.matchAtMs ?? nowMs) <= nowMs && listed(state, order.conditionId),
  );
  const expired = [...state.expiring.values()].filter((o) => expiryMs(state, o) <= nowMs);
  if (trades.length + delayed.length + expired.length === 0) return;
  state.act((work) => {
    for (const trade of trades) advance(state, work, trade);
    for (const order of delayed) endDelay(state, work, order);
    for (const order of expired) {
      if (order.status === "LIVE") cancelOrder(state, work, order, "CANCELED");
    }
  });
}
