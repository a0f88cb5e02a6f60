import type { Price } from "./numbers.ts";

/** First, highest, lowest and last price of a stretch of time; null while there was none. */
export type PriceSpan = { open: Price; high: Price; low: Price; close: Price } | null;

/** The span with one more price, changed in place; no price leaves it as it is. */
export function widened(span: PriceSpan, at: Price | null): PriceSpan {
  if (at === null) return span;
  if (span === null) return { open: at, high: at, low: at, close: at };
  if (at > span.high) span.high = at;
  if (at < span.low) span.low = at;
  span.close = at;
  return span;
}
