import type { FillReport } from "../../src/engine/domain/fill.ts";
import type { Market, OutcomeIndex } from "../../src/engine/domain/market.ts";
import type { Shares, Usd } from "../../src/engine/domain/numbers.ts";
import type { OrderDraft, PreparedOrder } from "../../src/engine/domain/order.ts";
import type { RejectReason } from "../../src/engine/domain/reasons.ts";
import type { AccountEvent, VenueOrder } from "../../src/engine/protocol/venue-report.ts";

export type BookLevel = { readonly price: number; size: number };
export type SimBook = { readonly market: Market; bids: BookLevel[]; asks: BookLevel[] };

export type SimOrder = {
  readonly hash: string;
  readonly draft: OrderDraft;
  readonly bookedAtMs: number;
  state: "live" | "matched" | "ended";
  matched: number;
  /** Micro-dollars that its matches moved. */
  money: number;
};

export type SimTrade = Omit<FillReport, "status"> & {
  status: FillReport["status"];
  readonly fee: number;
  readonly order: SimOrder;
};

export type Acceptance =
  | { readonly kind: "accepted"; readonly state: "live" | "matched" }
  | { readonly kind: "duplicated" }
  | { readonly kind: "rejected"; readonly reason: RejectReason };

export type ExchangeHooks = {
  readonly nowMs: () => number;
  /** Something that the private stream would tell. */
  readonly tell: (event: AccountEvent) => void;
  /** A trade happened and waits for its settlement. */
  readonly traded: (trade: SimTrade) => void;
};

/** What an order body says, as the venue reads it. */
export type OrderBody = { readonly salt: number; readonly draft: OrderDraft };

/** The venue's truth: orders by hash, trades, cash and shares of the one account. Its arithmetic is its own. */
export class Exchange {
  readonly books = new Map<string, SimBook>();
  readonly orders = new Map<string, SimOrder>();
  readonly trades: SimTrade[] = [];
  readonly shares = new Map<string, number>();
  cash: number;
  readonly #hooks: ExchangeHooks;

  constructor(hooks: ExchangeHooks, cash: number) {
    this.#hooks = hooks;
    this.cash = cash;
  }

  /** Takes an order as its bytes stand. The same hash is taken once. */
  book(order: PreparedOrder): Acceptance {
    if (this.orders.has(order.orderHash)) return { kind: "duplicated" };
    const { draft } = JSON.parse(order.body) as OrderBody;
    if (!this.#affords(draft)) return { kind: "rejected", reason: "balance" };
    const walk = this.#walk(draft);
    const immediate = draft.timeInForce === "fak" || draft.timeInForce === "fok";
    if (immediate && walk.size === 0) return { kind: "rejected", reason: "no_match" };
    if (draft.timeInForce === "fok" && !walk.full) {
      return { kind: "rejected", reason: "not_fully_filled" };
    }
    const booked: SimOrder = {
      hash: order.orderHash,
      draft,
      bookedAtMs: this.#hooks.nowMs(),
      state: "live",
      matched: 0,
      money: 0,
    };
    this.orders.set(booked.hash, booked);
    for (const part of walk.parts) {
      part.level.size -= part.size;
      this.#trade(booked, part.size, part.money, false);
    }
    this.#trim(draft.conditionId);
    if (walk.full) booked.state = "matched";
    else if (immediate) booked.state = "ended";
    this.#hooks.tell({ kind: "order.reported", order: reportOf(booked) });
    return { kind: "accepted", state: booked.state === "live" ? "live" : "matched" };
  }

  /** Another trader takes a part of a resting order, at its limit. */
  fillResting(order: SimOrder, size: number): void {
    if (order.state !== "live") return;
    const { draft } = order;
    const part = Math.min(size, draft.size - order.matched);
    if (part <= 0) return;
    const money =
      draft.side === "buy"
        ? ceilDiv(draft.limit * part, 10_000)
        : Math.floor((draft.limit * part) / 10_000);
    this.#trade(order, part, money, true);
    if (order.matched >= draft.size) order.state = "matched";
    this.#hooks.tell({ kind: "order.reported", order: reportOf(order) });
  }

  /** Cancels what rests; returns the hashes that it canceled. */
  cancel(hashes: readonly string[]): string[] {
    const canceled: string[] = [];
    for (const hash of hashes) {
      const order = this.orders.get(hash);
      if (order?.state !== "live") continue;
      order.state = "ended";
      canceled.push(hash);
      this.#hooks.tell({ kind: "order.reported", order: reportOf(order) });
    }
    return canceled;
  }

  live(): SimOrder[] {
    return [...this.orders.values()].filter((order) => order.state === "live");
  }

  /** The chain confirmed or failed a trade; a failed one never moved anything. */
  settle(trade: SimTrade, status: "confirmed" | "failed"): void {
    trade.status = status;
    if (status === "failed") this.#move(trade, -1);
    this.#hooks.tell({ kind: "fill.reported", fill: fillOf(trade) });
  }

  #trade(order: SimOrder, size: number, money: number, isMaker: boolean): void {
    const { draft } = order;
    const market = this.books.get(draft.conditionId)?.market;
    const trade: SimTrade = {
      tradeId: `t${this.trades.length + 1}`,
      orderHash: order.hash,
      tokenId: draft.tokenId,
      side: draft.side,
      size: size as Shares,
      money: money as Usd,
      fee: isMaker ? 0 : venueFee(market?.fee.rate ?? 0, money, size),
      isMaker,
      status: "provisional",
      atMs: Math.floor(this.#hooks.nowMs() / 1000) * 1000,
      order,
    };
    order.matched += size;
    order.money += money;
    this.trades.push(trade);
    this.#move(trade, 1);
    this.#hooks.tell({ kind: "fill.reported", fill: fillOf(trade) });
    this.#hooks.traded(trade);
  }

  #move(trade: SimTrade, sign: 1 | -1): void {
    const buys = trade.side === "buy";
    this.cash += sign * ((buys ? 0 - trade.money : trade.money) - trade.fee);
    const held = this.shares.get(trade.tokenId) ?? 0;
    this.shares.set(trade.tokenId, held + sign * (buys ? trade.size : 0 - trade.size));
  }

