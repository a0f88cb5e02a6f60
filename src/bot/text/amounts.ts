import type { Price, Shares, Usd } from "../../engine/domain/numbers.ts";
import { formatDecimal, formatFixed } from "../../engine/lib/decimal.ts";

function grouped(decimalText: string): string {
  const [whole = "", fraction] = decimalText.split(".");
  const withCommas = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction === undefined ? withCommas : `${withCommas}.${fraction}`;
}

function signed(value: number, digits: string): string {
  return `${value < 0 && /[1-9]/.test(digits) ? "-" : ""}$${grouped(digits)}`;
}

/** "$1,204.11": to the cent, rounded half away from zero. */
export function money(value: Usd): string {
  return signed(value, formatFixed(Math.abs(value), 6, 2));
}

/** "+$18.40" or "-$3.00": a result. */
export function profit(value: Usd): string {
  return value >= 0 ? `+${money(value)}` : money(value);
}

/** "$25.00", "$0.57035": every digit that is there, at least cents. For cards and receipts. */
export function moneyExact(value: Usd): string {
  const [whole = "0", fraction = ""] = formatDecimal(Math.abs(value), 6).split(".");
  return signed(value, `${whole}.${fraction.padEnd(2, "0")}`);
}

/** "40.322581": every digit that is there. */
export function sharesExact(size: Shares): string {
  return grouped(formatDecimal(size, 6));
}

/** A hundredth of a share: the venue sells no less. */
export const smallestSale = 10_000;

/** "40.32": at most two decimals, cut, never rounded up to more than is held; less than that in full. For lists. */
export function sharesShort(size: Shares): string {
  const rest = size % smallestSale;
  return grouped(formatDecimal(rest === size ? size : size - rest, 6));
}

/** "61.0¢", "61.25¢": one decimal on ticks of a tenth of a cent and coarser, two on finer ones. */
export function cents(at: Price, tickSize?: Price): string {
  const fine = tickSize === undefined ? at % 10 !== 0 : tickSize % 10 !== 0;
  return `${formatFixed(at, 2, fine ? 2 : 1)}¢`;
}

export function centsOrDash(at: Price | null, tickSize?: Price): string {
  return at === null ? "–" : cents(at, tickSize);
}

/** "61.84¢": money a share, kept as a fraction until here and rounded to a hundredth of a cent. */
export function averageCents(paid: Usd, size: Shares): string {
  if (size === 0) return "–";
  const hundredths = (BigInt(paid) * 20_000n + BigInt(size)) / (2n * BigInt(size));
  return `${formatFixed(Number(hundredths), 2, 2)}¢`;
}

/** "43%" of a limit; "–" when the limit is zero. */
export function percentOf(part: number, whole: number): string {
  return whole <= 0 ? "–" : `${Math.round((part / whole) * 100)}%`;
}

/** Parts per million as percent text: 20,000 -> "2%". */
export function ppmPercent(ppm: number): string {
  return `${formatDecimal(ppm, 4)}%`;
}

/** "$412k", "$1.2M": a rough size that the catalog reports. */
export function roughUsd(value: number): string {
  if (value >= 1_000_000) return `$${(value / 1_000_000).toFixed(1)}M`;
  if (value >= 10_000) return `$${Math.round(value / 1000)}k`;
  return `$${Math.round(value)}`;
}
