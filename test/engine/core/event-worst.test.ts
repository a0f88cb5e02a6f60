import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Market, OutcomeIndex, Side } from "../../../src/engine/domain/market.ts";
import { costCeil, costFloor, price, shares, usd } from "../../../src/engine/domain/numbers.ts";
import type { Order, OrderDraft } from "../../../src/engine/domain/order.ts";
import { worstLossOfEvent } from "../../../src/engine/risk/event-worst.ts";
import { eventExposure } from "../../../src/engine/risk/exposure-caps.ts";
import { createState, type EngineState } from "../../../src/engine/state/engine-state.ts";
import { exposureOf, reservedUsd } from "../../../src/engine/state/exposure.ts";
import { keepOrder } from "../../../src/engine/state/kept-orders.ts";
import { openCoreDesk } from "../support/core-desk.ts";
import { holds } from "../support/holds.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { group, marketOf, plainRows, runners } from "../support/markets.ts";
import { fillOf } from "../support/venue-reports.ts";

type Kind = "whole" | "augmented" | "incomplete" | "not exclusive";

/** Held and ordered of one outcome of one market. */
type Stake = {
  readonly market: number;
  readonly outcome: OutcomeIndex;
  readonly confirmed: number;
  readonly provisional: number;
  readonly costCents: number;
  readonly soldPpm: number;
  /** Shares of an order that others placed: even numbers sell, odd ones buy. */
  readonly foreign: number;
  readonly buys: readonly {
    readonly cents: number;
    readonly size: number;
    readonly spends: boolean;
  }[];
};

const whole = fc.integer({ min: 0, max: 200 });
const stake = (markets: number): fc.Arbitrary<Stake> =>
  fc.record({
    market: fc.nat({ max: markets - 1 }),
    outcome: fc.constantFrom(0 as const, 1 as const),
    confirmed: whole,
    provisional: fc.integer({ min: 0, max: 60 }),
    costCents: fc.integer({ min: 1, max: 99 }),
    soldPpm: fc.constantFrom(0, 0, 300_000, 1_000_000),
    foreign: fc.constantFrom(0, 0, 0, 1, 2, 30, 31),
    buys: fc.array(
      fc.record({
        cents: fc.integer({ min: 1, max: 99 }),
        size: fc.integer({ min: 1, max: 100 }),
        spends: fc.boolean(),
      }),
      { maxLength: 1 },
    ),
  });

const worlds = fc
  .record({
    markets: fc.integer({ min: 1, max: 3 }),
    kind: fc.constantFrom<Kind>("whole", "augmented", "incomplete", "not exclusive"),
    fee: fc.constantFrom(0, 400_000),
  })
  .chain((world) =>
    fc.array(stake(world.markets), { maxLength: 3 }).map((stakes) => ({ ...world, stakes })),
  );

type World = typeof worlds extends fc.Arbitrary<infer W> ? W : never;

const event = "g";

function marketsOf(world: World): Market[] {
  return Array.from({ length: world.markets }, (_, n) =>
    marketOf(n + 20, { groupId: event, negRisk: true }),
  );
}

function orderOf(draft: OrderDraft, n: number, feeReserve: number): Order {
  return {
    clientOid: `o${n}`,
    draft,
    orderHash: `0x${n}`,
    feeReserve,
    feesUsd: 0,
    filled: 0,
    filledUsd: 0,
    status: n % 3 === 0 ? "unknown" : n % 3 === 1 ? "in_flight" : "live",
  } as unknown as Order;
}

function draftOf(
  market: Market,
  outcome: OutcomeIndex,
  side: Side,
  cents: number,
  size: number,
): OrderDraft {
  return {
    conditionId: market.conditionId,
    tokenId: market.outcomes[outcome].tokenId,
    outcome,
    side,
    timeInForce: "gtc",
    limit: price(cents * 100),
    spend: null,
    size: shares(size),
    tickSize: market.tickSize,
    negRisk: true,
    version: "v1",
    expirationS: null,
    postOnly: false,
  };
}

