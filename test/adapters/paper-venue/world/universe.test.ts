import { describe, expect, test } from "vitest";
import type { MarketState } from "../../../../src/adapters/paper-venue/types.ts";
import { createUniverse } from "../../../../src/adapters/paper-venue/world/universe.ts";
import { RecordingExchange } from "./recording-exchange.ts";

const START_MS = Date.UTC(2026, 10, 21, 12, 1, 0);

function universe(seed = 1, options: { pace?: number; still?: boolean; startMs?: number } = {}) {
  const exchange = new RecordingExchange();
  const startMs = options.startMs ?? START_MS;
  const world = createUniverse({
    exchange,
    seed,
    pace: options.pace ?? 1,
    still: options.still ?? false,
    nowMs: () => startMs,
  });
  const run = (fromMs: number, toMs: number, stepMs = 1000, each?: (atMs: number) => void) => {
    for (let at = fromMs; at <= toMs; at += stepMs) {
      world.advance(startMs + at);
      each?.(at);
    }
  };
  return { exchange, world, run };
}

/** Profit of buying so many shares of every outcome after taker fees, in dollars per set; null when not filled. */
function profitPerSet(exchange: RecordingExchange, eventId: string, shares: number): number | null {
  const event = exchange.events().find(({ id }) => id === eventId);
  let total = 0;
  for (const conditionId of event?.conditionIds ?? []) {
    const { spec } = exchange.market(conditionId) as MarketState;
    let left = shares;
    let cost = 0;
    for (const { price, size } of exchange.book(conditionId).asks.toReversed()) {
      const taken = Math.min(left, Number(size));
      cost += taken * Number(price);
      left -= taken;
    }
    if (left > 0) return null;
    total += cost + Number(spec.feeRate ?? "0") * cost * (1 - cost / shares);
  }
  return 1 - total / shares;
}

function plainSets(exchange: RecordingExchange): string[] {
  return exchange
    .events()
    .filter(({ negRisk, negRiskAugmented }) => negRisk && !negRiskAugmented)
    .map(({ id }) => id);
}

