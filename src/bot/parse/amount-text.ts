import type { AmountSpec } from "../../engine/api/requests.ts";
import { type Price, parsePrice, type Shares, type Usd } from "../../engine/domain/numbers.ts";
import { parseDecimal } from "../../engine/lib/decimal.ts";

/** An amount as typed. A bare number is dollars for a buy; for a sale it is asked what was meant. */
export type AmountText = AmountSpec | { readonly unit: "bare"; readonly value: Usd };

/** Ten million dollars or shares: more is a slip of the finger. */
const largestAmount = 10_000_000_000_000;
const minute = 60_000;
/** Longest life of a gtd order that is taken: 30 days. */
const longestGoodForMs = 30 * 24 * 60 * minute;
const largestSlippagePpm = 500_000;

function inBounds(value: number | null): value is number {
  return value !== null && value > 0 && value <= largestAmount;
}

/** "$25", "25", "40sh", "50%", "max"; null for everything else (zero, signs, exponents, other digits, more than 6 decimals). */
export function parseAmount(text: string): AmountText | null {
  const lower = text.toLowerCase();
  if (lower === "max" || lower === "all") return { unit: "part", value: 1_000_000 };
  const match = /^(\$?)([\d.]+)(sh|shs|share|shares|%|\$|usd)?$/u.exec(lower);
  if (match === null) return null;
  const [, dollar = "", digits = "", unit = ""] = match;
  if (dollar !== "" && unit !== "") return null;
  if (unit === "%") {
    const ppm = parseDecimal(digits, 4);
    return ppm !== null && ppm > 0 && ppm <= 1_000_000 ? { unit: "part", value: ppm } : null;
  }
  const value = parseDecimal(digits, 6);
  if (!inBounds(value)) return null;
  if (unit.startsWith("sh")) return { unit: "shares", value: value as Shares };
  if (dollar !== "" || unit !== "") return { unit: "usd", value: value as Usd };
  return { unit: "bare", value: value as Usd };
}

/** "0.62", "62c", "62¢" (without the @): a price inside (0, 1) on the grid of 1/10,000 dollar, else null. */
export function parseLimit(text: string): Price | null {
  const match = /^([\d.]+)(c|¢)$/iu.exec(text);
  if (match === null) return parsePrice(text.replace(/^\$/u, ""));
  const value = parseDecimal(match[1] ?? "", 2);
  return value !== null && value > 0 && value < 10_000 ? (value as Price) : null;
}

/** "90s", "30m", "1h", "1h30m", "2d" in milliseconds; null when it is no duration or longer than 30 days. */
export function parseDuration(text: string): number | null {
  if (!/^(\d{1,6}[smhd])+$/iu.test(text)) return null;
  const units: Readonly<Record<string, number>> = {
    s: 1000,
    m: minute,
    h: 60 * minute,
    d: 24 * 60 * minute,
  };
  let totalMs = 0;
  for (const [, count = "0", unit = "s"] of text.matchAll(/(\d+)([smhd])/giu)) {
    totalMs += Number(count) * (units[unit.toLowerCase()] ?? 0);
  }
  return totalMs > 0 && totalMs <= longestGoodForMs ? totalMs : null;
}

/** "2", "1.5", "2%" as parts per million, at most 50 %. */
export function parseSlippage(text: string): number | null {
  const ppm = parseDecimal(text.replace(/%$/u, ""), 4);
  return ppm !== null && ppm <= largestSlippagePpm ? ppm : null;
}

/** True for text that was meant as an amount but cannot be read as one: "-5", "1e9", "NaN", "٢٥", "$". */
export function looksLikeAmount(text: string): boolean {
  return /^[-+$€£]?[\p{Nd}.,]/u.test(text) || /^[-+]?(nan|infinity)$/iu.test(text) || text === "$";
}
