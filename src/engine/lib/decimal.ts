import { assert } from "./assert.ts";

const maxDigits = 15;

/**
 * Reads plain decimal text ("0.62", ".5", "25") as an integer of 10^-decimals. Null for anything else: signs,
 * exponents, other digits, more decimals than fit (unless they are zeros), values beyond 15 digits.
 */
export function parseDecimal(text: string, decimals: number): number | null {
  const match = /^(\d*)(?:\.(\d*))?$/.exec(text);
  if (match === null || text === "" || text === ".") return null;
  const whole = match[1] ?? "";
  const fraction = (match[2] ?? "").replace(/0+$/, "");
  if (fraction.length > decimals || whole.length > maxDigits) return null;
  const value = Number(`${whole}${fraction.padEnd(decimals, "0")}`);
  return Number.isSafeInteger(value) ? value : null;
}

/** Shortest decimal text of an integer of 10^-decimals, as the venue writes prices and sizes: "0.5", "47437.5", "0". */
export function formatDecimal(value: number, decimals: number): string {
  assert(Number.isSafeInteger(value), "a formatted amount is a safe integer");
  const sign = value < 0 ? "-" : "";
  const digits = String(Math.abs(value)).padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, "");
  return fraction === "" ? `${sign}${whole}` : `${sign}${whole}.${fraction}`;
}

/** Decimal text with exactly `places` decimals, rounded half away from zero. */
export function formatFixed(value: number, decimals: number, places: number): string {
  assert(Number.isSafeInteger(value) && places <= decimals, "a formatted amount is a safe integer");
  const unit = Number(`1e${decimals - places}`);
  const magnitude = Math.abs(value);
  const rounded =
    (magnitude - (magnitude % unit)) / unit + (2 * (magnitude % unit) >= unit ? 1 : 0);
  const digits = String(rounded).padStart(places + 1, "0");
  const whole = digits.slice(0, digits.length - places);
  const sign = value < 0 && rounded !== 0 ? "-" : "";
  return places === 0
    ? `${sign}${whole}`
    : `${sign}${whole}.${digits.slice(digits.length - places)}`;
}
