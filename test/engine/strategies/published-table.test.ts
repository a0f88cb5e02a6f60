import { describe, expect, test } from "vitest";
import { noFee } from "../../../src/engine/domain/fees.ts";
import { parsePrice, parseShares, price, shares } from "../../../src/engine/domain/numbers.ts";
import {
  applySnapshot,
  createOrderBook,
  type Level,
} from "../../../src/engine/domain/order-book.ts";
import {
  costOfSet,
  type SetCost,
  type SetLeg,
} from "../../../src/engine/strategies/complete-sets.ts";
import { readJson, recordedDataDir, saySkipped } from "../support/recorded.ts";
import { feeOf } from "../support/sets.ts";

type Row = { readonly price: string; readonly size: string };
type RecordedLeg = {
  readonly event_id: string;
  readonly n_markets: number;
  readonly bids: readonly Row[];
  readonly asks: readonly Row[];
};

const dir = recordedDataDir();
if (dir === null) saySkipped(4);
const events = dir === null ? new Map<string, RecordedLeg[]>() : byEvent(dir);

function byEvent(from: string): Map<string, RecordedLeg[]> {
  const books = readJson(from, "complete-sets/books-2026-08-22.json.gz") as Record<
    string,
    RecordedLeg
  >;
  const grouped = new Map<string, RecordedLeg[]>();
  for (const leg of Object.values(books)) {
    grouped.set(leg.event_id, [...(grouped.get(leg.event_id) ?? []), leg]);
  }
  return grouped;
}

function levelOf(row: Row): Level {
  const at = parsePrice(row.price);
  const size = parseShares(row.size);
  if (at === null || size === null) throw new TypeError(`unreadable level ${JSON.stringify(row)}`);
  return { price: at, size };
}

function legOf(recorded: RecordedLeg, rate: string): SetLeg {
  const book = createOrderBook(price(10));
  applySnapshot(book, 0, recorded.bids.map(levelOf), recorded.asks.map(levelOf));
  const fee = rate === "0" ? noFee : feeOf(rate);
  return { book, outcome: 0, fee, tickSize: price(10), minOrderSize: shares(5_000_000) };
}

/** Every event of at least three declared outcomes of which every one fills the size. */
function completeSets(size: number, rate: string): SetCost[] {
  const sets: SetCost[] = [];
  for (const legs of events.values()) {
    const declared = legs[0]?.n_markets ?? 0;
    if (declared < 3 || legs.length !== declared) continue;
    const set = costOfSet(
      legs.map((leg) => legOf(leg, rate)),
      shares(size * 1_000_000),
    );
    if (set !== null) sets.push(set);
  }
  return sets;
}

/** Dollars for one dollar of payoff, smallest first. */
function ratios(sets: readonly SetCost[], feeOfSet: (set: SetCost) => number): number[] {
  return sets.map((set) => (set.cost + feeOfSet(set)) / set.shares).sort((a, b) => a - b);
}

/** The published figures leave the fee unrounded; ours is rounded up for each leg. */
function exactFee(set: SetCost): number {
  return set.legs.reduce(
    (sum, walk) => sum + (0.04 * walk.money * (walk.shares - walk.money)) / walk.shares,
    0,
  );
}

describe.skipIf(dir === null)("36 recorded neg-risk events of 2026-08-22", () => {
  test.each([
    [1, 5, "1.0220", "0.9940", "1.018467"],
    [100, 5, "1.0220", "0.9957", "1.020254"],
    [1_000, 5, "1.0221", "0.9972", "1.021768"],
  ])("%d shares: %d complete, median %s, minimum %s, all-in %s at r 0.04", (size, ...row) => {
    const [complete, median, least, allIn] = row;
    const sorted = ratios(completeSets(size, "0"), () => 0);
    expect(sorted).toHaveLength(complete);
    expect(sorted[Math.floor(sorted.length / 2)]?.toFixed(4)).toBe(median);
    expect(sorted[0]?.toFixed(4)).toBe(least);
    const taxed = completeSets(size, "0.04");
    expect(ratios(taxed, exactFee)[0]?.toFixed(6)).toBe(allIn);
    for (const set of taxed) {
      expect(set.fee - exactFee(set)).toBeGreaterThanOrEqual(-0.001);
      expect(set.fee - exactFee(set)).toBeLessThan(10 * set.legs.length);
    }
  });

  test("831 books of 38 events were read", () => {
    expect([...events.values()].flat()).toHaveLength(831);
    expect(events.size).toBe(38);
  });
});
