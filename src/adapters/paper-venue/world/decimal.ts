import { WorldError } from "./errors.ts";

/** One dollar in the integer price units of this folder: every known tick divides 1/10,000. */
export const PRICE_ONE = 10_000;

/** "0.62" -> 6200n at 4 decimals. Throws `WorldError` on anything that is not a plain decimal that fits. */
export function parseScaled(text: string, decimals: number): bigint {
  const match = /^(\d+)(?:\.(\d+))?$/.exec(text);
  const fraction = (match?.[2] ?? "").replace(/0+$/, "");
  if (match === null || fraction.length > decimals)
    throw new WorldError(`not a decimal with at most ${decimals} places: "${text}"`);
  return BigInt((match[1] ?? "0") + fraction.padEnd(decimals, "0"));
}

/** 6200n at 4 decimals -> "0.62": no trailing zeros, as the venue writes levels. */
export function formatScaled(value: bigint, decimals: number): string {
  const digits = value.toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, "");
  return fraction === "" ? whole : `${whole}.${fraction}`;
}

/** Units of 1/10,000 dollar to price text without trailing zeros. */
export function priceText(units: number): string {
  return formatScaled(BigInt(units), 4);
}

/** Hundredths of a share to size text. */
export function sizeText(hundredths: number): string {
  return formatScaled(BigInt(hundredths), 2);
}

/** 1 - price, as the other token of the market shows the same level. */
export function mirrorPrice(text: string): string {
  return formatScaled(1_000_000n - parseScaled(text, 6), 6);
}

/** Last trade prices are written with exactly three decimals; "" stays "" (never traded). */
export function threeDecimals(text: string): string {
  if (text === "") return "";
  const micros = parseScaled(text, 6);
  const mills = (micros + 500n) / 1000n;
  return `${mills / 1000n}.${(mills % 1000n).toString().padStart(3, "0")}`;
}
