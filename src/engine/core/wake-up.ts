import type { ConditionId } from "../domain/market.ts";
import type { EngineState } from "../state/engine-state.ts";
import { cardWatch } from "../strategies/card-watch.ts";
import type { Strategy, StrategyView } from "../strategies/strategy.ts";
import type { StepContext } from "./context.ts";
import { raise } from "./notices.ts";

/** Everything that runs by itself when books change, in the order in which it is asked. */
const strategies: readonly Strategy[] = [cardWatch];

/** What a notice of a strategy is marked with, so that it is told once. */
const toldStep = "told";

/** A market and how many changes of its book one wake-up stands for. */
export type Woken = readonly [conditionId: ConditionId, changes: number];

/**
 * A step changed a book or whether it is believed. However often that happens before the strategies that listen to it are
 * woken, they are woken once; the market that waits longest stands first.
 */
export function markChanged({ state }: StepContext, conditionId: ConditionId): void {
  const { live, index } = state;
  const changes = live.changedBooks.get(conditionId);
  if (changes !== undefined) live.changedBooks.set(conditionId, changes + 1);
  else if (strategies.some((one) => one.wants(index, conditionId))) {
    live.changedBooks.set(conditionId, 1);
  }
}

/** Asks the strategies of each market once, with all that happened to its book up to now. */
export function booksChanged(context: StepContext, woken: readonly Woken[]): void {
  const { state } = context;
  for (const [conditionId] of woken) {
    state.live.changedBooks.delete(conditionId);
    for (const { name, wants, onBook } of strategies) {
      // It may have stopped listening since the book changed.
      if (!wants(state.index, conditionId)) continue;
      for (const { subject, chatId, body } of onBook(viewOf(state), conditionId)) {
        const told = { subject: `${name}:${subject}`, step: toldStep };
        if (state.told.get(told.subject) !== toldStep) raise(context, chatId, body, [told]);
      }
    }
  }
}

function viewOf({ live, killed, markets, cards, index }: EngineState): StrategyView {
  return {
    nowMs: live.nowMs,
    isKilled: killed !== null,
    markets,
    books: live.books,
    cards,
    openCards: index.openCards,
  };
}
