import { ONE } from "../exchange/amounts.ts";
import type { PriceSample } from "../exchange/market.ts";
import { badRequest, notFound } from "../exchange/venue-error.ts";
import type { VenueState } from "../exchange/venue-state.ts";

const intervalSeconds: Readonly<Record<string, number>> = {
  "1h": 3600,
  "6h": 21_600,
  "1d": 86_400,
  "1w": 604_800,
  "1m": 2_592_000,
  max: Number.MAX_SAFE_INTEGER,
};

function span(
  query: URLSearchParams,
  nowS: number,
): { readonly from: number; readonly to: number } {
  const interval = query.get("interval");
  if (interval !== null) {
    const seconds = intervalSeconds[interval];
    if (seconds === undefined) throw badRequest("invalid interval");
    return { from: nowS - seconds, to: nowS };
  }
  const from = Number(query.get("startTs") ?? Number.NaN);
  const to = Number(query.get("endTs") ?? Number.NaN);
  if (!Number.isFinite(from) || !Number.isFinite(to)) throw badRequest("invalid filters");
  return { from, to };
}

/** Mid prices this venue has seen since it started; the last one of each `fidelity` minutes. */
export function priceHistory(state: VenueState, query: URLSearchParams): Record<string, unknown> {
  const listing = state.markets.byToken(query.get("market") ?? "");
  if (listing === null) throw notFound("market not found");
  const { from, to } = span(query, Math.floor(state.now() / 1000));
  const stepS = Math.max(0, Number(query.get("fidelity") ?? 0)) * 60;
  const kept: PriceSample[] = [];
  for (const sample of listing.market.samples) {
    if (sample.atS < from || sample.atS > to) continue;
    const last = kept.at(-1);
    const sameStep =
      last !== undefined &&
      stepS > 0 &&
      Math.floor(last.atS / stepS) === Math.floor(sample.atS / stepS);
    if (sameStep) kept.pop();
    kept.push(sample);
  }
  const history = kept.map(({ atS, price }) => ({
    t: atS,
    p: Number(listing.outcome === 0 ? price : ONE - price) / 1_000_000,
  }));
  return { history };
}
