import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AssertionError } from "../../../src/engine/lib/assert.ts";
import { mulDivCeil, mulDivFloor } from "../../../src/engine/lib/mul-div.ts";
import { holds } from "../support/holds.ts";

const max = Number.MAX_SAFE_INTEGER;
const factor = fc.oneof(
  fc.integer({ min: 0, max: 100_000 }),
  fc.integer({ min: 0, max: 21_006_065_000_000 }),
  fc.integer({ min: max - 1_000, max }),
  fc.integer({ min: 0, max }),
);
const divisor = factor.filter((value) => value > 0);

describe("products divided", () => {
  test("round down and up exactly as BigInt does, or refuse what is no safe integer", () => {
    let large = 0;
    holds(
      fc.property(factor, factor, divisor, (a, b, c) => {
        const product = BigInt(a) * BigInt(b);
        const floor = product / BigInt(c);
        const ceil = floor + (product % BigInt(c) === 0n ? 0n : 1n);
        if (product > BigInt(max)) large++;
        if (floor <= BigInt(max)) expect(BigInt(mulDivFloor(a, b, c))).toBe(floor);
        else expect(() => mulDivFloor(a, b, c)).toThrow(AssertionError);
        if (ceil <= BigInt(max)) expect(BigInt(mulDivCeil(a, b, c))).toBe(ceil);
        else expect(() => mulDivCeil(a, b, c)).toThrow(AssertionError);
      }),
      3_000,
    );
    // The property is worth something only where doubles alone would be wrong.
    expect(large).toBeGreaterThan(500);
  });

  test("a level of 21 million shares at every price costs its exact product", () => {
    const size = 21_006_065_123_457;
    for (let at = 1; at < 10_000; at++) {
      const exact = BigInt(at) * BigInt(size);
      expect(BigInt(mulDivFloor(at, size, 10_000))).toBe(exact / 10_000n);
      expect(BigInt(mulDivCeil(at, size, 10_000))).toBe((exact + 9_999n) / 10_000n);
    }
  });

  test.each([
    [-1, 1, 1],
    [1, -1, 1],
    [1, 1, 0],
    [1, 1, -1],
    [0.5, 1, 1],
    [1, 1, Number.NaN],
    [max + 1, 1, 1],
    [Number.POSITIVE_INFINITY, 0, 1],
  ])("refuse operands that are no amounts: %d * %d / %d", (a, b, c) => {
    expect(() => mulDivFloor(a, b, c)).toThrow(AssertionError);
    expect(() => mulDivCeil(a, b, c)).toThrow(AssertionError);
  });
});
