import fc from "fast-check";
import { type Price, price, type Shares, shares } from "../../../src/engine/domain/numbers.ts";
import type { Level } from "../../../src/engine/domain/order-book.ts";

/** Levels from decimal text, as payloads write them: ["0.62", "150"]. */
export function levels(...rows: readonly (readonly [string, string])[]): Level[] {
  return rows.map(([at, size]) => ({ price: priceOf(at), size: sharesOf(size) }));
}

export function priceOf(text: string): Price {
  return price(Math.round(Number(text) * 10_000));
}

export function sharesOf(text: string): Shares {
  return shares(Math.round(Number(text) * 1_000_000));
}

/** Prices on the grid of a tick. */
export function gridPrice(tick: number): fc.Arbitrary<Price> {
  return fc.integer({ min: 1, max: 10_000 / tick - 1 }).map((slot) => price(slot * tick));
}

/** Sizes from one micro-share to the 21 million shares of a real level. */
export const anySize: fc.Arbitrary<Shares> = fc.oneof(
  fc.integer({ min: 1, max: 5_000_000 }).map(shares),
  fc.integer({ min: 1, max: 100_000 }).map((hundredths) => shares(hundredths * 10_000)),
  fc.integer({ min: 1_000_000, max: 21_006_065_000_000 }).map(shares),
);
