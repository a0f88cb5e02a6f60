import type { SetCard, TradeCard } from "../api/views.ts";
import type { DeskCard } from "../state/fact.ts";
import { termsMoved } from "../state/shown-terms.ts";
import type { Strategy, StrategyNotice } from "./strategy.ts";

/**
 * Watches the confirmations that traders have before them. One whose terms the book no longer gives would send nothing when
 * it is pressed; its trader hears that when it happens. A book that is not believed for a moment is no news: a press reads
 * it again before it judges.
 */
export const cardWatch: Strategy = {
  name: "card-watch",
  wants: ({ openCards }, conditionId) => openCards.has(conditionId),
  onBook: ({ nowMs, isKilled, markets, books, cards, openCards }, conditionId) => {
    // A press is refused by the kill then, which everybody was told of.
    if (isKilled) return [];
    const notices: StrategyNotice[] = [];
    for (const nonce of openCards.get(conditionId) ?? []) {
      const card = cards.get(nonce);
      if (card === undefined || nowMs >= card.expiresAtMs) continue;
      if (termsMoved(card, markets, books)) notices.push(noticeOf(card));
    }
    return notices;
  },
};

function noticeOf({ nonce, chatId, kind, shown }: DeskCard): StrategyNotice {
  if (kind === "set") {
    const { title } = shown as SetCard;
    return { subject: nonce, chatId, body: { kind: "card.outdated", title, order: null } };
  }
  const { question: title, side, outcomeName } = shown as TradeCard;
  const order = { side, outcomeName };
  return { subject: nonce, chatId, body: { kind: "card.outdated", title, order } };
}
