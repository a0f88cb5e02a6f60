import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  costCeil,
  costFloor,
  formatPrice,
  formatShares,
  formatUsd,
  mirrorPrice,
  parsePrice,
  parseRate,
  parseShares,
  parseUsd,
  price,
  sharesForFloor,
  subShares,
  usd,
} from "../../../src/engine/domain/numbers.ts";
import { AssertionError } from "../../../src/engine/lib/assert.ts";
import { holds } from "../support/holds.ts";
import { anySize, gridPrice, sharesOf } from "../support/levels.ts";

/** Up to $900,000: at the lowest price that still is a safe number of micro-shares. */
const money = fc.integer({ min: 0, max: 900_000_000_000 }).map(usd);

describe("money, sizes and prices", () => {
  test("a cost is between its floor and ceiling, which differ by at most one micro-dollar", () => {
    holds(
      fc.property(gridPrice(1), anySize, (at, size) => {
        const exact = BigInt(at) * BigInt(size);
        expect(BigInt(costFloor(at, size))).toBe(exact / 10_000n);
        expect(BigInt(costCeil(at, size))).toBe((exact + 9_999n) / 10_000n);
      }),
      2_000,
    );
  });

  test("dollars buy the most micro-shares whose cost does not exceed them", () => {
    holds(
      fc.property(money, gridPrice(1), (have, at) => {
        const got = sharesForFloor(have, at);
        expect(BigInt(got) * BigInt(at)).toBeLessThanOrEqual(BigInt(have) * 10_000n);
        expect((BigInt(got) + 1n) * BigInt(at)).toBeGreaterThan(BigInt(have) * 10_000n);
      }),
      2_000,
    );
  });

  test("the mirror of the mirror is the price, and both outcomes cost one dollar", () => {
    holds(
      fc.property(gridPrice(1), anySize, (at, size) => {
        expect(mirrorPrice(mirrorPrice(at))).toBe(at);
        expect(costFloor(at, size) + costCeil(mirrorPrice(at), size)).toBe(size);
      }),
      1_000,
    );
  });

  test("texts of the venue are read and written unchanged", () => {
    for (const text of ["0.0001", "0.5", "0.9999", "0.62"]) {
      expect(formatPrice(price(parsePrice(text) ?? 0))).toBe(text);
    }
    for (const text of ["47437.5", "21006065", "216.216215", "0"]) {
      expect(formatShares(parseShares(text) ?? sharesOf("1"))).toBe(text);
    }
    expect(formatUsd(usd(-10_132_090))).toBe("-10.13209");
    expect(parseUsd("25")).toBe(25_000_000);
  });

  test("what is no price, size or rate is refused", () => {
    for (const text of ["0", "1", "1.0", "0.00001", "-0.5", "", "0,5"]) {
      expect(parsePrice(text)).toBeNull();
    }
    expect(parseShares("0.0000001")).toBeNull();
    expect(parseRate("1.000001")).toBeNull();
    expect(parseRate("0.04")).toBe(40_000);
    for (const value of [0, 10_000, 0.5, Number.NaN, -1]) {
      expect(() => price(value)).toThrow(AssertionError);
    }
    expect(() => subShares(sharesOf("1"), sharesOf("2"))).toThrow(AssertionError);
    expect(() => usd(2 ** 53)).toThrow(AssertionError);
  });
});
