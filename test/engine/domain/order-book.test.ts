import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { OutcomeIndex, Side } from "../../../src/engine/domain/market.ts";
import { tickSizes } from "../../../src/engine/domain/market.ts";
import {
  formatPrice,
  formatShares,
  mirrorPrice,
  type Price,
  price,
  type Shares,
} from "../../../src/engine/domain/numbers.ts";
import {
  applyRows,
  applySnapshot,
  bestPrice,
  changeTick,
  createOrderBook,
  isCrossed,
  type Level,
  levelsOf,
  levelsText,
  type OrderBook,
  setLevel,
} from "../../../src/engine/domain/order-book.ts";
import { holds } from "../support/holds.ts";
import { anySize, gridPrice, levels, priceOf, sharesOf } from "../support/levels.ts";
import { MapBook } from "../support/map-book.ts";

const outcome: fc.Arbitrary<OutcomeIndex> = fc.constantFrom(0, 1);
const side: fc.Arbitrary<Side> = fc.constantFrom("buy", "sell");
const sizeOrGone = fc.oneof(anySize, fc.constant(0 as Shares));

type Change =
  | {
      readonly do: "set";
      readonly outcome: OutcomeIndex;
      readonly side: Side;
      readonly level: Level;
    }
  | {
      readonly do: "snapshot";
      readonly outcome: OutcomeIndex;
      readonly bids: readonly Level[];
      readonly asks: readonly Level[];
    }
  | { readonly do: "tick"; readonly tick: Price };

/** Mostly prices of the market's tick; a few of a finer grid, as after a tick change. */
function changes(tick: Price): fc.Arbitrary<Change[]> {
  const finer = tickSizes.filter((other) => other <= tick && tick % other === 0);
  const at = fc.oneof(
    { weight: 6, arbitrary: gridPrice(tick) },
    { weight: 1, arbitrary: fc.constantFrom(...finer).chain(gridPrice) },
  );
  const level = fc.record({ price: at, size: sizeOrGone });
  const rows = fc.uniqueArray(level, { selector: (one) => one.price, maxLength: 12 });
  return fc.array(
    fc.oneof(
      {
        weight: 12,
        arbitrary: fc.record({ do: fc.constant("set" as const), outcome, side, level }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constant("snapshot" as const),
          outcome,
          bids: rows,
          asks: rows,
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constant("tick" as const),
          tick: fc.constantFrom(...tickSizes),
        }),
      },
    ),
    { maxLength: 60 },
  );
}

function carryOut(book: OrderBook, reference: MapBook, change: Change): void {
  if (change.do === "tick") {
    changeTick(book, change.tick);
    return;
  }
  if (change.do === "set") {
    setLevel(book, change.outcome, change.side, change.level.price, change.level.size);
    reference.set(change.outcome, change.side, change.level);
    return;
  }
  applySnapshot(book, change.outcome, change.bids, change.asks);
  reference.clear();
  for (const level of change.bids) reference.set(change.outcome, "buy", level);
  for (const level of change.asks) reference.set(change.outcome, "sell", level);
}

/** Worst first, as the book hash covers them. */
function textOf(rows: readonly Level[]): string {
  const written = rows.map((level) => ({
    price: formatPrice(level.price),
    size: formatShares(level.size),
  }));
  return JSON.stringify(written.reverse()).slice(1, -1);
}

function expectSame(book: OrderBook, reference: MapBook): void {
  for (const which of [0, 1] as const) {
    for (const own of ["buy", "sell"] as const) {
      const expected = reference.levels(which, own);
      expect(levelsOf(book, which, own)).toEqual(expected);
      expect(bestPrice(book, which, own)).toBe(expected[0]?.price ?? null);
      expect(levelsText(book, which, own)).toBe(textOf(expected));
    }
  }
  const bid = reference.levels(0, "buy")[0]?.price;
  const ask = reference.levels(0, "sell")[0]?.price;
  expect(isCrossed(book)).toBe(bid !== undefined && ask !== undefined && bid >= ask);
}

