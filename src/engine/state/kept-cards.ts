import type { LedgerState } from "./engine-state.ts";
import type { DeskCard } from "./fact.ts";

/** Keeps a card as it is now, and the index of the open ones beside it. */
export function keepCard({ cards, index }: LedgerState, card: DeskCard): void {
  const forgotten = cards.set(card.nonce, card);
  if (forgotten !== undefined) leaveIndex(index, forgotten);
  if (card.state !== "open") {
    leaveIndex(index, card);
    return;
  }
  for (const { conditionId } of card.drafts) {
    const nonces = index.openCards.get(conditionId) ?? new Set<string>();
    index.openCards.set(conditionId, nonces.add(card.nonce));
  }
}

function leaveIndex({ openCards }: LedgerState["index"], { nonce, drafts }: DeskCard): void {
  for (const { conditionId } of drafts) {
    const nonces = openCards.get(conditionId);
    if (nonces?.delete(nonce) === true && nonces.size === 0) openCards.delete(conditionId);
  }
}
