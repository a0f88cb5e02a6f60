import type { OutcomeIndex, Side } from "../../../src/engine/domain/market.ts";
import { mirrorPrice, type Price, type Shares } from "../../../src/engine/domain/numbers.ts";
import type { Level } from "../../../src/engine/domain/order-book.ts";

/** The plainest book there is, as the reference for the ladder: a map of price to size for each side of outcome 0. */
export class MapBook {
  readonly #sides = { buy: new Map<Price, Shares>(), sell: new Map<Price, Shares>() };

  #own(outcome: OutcomeIndex, side: Side): Map<Price, Shares> {
    if (outcome === 0) return this.#sides[side];
    return this.#sides[side === "buy" ? "sell" : "buy"];
  }

  clear(): void {
    this.#sides.buy.clear();
    this.#sides.sell.clear();
  }

  set(outcome: OutcomeIndex, side: Side, level: Level): void {
    const at = outcome === 0 ? level.price : mirrorPrice(level.price);
    const own = this.#own(outcome, side);
    if (level.size === 0) own.delete(at);
    else own.set(at, level.size);
  }

  /** Best first. */
  levels(outcome: OutcomeIndex, side: Side): Level[] {
    const all = [...this.#own(outcome, side)].map(([at, size]) => ({
      price: outcome === 0 ? at : mirrorPrice(at),
      size,
    }));
    return all.sort((a, b) => (side === "buy" ? b.price - a.price : a.price - b.price));
  }
}
