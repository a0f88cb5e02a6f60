import type { FillReport } from "../../src/engine/domain/fill.ts";
import type { Market } from "../../src/engine/domain/market.ts";
import type { Shares, Usd } from "../../src/engine/domain/numbers.ts";
import type { OrderDraft, PreparedOrder } from "../../src/engine/domain/order.ts";
import { assert } from "../../src/engine/lib/assert.ts";
import type { AccountEvent, VenueOrder } from "../../src/engine/protocol/venue-report.ts";
import { ceilDiv, restingMoney, venueFee, walkBook } from "./matching.ts";

export type BookLevel = { readonly price: number; size: number };

export type SimBook = {
  readonly market: Market;
  bids: BookLevel[];
  asks: BookLevel[];
  tick: number;
  changedAtMs: number;
  /** The winning token once the market is over. */
  winner: string | null;
};

export type SimOrder = {
  readonly hash: string;
  readonly draft: OrderDraft;
  /** Placed by a person in the venue's own web page. */
  readonly isForeign: boolean;
  state: "delayed" | "live" | "matched" | "ended";
  endedAtMs: number | null;
  matched: number;
  /** Micro-dollars that its matches moved. */
  money: number;
};

export type SimTrade = Omit<FillReport, "status"> & {
  status: FillReport["status"];
  readonly fee: number;
  readonly order: SimOrder;
};

/** What the engine of the venue says about an order's bytes; the words are those of polymarket-trading 8. */
export type Acceptance =
  | { readonly kind: "accepted"; readonly state: "live" | "matched" | "delayed" }
  | { readonly kind: "duplicated" }
  | { readonly kind: "refused"; readonly text: string };

export type ExchangeHooks = {
  readonly nowMs: () => number;
  readonly after: (delayMs: number, run: () => void) => void;
  /** Something that the private stream would tell. */
  readonly tell: (event: AccountEvent) => void;
  /** A trade happened and waits for its settlement. */
  readonly traded: (trade: SimTrade) => void;
  /** An order that ended was taken a second time, because the venue had forgotten it. */
  readonly takenAgain: (hash: string) => void;
  readonly bookChanged: (conditionId: string) => void;
  readonly count: (what: string) => void;
};

export type ExchangeHabits = {
  readonly cash: number;
  /** After this long an order that ended is forgotten, so that its bytes would be taken again; null: never. */
  readonly forgetsAfterMs: number | null;
};

/** What an order body says, as the venue reads it. */
export type OrderBody = { readonly salt: number; readonly draft: OrderDraft };

/** Balances of the past that a lagging answer can show. */
const keptBalances = 64;

/** The venue's truth: orders by hash, trades, cash and shares of the one account. Its arithmetic is its own. */
export class Exchange {
  readonly books = new Map<string, SimBook>();
  readonly orders = new Map<string, SimOrder>();
  readonly trades: SimTrade[] = [];
  readonly shares = new Map<string, number>();
  /** Balances as they were until a moment: a lagging answer shows one of these. */
  readonly #past: { readonly atMs: number; readonly of: string; readonly amount: number }[] = [];
  readonly #hooks: ExchangeHooks;
  readonly #forgetsAfterMs: number | null;
  #cash: number;

  constructor(hooks: ExchangeHooks, habits: ExchangeHabits) {
    this.#hooks = hooks;
    this.#cash = habits.cash;
    this.#forgetsAfterMs = habits.forgetsAfterMs;
  }

  get cash(): number {
    return this.#cash;
  }

