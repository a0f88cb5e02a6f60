import type { RateCounters } from "./adapters/polymarket/rate-limits.ts";
import type { CatalogKept } from "./catalog-keeper.ts";
import type { Service } from "./compose.ts";
import type { DataReport } from "./engine/api/data-report.ts";
import type { TapeFigures } from "./tape-recording.ts";

/** The figures behind `status --verbose`, `status-top` and the metrics page. */
export type ServiceReport = DataReport & {
  readonly marketsFollowed: number;
  readonly rates: RateCounters;
  readonly openOrders: number;
  readonly tradingActive: boolean;
  /** Null when the service keeps no catalog in the store. */
  readonly catalogKept: CatalogKept | null;
  /** Null when no tape is recorded. */
  readonly tape: TapeFigures | null;
};

/** Markets of one report: with all of them the answer of the control socket could outgrow its bound. */
const marketsMax = 1_000;

/** Gathers what engine and venue count about this run. */
export function reportOf({
  engine,
  polymarket,
  catalogKept,
  tapeFigures,
}: Pick<Service, "engine" | "polymarket" | "catalogKept" | "tapeFigures">): ServiceReport {
  const { openOrders, trading } = engine.view();
  const report = engine.dataReport();
  // What is not believed and what was replaced most comes first.
  const worst = [...report.markets].sort(
    (a, b) =>
      Number(a.status === "live") - Number(b.status === "live") || b.resyncsTotal - a.resyncsTotal,
  );
  return {
    ...report,
    markets: worst.slice(0, marketsMax),
    marketsFollowed: worst.length,
    rates: polymarket.rateCounters(),
    openOrders,
    tradingActive: trading.state === "active",
    catalogKept: catalogKept(),
    tape: tapeFigures(),
  };
}
