import type { Side } from "../types.ts";
import type { Prng } from "./prng.ts";
import type { SimMarket } from "./sim-market.ts";

/** Markets whose fair values add up to one (the legs of a set) or a market on its own. */
export type SimGroup = {
  readonly eventId: string;
  readonly markets: readonly SimMarket[];
  /** Taker fee rate of every leg. */
  readonly feeRate: number;
  /** Whether its complete set may become profitable for a while. */
  readonly opportunities: boolean;
};

/** Crowd actions per second at pace 1; about 1.4 book changes each. */
export const ACTIONS_PER_SECOND = 6;

/** One random action of the crowd somewhere. Held markets are passed over. */
export function crowdAction(
  groups: readonly SimGroup[],
  all: readonly SimMarket[],
  prng: Prng,
): void {
  const market = prng.pick(all);
  const side: Side = prng.chance(0.5) ? "BUY" : "SELL";
  const roll = prng.next();
  const sizeDraw = prng.next();
  if (market.held) return;
  if (market.offsetTicks !== 0 && !market.pinned) {
    undoOffset(market);
    return;
  }
  const firstFree = market.pinned ? 1 : 0;
  if (roll < 0.6) market.resizeLevel(side, firstFree);
  else if (roll < 0.8) market.toggleLevel(side);
  else if (market.pinned) market.resizeLevel("BUY", firstFree);
  else if (roll < 0.94) market.trade(side, 500 + Math.floor(sizeDraw * sizeDraw * 25_000));
  else drift(groups, market, side, prng);
}

/** Takes back what an ended opportunity moved a market by. */
export function undoOffset(market: SimMarket): void {
  if (market.canShift(-market.offsetTicks)) market.shift(-market.offsetTicks);
  market.offsetTicks = 0;
}

/**
 * Moves a fair value by one tick; in a group another leg of the same tick moves the other way, so that the fair
 * values of the set go on adding up to one.
 */
function drift(groups: readonly SimGroup[], market: SimMarket, side: Side, prng: Prng): void {
  const ticks = side === "BUY" ? 1 : -1;
  const group = groups.find((candidate) => candidate.markets.includes(market));
  if (group === undefined || group.markets.length === 1) {
    if (market.canShift(ticks)) market.shift(ticks);
    return;
  }
  const partners = group.markets.filter(
    (other) =>
      other !== market &&
      other.tick === market.tick &&
      !other.held &&
      !other.pinned &&
      other.offsetTicks === 0 &&
      other.canShift(-ticks),
  );
  if (partners.length === 0 || !market.canShift(ticks)) return;
  market.shift(ticks);
  prng.pick(partners).shift(-ticks);
}
