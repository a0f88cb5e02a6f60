import type { Account } from "./account.ts";
import type { Market } from "./market.ts";
import type { ActivityRow, ApiKey, OrderRecord, OutcomeIndex, TradeRecord } from "./records.ts";
import { isOpen } from "./records.ts";
import type { RelayRecord } from "./relays.ts";
import type { Changes } from "./store.ts";
import type { OrderEvent, TradePrint } from "./wire.ts";
import { orderFrame, tradeFrame } from "./wire.ts";

/** A frame for the user channel of one account. */
export type UserFrame = {
  readonly account: string;
  readonly conditionId: string;
  readonly json: string;
};

export type MarketFrameKind =
  | "book"
  | "price_change"
  | "last_trade_price"
  | "tick_size_change"
  | "best_bid_ask"
  | "new_market"
  | "market_resolved";

/** A frame for the market channel, for connections that hold any of the tokens. */
export type MarketFrame = {
  readonly kind: MarketFrameKind;
  readonly tokens: readonly string[];
  readonly json: string;
};

/** Collects what one action changes: the rows to write before it is answered, and the frames to send after. */
export class Work implements Changes {
  readonly nowMs: number;
  readonly accounts = new Set<Account>();
  readonly funders: { address: string; account: string }[] = [];
  readonly keys: ApiKey[] = [];
  readonly orders = new Set<OrderRecord>();
  readonly trades = new Set<TradeRecord>();
  readonly activity: ActivityRow[] = [];
  readonly resolutions: { conditionId: string; winner: OutcomeIndex }[] = [];
  readonly relays: RelayRecord[] = [];
  readonly touched = new Set<Market>();
  readonly prints = new Map<Market, TradePrint[]>();
  readonly userFrames: UserFrame[] = [];
  readonly marketFrames: MarketFrame[] = [];

  constructor(nowMs: number) {
    this.nowMs = nowMs;
  }

  /** Whether the database has anything to write. */
  get dirty(): boolean {
    return (
      this.accounts.size +
        this.orders.size +
        this.trades.size +
        this.keys.length +
        this.funders.length +
        this.activity.length +
        this.resolutions.length +
        this.relays.length >
      0
    );
  }

  orderChanged(order: OrderRecord, type: OrderEvent, note = ""): void {
    this.orders.add(order);
    const json = JSON.stringify(orderFrame(order, type, this.nowMs, note));
    this.userFrames.push({ account: order.account, conditionId: order.conditionId, json });
  }

  tradeChanged(trade: TradeRecord): void {
    this.trades.add(trade);
    const parties = new Set([trade.account, ...trade.makers.map((maker) => maker.account)]);
    for (const account of parties) {
      if (account === null) continue;
      const json = JSON.stringify(tradeFrame(trade, account, this.nowMs));
      this.userFrames.push({ account, conditionId: trade.conditionId, json });
    }
  }

  printed(market: Market, print: TradePrint): void {
    const prints = this.prints.get(market);
    if (prints === undefined) this.prints.set(market, [print]);
    else prints.push(print);
    this.touched.add(market);
  }

  frame(kind: MarketFrameKind, tokens: readonly string[], body: object): void {
    this.marketFrames.push({ kind, tokens, json: JSON.stringify(body) });
  }
}

/** Keeps the open-order lists of an account and a market in step with the order's status. */
export function index(order: OrderRecord, account: Account, market: Market | null): void {
  if (isOpen(order)) {
    account.open.set(order.id, order);
    market?.open.set(order.id, order);
  } else {
    account.open.delete(order.id);
    market?.open.delete(order.id);
  }
}
