import type { MarketWindow } from "../../engine/domain/market.ts";
import { parseUsd, type Usd } from "../../engine/domain/numbers.ts";
import { type Fields, fieldsOf, freeText, textOf } from "./wire.ts";

/** "btc-updown-5m-1784850900": coin, length and start in Unix seconds (292 of 292 recorded windows). */
const shortSlug = /^([a-z0-9]{2,10})-updown-(\d{1,3})(m|h)-(\d{9,11})$/;
/** "bitcoin-up-or-down-august-18-2026-10pm-et": the times stand in the fields only. */
const longSlug = /^([a-z]{2,20})-up-or-down-/;

const coinOfName: Readonly<Record<string, string | undefined>> = {
  bitcoin: "btc",
  ethereum: "eth",
  solana: "sol",
  xrp: "xrp",
  dogecoin: "doge",
  bnb: "bnb",
  hyperliquid: "hype",
  zcash: "zec",
};

const lengthMs = { m: 60_000, h: 3_600_000 };

/** The window of an up/down market; undefined for others and where slug and fields do not agree. */
export function windowOf(fields: Fields, strike: Usd | null): MarketWindow | undefined {
  const slug = freeText(fields["slug"]);
  const start = Date.parse(freeText(fields["eventStartTime"]));
  const end = Date.parse(freeText(fields["endDate"]));
  if (!(start < end)) return undefined;
  const [, coin, count, unit, startS] = shortSlug.exec(slug) ?? [];
  if (coin !== undefined && (unit === "m" || unit === "h")) {
    const startMs = Number(startS) * 1_000;
    const endMs = startMs + Number(count) * lengthMs[unit];
    if (startMs !== start || endMs !== end) return undefined;
    return { coin, startMs, endMs, strike };
  }
  const named = coinOfName[longSlug.exec(slug)?.[1] ?? ""];
  return named === undefined ? undefined : { coin: named, startMs: start, endMs: end, strike };
}

/** The price to beat, as its event tells it once the window has begun. */
export function strikeOf(event: Fields | null): Usd | null {
  const text = textOf(fieldsOf(event?.["eventMetadata"])?.["priceToBeat"]);
  return text === null ? null : parseUsd(cutToMicro(text));
}

/** Prices come with up to 18 decimals; less than a micro-dollar decides nothing here. */
function cutToMicro(text: string): string {
  return text.replace(/(\.\d{6})\d+$/, "$1");
}
