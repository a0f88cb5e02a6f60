import { minOf, shownSize } from "./amounts.ts";
import type { OrderRecord } from "./records.ts";
import { remainingShares } from "./records.ts";

/** One price of one side: the crowd's size first, then our users' orders by arrival. */
type Level = {
  readonly price: bigint;
  background: bigint;
  /** What the world last set, to tell a repeated size from a changed one. */
  lastSet: bigint;
  readonly own: OrderRecord[];
};

/** What a walk meets: the crowd (`order` null) or one resting order. */
export type Offer = {
  readonly price: bigint;
  readonly order: OrderRecord | null;
  readonly size: bigint;
};

/** One side of outcome 0's book, kept best price first. Remembers which shown levels changed. */
export class BookSide {
  readonly #levels = new Map<bigint, Level>();
  /** Ascending. */
  readonly #prices: bigint[] = [];
  readonly #changed = new Map<bigint, bigint>();
  readonly #isBid: boolean;

  constructor(isBid: boolean) {
    this.#isBid = isBid;
  }

  /** Shown size of a level in micro-shares; zero when there is none. */
  shown(price: bigint): bigint {
    const level = this.#levels.get(price);
    if (level === undefined) return 0n;
    return shownSize(level.own.reduce((sum, o) => sum + remainingShares(o), level.background));
  }

  best(): bigint | null {
    for (const price of this.#bestFirst()) if (this.shown(price) > 0n) return price;
    return null;
  }

  /** Shown levels in ascending order of price. */
  levels(): { readonly price: bigint; readonly size: bigint }[] {
    return this.#prices
      .map((price) => ({ price, size: this.shown(price) }))
      .filter((level) => level.size > 0n);
  }

  /** Everything that can be hit, in price-time priority. */
  *offers(): Generator<Offer> {
    for (const price of this.#bestFirst()) {
      const level = this.#levels.get(price);
      if (level === undefined) continue;
      if (level.background > 0n) yield { price, order: null, size: level.background };
      for (const order of level.own) yield { price, order, size: remainingShares(order) };
    }
  }

  background(price: bigint): bigint {
    return this.#levels.get(price)?.background ?? 0n;
  }

  lastSet(price: bigint): bigint {
    return this.#levels.get(price)?.lastSet ?? 0n;
  }

  backgroundPrices(): bigint[] {
    return this.#prices.filter((price) => this.lastSet(price) > 0n || this.background(price) > 0n);
  }

  setBackground(price: bigint, size: bigint): void {
    const level = this.#touch(price);
    level.background = size;
    level.lastSet = size;
    this.#dropEmpty(level);
  }

  /** Takes from the crowd. What is left keeps two decimals: the crowd's dust is withdrawn with the fill. */
  consumeBackground(price: bigint, size: bigint): void {
    const level = this.#touch(price);
    level.background = shownSize(level.background - minOf(size, level.background));
    this.#dropEmpty(level);
  }

  add(order: OrderRecord, price: bigint): void {
    this.#touch(price).own.push(order);
  }

  /** To be called before a resting order's remainder changes. */
  willChange(price: bigint): void {
    this.#touch(price);
  }

  remove(order: OrderRecord, price: bigint): void {
    const level = this.#levels.get(price);
    const at = level?.own.indexOf(order) ?? -1;
    if (level === undefined || at < 0) return;
    this.#touch(price);
    level.own.splice(at, 1);
    this.#dropEmpty(level);
  }

  clear(): void {
    for (const price of this.#prices) this.#touch(price);
    this.#levels.clear();
    this.#prices.length = 0;
  }

  /** Prices whose shown size differs from what it was at the last call, with the new size. */
  takeChanges(): { readonly price: bigint; readonly size: bigint }[] {
    const changes: { price: bigint; size: bigint }[] = [];
    for (const [price, before] of this.#changed) {
      const size = this.shown(price);
      if (size !== before) changes.push({ price, size });
    }
    this.#changed.clear();
    return changes;
  }

  /** The book must not change while this is walked. */
  *#bestFirst(): Generator<bigint> {
    const count = this.#prices.length;
    for (let i = 0; i < count; i++) {
      const price = this.#prices[this.#isBid ? count - 1 - i : i];
      if (price !== undefined) yield price;
    }
  }

  #touch(price: bigint): Level {
    if (!this.#changed.has(price)) this.#changed.set(price, this.shown(price));
    let level = this.#levels.get(price);
    if (level === undefined) {
      level = { price, background: 0n, lastSet: 0n, own: [] };
      this.#levels.set(price, level);
      this.#prices.splice(this.#slot(price), 0, price);
    }
    return level;
  }

  #dropEmpty(level: Level): void {
    if (level.background > 0n || level.lastSet > 0n || level.own.length > 0) return;
    this.#levels.delete(level.price);
    this.#prices.splice(this.#slot(level.price), 1);
  }

  /** Where a price is or belongs. */
  #slot(price: bigint): number {
    let low = 0;
    let high = this.#prices.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#prices[middle] ?? 0n) < price) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
