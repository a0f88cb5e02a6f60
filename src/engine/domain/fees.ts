import { assert } from "../lib/assert.ts";
import type { Rate, Shares, Usd } from "./numbers.ts";

/**
 * Taker fee of a market; makers pay nothing. Only exponent 1 exists on live markets (polymarket-trading 6.3); a market
 * with another one is refused when it is read.
 */
export type FeeSchedule = { readonly rate: Rate };

export const noFee: FeeSchedule = { rate: 0 as Rate };

/** The venue rounds fees to 5 decimals of a dollar. */
const feeUnitUsd = 10n;

/** r * C * (q - C) / q as an exact fraction of micro-dollars: [numerator, denominator]. */
function feeFraction(fee: FeeSchedule, cost: Usd, size: Shares): readonly [bigint, bigint] {
  assert(cost >= 0 && size >= 0 && cost <= size, "a share costs between nothing and one dollar");
  const c = BigInt(cost);
  const q = BigInt(size);
  return [BigInt(fee.rate) * c * (q - c), q * 1_000_000n];
}

/**
 * What the venue charges a taker order of `size` shares for `cost` dollars in all: cut off after 10 micro-dollars, as
 * the one decoded transaction shows (strategies 2.1). This stands on the card.
 */
export function feeCharged(fee: FeeSchedule, cost: Usd, size: Shares): Usd {
  if (fee.rate === 0 || size === 0) return 0 as Usd;
  const [numerator, denominator] = feeFraction(fee, cost, size);
  return Number((numerator / (denominator * feeUnitUsd)) * feeUnitUsd) as Usd;
}

/** The same rounded up: what the gate reserves, so that no rounding rule of the venue can exceed it. */
export function feeReserved(fee: FeeSchedule, cost: Usd, size: Shares): Usd {
  if (fee.rate === 0 || size === 0) return 0 as Usd;
  const [numerator, denominator] = feeFraction(fee, cost, size);
  const unit = denominator * feeUnitUsd;
  return Number(((numerator + unit - 1n) / unit) * feeUnitUsd) as Usd;
}

/** The largest fee that `money` spent at prices up to any level can cost: the curve C(q-C)/q is at most C. */
export function feeAtMost(fee: FeeSchedule, money: Usd): Usd {
  const unit = 1_000_000n * feeUnitUsd;
  return Number(((BigInt(fee.rate) * BigInt(money) + unit - 1n) / unit) * feeUnitUsd) as Usd;
}
