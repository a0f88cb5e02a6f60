import type { Exchange } from "../types.ts";
import type { DrivenWorld } from "./driven-world.ts";
import { Opportunities } from "./opportunities.ts";
import { ACTIONS_PER_SECOND, crowdAction, type SimGroup } from "./order-flow.ts";
import { createPrng } from "./prng.ts";
import { SimMarket } from "./sim-market.ts";
import { SteppedTimer } from "./stepped-timer.ts";
import { type BuiltEvent, buildUniverse } from "./universe-build.ts";
import { UpDownWindows, windowSeries } from "./updown.ts";

export type UniverseOptions = {
  readonly exchange: Exchange;
  readonly seed: number;
  /** Factor on the rate of the crowd's actions; 1 is about 5 to 20 book changes a second. */
  readonly pace: number;
  /** No order flow at all; windows still end and open, because that is the calendar. */
  readonly still: boolean;
  readonly nowMs: () => number;
  /** Tokens that somebody holds or has an order on; windows of theirs that ended meanwhile are settled. */
  readonly heldTokens?: ReadonlySet<string>;
};

const TIMER_MS = 50;
/** After a longer stop (a suspended machine) the flow continues from now instead of catching up. */
const MAX_LAG_MS = 10_000;
/** Bound on what one advance may do; more than ten seconds at pace 100. */
const MAX_STEPS_PER_ADVANCE = 20_000;

function addAll(
  exchange: Exchange,
  built: readonly BuiltEvent[],
  seed: number,
): { readonly groups: SimGroup[]; readonly byCondition: Map<string, SimMarket> } {
  const byCondition = new Map<string, SimMarket>();
  const groups = built.map(({ event, markets, feeRate, opportunities }): SimGroup => {
    exchange.addEvent(event);
    const sims: SimMarket[] = [];
    for (const { spec, sim } of markets) {
      if (sim === null) {
        exchange.addMarket(spec, { bids: [], asks: [], lastTradePrice: "" });
        continue;
      }
      const market = new SimMarket(exchange, sim, createPrng(seed, `book:${spec.slug}`));
      exchange.addMarket(spec, market.book());
      byCondition.set(spec.conditionId, market);
      sims.push(market);
    }
    return { eventId: event.id, markets: sims, feeRate, opportunities };
  });
  return { groups, byCondition };
}

/** The built-in markets with a crowd that trades by the seed. Adds them to the exchange at once. */
export function createUniverse(options: UniverseOptions): DrivenWorld {
  const { exchange, seed, pace, still } = options;
  const startedAtMs = options.nowMs();
  const built = buildUniverse(seed, startedAtMs);
  const { groups, byCondition } = addAll(exchange, built, seed);
  const sims = [...byCondition.values()];
  const moving = !still && pace > 0;
  const windows = windowSeries.map(
    (series) => new UpDownWindows(exchange, series, { seed, moving }, startedAtMs),
  );
  const held = options.heldTokens ?? new Set();
  if (held.size > 0) for (const window of windows) window.resolveLeftovers(held);
  const flow = createPrng(seed, "flow");
  const opportunities = new Opportunities(groups, createPrng(seed, "opportunities"), startedAtMs);
  const meanGapMs = 1000 / (ACTIONS_PER_SECOND * Math.max(pace, 1e-6));
  const gap = (): number => Math.max(0.01, -Math.log(1 - flow.next()) * meanGapMs);
  let flowDueMs = startedAtMs + gap();

  const advance = (nowMs: number): void => {
    if (nowMs - flowDueMs > MAX_LAG_MS) flowDueMs = nowMs;
    for (let i = 0; i < MAX_STEPS_PER_ADVANCE; i++) {
      const window = windows.reduce((a, b) => (b.dueAtMs < a.dueAtMs ? b : a));
      const flowDue = moving ? flowDueMs : Number.POSITIVE_INFINITY;
      const setDue = moving ? opportunities.dueAtMs : Number.POSITIVE_INFINITY;
      const due = Math.min(window.dueAtMs, flowDue, setDue);
      if (due > nowMs) return;
      if (due === window.dueAtMs) window.step();
      else if (due === setDue) opportunities.step();
      else {
        crowdAction(groups, sims, flow);
        flowDueMs += gap();
      }
    }
  };
  const timer = new SteppedTimer(TIMER_MS, () => advance(options.nowMs()));
  const count = exchange.markets().length;
  return {
    summary: `built-in universe, seed ${seed}: ${count} markets in ${exchange.events().length} events${
      moving ? `, order flow at pace ${pace}` : ", books stand still"
    }`,
    start: () => timer.start(),
    stop: () => timer.stop(),
    move: (conditionId, ticks) => {
      const window = windows.find((one) => one.market.spec.conditionId === conditionId);
      const market = byCondition.get(conditionId) ?? window?.market;
      market?.shift(ticks);
    },
    advance,
    eventMetadata: (eventId) => {
      for (const window of windows) {
        const found = window.metadata(eventId);
        if (found !== null) return found;
      }
      return null;
    },
  };
}
