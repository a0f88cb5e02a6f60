import { type FeeSchedule, noFee } from "../../../src/engine/domain/fees.ts";
import { price, type Rate, shares } from "../../../src/engine/domain/numbers.ts";
import { applySnapshot, createOrderBook } from "../../../src/engine/domain/order-book.ts";
import type { SetLeg } from "../../../src/engine/strategies/complete-sets.ts";
import { levels } from "./levels.ts";

/** A leg that offers these asks on a tick of a cent. */
export function legOf(
  asks: readonly (readonly [string, string])[],
  over: Partial<SetLeg> = {},
): SetLeg {
  const tickSize = over.tickSize ?? price(100);
  const book = createOrderBook(tickSize);
  applySnapshot(book, 0, [], levels(...asks));
  return { book, outcome: 0, fee: noFee, tickSize, minOrderSize: shares(5_000_000), ...over };
}

export function feeOf(text: string): FeeSchedule {
  return { rate: Math.round(Number(text) * 1_000_000) as Rate };
}
