import type { MarketSummary } from "../../engine/api/views.ts";
import type { OutcomeIndex } from "../../engine/domain/market.ts";

/** Index of the outcome that a text names, whole or by its unambiguous beginning; null when it names none. */
export function outcomeNamed(market: MarketSummary, text: string): OutcomeIndex | null {
  const wanted = text.trim().toLowerCase();
  const names = market.outcomeNames.map((name) => name.trim().toLowerCase());
  const exact = names.indexOf(wanted);
  if (exact === 0 || exact === 1) return exact;
  const starting = names.filter((name) => wanted !== "" && name.startsWith(wanted));
  if (starting.length !== 1) return null;
  return names[0]?.startsWith(wanted) === true ? 0 : 1;
}