/** The state of a world. Stakes of the same token are merged, as positions are. */
function stateOf(world: World): EngineState {
  const state = createState();
  const markets = marketsOf(world);
  for (const market of markets) state.markets.set(market.conditionId, market);
  const declared = markets.map((market) => market.conditionId);
  if (world.kind !== "not exclusive") {
    state.groups.set(event, {
      ...group,
      groupId: event,
      augmented: world.kind === "augmented",
      conditionIds: world.kind === "incomplete" ? declared.slice(1) : declared,
    });
  }
  let n = 0;
  const seen = new Set<string>();
  for (const stakes of world.stakes) {
    const market = markets[stakes.market];
    if (market === undefined) continue;
    const { outcome } = stakes;
    const { tokenId } = market.outcomes[outcome];
    if (seen.has(tokenId)) continue;
    seen.add(tokenId);
    const held = stakes.confirmed + stakes.provisional;
    state.positions.set(tokenId, {
      tokenId,
      conditionId: market.conditionId,
      outcome,
      confirmed: shares(stakes.confirmed * 1_000_000),
      provisionalBought: shares(stakes.provisional * 1_000_000),
      provisionalSold: shares(0),
      cost: usd(held * stakes.costCents * 10_000),
      realizedUsd: usd(0),
      external: shares(0),
      unexplained: shares(0),
      corrections: 0,
    });
    const sold = Math.floor((stakes.confirmed * stakes.soldPpm) / 1_000_000) * 1_000_000;
    if (sold > 0) {
      const sale = orderOf(draftOf(market, outcome, "sell", 3, sold), n++, 0);
      keepOrder(state, sale);
    }
    if (stakes.foreign > 0) {
      const side = stakes.foreign % 2 === 0 ? "sell" : "buy";
      // Nobody sells what is not there.
      const left = stakes.confirmed * 1_000_000 - sold;
      const asked = stakes.foreign * 1_000_000;
      const size = shares(side === "sell" ? Math.min(asked, left) : asked);
      const { conditionId } = market;
      const common = { conditionId, tokenId, outcome, matched: shares(0), firstSeenAtMs: 0 };
      const at = price(stakes.costCents * 100);
      const orderHash = `0xf${n++}`;
      state.externalOrders.set(orderHash, { ...common, orderHash, side, price: at, size });
    }
    for (const { cents, size, spends } of stakes.buys) {
      const draft = draftOf(market, outcome, "buy", cents, size * 1_000_000);
      const spend = spends ? costCeil(draft.limit, draft.size) : null;
      const buy = orderOf({ ...draft, spend }, n++, spends ? world.fee : 0);
      keepOrder(state, buy);
    }
  }
  return state;
}

/** Which outcome of each market wins, for everything that can come. */
function endings(world: World): OutcomeIndex[][] {
  const all: OutcomeIndex[][] = [];
  for (let bits = 0; bits < 2 ** world.markets; bits++) {
    const winners = Array.from(
      { length: world.markets },
      (_, i) => ((bits >> i) & 1) as OutcomeIndex,
    );
    const ones = winners.filter((winner) => winner === 0).length;
    // Whole: exactly one market pays its first outcome. Augmented or incomplete: none of these may.
    const possible =
      world.kind === "not exclusive" || ones === 1 || (ones === 0 && world.kind !== "whole");
    if (possible) all.push(winners);
  }
  return all;
}

/** What an open order does to shares and money when it fills; a sale's proceeds are a negative cost. */
type Pending = { readonly tokenId: string; readonly size: number; readonly cost: number };

