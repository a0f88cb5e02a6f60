// The usual way to price a trade: floats over sorted arrays.
export type FloatLevel = { readonly price: number; readonly size: number };

export type FloatWalk = {
  readonly shares: number;
  readonly cost: number;
  readonly worst: number;
  readonly fee: number;
};

/** Buys shares from asks sorted cheapest first. */
export function floatWalk(asks: readonly FloatLevel[], size: number, feeRate: number): FloatWalk {
  let left = size;
  let cost = 0;
  let worst = 0;
  for (const level of asks) {
    const take = Math.min(left, level.size);
    cost += take * level.price;
    worst = level.price;
    left -= take;
    if (left <= 0) break;
  }
  const shares = size - left;
  const fee = shares === 0 ? 0 : (feeRate * cost * (shares - cost)) / shares;
  return { shares, cost, worst, fee };
}

export type FloatLeg = {
  readonly asks: readonly FloatLevel[];
  readonly feeRate: number;
  readonly tickSize: number;
  readonly minSize: number;
};

export type FloatSet = { readonly size: number; readonly profit: number };

/** The size with the largest profit beside the ends of all levels, or null when no size is possible. */
export function floatBestSet(
  legs: readonly FloatLeg[],
  configuredMin: number,
  configuredMax: number,
): FloatSet | null {
  const step = Math.max(...legs.map((leg) => stepOf(leg.tickSize)));
  let least = configuredMin;
  for (const leg of legs) {
    const best = leg.asks[0];
    if (best === undefined) return null;
    least = Math.max(least, leg.minSize, Math.ceil(1 / best.price));
  }
  least = Math.ceil(least / step) * step;
  const sizes = new Set([least, configuredMax - (configuredMax % step)]);
  for (const leg of legs) {
    let depth = 0;
    for (const level of leg.asks) {
      depth += level.size;
      if (depth > configuredMax) break;
      // Sums of floats end a hair below the step that they mean; the best size lies on either side of a level's end.
      const below = Math.floor(depth / step + 1e-9) * step;
      sizes.add(below).add(below + step);
    }
  }
  let best: FloatSet | null = null;
  for (const size of [...sizes].sort((a, b) => a - b)) {
    if (size < least || size > configuredMax) continue;
    const profit = profitOf(legs, size);
    if (profit === null) break;
    if (best === null || profit > best.profit) best = { size, profit };
  }
  return best;
}

function profitOf(legs: readonly FloatLeg[], size: number): number | null {
  let paid = 0;
  for (const leg of legs) {
    const walk = floatWalk(leg.asks, size, leg.feeRate);
    if (walk.shares < size - 1e-6) return null;
    paid += walk.cost + walk.fee;
  }
  return size - paid;
}

function stepOf(tickSize: number): number {
  if (tickSize >= 0.01) return 1;
  if (tickSize >= 0.005) return 2;
  if (tickSize >= 0.0025) return 4;
  return tickSize >= 0.001 ? 10 : 100;
}
