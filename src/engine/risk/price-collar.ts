import { ageMs, type MarketBook } from "../domain/market-book.ts";
import type { Price } from "../domain/numbers.ts";
import type { OrderDraft } from "../domain/order.ts";
import { bestPrice, isCrossed } from "../domain/order-book.ts";
import { pricesMet } from "../domain/price-trail.ts";
import type { Denial } from "../domain/reasons.ts";
import type { EngineSettings } from "../protocol/settings.ts";
import type { EngineState } from "../state/engine-state.ts";

const priceUnitsPerCent = 100;

/** A book that is live, not crossed, and (for an order, not for a card) young enough. */
export function checkBookState(
  book: MarketBook | undefined,
  settings: EngineSettings,
  nowMs: number,
  gate: boolean,
): Denial | null {
  if (book === undefined || book.status !== "live") return { code: "book_stale" };
  const age = ageMs(book, nowMs);
  if (gate && !(age <= settings.risk.bookMaxAgeMs)) {
    return { code: "book_stale", limit: settings.risk.bookMaxAgeMs, wanted: age };
  }
  return isCrossed(book.ladder) ? { code: "book_stale", subject: "crossed" } : null;
}

/** How far a limit may lie beyond the book (RTS 6 Art. 15): of one order in ticks, and over a period in cents. */
export function checkCollar(
  state: EngineState,
  settings: EngineSettings,
  book: MarketBook,
  draft: OrderDraft,
  nowMs: number,
): Denial | null {
  const { side, outcome, limit } = draft;
  const { priceCollarTicks, priceCollarPeriodMs, priceCollarPeriodCents } = settings.risk;
  const opposite = bestPrice(book.ladder, outcome, side === "buy" ? "sell" : "buy");
  const trail = state.live.trails.get(draft.conditionId);
  const met = pricesMet(trail, outcome, side, nowMs - priceCollarPeriodMs);
  // Where nobody stands on the other side, our own side or the last while says what a price is; nothing else is guessed.
  const anchor = opposite ?? bestPrice(book.ladder, outcome, side);
  if (anchor === null && met === null) return { code: "book_empty" };
  if (anchor !== null) {
    const collar = priceCollarTicks * draft.tickSize;
    const bound = side === "buy" ? anchor + collar : anchor - collar;
    const within = side === "buy" ? limit <= bound : limit >= bound;
    if (!within) return { code: "price_collar", limit: bound, wanted: limit };
  }
  if (met === null) return null;
  const room = priceCollarPeriodCents * priceUnitsPerCent;
  return checkPeriod(draft, opposite, met.highest - room, met.lowest + room);
}

/** An order may not chase a price, and a book that jumped is not believed before it has stood for the period. */
function checkPeriod(
  { side, limit }: OrderDraft,
  opposite: Price | null,
  floor: number,
  ceiling: number,
): Denial | null {
  const beyond = (bound: number, wanted: number): Denial => ({
    code: "price_collar_period",
    limit: bound,
    wanted,
  });
  if (side === "buy" && !(limit <= ceiling)) return beyond(ceiling, limit);
  if (side === "sell" && !(limit >= floor)) return beyond(floor, limit);
  if (opposite === null) return null;
  if (!(opposite >= floor)) return beyond(floor, opposite);
  return opposite <= ceiling ? null : beyond(ceiling, opposite);
}
