import type { SetCard, TradeCard } from "../api/views.ts";
import { walkOf } from "../domain/draft-walk.ts";
import type { ConditionId, Market } from "../domain/market.ts";
import type { MarketBook } from "../domain/market-book.ts";
import { mulDivFloor } from "../lib/mul-div.ts";
import type { DeskCard } from "./fact.ts";

/** A confirmation may give at least this many parts per million of the shown shares. */
const leastSharesPpm = 980_000;

/** True when the same walk of a card's orders would now give worse terms than those that it shows (P5). */
export function termsMoved(
  card: DeskCard,
  markets: ReadonlyMap<ConditionId, Market>,
  books: ReadonlyMap<ConditionId, MarketBook>,
): boolean {
  return card.drafts.some((draft, i) => {
    const market = markets.get(draft.conditionId);
    const book = books.get(draft.conditionId);
    // A missing or stale book is for the risk check to refuse, by its own name.
    if (market === undefined || book === undefined || book.status !== "live") return false;
    if (market.tickSize !== draft.tickSize) return true;
    const walk = walkOf(draft, market, book);
    const shown = shownOf(card, i);
    if (walk.shares < shown.least) return true;
    if (draft.side === "sell") {
      // A sale takes at least the shown proceeds for the same shares, within the same allowance.
      return walk.money < mulDivFloor(shown.money, leastSharesPpm, 1_000_000);
    }
    return walk.money > shown.most;
  });
}

type Shown = { readonly least: number; readonly money: number; readonly most: number };

function shownOf(card: DeskCard, leg: number): Shown {
  if (card.kind !== "set") {
    const shown = card.shown as TradeCard;
    const matching = shown.matchesNow === shown.shares ? shown.money : 0;
    const least = mulDivFloor(shown.matchesNow, leastSharesPpm, 1_000_000);
    return { least, money: matching, most: shown.maxSpend };
  }
  const shown = card.shown as SetCard;
  const money = shown.legs[leg]?.money ?? 0;
  // A set lives on its sum and on equal legs: no leg may cost more than shown, or give less.
  return { least: shown.shares, money, most: money };
}
