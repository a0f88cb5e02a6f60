import type { MarketHealthView } from "../../src/engine/api/data-report.ts";
import type { Price, Usd } from "../../src/engine/domain/numbers.ts";
import type { ServiceReport } from "../../src/service-report.ts";

/** A market of a report: live, quiet, without trouble. */
export function sampleMarket(n: number, over: Partial<MarketHealthView> = {}): MarketHealthView {
  return {
    conditionId: `0x${n}`,
    slug: `market-${n}`,
    status: "live",
    reason: null,
    ageMs: 100,
    applied: 1_000,
    invalid: 0,
    repeated: 0,
    outdated: 0,
    hashesVerified: 900,
    hashesFailed: 0,
    hashesSkipped: 0,
    resyncs: {},
    resyncsTotal: 0,
    resyncRatio: 0,
    lastResyncMs: null,
    tickSize: 100 as Price,
    tickEpoch: 0,
    bid: 4_800 as Price,
    ask: 5_200 as Price,
    levels: 4,
    bidDepthUsd: 95_000_000 as Usd,
    askDepthUsd: 10_000_000 as Usd,
    ...over,
  };
}

export function sampleReport(over: Partial<ServiceReport> = {}): ServiceReport {
  const limit = { heldBack: 0, refused: 0 };
  const markets = over.markets ?? [];
  return {
    atMs: 1_700_000_100_000,
    data: { applied: 12_345, invalid: 2, resyncs: 3, hashesTrusted: true, oldestMs: 1_500 },
    resyncs: {},
    feed: null,
    stages: [],
    wakeUps: { changes: 20, wakeUps: 5 },
    marketsFollowed: markets.length,
    rates: { orders: limit, cancels: { heldBack: 4, refused: 1 }, killCancels: limit },
    openOrders: 1,
    tradingActive: true,
    catalogKept: null,
    tape: null,
    ...over,
    markets,
  };
}
