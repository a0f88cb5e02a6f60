import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { price, shares } from "../../../src/engine/domain/numbers.ts";
import { levelsOf } from "../../../src/engine/domain/order-book.ts";
import {
  bestSetSize,
  costOfSet,
  minimumSetSize,
  profitOfSet,
  type SetLeg,
  stepOfSet,
} from "../../../src/engine/strategies/complete-sets.ts";
import { holds } from "../support/holds.ts";
import { sharesOf } from "../support/levels.ts";
import { feeOf, legOf } from "../support/sets.ts";

const largest = sharesOf("2000");

/** Profit at every size of the step, and the best of them, without any cleverness. */
function bestByHand(legs: readonly SetLeg[], from: number, to: number) {
  const step = stepOfSet(legs);
  let best: { readonly size: number; readonly profit: number } | null = null;
  for (let size = from; size <= to; size += step) {
    const set = costOfSet(legs, shares(size));
    if (set === null) break;
    const profit = profitOfSet(set);
    if (best === null || profit > best.profit) best = { size, profit };
  }
  return best;
}

/** Strategies 2.3 (a): YES .46x150 .47x250 .48x600, NO .50x120 .51x300 .52x500. */
function published(rate: string): SetLeg[] {
  const fee = { fee: feeOf(rate) };
  return [
    legOf(
      [
        ["0.46", "150"],
        ["0.47", "250"],
        ["0.48", "600"],
      ],
      fee,
    ),
    legOf(
      [
        ["0.5", "120"],
        ["0.51", "300"],
        ["0.52", "500"],
      ],
      fee,
    ),
  ];
}

describe("a complete set", () => {
  test.each([
    ["0", 420, 10.9],
    ["0.04", 400, 2.72],
    ["0.05", 150, 1.96],
    ["0.07", 120, 0.61],
  ])("published figures at r %s: %d sets for $%d", (rate, size, dollars) => {
    const best = bestSetSize(published(rate), sharesOf("5"), largest);
    if (best === null) throw new TypeError("no set");
    expect(best.shares).toBe(size * 1_000_000);
    expect(profitOfSet(best) / 1_000_000).toBeCloseTo(dollars, 2);
  });

  test("the same book taken whole in crypto loses $3.77: naive largest size is wrong", () => {
    const set = costOfSet(published("0.07"), sharesOf("420"));
    if (set === null) throw new TypeError("no set");
    expect(profitOfSet(set) / 1_000_000).toBeCloseTo(-3.77, 2);
  });

  test("four legs at .30 .25 .22 .20 for 200 shares: $6.00, and $0.167 at r 0.04", () => {
    const legs = (rate: string) =>
      ["0.3", "0.25", "0.22", "0.2"].map((at) => legOf([[at, "500"]], { fee: feeOf(rate) }));
    const free = costOfSet(legs("0"), sharesOf("200"));
    const taxed = costOfSet(legs("0.04"), sharesOf("200"));
    expect(free?.cost).toBe(194_000_000);
    expect(taxed?.fee).toBe(5_832_800);
    expect(taxed === null ? null : profitOfSet(taxed)).toBe(167_200);
  });

  test("a leg that cannot give the whole size makes it no set", () => {
    const legs = [legOf([["0.4", "100"]]), legOf([["0.5", "99.99"]])];
    expect(costOfSet(legs, sharesOf("100"))).toBeNull();
    expect(costOfSet(legs, sharesOf("99"))?.shares).toBe(99_000_000);
  });

  test.each([
    [100, 1],
    [50, 2],
    [25, 4],
    [10, 10],
    [1, 100],
  ])("at tick %d legs come in multiples of %d shares", (tick, multiple) => {
    const legs = [legOf([["0.5", "1000"]]), legOf([["0.4", "1000"]], { tickSize: price(tick) })];
    expect(stepOfSet(legs)).toBe(multiple * 1_000_000);
  });

  test("the smallest size is five shares, a dollar of the cheapest leg, and whole steps", () => {
    const min = (at: string, tick: number) =>
      minimumSetSize([legOf([[at, "1000"]], { tickSize: price(tick) })], sharesOf("5"));
    expect(min("0.5", 100)).toBe(5_000_000);
    expect(min("0.004", 10)).toBe(250_000_000);
    expect(min("0.003", 10)).toBe(340_000_000);
    expect(minimumSetSize([legOf([])], sharesOf("5"))).toBeNull();
  });
});

describe("the best size", () => {
  const asks = (tick: number) =>
    fc
      .uniqueArray(fc.integer({ min: 1, max: 4_000 / tick }), { minLength: 1, maxLength: 5 })
      .chain((slots) =>
        fc.tuple(
          fc.constant(slots),
          fc.array(fc.integer({ min: 1, max: 60_000 }), {
            minLength: slots.length,
            maxLength: slots.length,
          }),
        ),
      )
      .map(([slots, sizes]) =>
        slots.map(
          (slot, i) => [String((slot * tick) / 10_000), String((sizes[i] ?? 1) / 100)] as const,
        ),
      );
  const legs = fc
    .constantFrom(100, 25, 10)
    .chain((tick) =>
      fc
        .tuple(
          fc.array(asks(tick), { minLength: 2, maxLength: 4 }),
          fc.constantFrom("0", "0.04", "0.07"),
        )
        .map(([rows, rate]) =>
          rows.map((row) => legOf(row, { fee: feeOf(rate), tickSize: price(tick) })),
        ),
    );

  test("is found among the kinks: no size of the step earns more", () => {
    let found = 0;
    let inside = 0;
    holds(
      fc.property(legs, (list) => {
        const least = minimumSetSize(list, sharesOf("5"));
        if (least === null) return;
        const hand = bestByHand(list, least, largest);
        const best = bestSetSize(list, least, largest);
        expect(best === null).toBe(hand === null);
        if (best === null || hand === null) return;
        found++;
        const deepest = Math.min(...list.map((leg) => depthOf(leg)));
        if (hand.size > least && hand.size < deepest - stepOfSet(list)) inside++;
        // Each leg's fee is rounded up to 10 micro-dollars, which can hide that much.
        expect(profitOfSet(best)).toBeGreaterThanOrEqual(hand.profit - 11 * list.length);
        expect(best.shares % stepOfSet(list)).toBe(0);
        expect(best.legs.every((walk) => walk.shares === best.shares)).toBe(true);
      }),
      300,
    );
    expect(found).toBeGreaterThan(200);
    // Sizes at neither end are where a clumsy search goes wrong.
    expect(inside).toBeGreaterThan(20);
  });
});

function depthOf(leg: SetLeg): number {
  return levelsOf(leg.book, leg.outcome, "sell").reduce((sum, level) => sum + level.size, 0);
}
