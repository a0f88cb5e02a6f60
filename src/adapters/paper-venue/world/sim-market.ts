import { assert } from "../../../engine/lib/assert.ts";
import type { BackgroundBook, Exchange, Level, Side } from "../types.ts";
import { PRICE_ONE, priceText, sizeText } from "./decimal.ts";
import type { Prng } from "./prng.ts";

export type SimMarketSpec = {
  readonly conditionId: string;
  /** Tick, fair value and its bounds, all in 1/10,000 dollar. */
  readonly tick: number;
  readonly fair: number;
  readonly fairMin: number;
  readonly fairMax: number;
  /** Distance of the best prices from the fair value, in ticks. */
  readonly bidGapTicks: number;
  readonly askGapTicks: number;
  /** Resting dollars a side. */
  readonly depthUsd: number;
};

type Ladder = Map<number, number>;

const MIN_LEVELS = 10;
const MAX_LEVELS = 20;
const MIN_TOUCH_HUNDREDTHS = 30_000;
const MAX_LEVEL_HUNDREDTHS = 6_000_000;

/**
 * One market of the built-in universe: the crowd's own ladder (prices in 1/10,000 dollar, sizes in 1/100 share),
 * which the exchange is told of level by level. It never looks at what traders consumed, so that the same seed
 * gives the same flow whatever they do.
 */
export class SimMarket {
  readonly spec: SimMarketSpec;
  /** Suspends drift and trades: the prices of a running opportunity must stay where they are. */
  pinned = false;
  /** Ticks that an opportunity moved this market by, to be undone. */
  offsetTicks = 0;
  private readonly exchange: Exchange;
  private readonly prng: Prng;
  private fairValue: number;
  private currentTick: number;
  private bids: Ladder = new Map();
  private asks: Ladder = new Map();
  private lastTradePrice: string;
  private readonly baseHundredths: number;

  constructor(exchange: Exchange, spec: SimMarketSpec, prng: Prng) {
    this.exchange = exchange;
    this.spec = spec;
    this.prng = prng;
    this.fairValue = spec.fair;
    this.currentTick = spec.tick;
    this.lastTradePrice = (spec.fair / PRICE_ONE).toFixed(3);
    const levels = 14;
    const averagePrice = Math.max(0.02, spec.fair / PRICE_ONE);
    this.baseHundredths = Math.round((spec.depthUsd * 100) / (levels * averagePrice * 1.7));
    this.bids = this.extend("BUY", new Map(), this.bestBid);
    this.asks = this.extend("SELL", new Map(), this.bestAsk);
  }

  get tick(): number {
    return this.currentTick;
  }

  get fair(): number {
    return this.fairValue;
  }

  /** Best bid of the crowd in 1/10,000; 0 means an empty side. */
  get bestBid(): number {
    return this.fairValue - this.spec.bidGapTicks * this.currentTick;
  }

  /** Best ask of the crowd in 1/10,000; 10,000 means an empty side. */
  get bestAsk(): number {
    return this.fairValue + this.spec.askGapTicks * this.currentTick;
  }

  get held(): boolean {
    const state = this.exchange.market(this.spec.conditionId);
    return state === null || state.held || state.resolved !== null || !state.acceptingOrders;
  }

  book(): BackgroundBook {
    const levels = (ladder: Ladder): Level[] =>
      [...ladder].map(([price, size]) => ({ price: priceText(price), size: sizeText(size) }));
    return {
      bids: levels(this.bids).toSorted((a, b) => Number(a.price) - Number(b.price)),
      asks: levels(this.asks).toSorted((a, b) => Number(b.price) - Number(a.price)),
      lastTradePrice: this.lastTradePrice,
    };
  }

  /** Whether the fair value may move by so many ticks without leaving its bounds. */
  canShift(ticks: number): boolean {
    const next = this.fairValue + ticks * this.currentTick;
    return next >= this.spec.fairMin && next <= this.spec.fairMax;
  }

  /** Moves the whole ladder by whole ticks; the exchange fills own orders of traders that are in the way. */
  shift(ticks: number): void {
    const next = this.fairValue + ticks * this.currentTick;
    assert(next > 0 && next < PRICE_ONE, "fair value stays inside (0, 1)");
    this.fairValue = next;
    this.applyLadders(
      this.extend("BUY", this.bids, this.bestBid),
      this.extend("SELL", this.asks, this.bestAsk),
    );
  }

  /** Sets a finer tick as prices near 0 or 1 get one; the fair value stays. */
  refineTick(tick: number): void {
    assert(this.currentTick % tick === 0, "a finer tick divides the old one");
    this.currentTick = tick;
    this.exchange.changeTickSize(this.spec.conditionId, priceText(tick));
    this.shift(0);
  }

  /** New size for one of the levels; `fromTop` 1 leaves the best price alone. */
  resizeLevel(side: Side, fromTop: number): void {
    const prices = this.pricesFromTop(side);
    if (prices.length <= fromTop) return;
    const index = this.prng.int(fromTop, prices.length - 1);
    const price = prices[index];
    if (price !== undefined) this.setLevel(side, price, this.sizeAt(index));
  }

