import type { OutcomeIndex, Side } from "./market.ts";
import { mirrorPrice, type Price } from "./numbers.ts";

/** Best prices of outcome 0 at one moment; null where a side was empty. */
type Sample = { readonly atMs: number; readonly bid: Price | null; readonly ask: Price | null };

/** Best prices of a market over the last while, oldest first, thinned out to a fixed number. */
export type PriceTrail = { readonly samples: Sample[] };

/** So many samples cover a period; one more is kept, so that they reach back that far. */
const samplesPerPeriod = 20;

export function createPriceTrail(): PriceTrail {
  return { samples: [] };
}

/** Keeps the best prices of now when the last kept ones are old enough, and forgets those before the period. */
export function keepPrices(
  trail: PriceTrail,
  best: Omit<Sample, "atMs">,
  nowMs: number,
  periodMs: number,
): void {
  const { samples } = trail;
  const last = samples.at(-1);
  if (last !== undefined && nowMs - last.atMs < periodMs / samplesPerPeriod) return;
  samples.push({ atMs: nowMs, ...best });
  while (samples.length > samplesPerPeriod + 1) samples.shift();
}

/** Lowest and highest best price that an order of this side met within the period; null when it met none. */
export function pricesMet(
  trail: PriceTrail | undefined,
  outcome: OutcomeIndex,
  side: Side,
  sinceMs: number,
): { readonly lowest: Price; readonly highest: Price } | null {
  let lowest: Price | null = null;
  let highest: Price | null = null;
  for (const { atMs, bid, ask } of trail?.samples ?? []) {
    if (atMs < sinceMs) continue;
    // A buy of outcome 1 meets the bids of outcome 0, seen from the other side.
    const meetsAsk = (side === "buy") === (outcome === 0);
    const own = meetsAsk ? ask : bid;
    if (own === null) continue;
    const met = outcome === 0 ? own : mirrorPrice(own);
    if (lowest === null || met < lowest) lowest = met;
    if (highest === null || met > highest) highest = met;
  }
  return lowest === null || highest === null ? null : { lowest, highest };
}