  #moveCash(amount: number): void {
    this.#remember("cash", this.#cash);
    this.#cash += amount;
  }

  #moveShares(tokenId: string, amount: number): void {
    const held = this.shares.get(tokenId) ?? 0;
    this.#remember(tokenId, held);
    assert(held + amount >= 0, "an account owes no shares");
    this.shares.set(tokenId, held + amount);
  }

  #remember(of: string, amount: number): void {
    this.#past.push({ atMs: this.#hooks.nowMs(), of, amount });
    if (this.#past.length > keptBalances) this.#past.shift();
  }

  /** What a balance was at a moment, as far back as is remembered. */
  balanceAt(of: string, atMs: number): number {
    const past = this.#past.find((one) => one.of === of && one.atMs >= atMs);
    return past?.amount ?? (of === "cash" ? this.#cash : (this.shares.get(of) ?? 0));
  }

  /** Somebody moves money into the account or out of it, past the venue's orders. */
  transferCash(amount: number): void {
    this.#moveCash(amount);
  }

  /** Somebody takes shares out of the account. */
  takeShares(tokenId: string, amount: number): void {
    this.#moveShares(tokenId, 0 - amount);
  }

  /** The contracts turn dollars into shares of every outcome, or (negative) back. */
  swapPairs(tokenIds: readonly string[], size: number): void {
    this.#moveCash(0 - size);
    for (const tokenId of tokenIds) this.#moveShares(tokenId, size);
  }

  /** Shares of an order's matches that stand. */
  matchedFor(orderHash: string): number {
    let matched = 0;
    for (const trade of this.trades) {
      if (trade.orderHash === orderHash && trade.status !== "failed") matched += trade.size;
    }
    return matched;
  }

  /** Shares that no open sale has claimed. */
  freeShares(tokenId: string): number {
    let free = this.shares.get(tokenId) ?? 0;
    for (const order of this.open()) {
      const { draft, matched } = order;
      if (draft.side === "sell" && draft.tokenId === tokenId) free -= draft.size - matched;
    }
    return free;
  }

  /** True when a look-up or a second copy of its bytes finds nothing. */
  isForgotten(order: SimOrder): boolean {
    if (this.#forgetsAfterMs === null || order.endedAtMs === null) return false;
    return this.#hooks.nowMs() - order.endedAtMs >= this.#forgetsAfterMs;
  }

  /** Takes an order as its bytes stand. The same hash is taken once, as long as the venue remembers it. */
  book(order: PreparedOrder, isForeign = false): Acceptance {
    const known = this.orders.get(order.orderHash);
    if (known !== undefined) {
      if (!this.isForgotten(known)) return { kind: "duplicated" };
      this.#hooks.takenAgain(order.orderHash);
    }
    const { draft } = JSON.parse(order.body) as OrderBody;
    const refusal = this.#refusalOf(draft);
    if (refusal !== null) return { kind: "refused", text: refusal };
    const booked: SimOrder = {
      hash: order.orderHash,
      draft,
      isForeign,
      state: "live",
      endedAtMs: null,
      matched: 0,
      money: 0,
    };
    const delayMs = this.books.get(draft.conditionId)?.market.takerDelayMs ?? 0;
    const isMarketable = this.#walk(draft).size > 0;
    this.orders.set(booked.hash, booked);
    if (delayMs > 0 && isMarketable && !isForeign) {
      booked.state = "delayed";
      this.#hooks.count("venue.taker-delay");
      this.#hooks.after(delayMs, () => this.#match(booked));
      return { kind: "accepted", state: "delayed" };
    }
    this.#match(booked);
    return { kind: "accepted", state: stateOf(booked) === "live" ? "live" : "matched" };
  }

  #refusalOf(draft: OrderDraft): string | null {
    const book = this.books.get(draft.conditionId);
    if (book === undefined || book.winner !== null) return "the market is not found";
    if (draft.tickSize !== book.tick) {
      this.#hooks.count("venue.tick-refused");
      return "order breaks minimum tick size rule";
    }
    if (!this.#affords(draft)) return "not enough balance / allowance";
    if (book.market.takerDelayMs > 0) return null;
    const walk = this.#walk(draft);
    const immediate = draft.timeInForce === "fak" || draft.timeInForce === "fok";
    if (immediate && walk.size === 0) return "no orders found to match with FAK order";
    if (draft.timeInForce === "fok" && !walk.full) {
      return "order couldn't be fully filled. FOK orders are fully filled or killed.";
    }
    return null;
  }

  /** Matches an order against the book as it is now; what is left rests or ends, all of it when the market is over. */
  #match(order: SimOrder): void {
    const { draft } = order;
    const isOver = this.books.get(draft.conditionId)?.winner !== null;
    const immediate = isOver || draft.timeInForce === "fak" || draft.timeInForce === "fok";
    order.state = "live";
    const walk = this.#walk(draft);
    if (!(draft.timeInForce === "fok" && !walk.full)) {
      for (const part of walk.parts) {
        part.level.size -= part.size;
        this.#trade(order, part.size, part.money, false);
      }
      if (walk.parts.length > 0) this.#trim(draft.conditionId);
    }
    if (walk.full) this.#end(order, "matched");
    else if (immediate) this.#end(order, "ended");
    else if (draft.expirationS !== null) this.#expireLater(order, draft.expirationS);
    this.#hooks.tell({ kind: "order.reported", order: reportOf(order) });
  }

  /** The venue ends a GTD order one minute before the expiration that it carries. */
  #expireLater(order: SimOrder, expirationS: number): void {
    this.#hooks.after(expirationS * 1000 - 60_000 - this.#hooks.nowMs(), () => {
      if (order.state !== "live") return;
      this.#hooks.count("venue.gtd-expired");
      this.#end(order, "ended");
      this.#hooks.tell({ kind: "order.reported", order: reportOf(order) });
    });
  }

  #end(order: SimOrder, state: "matched" | "ended"): void {
    order.state = state;
    order.endedAtMs = this.#hooks.nowMs();
  }

  /** Another trader takes a part of a resting order, at its limit. */
  fillResting(order: SimOrder, size: number): void {
    if (order.state !== "live") return;
    const { draft } = order;
    const part = Math.min(size, draft.size - order.matched);
    if (part <= 0) return;
    this.#trade(order, part, restingMoney(draft, part), true);
    if (order.matched >= draft.size) this.#end(order, "matched");
    this.#hooks.tell({ kind: "order.reported", order: reportOf(order) });
  }

  /** Cancels what rests; returns the hashes that it canceled. A delayed order cannot be canceled. */
  cancel(hashes: readonly string[]): string[] {
    const canceled: string[] = [];
    for (const hash of hashes) {
      const order = this.orders.get(hash);
      if (order?.state === "delayed") this.#hooks.count("venue.delayed-not-canceled");
      if (order?.state !== "live") continue;
      this.#end(order, "ended");
      canceled.push(hash);
      this.#hooks.tell({ kind: "order.reported", order: reportOf(order) });
    }
    return canceled;
  }

  /** Everything that can still be filled. */
  open(): SimOrder[] {
    return [...this.orders.values()].filter(isOpenThere);
  }

  live(): SimOrder[] {
    return [...this.orders.values()].filter((order) => order.state === "live");
  }

  /**
   * The chain confirmed or failed a trade; a failed one never moved anything. Shares that went on, or that a sale offers,
   * cannot be undone: the account would owe them.
   */
  settle(trade: SimTrade, wanted: "confirmed" | "failed"): void {
    const isThere = trade.side === "sell" || this.freeShares(trade.tokenId) >= trade.size;
    const status = isThere ? wanted : "confirmed";
    trade.status = status;
    if (status === "failed") this.#move(trade, -1);
    this.#hooks.tell({ kind: "fill.reported", fill: fillOf(trade) });
  }

  /** The market ended: what rests is gone, winning shares are paid, the others are worth nothing. */
  resolve(book: SimBook, winner: string): void {
    book.winner = winner;
    this.cancel(
      this.live()
        .filter((order) => order.draft.conditionId === book.market.conditionId)
        .map((order) => order.hash),
    );
    for (const { tokenId } of book.market.outcomes) {
      const held = this.shares.get(tokenId) ?? 0;
      if (tokenId === winner) this.#moveCash(held);
      this.#moveShares(tokenId, 0 - held);
    }
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
    this.#moveCash(sign * ((buys ? 0 - trade.money : trade.money) - trade.fee));
    this.#moveShares(trade.tokenId, sign * (buys ? trade.size : 0 - trade.size));
  }

  #affords(draft: OrderDraft): boolean {
    if (draft.side === "sell") return draft.size <= this.freeShares(draft.tokenId);
    let free = this.#cash;
    for (const order of this.open()) {
      if (order.draft.side === "buy") {
        free -= ceilDiv(order.draft.limit * (order.draft.size - order.matched), 10_000);
      }
    }
    return (draft.spend ?? ceilDiv(draft.limit * draft.size, 10_000)) <= free;
  }

  #walk(draft: OrderDraft) {
    return walkBook(this.books.get(draft.conditionId), draft);
  }

  #trim(conditionId: string): void {
    const book = this.books.get(conditionId);
    if (book === undefined) return;
    book.bids = book.bids.filter((level) => level.size > 0);
    book.asks = book.asks.filter((level) => level.size > 0);
    book.changedAtMs = this.#hooks.nowMs();
    this.#hooks.bookChanged(conditionId);
  }
}

export function isOpenThere(order: SimOrder): boolean {
  return order.state === "live" || order.state === "delayed";
}

/** The state as it is, out of the reach of narrowing. */
function stateOf(order: SimOrder): SimOrder["state"] {
  return order.state;
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
