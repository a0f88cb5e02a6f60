import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type DepthWalk,
  walkBuyShares,
  walkBuyUsd,
  walkSellShares,
} from "../../../src/engine/domain/depth-walk.ts";
import { feeCharged, noFee } from "../../../src/engine/domain/fees.ts";
import type { OutcomeIndex, Side } from "../../../src/engine/domain/market.ts";
import { type Price, price, type Rate, shares, usd } from "../../../src/engine/domain/numbers.ts";
import {
  applySnapshot,
  createOrderBook,
  type Level,
  levelsOf,
  type OrderBook,
} from "../../../src/engine/domain/order-book.ts";
import { holds } from "../support/holds.ts";
import { anySize, gridPrice, levels, priceOf, sharesOf } from "../support/levels.ts";

const fee = { rate: 40_000 as Rate };
const rows = fc.uniqueArray(fc.record({ price: gridPrice(100), size: anySize }), {
  selector: (one) => one.price,
  maxLength: 8,
});
const books = fc.tuple(rows, rows).map(([bids, asks]) => {
  const book = createOrderBook(price(100));
  applySnapshot(book, 0, bids, asks);
  return book;
});
const limits = fc.option(gridPrice(100), { nil: null });
const outcome: fc.Arbitrary<OutcomeIndex> = fc.constantFrom(0, 1);
const dollars = fc.integer({ min: 1, max: 900_000_000_000 }).map(usd);

/** Levels of one side that the limit lets through, best first. */
function inside(book: OrderBook, which: OutcomeIndex, side: Side, limit: Price | null): Level[] {
  return levelsOf(book, which, side).filter(
    ({ price: at }) => limit === null || (side === "sell" ? at <= limit : at >= limit),
  );
}

function ceilDiv(a: bigint, b: bigint): bigint {
  return (a + b - 1n) / b;
}

/** Takes dollars off levels one by one in BigInt, as a person with paper would. */
function spendByHand(list: readonly Level[], money: bigint) {
  let left = money;
  let got = 0n;
  for (const level of list) {
    if (left === 0n) break;
    const at = BigInt(level.price);
    const whole = ceilDiv(at * BigInt(level.size), 10_000n);
    if (whole <= left) {
      left -= whole;
      got += BigInt(level.size);
    } else {
      got += (left * 10_000n) / at;
      left = 0n;
    }
  }
  return { got, spent: money - left };
}

function takeByHand(list: readonly Level[], size: bigint, side: Side) {
  let left = size;
  let money = 0n;
  for (const level of list) {
    if (left === 0n) break;
    const take = left < BigInt(level.size) ? left : BigInt(level.size);
    const product = BigInt(level.price) * take;
    money += side === "sell" ? ceilDiv(product, 10_000n) : product / 10_000n;
    left -= take;
  }
  return { got: size - left, money };
}

function expectSound(walk: DepthWalk, list: readonly Level[]): void {
  expect(walk.levels.map((level) => level.price)).toEqual(
    list.slice(0, walk.levels.length).map((level) => level.price),
  );
  walk.levels.forEach((level, i) => {
    expect(level.shares).toBeLessThanOrEqual(list[i]?.size ?? 0);
    // Every level but the last is taken whole: nothing cheaper is left behind.
    if (i < walk.levels.length - 1) expect(level.shares).toBe(list[i]?.size);
  });
  expect(walk.levels.reduce((sum, level) => sum + level.shares, 0)).toBe(walk.shares);
  expect(walk.best).toBe(walk.levels[0]?.price ?? null);
  expect(walk.worst).toBe(walk.levels.at(-1)?.price ?? null);
  expect(walk.fee).toBe(feeCharged(fee, walk.money, walk.shares));
}

describe("walking the book", () => {
  test("dollars: spent to the micro-dollar when there is enough, else all there is, never above the limit", () => {
    let complete = 0;
    holds(
      fc.property(books, outcome, dollars, limits, (book, which, money, limit) => {
        const list = inside(book, which, "sell", limit);
        const walk = walkBuyUsd(book, which, money, { limit, fee });
        const hand = spendByHand(list, BigInt(money));
        expect(BigInt(walk.money)).toBe(hand.spent);
        expect(BigInt(walk.shares)).toBe(hand.got);
        expectSound(walk, list);
        expect(walk.complete).toBe(walk.money === money);
        if (walk.complete) complete++;
      }),
      1_500,
    );
    expect(complete).toBeGreaterThan(100);
  });

  test("shares: what a buyer pays is rounded up, what a seller gets is rounded down, level by level", () => {
    holds(
      fc.property(books, outcome, anySize, limits, (book, which, size, limit) => {
        const asks = inside(book, which, "sell", limit);
        const buy = walkBuyShares(book, which, size, { limit, fee });
        const paid = takeByHand(asks, BigInt(size), "sell");
        expect([BigInt(buy.shares), BigInt(buy.money)]).toEqual([paid.got, paid.money]);
        expectSound(buy, asks);
        const bids = inside(book, which, "buy", limit);
        const sale = walkSellShares(book, which, size, { limit, fee });
        const gotten = takeByHand(bids, BigInt(size), "buy");
        expect([BigInt(sale.shares), BigInt(sale.money)]).toEqual([gotten.got, gotten.money]);
        expectSound(sale, bids);
        expect(buy.complete).toBe(buy.shares === size);
        expect(sale.complete).toBe(sale.shares === size);
      }),
      1_500,
    );
  });

  test("$25 over two levels by hand", () => {
    const book = createOrderBook(price(100));
    applySnapshot(book, 0, [], levels(["0.52", "20"], ["0.53", "100"]));
    const walk = walkBuyUsd(book, 0, usd(25_000_000), { limit: null, fee });
    // 20 shares for $10.40; the other $14.60 buys 27.547169 shares at 0.53.
    expect(walk).toMatchObject({
      shares: 47_547_169,
      money: 25_000_000,
      best: 5_200,
      worst: 5_300,
    });
    expect(walk.fee).toBe(474_200);
  });

  test("an empty side gives nothing and says so", () => {
    const book = createOrderBook(price(100));
    const within = { limit: null, fee: noFee };
    expect(walkBuyUsd(book, 0, usd(1), within)).toMatchObject({ shares: 0, complete: false });
    expect(walkSellShares(book, 1, shares(1), within)).toMatchObject({ worst: null, money: 0 });
  });

  test("the other outcome's asks are this one's bids", () => {
    const book = createOrderBook(price(100));
    applySnapshot(book, 0, levels(["0.48", "100"]), []);
    const walk = walkBuyShares(book, 1, sharesOf("10"), { limit: priceOf("0.52"), fee: noFee });
    expect(walk).toMatchObject({ shares: 10_000_000, money: 5_200_000, complete: true });
    expect(
      walkBuyShares(book, 1, sharesOf("10"), { limit: priceOf("0.51"), fee: noFee }).shares,
    ).toBe(0);
  });
});
