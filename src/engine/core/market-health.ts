import type { DataView, MarketHealthView } from "../api/data-report.ts";
import { ageMs, type MarketBook } from "../domain/market-book.ts";
import { costFloor, type Price, type Usd, usd } from "../domain/numbers.ts";
import { bestPrice, levelsOf, visitLevels } from "../domain/order-book.ts";
import type { EngineState } from "../state/engine-state.ts";

/** How far from the best price depth is counted: two cents. */
const depthBand = 200;

/** Market data at large. `invalid` is what the feed could not read, of whatever market. */
export function dataView(state: EngineState, nowMs: number, invalid: number): DataView {
  const { live } = state;
  let resyncs = 0;
  for (const count of live.resyncs.values()) resyncs += count;
  let oldestMs: number | null = null;
  for (const book of live.books.values()) {
    if (book.status === "live") oldestMs = Math.max(oldestMs ?? 0, ageMs(book, nowMs));
  }
  const { framesApplied: applied, hashes } = live;
  return { applied, invalid, resyncs, hashesTrusted: hashes.trusted, oldestMs };
}

/** Every followed market, those with the most resyncs first. */
export function marketHealth(state: EngineState, nowMs: number): MarketHealthView[] {
  const views = [...state.live.books.values()].map((book) => healthOf(state, book, nowMs));
  return views.sort((a, b) => b.resyncsTotal - a.resyncsTotal || (a.slug < b.slug ? -1 : 1));
}

function healthOf(state: EngineState, book: MarketBook, nowMs: number): MarketHealthView {
  const { health, conditionId, framesApplied, resyncs } = book;
  const isLive = book.status === "live";
  return {
    conditionId,
    slug: state.markets.get(conditionId)?.slug ?? conditionId,
    status: book.status,
    reason: book.resyncReason,
    ageMs: isLive ? ageMs(book, nowMs) : null,
    applied: framesApplied,
    invalid: health.invalid,
    repeated: health.repeated,
    outdated: health.outdated,
    hashesVerified: book.hashesVerified,
    hashesFailed: health.hashesFailed,
    hashesSkipped: health.hashesSkipped,
    resyncs: { ...health.resyncs },
    resyncsTotal: resyncs,
    resyncRatio: framesApplied === 0 ? 0 : resyncs / framesApplied,
    lastResyncMs: health.lastResyncMs,
    tickSize: book.tickSize,
    tickEpoch: health.tickEpoch,
    bid: isLive ? bestPrice(book.ladder, 0, "buy") : null,
    ask: isLive ? bestPrice(book.ladder, 0, "sell") : null,
    levels: levelsOf(book.ladder, 0, "buy").length + levelsOf(book.ladder, 0, "sell").length,
    bidDepthUsd: depthNear(book, "buy"),
    askDepthUsd: depthNear(book, "sell"),
  };
}

/** Dollars resting within two cents of the best price of one side of outcome 0. */
export function depthNear(book: MarketBook | null, side: "buy" | "sell"): Usd {
  if (book === null) return 0 as Usd;
  let sum = 0;
  let best: Price | null = null;
  visitLevels(book.ladder, 0, side, (at, size) => {
    best ??= at;
    if (Math.abs(at - best) > depthBand) return false;
    sum += costFloor(at, size);
    return true;
  });
  return usd(sum);
}
