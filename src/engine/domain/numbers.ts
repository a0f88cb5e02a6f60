import { assert } from "../lib/assert.ts";
import { formatDecimal, parseDecimal } from "../lib/decimal.ts";
import { mulDivCeil, mulDivFloor } from "../lib/mul-div.ts";

declare const brand: unique symbol;

/** Integer of 1/10,000 dollar a share; all ticks (0.1 ... 0.0001) fit. Outcome prices lie strictly between 0 and 1. */
export type Price = number & { readonly [brand]: "Price" };
/** Integer of 1/1,000,000 share. */
export type Shares = number & { readonly [brand]: "Shares" };
/** Integer of 1/1,000,000 dollar. May be negative (a loss). */
export type Usd = number & { readonly [brand]: "Usd" };
/** Integer of 1/1,000,000: a fee rate of 0.04 is 40,000. */
export type Rate = number & { readonly [brand]: "Rate" };

export const priceDecimals = 4;
export const sharesDecimals = 6;
export const usdDecimals = 6;
export const rateDecimals = 6;
export const priceOne = 10_000 as Price;
export const sharesOne = 1_000_000 as Shares;
export const rateOne = 1_000_000 as Rate;

/** A price strictly inside (0, 1); asserted, for values that were checked before. */
export function price(value: number): Price {
  assert(Number.isSafeInteger(value) && value > 0 && value < priceOne, "a price is inside (0, 1)");
  return value as Price;
}

export function shares(value: number): Shares {
  assert(Number.isSafeInteger(value) && value >= 0, "a size is a safe integer >= 0");
  return value as Shares;
}

export function usd(value: number): Usd {
  assert(Number.isSafeInteger(value), "an amount of money is a safe integer");
  return value as Usd;
}

/** "0.62" -> 6200; null when it is not decimal text on the grid of 1/10,000 or not inside (0, 1). */
export function parsePrice(text: string): Price | null {
  const value = parseDecimal(text, priceDecimals);
  return value !== null && value > 0 && value < priceOne ? (value as Price) : null;
}

/** "216.216215" -> 216216215; null for anything but non-negative decimal text with at most 6 decimals. */
export function parseShares(text: string): Shares | null {
  return parseDecimal(text, sharesDecimals) as Shares | null;
}

export function parseUsd(text: string): Usd | null {
  return parseDecimal(text, usdDecimals) as Usd | null;
}

export function parseRate(text: string): Rate | null {
  const value = parseDecimal(text, rateDecimals);
  return value !== null && value <= rateOne ? (value as Rate) : null;
}

export function formatPrice(value: Price): string {
  return formatDecimal(value, priceDecimals);
}

export function formatShares(value: Shares): string {
  return formatDecimal(value, sharesDecimals);
}

export function formatUsd(value: Usd): string {
  return formatDecimal(value, usdDecimals);
}

/** The price of the other outcome of the market: 1 - p. */
export function mirrorPrice(value: Price): Price {
  return (priceOne - value) as Price;
}

/** price * shares in micro-dollars, rounded down: what a seller gets. */
export function costFloor(at: Price, size: Shares): Usd {
  return mulDivFloor(at, size, priceOne) as Usd;
}

/** price * shares in micro-dollars, rounded up: what a buyer pays. */
export function costCeil(at: Price, size: Shares): Usd {
  return mulDivCeil(at, size, priceOne) as Usd;
}

/** Most micro-shares that `money` buys at one price. */
export function sharesForFloor(money: Usd, at: Price): Shares {
  return mulDivFloor(money, priceOne, at) as Shares;
}

/** Payoff of winning shares: one dollar a share. */
export function payoff(size: Shares): Usd {
  return size as number as Usd;
}

export function addUsd(a: Usd, b: Usd): Usd {
  return usd(a + b);
}

export function subUsd(a: Usd, b: Usd): Usd {
  return usd(a - b);
}

export function addShares(a: Shares, b: Shares): Shares {
  return shares(a + b);
}

/** a - b, which must not be negative. */
export function subShares(a: Shares, b: Shares): Shares {
  return shares(a - b);
}

export function minShares(a: Shares, b: Shares): Shares {
  return a < b ? a : b;
}
