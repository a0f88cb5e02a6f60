import type { MarketWindow } from "../../engine/domain/market.ts";
import { moneyExact } from "../text/amounts.ts";
import type { TextBuilder } from "../text/rich-text.ts";
import { utcDateTime, utcTime } from "../text/time-text.ts";

/** What an up/down market is about: "Window BTC: 16 Dec 2026 14:05 UTC to 14:10:00 UTC · price to beat $64,123.45". */
export function windowLine(text: TextBuilder, window: MarketWindow | undefined): void {
  if (window === undefined) return;
  const { coin, startMs, endMs, strike } = window;
  text.plain(`Window ${coin.toUpperCase()}: `).moment(startMs, "dt", utcDateTime(startMs));
  text.plain(" to ").moment(endMs, "T", utcTime(endMs));
  const known = strike === null ? "not known yet" : moneyExact(strike);
  text.line(` · price to beat ${known}`);
}
