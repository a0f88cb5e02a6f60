import { walkBuyShares } from "../../src/engine/domain/depth-walk.ts";
import { price, type Rate, shares } from "../../src/engine/domain/numbers.ts";
import {
  createOrderBook,
  levelsOf,
  type OrderBook,
  setLevel,
} from "../../src/engine/domain/order-book.ts";
import { type FloatLevel, floatWalk } from "../baseline/usual-walk.ts";
import {
  type BenchCase,
  type BenchContext,
  type CaseResult,
  rowsAgainst,
} from "../support/bench-case.ts";
import { demand } from "../support/bench-error.ts";
import { keep, race, timeEach } from "../support/race.ts";
import { seeded } from "../support/seeded.ts";

/** Buying through 10 and through 400 levels of a deep book, with the fee: exact integers against floats. */
export const depthCase: BenchCase = { name: "depth", run };

const fee = { rate: 40_000 as Rate };
const walksPerRound = 10_000;
const levelCount = 500;
/** Each level may round its cost up by a micro-dollar; the fee is cut off after ten. */
const toleranceUsd = (levels: number): number => (levels + 10) / 1e6;

async function run(context: BenchContext): Promise<CaseResult> {
  const book = deepBook();
  const asks: readonly FloatLevel[] = levelsOf(book, 0, "sell").map((level) => ({
    price: level.price / 10_000,
    size: level.size / 1_000_000,
  }));
  const rows: CaseResult["rows"][number][] = [];
  const ratios: Record<string, number> = {};
  for (const depth of [10, 400]) {
    const wanted = asks.slice(0, depth).reduce((sum, level) => sum + level.size, 0) - 1;
    const size = shares(Math.round(wanted * 1_000_000));
    const within = { limit: null, fee };
    const mine = walkBuyShares(book, 0, size, within);
    const usual = floatWalk(asks, size / 1_000_000, 0.04);
    demand(mine.levels.length === depth && mine.complete, `a walk of ${depth} levels`);
    demand(Math.abs(mine.money / 1e6 - usual.cost) < toleranceUsd(depth), "cost of the walk");
    demand(Math.abs(mine.fee / 1e6 - usual.fee) < toleranceUsd(depth), "fee of the walk");
    demand((mine.worst ?? 0) / 10_000 === usual.worst, "worst price of the walk");
    const count = depth === 10 ? walksPerRound : walksPerRound / 10;
    const timings = await race(
      [
        {
          name: "ours, exact",
          round: () => timeEach(count, () => keep(walkBuyShares(book, 0, size, within))),
        },
        {
          name: "float loop over a sorted array",
          round: () => timeEach(count, () => keep(floatWalk(asks, size / 1_000_000, 0.04))),
        },
      ],
      { rounds: context.rounds, warmUps: 3 },
      (text) => context.progress(`depth ${depth}: ${text}`),
    );
    const compared = rowsAgainst(`${depth} levels`, timings);
    rows.push(...compared.rows);
    ratios[`depth_${depth}`] = compared.ratio;
  }
  return {
    title: `Depth walk: buy shares of a book with ${levelCount} asks, fee included`,
    rows,
    notes: [
      "ours names every level taken (evidence of the decision) and is exact to the micro-dollar; the float loop keeps sums only",
    ],
    ratios,
    aims: [],
  };
}

function deepBook(): OrderBook {
  const draw = seeded(3);
  const book = createOrderBook(price(10));
  for (let i = 0; i < levelCount; i++) {
    setLevel(book, 0, "sell", price((400 + i) * 10), shares((500 + draw(2_000_000)) * 10_000));
  }
  return book;
}