describe("the ladder", () => {
  test.each(tickSizes)(
    "equals a map after any snapshots, deltas and tick changes (tick %d)",
    (tick) => {
      holds(
        fc.property(changes(tick), (list) => {
          const book = createOrderBook(tick);
          const reference = new MapBook();
          for (const change of list) {
            carryOut(book, reference, change);
            expectSame(book, reference);
          }
        }),
        tick === 1 ? 40 : 120,
      );
    },
  );

  test("seen from the other outcome it is the exact mirror", () => {
    holds(
      fc.property(changes(price(10)), (list) => {
        const book = createOrderBook(price(10));
        for (const change of list) carryOut(book, new MapBook(), change);
        for (const own of ["buy", "sell"] as const) {
          const mirrored = levelsOf(book, 1, own === "buy" ? "sell" : "buy");
          expect(mirrored.map((level) => ({ ...level, price: mirrorPrice(level.price) }))).toEqual(
            levelsOf(book, 0, own),
          );
        }
      }),
      150,
    );
  });

  test("a change is absolute: applying it twice changes nothing", () => {
    const book = createOrderBook(price(100));
    setLevel(book, 0, "buy", priceOf("0.4"), sharesOf("10"));
    setLevel(book, 0, "buy", priceOf("0.4"), sharesOf("10"));
    expect(levelsOf(book, 0, "buy")).toEqual(levels(["0.4", "10"]));
  });

  test("a finer tick keeps every level, a coarser one the levels that lie off its grid", () => {
    const book = createOrderBook(price(100));
    applySnapshot(book, 0, levels(["0.95", "1"], ["0.96", "2"]), levels(["0.97", "3"]));
    changeTick(book, price(10));
    setLevel(book, 0, "buy", priceOf("0.965"), sharesOf("4"));
    expect(bestPrice(book, 0, "buy")).toBe(9_650);
    changeTick(book, price(100));
    expect(levelsOf(book, 0, "buy")).toEqual(levels(["0.965", "4"], ["0.96", "2"], ["0.95", "1"]));
    expect(levelsOf(book, 0, "sell")).toEqual(levels(["0.97", "3"]));
  });

  test("a book of 9,999 levels a side holds 21 million shares on each, exactly", () => {
    const book = createOrderBook(price(1));
    const size = sharesOf("21006065.123457");
    for (let at = 1; at < 10_000; at++) setLevel(book, 0, "buy", price(at), size);
    expect(levelsOf(book, 0, "buy").every((level) => level.size === size)).toBe(true);
    expect(levelsOf(book, 1, "sell")).toHaveLength(9_999);
  });

  test("the next best level is found across any distance", () => {
    for (const tick of tickSizes) {
      const highest = price(10_000 - tick);
      const book = createOrderBook(tick);
      for (const [own, far, near] of [
        ["buy", tick, highest],
        ["sell", highest, tick],
      ] as const) {
        setLevel(book, 0, own, far, sharesOf("1"));
        setLevel(book, 0, own, near, sharesOf("2"));
        setLevel(book, 0, own, near, sharesOf("0"));
        expect(bestPrice(book, 0, own)).toBe(far);
        setLevel(book, 0, own, far, sharesOf("0"));
        expect(bestPrice(book, 0, own)).toBeNull();
      }
    }
  });

  test("text that came with the rows is told until its side changes, and of its outcome only", () => {
    holds(
      fc.property(
        outcome,
        outcome,
        side,
        gridPrice(100),
        anySize,
        (which, other, own, at, size) => {
          const reference = new MapBook();
          const [bids, asks] = [levels(["0.4", "3"], ["0.41", "2.5"]), levels(["0.6", "7"])];
          for (const level of bids) reference.set(which, "buy", level);
          for (const level of asks) reference.set(which, "sell", level);
          const values = Float64Array.from(
            [...bids, ...asks].flatMap((one) => [one.price, one.size]),
          );
          const text = { bids: textOf(bids.toReversed()), asks: textOf(asks) };
          const book = createOrderBook(price(100));
          applyRows(book, which, { values, bidCount: bids.length, text });
          expectSame(book, reference);
          setLevel(book, other, own, at, size);
          reference.set(other, own, { price: at, size });
          expectSame(book, reference);
          applySnapshot(book, which, [], asks);
          expect(levelsText(book, which, "buy")).toBe("");
        },
      ),
      200,
    );
  });

  test("rows give the book that the same levels give", () => {
    // Few prices, so that some come twice: the last word counts.
    const row = fc.tuple(fc.oneof(gridPrice(1), gridPrice(1_000)), sizeOrGone);
    const rows = fc.array(row, { maxLength: 30 });
    holds(
      fc.property(outcome, rows, rows, (which, bids, asks) => {
        const level = ([at, size]: readonly [Price, Shares]) => ({ price: at, size });
        const all = { bids: bids.map(level), asks: asks.map(level) };
        const values = Float64Array.from([...bids, ...asks].flat());
        const fromRows = createOrderBook(price(100));
        applyRows(fromRows, which, { values, bidCount: bids.length, text: null });
        const fromLevels = createOrderBook(price(100));
        applySnapshot(fromLevels, which, all.bids, all.asks);
        expect(fromRows).toEqual(fromLevels);
      }),
      200,
    );
  });
});