  #affords(draft: OrderDraft): boolean {
    if (draft.side === "sell") {
      let free = this.shares.get(draft.tokenId) ?? 0;
      for (const order of this.live()) {
        if (order.draft.side === "sell" && order.draft.tokenId === draft.tokenId) {
          free -= order.draft.size - order.matched;
        }
      }
      return draft.size <= free;
    }
    let free = this.cash;
    for (const order of this.live()) {
      if (order.draft.side === "buy") {
        free -= ceilDiv(order.draft.limit * (order.draft.size - order.matched), 10_000);
      }
    }
    return (draft.spend ?? ceilDiv(draft.limit * draft.size, 10_000)) <= free;
  }

  /** What an order would take from the book now. */
  #walk(draft: OrderDraft) {
    const parts: { level: BookLevel; size: number; money: number }[] = [];
    let left: number = draft.spend ?? draft.size;
    const buys = draft.side === "buy";
    for (const { level, price } of this.#opposite(draft)) {
      if (left <= 0 || (buys ? price > draft.limit : price < draft.limit)) break;
      if (draft.spend !== null) {
        const whole = ceilDiv(price * level.size, 10_000);
        const size = whole <= left ? level.size : Math.floor((left * 10_000) / price);
        if (size === 0) break;
        const money = Math.min(whole, left);
        parts.push({ level, size, money });
        left -= money;
      } else {
        const size = Math.min(level.size, left);
        const exact = price * size;
        const money = buys ? ceilDiv(exact, 10_000) : Math.floor(exact / 10_000);
        parts.push({ level, size, money });
        left -= size;
      }
    }
    const size = parts.reduce((sum, part) => sum + part.size, 0);
    return { parts, size, full: left <= 0 };
  }

  /** Levels that an order can take, best first, at the prices of its own token. */
  #opposite(draft: OrderDraft): { level: BookLevel; price: number }[] {
    const book = this.books.get(draft.conditionId);
    if (book === undefined) return [];
    const asks = draft.side === "buy";
    const mirrored = draft.outcome === (1 satisfies OutcomeIndex);
    const levels = asks === mirrored ? book.bids : book.asks;
    return levels.map((level) => ({
      level,
      price: mirrored ? 10_000 - level.price : level.price,
    }));
  }

  #trim(conditionId: string): void {
    const book = this.books.get(conditionId);
    if (book === undefined) return;
    book.bids = book.bids.filter((level) => level.size > 0);
    book.asks = book.asks.filter((level) => level.size > 0);
  }
}

/** The venue's account of an order, as it stands now. */
export function reportOf(order: SimOrder): VenueOrder {
  const { draft } = order;
  return {
    orderHash: order.hash,
    conditionId: draft.conditionId,
    tokenId: draft.tokenId,
    side: draft.side,
    price: draft.limit,
    originalSize: draft.size,
    matched: order.matched as Shares,
    state: order.state,
  };
}

export function fillOf(trade: SimTrade): FillReport {
  const { order: _, fee: __, ...fill } = trade;
  return { ...fill };
}

function ceilDiv(value: number, by: number): number {
  return Math.ceil(value / by);
}

/** r C (q - C) / q in micro-dollars, cut off after 10 of them. */
function venueFee(rate: number, cost: number, size: number): number {
  const exact = (BigInt(rate) * BigInt(cost) * BigInt(size - cost)) / BigInt(size);
  return Number(exact / 10_000_000n) * 10;
}