/** The loss at the worst ending with every open order filled or not, and every provisional buy settled or failed. */
function bruteForce(world: World, state: EngineState): number {
  const markets = marketsOf(world);
  const orders: Pending[] = [...state.orders.values()].map((order) => {
    const { tokenId, side, size, limit } = order.draft;
    const cost = side === "buy" ? reservedUsd(order) : 0 - costFloor(limit, size);
    return { tokenId, size: side === "buy" ? size : 0 - size, cost };
  });
  for (const { tokenId, side, size, price: at } of state.externalOrders.values()) {
    const money = at === null ? size : costCeil(at, size);
    const cost = side === "buy" ? money : 0 - money;
    orders.push({ tokenId, size: side === "buy" ? size : 0 - size, cost });
  }
  const positions = [...state.positions.values()];
  const choices = orders.length + positions.length;
  let worst = 0;
  for (let bits = 0; bits < 2 ** choices; bits++) {
    let cost = 0;
    const held = new Map<string, number>();
    positions.forEach((position, i) => {
      const fails = ((bits >> (orders.length + i)) & 1) === 1;
      const { confirmed, provisionalBought, tokenId } = position;
      const all = confirmed + provisionalBought;
      const kept = fails ? confirmed : all;
      cost += all === 0 ? 0 : Math.floor((position.cost * kept) / all);
      held.set(tokenId, kept);
    });
    orders.forEach((order, i) => {
      if (((bits >> i) & 1) === 0) return;
      cost += order.cost;
      held.set(order.tokenId, (held.get(order.tokenId) ?? 0) + order.size);
    });
    for (const winners of endings(world)) {
      let pays = 0;
      markets.forEach((market, i) => {
        const winner = market.outcomes[winners[i] ?? 0];
        pays += held.get(winner.tokenId) ?? 0;
      });
      worst = Math.max(worst, cost - pays);
    }
  }
  return worst;
}

function plainSum(state: EngineState): number {
  return eventExposure(state, exposureOf(state).byMarket).get(event) ?? 0;
}

describe("the most that an event can still lose", () => {
  test("is never below what any ending and any fate of the orders costs, and never above the plain sum", () => {
    const seen = { below: 0, exact: 0, whole: 0 };
    holds(
      fc.property(worlds, (world) => {
        const state = stateOf(world);
        const worst = worstLossOfEvent(state, event, []);
        const truth = bruteForce(world, state);
        expect(worst).toBeGreaterThanOrEqual(truth);
        expect(worst).toBeLessThanOrEqual(plainSum(state));
        if (worst < plainSum(state)) seen.below++;
        if (worst === truth) seen.exact++;
        if (world.kind === "whole" && worst < plainSum(state)) seen.whole++;
      }),
      3_000,
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(100);
  });

  test("is exactly that for a whole group with confirmed shares and open buys alone", () => {
    holds(
      fc.property(worlds, (drawn) => {
        const stakes = drawn.stakes.map((one) => ({
          ...one,
          provisional: 0,
          soldPpm: 0,
          foreign: 0,
        }));
        const world: World = { ...drawn, kind: "whole", stakes };
        const state = stateOf(world);
        expect(worstLossOfEvent(state, event, [])).toBe(bruteForce(world, state));
      }),
      500,
    );
  });

  test("an unknown draft counts like an open order", () => {
    holds(
      fc.property(worlds, fc.integer({ min: 1, max: 99 }), (world, cents) => {
        const state = stateOf(world);
        const market = marketsOf(world)[0];
        if (market === undefined) return;
        const draft = draftOf(market, 0, "buy", cents, 50_000_000);
        const asked = worstLossOfEvent(state, event, [draft]);
        keepOrder(state, orderOf(draft, 100, 0));
        expect(worstLossOfEvent(state, event, [])).toBe(asked);
      }),
      200,
    );
  });
});

test("a complete set's card says that its worst outcome costs less than what it costs", () => {
  const desk = openCoreDesk();
  for (const market of runners) desk.list(market, plainRows, [group]);
  for (const market of runners) {
    const order = desk.place({
      conditionId: market.conditionId,
      limit: priceOf("0.30"),
      amount: { unit: "shares", value: sharesOf("100") },
    });
    const fill = fillOf(order, market.conditionId, 100_000_000, { status: "confirmed" });
    desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
  }
  const [first] = runners;
  if (first === undefined) throw new TypeError("no runners");
  const card = desk.card({
    conditionId: first.conditionId,
    limit: priceOf("0.40"),
    amount: { unit: "shares", value: sharesOf("10") },
  });
  // 90 dollars bought 100 dollars whoever wins; the new order can lose its 4.
  expect(card.riskAfter).toMatchObject({ eventUsd: 94_000_000, eventWorstUsd: 0 });
  const alone = openCoreDesk();
  alone.list(first, plainRows);
  const single = alone.card({
    conditionId: first.conditionId,
    limit: priceOf("0.40"),
    amount: { unit: "shares", value: sharesOf("10") },
  });
  expect(single.riskAfter).toMatchObject({ eventUsd: 4_000_000, eventWorstUsd: 4_000_000 });
});
