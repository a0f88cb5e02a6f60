import { PRICE_ONE } from "./decimal.ts";
import { type SimGroup, undoOffset } from "./order-flow.ts";
import type { Prng } from "./prng.ts";
import type { SimMarket } from "./sim-market.ts";

/** The first complete set becomes profitable this long after the start, in milliseconds. */
const FIRST_AFTER_MIN_MS = 6_000;
const FIRST_AFTER_MAX_MS = 15_000;
const LASTS_MIN_MS = 45_000;
const LASTS_MAX_MS = 75_000;
const PAUSE_MIN_MS = 90_000;
const PAUSE_MAX_MS = 180_000;
/** Profit of one set after fees in 1/10,000 dollar: at least one cent with room for rounding. */
const EDGE = 150;
/** 20 shares of the cheapest leg must cost a dollar, the venue's least marketable order. */
const MIN_LEG_ASK = 600;
/** Every leg shows at least 320 shares at its best ask. */
const LEG_HUNDREDTHS = 32_000;
const MAX_SHIFTS = 500;

/** Cost above one dollar of a set at the best asks, fees included, in 1/10,000; negative is a profit. */
function allInOverOne(group: SimGroup): number {
  let total = -PRICE_ONE;
  for (const { bestAsk } of group.markets)
    total += bestAsk + group.feeRate * bestAsk * (1 - bestAsk / PRICE_ONE);
  return total;
}

function open(group: SimGroup): boolean {
  const started = group.markets.filter((market) => !market.held);
  if (started.length !== group.markets.length) return false;
  for (let i = 0, stuck = 0; allInOverOne(group) > -EDGE; i++) {
    const market = group.markets[i % group.markets.length];
    if (market === undefined || i > MAX_SHIFTS || stuck > group.markets.length) break;
    if (market.bestAsk - market.tick < MIN_LEG_ASK || !market.canShift(-1)) {
      stuck++;
      continue;
    }
    stuck = 0;
    market.shift(-1);
    market.offsetTicks -= 1;
  }
  if (allInOverOne(group) > -EDGE) {
    close(group.markets);
    return false;
  }
  for (const market of group.markets) {
    market.pinned = true;
    market.thickenBestAsk(LEG_HUNDREDTHS);
  }
  return true;
}

function close(markets: readonly SimMarket[]): void {
  for (const market of markets) {
    market.pinned = false;
    // A held market is put back by the order flow once it is released.
    if (!market.held) undoOffset(market);
  }
}

/** Opens and closes windows in which buying every outcome of one event costs less than it pays, after fees. */
export class Opportunities {
  /** When something is due next, in milliseconds of the world's clock. */
  dueAtMs: number;
  private readonly groups: readonly SimGroup[];
  private readonly prng: Prng;
  private current: SimGroup | null = null;

  constructor(groups: readonly SimGroup[], prng: Prng, startedAtMs: number) {
    this.groups = groups.filter((group) => group.opportunities);
    this.prng = prng;
    this.dueAtMs = startedAtMs + prng.int(FIRST_AFTER_MIN_MS, FIRST_AFTER_MAX_MS);
  }

  /** Event id of the set that is profitable now, or null. */
  get openEventId(): string | null {
    return this.current?.eventId ?? null;
  }

  step(): void {
    if (this.current !== null) {
      close(this.current.markets);
      this.current = null;
      this.dueAtMs += this.prng.int(PAUSE_MIN_MS, PAUSE_MAX_MS);
      return;
    }
    const start = this.prng.int(0, this.groups.length - 1);
    for (let i = 0; i < this.groups.length && this.current === null; i++) {
      const group = this.groups[(start + i) % this.groups.length];
      if (group !== undefined && open(group)) this.current = group;
    }
    this.dueAtMs += this.prng.int(LASTS_MIN_MS, LASTS_MAX_MS);
  }
}