describe("built-in universe", () => {
  test("has what the desk promises", () => {
    const { exchange } = universe();
    const specs = exchange.markets().map(({ spec }) => spec);
    const sets = exchange.events().filter(({ negRisk }) => negRisk);
    expect(specs.length).toBeGreaterThanOrEqual(40);
    expect(sets.length).toBeGreaterThanOrEqual(5);
    for (const { conditionIds } of sets) {
      expect(conditionIds.length).toBeGreaterThanOrEqual(3);
      expect(conditionIds.length).toBeLessThanOrEqual(8);
    }
    const augmented = sets.filter(({ negRiskAugmented }) => negRiskAugmented);
    expect(augmented).toHaveLength(1);
    const legs = specs.filter(({ eventId }) => eventId === augmented[0]?.id);
    expect(legs.filter(({ negRiskOther }) => negRiskOther)).toHaveLength(1);
    expect(legs.filter(({ acceptingOrders }) => !acceptingOrders)).toHaveLength(2);
    expect(specs.some(({ feeRate }) => feeRate === null)).toBe(true);
    expect(specs.filter(({ version }) => version === "v2").length).toBeGreaterThanOrEqual(2);
    expect(new Set(specs.map(({ tickSize }) => tickSize))).toEqual(
      new Set(["0.01", "0.001", "0.005", "0.0025"]),
    );
    expect(specs.every(({ endDate }) => Date.parse(endDate) > START_MS)).toBe(true);
    const ids = specs.flatMap((spec) => [spec.conditionId, ...spec.outcomes.map((o) => o.tokenId)]);
    expect(new Set(ids).size).toBe(ids.length);
    for (const key of ["slug", "gammaId", "questionId"] as const)
      expect(new Set(specs.map((spec) => spec[key])).size).toBe(specs.length);
  });

  test("v2 ids have the documented layout and share 31 bytes with their condition id", () => {
    const { exchange } = universe();
    for (const { spec } of exchange.markets().filter((market) => market.spec.version === "v2")) {
      const [first, second] = spec.outcomes.map(({ tokenId }) => BigInt(tokenId));
      expect(second).toBe((first ?? 0n) + 1n);
      expect(((first ?? 1n) >> 40n) & ((1n << 64n) - 1n)).toBe(0n);
      expect((first ?? 0n) >> 248n).toBe(spec.negRisk ? 2n : 1n);
      expect(BigInt(spec.conditionId)).toBe(first);
      expect(spec.conditionId).toMatch(/^0x[0-9a-f]{62}00$/);
    }
  });

  test("books have 10 to 20 levels, depth, a grid, and sets whose asks cost more than a dollar", () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const { exchange } = universe(seed);
      for (const { spec, acceptingOrders, bestBid, bestAsk } of exchange.markets()) {
        if (!acceptingOrders) continue;
        const { bids, asks } = exchange.book(spec.conditionId);
        for (const levels of [bids, asks]) {
          expect(levels.length).toBeGreaterThanOrEqual(10);
          expect(levels.length).toBeLessThanOrEqual(20);
          for (const { price } of levels) {
            const ticks = Number(price) / Number(spec.tickSize);
            expect(Math.abs(ticks - Math.round(ticks))).toBeLessThan(1e-9);
          }
        }
        const dollars = bids.reduce(
          (sum, { price, size }) => sum + Number(price) * Number(size),
          0,
        );
        expect(dollars).toBeGreaterThan(300);
        expect(dollars).toBeLessThan(40_000);
        expect(Number(bestBid)).toBeLessThan(Number(bestAsk));
      }
      for (const id of plainSets(exchange)) {
        const legs = exchange.markets().filter(({ spec }) => spec.eventId === id);
        const asks = legs.reduce((sum, { bestAsk }) => sum + Number(bestAsk), 0);
        const bids = legs.reduce((sum, { bestBid }) => sum + Number(bestBid), 0);
        expect(asks).toBeGreaterThan(1.0005);
        expect(bids).toBeLessThan(0.9995);
      }
    }
  });

  test("the same seed gives the same ids, books and flow; another seed gives others", () => {
    const runs = [7, 7, 8].map((seed) => {
      const { exchange, run } = universe(seed);
      run(0, 120_000);
      return exchange;
    });
    const [first, again, other] = runs as [RecordingExchange, RecordingExchange, RecordingExchange];
    expect(again.calls).toEqual(first.calls);
    expect(first.calls.length).toBeGreaterThan(500);
    expect(other.calls).not.toEqual(first.calls);
    const tokens = (exchange: RecordingExchange) =>
      exchange.markets().flatMap(({ spec }) => spec.outcomes.map(({ tokenId }) => tokenId));
    expect(tokens(again)).toEqual(tokens(first));
    expect(tokens(other).filter((id) => tokens(first).includes(id))).toEqual([]);
  });

  test("ids do not depend on the day", () => {
    const days = [START_MS, START_MS + 40 * 86_400_000].map((startMs) => {
      const { exchange } = universe(1, { startMs });
      return exchange.bySlug("bitcoin-above-150k").spec;
    });
    expect(days[0]?.conditionId).toBe(days[1]?.conditionId);
    expect(days[0]?.endDate).not.toBe(days[1]?.endDate);
  });

  test("the crowd makes 5 to 20 changes a second, and pace multiplies them", () => {
    const rates = [1, 10].map((pace) => {
      const { exchange, run } = universe(1, { pace });
      run(0, 300_000);
      return exchange.changes / 300;
    });
    expect(rates[0]).toBeGreaterThan(5);
    expect(rates[0]).toBeLessThan(20);
    expect((rates[1] ?? 0) / (rates[0] ?? 1)).toBeGreaterThan(4);
  });

  test("a complete set becomes profitable within 60 s, for 30 s, at 20 to 200 shares, and again", () => {
    for (const seed of [1, 2, 3, 11]) {
      const { exchange, run } = universe(seed);
      const seconds: number[] = [];
      run(0, 900_000, 1000, (at) => {
        const open = plainSets(exchange).some((id) =>
          [20, 50, 200].every((shares) => (profitPerSet(exchange, id, shares) ?? -1) >= 0.01),
        );
        if (open) seconds.push(at / 1000);
      });
      expect(seconds[0]).toBeLessThan(60);
      const start = seconds[0] ?? 0;
      expect(seconds.slice(0, 31)).toEqual(Array.from({ length: 31 }, (_, i) => start + i));
      const starts = seconds.filter((second, i) => second - (seconds[i - 1] ?? -2) > 1);
      expect(starts.length).toBeGreaterThanOrEqual(4);
      // Most of the time nothing is to be had: the opportunity must be something to look for.
      expect(seconds.length).toBeLessThan(900 * 0.6);
    }
  });

  test("outside of such a window no set of either side pays", () => {
    const { exchange, run } = universe(5);
    let closedSeconds = 0;
    run(0, 900_000, 1000, () => {
      const best = plainSets(exchange).map((id) => profitPerSet(exchange, id, 5) ?? -1);
      const profitable = best.filter((profit) => profit > 0.001);
      expect(profitable.length).toBeLessThanOrEqual(1);
      if (profitable.length === 0) closedSeconds++;
    });
    expect(closedSeconds).toBeGreaterThan(300);
  });

  test("a held market gets no changes but moves on command", () => {
    const { exchange, world, run } = universe(1, { pace: 20 });
    const { spec } = exchange.bySlug("harbor-league-champion-port-ellery");
    exchange.hold(spec.conditionId, true);
    const before = exchange.book(spec.conditionId);
    run(0, 200_000);
    expect(exchange.book(spec.conditionId)).toEqual(before);
    const bid = Number(exchange.market(spec.conditionId)?.bestBid);
    world.move(spec.conditionId, -3);
    expect(Number(exchange.market(spec.conditionId)?.bestBid)).toBeCloseTo(bid - 0.03, 9);
    exchange.hold(spec.conditionId, false);
    exchange.calls.length = 0;
    run(201_000, 260_000);
    expect(exchange.calls.some((call) => call.includes(spec.slug))).toBe(true);
  });

  test("still means no order flow, while windows go on", () => {
    const { exchange, run } = universe(1, { still: true });
    run(0, 700_000);
    expect(exchange.changes).toBe(0);
    expect(exchange.calls.some((call) => call.startsWith("resolve btc-updown-5m-"))).toBe(true);
  });
});

