import type { OrderDraft } from "../../src/engine/domain/order.ts";
import type { BookLevel, SimBook } from "./exchange.ts";

export type Walk = {
  readonly parts: readonly {
    readonly level: BookLevel;
    readonly size: number;
    readonly money: number;
  }[];
  readonly size: number;
  readonly full: boolean;
};

/** What an order would take from a book now. */
export function walkBook(book: SimBook | undefined, draft: OrderDraft): Walk {
  const parts: { level: BookLevel; size: number; money: number }[] = [];
  let left: number = draft.spend ?? draft.size;
  const buys = draft.side === "buy";
  for (const { level, price } of opposite(book, draft)) {
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
function opposite(
  book: SimBook | undefined,
  draft: OrderDraft,
): { level: BookLevel; price: number }[] {
  if (book === undefined || book.winner !== null) return [];
  const asks = draft.side === "buy";
  const mirrored = draft.outcome === 1;
  const levels = asks === mirrored ? book.bids : book.asks;
  return levels.map((level) => ({
    level,
    price: mirrored ? 10_000 - level.price : level.price,
  }));
}

/** Micro-dollars that a part of a resting order moves, at its own limit. */
export function restingMoney(draft: OrderDraft, part: number): number {
  const exact = draft.limit * part;
  return draft.side === "buy" ? ceilDiv(exact, 10_000) : Math.floor(exact / 10_000);
}

export function ceilDiv(value: number, by: number): number {
  return Math.ceil(value / by);
}

/** r C (q - C) / q in micro-dollars, cut off after 10 of them. */
export function venueFee(rate: number, cost: number, size: number): number {
  const exact = (BigInt(rate) * BigInt(cost) * BigInt(size - cost)) / BigInt(size);
  return Number(exact / 10_000_000n) * 10;
}
