/**
 * The venue's own arithmetic: every price, share and dollar is a bigint of millionths. It shares nothing
 * with the engine's numbers on purpose, so that each checks the other.
 */

/** One share, one dollar, or a price of one. */
export const ONE = 1_000_000n;

const DECIMAL = /^(\d{1,24})(?:\.(\d{1,6}))?$/;

/** Reads a plain decimal with at most six places; null for anything else (signs, exponents, blanks). */
export function parseMicro(text: string): bigint | null {
  const match = DECIMAL.exec(text);
  if (match === null) return null;
  return BigInt(match[1] ?? "0") * ONE + BigInt((match[2] ?? "").padEnd(6, "0"));
}

/** Writes a decimal without trailing zeros, as the venue does: "0.5", "23403.29", "0". */
export function formatMicro(value: bigint): string {
  const sign = value < 0n ? "-" : "";
  const size = value < 0n ? -value : value;
  const fraction = (size % ONE).toString().padStart(6, "0").replace(/0+$/, "");
  return `${sign}${size / ONE}${fraction === "" ? "" : `.${fraction}`}`;
}

/** The last trade price is shown with three decimals ("0.620"), half up where the tick is finer. */
export function formatTradePrice(price: bigint): string {
  const digits = ((price + 500n) / 1000n).toString().padStart(4, "0");
  return `${digits.slice(0, -3)}.${digits.slice(-3)}`;
}

/** Dollars of `shares` at `price`, rounded down to the micro-dollar. */
export function costFloor(shares: bigint, price: bigint): bigint {
  return (shares * price) / ONE;
}

/** Dollars of `shares` at `price`, rounded up: what must be set aside. */
export function costCeil(shares: bigint, price: bigint): bigint {
  return (shares * price + ONE - 1n) / ONE;
}

/** Shares that `dollars` buy at `price`, rounded down to the micro-share. */
export function sharesFloor(dollars: bigint, price: bigint): bigint {
  return (dollars * ONE) / price;
}

/** Book sizes are shown with two decimals (a real fill of 216.216215 took 23619.51 to 23403.29). */
export function shownSize(shares: bigint): bigint {
  return shares - (shares % 10_000n);
}

/** True when a value of millionths uses at most `decimals` places. */
export function hasAtMostDecimals(value: bigint, decimals: number): boolean {
  return value % 10n ** BigInt(6 - decimals) === 0n;
}

/** Average price of a trade, half up, to three places, or to four when the tick has four. */
export function averagePrice(cash: bigint, shares: bigint, tick: bigint): bigint {
  const unit = tick % 1000n === 0n ? 1000n : 100n;
  const doubled = (2n * cash * ONE) / (shares * unit);
  return ((doubled + 1n) / 2n) * unit;
}

export function minOf(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
