import type { FeeSchedule } from "../../src/engine/domain/fees.ts";
import { price, type Rate, type Shares, shares } from "../../src/engine/domain/numbers.ts";
import { createOrderBook, levelsOf, setLevel } from "../../src/engine/domain/order-book.ts";
import {
  bestSetSize,
  minimumSetSize,
  profitOfSet,
  type SetLeg,
} from "../../src/engine/strategies/complete-sets.ts";
import { type FloatLeg, type FloatSet, floatBestSet } from "../baseline/usual-walk.ts";
import {
  type BenchCase,
  type BenchContext,
  type CaseResult,
  rowsAgainst,
} from "../support/bench-case.ts";
import { demand } from "../support/bench-error.ts";
import { keep, type Round, race, timeEach } from "../support/race.ts";
import { seeded } from "../support/seeded.ts";

/** Best size and profit of 1,000 complete sets of 3 to 12 legs: what one scan costs. */
export const setsCase: BenchCase = { name: "sets", run };

const setCount = 1_000;
const scansPerRound = 2;
const fee: FeeSchedule = { rate: 40_000 as Rate };
const minSize = shares(5_000_000);
const maxSize = shares(1_000_000_000);
/** Rounding of each level of each leg, and a float's own error. */
const toleranceUsd = 0.002;

type Priced = { readonly size: Shares; readonly profit: number } | null;

async function run(context: BenchContext): Promise<CaseResult> {
  const sets = makeSets();
  const floats = sets.map((legs) => legs.map(floatLeg));
  let priced = 0;
  let profitable = 0;
  sets.forEach((legs, i) => {
    const mine = priceOf(legs);
    const usual = floatPriceOf(floats[i] ?? []);
    demand((mine === null) === (usual === null), `set ${i} has a price`);
    if (mine === null || usual === null) return;
    priced++;
    if (mine.profit > 0) profitable++;
    demand(Math.abs(mine.profit / 1e6 - usual.profit) < toleranceUsd, `profit of set ${i}`);
  });
  const scan =
    <T>(list: readonly T[], one: (item: T) => unknown) =>
    (): Round =>
      timeEach(scansPerRound, () => {
        for (const item of list) keep(one(item));
      });
  const timings = await race(
    [
      { name: "ours, exact", round: scan(sets, priceOf) },
      { name: "floats over sorted arrays", round: scan(floats, floatPriceOf) },
    ],
    { rounds: context.rounds, warmUps: 1 },
    (text) => context.progress(`sets: ${text}`),
  );
  const { rows, ratio } = rowsAgainst("one scan", timings);
  const first = timings[0];
  return {
    title: `Set scan: best size and profit of ${setCount} sets of 3 to 12 legs`,
    rows,
    notes: [
      `${priced} of the sets have a price, ${profitable} are profitable after fees; ` +
        `${((first?.medianNs ?? 0) / setCount / 1_000).toFixed(1)} us a set`,
    ],
    ratios: { sets: ratio },
    aims: [],
  };
}

function priceOf(legs: readonly SetLeg[]): Priced {
  const least = minimumSetSize(legs, minSize);
  if (least === null) return null;
  const best = bestSetSize(legs, least, maxSize);
  return best === null ? null : { size: best.shares, profit: profitOfSet(best) };
}

function floatPriceOf(legs: readonly FloatLeg[]): FloatSet | null {
  return floatBestSet(legs, minSize / 1e6, maxSize / 1e6);
}

function floatLeg(leg: SetLeg): FloatLeg {
  return {
    asks: levelsOf(leg.book, leg.outcome, "sell").map((level) => ({
      price: level.price / 10_000,
      size: level.size / 1_000_000,
    })),
    feeRate: leg.fee.rate / 1e6,
    tickSize: leg.tickSize / 10_000,
    minSize: leg.minOrderSize / 1e6,
  };
}

/** Prices of a set's legs add up to a little under or over a dollar; every leg has 15 asks. */
function makeSets(): readonly (readonly SetLeg[])[] {
  const draw = seeded(4);
  return Array.from({ length: setCount }, () => {
    const legCount = 3 + draw(10);
    const total = 960 + draw(90);
    const even = Math.floor(total / legCount);
    return Array.from({ length: legCount }, (_, i): SetLeg => {
      const best = i === 0 ? total - even * (legCount - 1) : even;
      const book = createOrderBook(price(10));
      for (let level = 0; level < 15; level++) {
        const at = price((best + level * (1 + draw(2))) * 10);
        setLevel(book, 0, "sell", at, shares((1_000 + draw(20_000)) * 10_000));
      }
      return {
        book,
        outcome: 0,
        fee,
        tickSize: price(10),
        minOrderSize: shares(5_000_000),
      };
    });
  });
}