  /** Cancels a level below the best one, or fills a gap, keeping 10 to 20 levels. */
  toggleLevel(side: Side): void {
    const prices = this.pricesFromTop(side);
    const index = this.prng.int(1, Math.max(1, prices.length - 1));
    const price = prices[index];
    if (price !== undefined && prices.length > MIN_LEVELS && this.prng.chance(0.5)) {
      this.setLevel(side, price, 0);
      return;
    }
    const gap = this.firstGap(side);
    if (gap !== null && prices.length < MAX_LEVELS) this.setLevel(side, gap, this.sizeAt(index));
  }

  /** A crowd taker of some shares, never more than 60 percent of what the crowd shows at the best price. */
  trade(side: Side, hundredths: number): void {
    const ladder = side === "BUY" ? this.asks : this.bids;
    const price = side === "BUY" ? this.bestAsk : this.bestBid;
    const shown = ladder.get(price) ?? 0;
    const size = Math.min(hundredths, Math.floor(shown * 0.6));
    if (size < 500) return;
    this.exchange.crowdTrade(this.spec.conditionId, side, priceText(price), sizeText(size));
    ladder.set(price, shown - size);
    this.lastTradePrice = (price / PRICE_ONE).toFixed(3);
  }

  /** Restates the best ask with at least so many hundredths of a share. */
  thickenBestAsk(hundredths: number): void {
    const shown = this.asks.get(this.bestAsk) ?? 0;
    this.setLevel("SELL", this.bestAsk, Math.max(shown, hundredths));
  }

  private pricesFromTop(side: Side): number[] {
    return side === "BUY"
      ? [...this.bids.keys()].toSorted((a, b) => b - a)
      : [...this.asks.keys()].toSorted((a, b) => a - b);
  }

  private firstGap(side: Side): number | null {
    const ladder = side === "BUY" ? this.bids : this.asks;
    const step = side === "BUY" ? -this.currentTick : this.currentTick;
    const start = side === "BUY" ? this.bestBid : this.bestAsk;
    for (let i = 1; i <= MAX_LEVELS * 2; i++) {
      const price = start + i * step;
      if (price <= 0 || price >= PRICE_ONE) return null;
      if (!ladder.has(price)) return price;
    }
    return null;
  }

  private setLevel(side: Side, price: number, hundredths: number): void {
    (side === "BUY" ? this.bids : this.asks).set(price, hundredths);
    if (hundredths === 0) (side === "BUY" ? this.bids : this.asks).delete(price);
    this.exchange.setBackgroundLevel(
      this.spec.conditionId,
      side,
      priceText(price),
      sizeText(hundredths),
    );
  }

  private applyLadders(bids: Ladder, asks: Ladder): void {
    for (const price of this.bids.keys()) if (!bids.has(price)) this.setLevel("BUY", price, 0);
    for (const price of this.asks.keys()) if (!asks.has(price)) this.setLevel("SELL", price, 0);
    for (const [price, size] of bids)
      if (this.bids.get(price) !== size) this.setLevel("BUY", price, size);
    for (const [price, size] of asks)
      if (this.asks.get(price) !== size) this.setLevel("SELL", price, size);
  }

  /** The ladder of one side with `best` as its best price: old levels are kept, missing ones are drawn. */
  private extend(side: Side, old: Ladder, best: number): Ladder {
    const worse = side === "BUY" ? -this.currentTick : this.currentTick;
    const next: Ladder = new Map();
    let misses = 0;
    for (let price = best; price > 0 && price < PRICE_ONE && next.size < MAX_LEVELS; ) {
      const kept = old.get(price);
      if (kept !== undefined) next.set(price, kept);
      else if (next.size < MIN_LEVELS + 2 && (price === best || this.wanted(side, price)))
        next.set(price, this.sizeAt(next.size));
      else misses++;
      if (misses > MAX_LEVELS * 2) break;
      price += worse;
    }
    const top = next.get(best);
    if (top !== undefined && top < MIN_TOUCH_HUNDREDTHS) next.set(best, this.sizeAt(0));
    return next;
  }

  /** Three prices of four get a level; near 0 and 1, where there is no room for gaps, all do. */
  private wanted(side: Side, price: number): boolean {
    const room = (side === "BUY" ? price : PRICE_ONE - price) / this.currentTick;
    return this.prng.chance(0.75) || room < MIN_LEVELS * 1.5;
  }

  private sizeAt(index: number): number {
    const drawn = this.baseHundredths * (0.6 + 0.16 * index) * (0.5 + this.prng.next());
    const floored = Math.max(index === 0 ? MIN_TOUCH_HUNDREDTHS : 1_000, Math.round(drawn));
    const capped = Math.min(MAX_LEVEL_HUNDREDTHS, floored);
    // People type round numbers about half of the time.
    if (!this.prng.chance(0.5)) return capped;
    const unit = capped > 100_000 ? 10_000 : 1_000;
    return Math.max(unit, Math.round(capped / unit) * unit);
  }
}
