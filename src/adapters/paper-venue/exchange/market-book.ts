import { createHash } from "node:crypto";
import type { Level, Side } from "../types.ts";
import { formatMicro, formatTradePrice, ONE } from "./amounts.ts";
import { BookSide } from "./book-side.ts";
import type { OrderRecord, OutcomeIndex } from "./records.ts";

/** The price of an outcome as seen on outcome 0: YES and NO are one book seen twice. */
export function bookPrice(outcome: OutcomeIndex, price: bigint): bigint {
  return outcome === 0 ? price : ONE - price;
}

/** Buying outcome 0 and selling outcome 1 both stand on the bid side of outcome 0. */
export function standsOnBids(side: Side, outcome: OutcomeIndex): boolean {
  return (side === "BUY") === (outcome === 0);
}

/** What the ten-member hash of a book needs besides its levels. */
export type BookIdentity = {
  readonly conditionId: string;
  readonly tokenIds: readonly [string, string];
  readonly minOrderSize: string;
  readonly negRisk: boolean;
};

/** One outcome's book on the wire: bids ascending, asks descending, best last on both. */
export type BookView = { readonly bids: readonly Level[]; readonly asks: readonly Level[] };

type Shown = { readonly price: bigint; readonly size: bigint };

function toLevels(levels: readonly Shown[]): Level[] {
  return levels.map(({ price, size }) => ({ price: formatMicro(price), size: formatMicro(size) }));
}

function mirrored(levels: readonly Shown[]): Shown[] {
  return levels.map(({ price, size }) => ({ price: ONE - price, size }));
}

/** The engine book of one market, kept on outcome 0, with its time, tick and last trade price. */
export class MarketBook {
  readonly bids = new BookSide(true);
  readonly asks = new BookSide(false);
  readonly identity: BookIdentity;
  tickSize: string;
  /** Zero when never traded. One number for both outcomes: the price of the token traded last. */
  lastTrade = 0n;
  lastTradeSide: Side | "" = "";
  timestampMs: number;
  readonly #hashes: [string | null, string | null] = [null, null];

  constructor(identity: BookIdentity, tickSize: string, nowMs: number) {
    this.identity = identity;
    this.tickSize = tickSize;
    this.timestampMs = nowMs;
  }

  side(isBid: boolean): BookSide {
    return isBid ? this.bids : this.asks;
  }

  /** Puts a resting order where it belongs, behind what is there. */
  rest(order: OrderRecord): void {
    this.#sideOf(order).add(order, bookPrice(order.outcomeIndex, order.price));
  }

  /** To be called before an order's remainder changes, so that the level counts as changed. */
  willChange(order: OrderRecord): void {
    this.#sideOf(order).willChange(bookPrice(order.outcomeIndex, order.price));
  }

  remove(order: OrderRecord): void {
    this.#sideOf(order).remove(order, bookPrice(order.outcomeIndex, order.price));
  }

  /** Says that something the hash covers has changed, at this time. */
  stamp(nowMs: number): void {
    this.timestampMs = nowMs;
    this.#hashes[0] = null;
    this.#hashes[1] = null;
  }

  best(outcome: OutcomeIndex): { readonly bid: bigint | null; readonly ask: bigint | null } {
    const bid = this.bids.best();
    const ask = this.asks.best();
    if (outcome === 0) return { bid, ask };
    return { bid: ask === null ? null : ONE - ask, ask: bid === null ? null : ONE - bid };
  }

  view(outcome: OutcomeIndex): BookView {
    const bids = this.bids.levels();
    const asks = this.asks.levels();
    if (outcome === 0) return { bids: toLevels(bids), asks: toLevels(asks.reverse()) };
    return { bids: toLevels(mirrored(asks).reverse()), asks: toLevels(mirrored(bids)) };
  }

  lastTradeText(): string {
    return this.lastTrade === 0n ? "" : formatTradePrice(this.lastTrade);
  }

  /** SHA-1 over the ten members in the venue's order, cached until the next stamp. */
  hash(outcome: OutcomeIndex): string {
    const known = this.#hashes[outcome];
    if (known !== null) return known;
    const view = this.view(outcome);
    const text = JSON.stringify({
      market: this.identity.conditionId,
      asset_id: this.identity.tokenIds[outcome],
      timestamp: String(this.timestampMs),
      hash: "",
      bids: view.bids,
      asks: view.asks,
      min_order_size: this.identity.minOrderSize,
      tick_size: this.tickSize,
      neg_risk: this.identity.negRisk,
      last_trade_price: this.lastTradeText(),
    });
    const hash = createHash("sha1").update(text).digest("hex");
    this.#hashes[outcome] = hash;
    return hash;
  }

  #sideOf(order: OrderRecord): BookSide {
    return this.side(standsOnBids(order.side, order.outcomeIndex));
  }
}
