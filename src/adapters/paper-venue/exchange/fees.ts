import { parseMicro } from "./amounts.ts";

/** Below this nothing is charged: five decimals of a dollar. */
const FEE_UNIT = 10n;

/** Rate in millionths from a decimal such as "0.04"; null (fees off) is zero. */
export function feeRateMicro(rate: string | null): bigint {
  return rate === null ? 0n : (parseMicro(rate) ?? 0n);
}

/**
 * Taker fee in micro-dollars over a whole taker order: rate x C x (q - C) / q with C the cost and q the shares,
 * which is shares x rate x p x (1 - p) at the average price. Truncated to 10 micro-dollars. Makers pay nothing.
 */
export function takerFee(rateMicro: bigint, cash: bigint, shares: bigint): bigint {
  if (rateMicro === 0n || shares <= 0n || cash <= 0n || cash >= shares) return 0n;
  const exact = (rateMicro * cash * (shares - cash)) / (shares * 1_000_000n);
  return exact - (exact % FEE_UNIT);
}
