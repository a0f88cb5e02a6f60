import type { MarketHealthView } from "../engine/api/data-report.ts";
import { formatPrice, type Price, type Usd, usdDecimals } from "../engine/domain/numbers.ts";
import { formatFixed } from "../engine/lib/decimal.ts";
import type { ServiceReport } from "../service-report.ts";
import { ageText, plainText } from "./plain-text.ts";

const marketsShownMax = 100;
const slugChars = 40;

/** The verbose part of `status`: markets, connections, stages of orders, rate limits. */
export function renderReport(report: ServiceReport): string[] {
  const { markets, marketsFollowed, stages, rates, feed, wakeUps } = report;
  const shown = markets.slice(0, marketsShownMax);
  const more = marketsFollowed - shown.length;
  const asked = feed?.snapshots;
  return [
    `resyncs    ${reasonsText(report.resyncs)}${asked === undefined ? "" : `; ${asked.asked} snapshots asked for, ${asked.throttled} waited, ${asked.readsRefused} reads answered 429, ${percentiles(asked.durationsMs)}`}`,
    ...connectionsText(report),
    `wake-ups   ${wakeUps.wakeUps} of strategies for ${wakeUps.changes} changes of their books (frames are never dropped, wake-ups are joined)`,
    `cancels    ${rates.cancels.heldBack + rates.killCancels.heldBack} held back by our limit, ${rates.cancels.refused + rates.killCancels.refused} answered 429; orders ${rates.orders.heldBack} and ${rates.orders.refused}`,
    ...catalogText(report),
    ...tapeText(report),
    ...(stages.length === 0 ? ["stages     no order in this run yet"] : []),
    ...stages.map(
      ({ stage, count, p50Ms, p99Ms }) =>
        `stage      ${stage.padEnd(12)} p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms over ${count}`,
    ),
    ...(shown.length === 0
      ? ["markets    none is followed"]
      : [marketHead(), ...shown.map(marketLine)]),
    ...(more > 0 ? [`… and ${more} more (--json shows up to 1,000)`] : []),
  ];
}

/** "hash_mismatch 3, crossed 1", most frequent first; "none" for none. */
export function reasonsText(reasons: Readonly<Record<string, number>>): string {
  const entries = Object.entries(reasons).sort(([, a], [, b]) => b - a);
  return entries.length === 0 ? "none" : entries.map(([name, n]) => `${name} ${n}`).join(", ");
}

function percentiles(durationsMs: readonly number[]): string {
  if (durationsMs.length === 0) return "none came yet";
  const sorted = [...durationsMs].sort((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`;
}

function connectionsText({ feed }: ServiceReport): string[] {
  if (feed === null) return [];
  const lines = feed.connections.map(
    ({ id, role, up, markets, frames, invalid, losses, quietMs, lagMs }) => {
      const quiet = quietMs === null ? "" : `, data ${ageText(quietMs)} ago, ${lagMs} ms late`;
      return `connection ${id} ${role} ${up ? "up" : "DOWN"}: ${markets} markets, ${frames} frames, ${invalid} invalid, lost ${losses} times${quiet}`;
    },
  );
  return [
    ...lines,
    `losses     ${reasonsText(feed.losses)}; ${feed.doubled} markets doubled, ${feed.duplicates} events came twice`,
    `refused    ${reasonsText(feed.refused)}`,
  ];
}

function tapeText({ tape, atMs }: ServiceReport): string[] {
  if (tape === null) return [];
  const { rows, frames, journalRows, bytes, segments, gaps, lostRows, waitingBytes, failing } =
    tape;
  const last =
    tape.writtenAtMs === null ? "nothing yet" : `last ${ageText(atMs - tape.writtenAtMs)} ago`;
  const lost =
    gaps === 0 ? "no gap" : `${lostRows} rows lost in ${gaps} ${gaps === 1 ? "gap" : "gaps"}`;
  const losing = tape.isLosing ? "; LOSING ROWS NOW" : "";
  const why = failing === null ? "" : `; FAILING: ${plainText(failing)}`;
  return [
    `tape       ${rows} rows (${frames} frames), ${journalRows} of inputs, ${bytes} bytes in ${segments} segments (${last}), ${lost}, ${waitingBytes} bytes waiting${losing}${why}`,
  ];
}

function catalogText({ catalogKept, atMs }: ServiceReport): string[] {
  if (catalogKept === null) return [];
  const { kept, waiting, leftOut, contradictions, failures, keptAtMs, failing } = catalogKept;
  const last =
    keptAtMs === null ? "nothing yet" : `last ${ageText(Math.max(0, atMs - keptAtMs))} ago`;
  const why = failing === null ? "" : `; FAILING: ${plainText(failing)}`;
  return [
    `catalog    ${kept} kept in the store (${last}), ${waiting} waiting, ${leftOut} left out, ${contradictions} contradicted, ${failures} failures${why}`,
  ];
}

function marketHead(): string {
  return `${"market".padEnd(slugChars)} state       age    bid    ask  levels  depth bid/ask      applied invalid resyncs  ratio`;
}

function marketLine(market: MarketHealthView): string {
  const { slug, status, ageMs, bid, ask, levels, applied, invalid, resyncsTotal, resyncRatio } =
    market;
  const cells = [
    plainText(slug).slice(0, slugChars).padEnd(slugChars),
    status.padEnd(8),
    (ageMs === null ? "-" : ageText(ageMs)).padStart(7),
    priceText(bid).padStart(6),
    priceText(ask).padStart(6),
    String(levels).padStart(7),
    `${wholeUsd(market.bidDepthUsd)}/${wholeUsd(market.askDepthUsd)}`.padStart(16),
    String(applied).padStart(12),
    String(invalid).padStart(7),
    String(resyncsTotal).padStart(7),
    resyncRatio.toFixed(4).padStart(6),
  ];
  const why = resyncsTotal === 0 ? "" : `  ${reasonsText(market.resyncs)}`;
  return `${cells.join(" ")}${why}`;
}

function priceText(at: Price | null): string {
  return at === null ? "-" : formatPrice(at);
}

function wholeUsd(money: Usd): string {
  return `$${formatFixed(money, usdDecimals, 0)}`;
}
