import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatDecimal, formatFixed, parseDecimal } from "../../../src/engine/lib/decimal.ts";
import { holds } from "../support/holds.ts";

const decimals = fc.constantFrom(0, 2, 4, 6);
const amount = fc.oneof(
  fc.integer({ min: 0, max: 1_000_000 }),
  fc.integer({ min: 0, max: 999_999_999_999_999 }),
);

describe("decimal text", () => {
  test("what is written is read back, and is the shortest text of its value", () => {
    holds(
      fc.property(amount, decimals, (value, places) => {
        const text = formatDecimal(value, places);
        expect(parseDecimal(text, places)).toBe(value);
        expect(text).toMatch(/^(?:0|[1-9]\d*)(?:\.\d*[1-9])?$/);
      }),
      2_000,
    );
  });

  test("reads whole and fraction as BigInt would, with surplus zeros, and never more", () => {
    const digits = fc.stringMatching(/^\d{0,9}$/);
    holds(
      fc.property(digits, digits, decimals, (whole, fraction, places) => {
        const text = `${whole}.${fraction}`;
        const read = parseDecimal(text, places);
        const kept = fraction.replace(/0+$/, "");
        if (text === "." || kept.length > places) expect(read).toBeNull();
        else expect(read).toBe(Number(BigInt(`${whole}${kept.padEnd(places, "0")}` || "0")));
      }),
      2_000,
    );
  });

  test.each([
    "",
    ".",
    "-1",
    "+1",
    "1e3",
    "0x10",
    "1,5",
    " 1",
    "1 ",
    "1\n",
    "١",
    "Infinity",
    "NaN",
    "1.1.1",
    "1.0000001",
    "9999999999999999",
  ])("refuses %j", (text) => {
    expect(parseDecimal(text, 6)).toBeNull();
  });

  test("reads what people and payloads write", () => {
    expect(parseDecimal(".5", 4)).toBe(5_000);
    expect(parseDecimal("5.", 4)).toBe(50_000);
    expect(parseDecimal("0.6200000", 4)).toBe(6_200);
    expect(parseDecimal("21006065", 6)).toBe(21_006_065_000_000);
    // Beyond a safe integer of micro-units nothing is guessed.
    expect(parseDecimal("9007199254.740992", 6)).toBeNull();
    expect(parseDecimal("9007199254.740991", 6)).toBe(Number.MAX_SAFE_INTEGER);
  });

  test("fixed text rounds half away from zero, on both sides of it", () => {
    const signed = amount.chain((value) => fc.constantFrom(value, -value));
    holds(
      fc.property(signed, fc.constantFrom(0, 2, 4, 6), (value, places) => {
        const unit = 10n ** BigInt(6 - places);
        const magnitude = BigInt(Math.abs(value));
        const rounded = (2n * magnitude + unit) / (2n * unit);
        const text = formatFixed(value, 6, places);
        expect(BigInt(text.replace("-", "").replace(".", ""))).toBe(rounded);
        expect(text.startsWith("-")).toBe(value < 0 && rounded > 0n);
        expect(text.split(".")[1]?.length ?? 0).toBe(places);
      }),
      2_000,
    );
  });
});
