import { type DepthWalk, walkBuyShares } from "../domain/depth-walk.ts";
import { type FeeSchedule, feeReserved } from "../domain/fees.ts";
import { type OutcomeIndex, setSizeStep } from "../domain/market.ts";
import {
  addUsd,
  type Price,
  payoff,
  priceOne,
  type Shares,
  shares,
  subUsd,
  type Usd,
  usd,
} from "../domain/numbers.ts";
import { bestPrice, levelsOf, type OrderBook } from "../domain/order-book.ts";

/** One leg of a complete set: an outcome token to buy. */
export type SetLeg = {
  readonly book: OrderBook;
  readonly outcome: OutcomeIndex;
  readonly fee: FeeSchedule;
  readonly tickSize: Price;
  readonly minOrderSize: Shares;
};

/** Buying the same number of shares of every leg by walking the asks. */
export type SetCost = {
  readonly shares: Shares;
  readonly cost: Usd;
  /** Taker fees, each leg's rounded up: what the gate must assume. */
  readonly fee: Usd;
  readonly legs: readonly DepthWalk[];
};

/** Cost of `size` shares of every leg, or null when a leg's asks do not hold that many. */
export function costOfSet(legs: readonly SetLeg[], size: Shares): SetCost | null {
  let cost = 0 as Usd;
  let fee = 0 as Usd;
  const walks: DepthWalk[] = [];
  for (const leg of legs) {
    const walk = walkBuyShares(leg.book, leg.outcome, size, { limit: null, fee: leg.fee });
    if (!walk.complete) return null;
    cost = addUsd(cost, walk.money);
    fee = addUsd(fee, feeReserved(leg.fee, walk.money, walk.shares));
    walks.push(walk);
  }
  return { shares: size, cost, fee, legs: walks };
}

/** Payoff of `dollars` a set (one for a winning share, more when NOs are converted), less cost and fees. */
export function profitOfSet(set: SetCost, dollars = 1): Usd {
  return subUsd(usd(payoff(set.shares) * dollars), addUsd(set.cost, set.fee));
}

/** Smallest step of shares that every leg's tick allows (contracts, "Legs of a set"). */
export function stepOfSet(legs: readonly SetLeg[]): Shares {
  return legs.reduce<Shares>(
    (step, leg) => (setSizeStep(leg.tickSize) > step ? setSizeStep(leg.tickSize) : step),
    1_000_000 as Shares,
  );
}

/** Smallest size that every leg takes: min order size and $1 for a marketable buy, in whole steps; null without asks. */
export function minimumSetSize(legs: readonly SetLeg[], configuredMin: Shares): Shares | null {
  const step = stepOfSet(legs);
  let need = configuredMin as number;
  for (const leg of legs) {
    const best = bestPrice(leg.book, leg.outcome, "sell");
    if (best === null) return null;
    need = Math.max(need, leg.minOrderSize, Math.ceil(10_000 / best) * 1_000_000);
  }
  return shares(Math.ceil(need / step) * step);
}

/**
 * The size between the bounds with the largest profit. Profit is piecewise smooth in the size with kinks where a leg's
 * level ends (strategies 2.2), so those points and the bounds are tried; the first of equal ones wins.
 */
export function bestSetSize(
  legs: readonly SetLeg[],
  smallest: Shares,
  largest: Shares,
  dollars = 1,
): SetCost | null {
  if (smallest > largest) return null;
  // Most sets already cost more than they pay at the smallest size: no need to look at their depth.
  const least = costOfSet(legs, smallest);
  if (least === null || nextLoses(least, dollars)) return least;
  const step = stepOfSet(legs);
  const candidates = new Set<number>([smallest, largest - (largest % step)]);
  for (const leg of legs) {
    let depth = 0;
    for (const level of levelsOf(leg.book, leg.outcome, "sell")) {
      depth += level.size;
      if (depth > largest) break;
      // A kink between two steps: the best size lies on either side of it.
      if (depth >= smallest) candidates.add(depth - (depth % step));
      if (depth > smallest - step) candidates.add(depth - (depth % step) + step);
    }
  }
  let best: SetCost | null = null;
  for (const size of [...candidates].sort((a, b) => a - b)) {
    if (size < smallest || size > largest) continue;
    const set = costOfSet(legs, shares(size));
    if (set === null) break;
    if (best === null || profitOfSet(set, dollars) > profitOfSet(best, dollars)) best = set;
    if (nextLoses(set, dollars)) break;
  }
  return best;
}

/**
 * True when one more share of every leg costs more than it pays even without a fee. The fee never falls with the size,
 * and prices only rise, so no larger size is better.
 */
function nextLoses(set: SetCost, dollars: number): boolean {
  let price = 0;
  for (const walk of set.legs) price += walk.worst ?? 0;
  return price > dollars * priceOne;
}