describe("up/down windows", () => {
  test("one 5-minute and one 15-minute window on the grid; the next opens and the old one resolves", () => {
    const { exchange, world, run } = universe(3);
    const slugs = () =>
      exchange
        .markets()
        .filter(({ acceptingOrders, spec }) => acceptingOrders && spec.slug.includes("-updown-"))
        .map(({ spec }) => spec.slug);
    const start = START_MS / 1000;
    expect(slugs()).toEqual([
      `btc-updown-5m-${Math.floor(start / 300) * 300}`,
      `eth-updown-15m-${Math.floor(start / 900) * 900}`,
    ]);
    const first = exchange.bySlug(slugs()[0] ?? "");
    expect(first.spec.outcomes.map(({ name }) => name)).toEqual(["Up", "Down"]);
    expect(first.spec.feeRate).toBe("0.07");
    expect(Date.parse(first.spec.endDate) - Date.parse(first.spec.eventStartTime ?? "")).toBe(
      300_000,
    );
    run(0, 250_000);
    expect(slugs()[0]).toBe(`eth-updown-15m-${Math.floor(start / 900) * 900}`);
    expect(slugs()[1]).toBe(`btc-updown-5m-${Math.floor(start / 300) * 300 + 300}`);
    const old = exchange.bySlug(first.spec.slug);
    expect(old.acceptingOrders).toBe(false);
    expect(old.resolved).not.toBeNull();
    expect(world.eventMetadata(first.spec.eventId)).toEqual({ finalPrice: expect.any(Number) });
  });

  test("prices near 0 or 1 refine the tick, books never cross over a day of windows", () => {
    const { exchange, run } = universe(2, { pace: 0.001 });
    run(0, 6 * 3_600_000, 30_000);
    const ticks = exchange.calls.filter((call) => call.startsWith("tick "));
    expect(ticks.length).toBeGreaterThan(5);
    const results = exchange.calls.filter((call) => call.startsWith("resolve btc"));
    expect(results.length).toBeGreaterThan(60);
    expect(results.filter((call) => call.endsWith(" 0")).length).toBeGreaterThan(15);
    expect(results.filter((call) => call.endsWith(" 1")).length).toBeGreaterThan(15);
  });
});
