import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { feeAtMost, feeCharged, feeReserved, noFee } from "../../../src/engine/domain/fees.ts";
import {
  costCeil,
  type Rate,
  type Shares,
  shares,
  type Usd,
  usd,
} from "../../../src/engine/domain/numbers.ts";
import { AssertionError } from "../../../src/engine/lib/assert.ts";
import { holds } from "../support/holds.ts";
import { anySize, gridPrice, priceOf, sharesOf } from "../support/levels.ts";

const rate = fc.integer({ min: 0, max: 1_000_000 }).map((value) => ({ rate: value as Rate }));
/** Shares and what they cost: any average between nothing and a dollar, not only prices of the grid. */
const purchase = anySize.chain((size) =>
  fc.tuple(fc.constant(size), fc.integer({ min: 0, max: size }).map(usd)),
);

function schedule(text: string) {
  return { rate: Math.round(Number(text) * 1_000_000) as Rate };
}

describe("taker fees", () => {
  test("charged <= exact <= reserved, each within 10 micro-dollars of the exact value", () => {
    holds(
      fc.property(rate, purchase, (fee, [size, cost]) => {
        const numerator = BigInt(fee.rate) * BigInt(cost) * BigInt(size - cost);
        const denominator = BigInt(size) * 1_000_000n;
        const charged = BigInt(feeCharged(fee, cost, size));
        const reserved = BigInt(feeReserved(fee, cost, size));
        expect(charged * denominator).toBeLessThanOrEqual(numerator);
        expect((charged + 10n) * denominator).toBeGreaterThan(numerator);
        expect(reserved * denominator).toBeGreaterThanOrEqual(numerator);
        expect((reserved - 10n) * denominator).toBeLessThan(numerator + 1n);
        expect(charged % 10n).toBe(0n);
        expect(reserved % 10n).toBe(0n);
      }),
      3_000,
    );
  });

  test("no price gives a higher fee than the one that is reserved for the money", () => {
    holds(
      fc.property(rate, purchase, (fee, [size, cost]) => {
        expect(feeAtMost(fee, cost)).toBeGreaterThanOrEqual(feeReserved(fee, cost, size));
      }),
      2_000,
    );
  });

  test("the fee of a whole order is not less than the fees of its levels", () => {
    const level = fc.tuple(gridPrice(10), fc.integer({ min: 1, max: 1e10 }).map(shares));
    holds(
      fc.property(rate, fc.array(level, { minLength: 1, maxLength: 6 }), (fee, rows) => {
        let cost = 0;
        let size = 0;
        let parts = 0;
        for (const [at, part] of rows) {
          cost += costCeil(at, part);
          size += part;
          parts += feeCharged(fee, costCeil(at, part), part);
        }
        expect(feeReserved(fee, usd(cost), shares(size))).toBeGreaterThanOrEqual(parts);
      }),
      1_000,
    );
  });

  test("the one decoded transaction: 580.677591 shares at 0.527058567, r 0.07, paid 10.13209", () => {
    const size = sharesOf("580.677591");
    const cost = usd(Math.round(580.677591 * 0.527058567 * 1_000_000));
    expect(feeCharged(schedule("0.07"), cost, size)).toBe(10_132_090);
    expect(feeReserved(schedule("0.07"), cost, size)).toBe(10_132_100);
  });

  test.each([
    ["0.04", "0.55", 9_900_000],
    ["0.05", "0.5", 12_500_000],
    ["0.07", "0.5", 17_500_000],
    ["0.07", "0.001", 69_930],
  ])("r %s at %s costs %d micro-dollars for a thousand shares", (r, at, fee) => {
    const size = sharesOf("1000");
    expect(feeCharged(schedule(r), costCeil(priceOf(at), size), size)).toBe(fee);
    expect(feeReserved(schedule(r), costCeil(priceOf(at), size), size)).toBe(fee);
  });

  test("nothing is charged without a rate, without shares, below a unit, or at a sure price", () => {
    expect(feeCharged(noFee, usd(5_000_000), sharesOf("10"))).toBe(0);
    expect(feeCharged(schedule("0.07"), 0 as Usd, 0 as Shares)).toBe(0);
    expect(feeCharged(schedule("0.07"), usd(100), shares(200))).toBe(0);
    expect(feeReserved(schedule("0.07"), usd(100), shares(200))).toBe(10);
    expect(feeReserved(schedule("0.07"), usd(1_000), shares(1_000))).toBe(0);
  });

  test("a share that would cost more than a dollar is a bug, not a fee", () => {
    expect(() => feeCharged(schedule("0.07"), usd(11), shares(10))).toThrow(AssertionError);
  });
});
