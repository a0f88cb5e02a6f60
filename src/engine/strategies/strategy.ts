import type { NoticeBody } from "../api/notices.ts";
import type { ConditionId, Market } from "../domain/market.ts";
import type { MarketBook } from "../domain/market-book.ts";
import type { DeskCard } from "../state/fact.ts";

/** What a strategy may look at. It changes nothing: what it wants done, it returns. */
export type StrategyView = {
  readonly nowMs: number;
  /** Nothing may be traded until a person resumes. */
  readonly isKilled: boolean;
  readonly markets: ReadonlyMap<ConditionId, Market>;
  readonly books: ReadonlyMap<ConditionId, MarketBook>;
  readonly cards: { readonly get: (nonce: string) => DeskCard | undefined };
  /** Nonces of the open cards with an order in the market. */
  readonly openCards: ReadonlyMap<ConditionId, ReadonlySet<string>>;
};

/** Something to tell a chat. */
export type StrategyNotice = {
  /** What it is about. A strategy tells of a subject once, over restarts too. */
  readonly subject: string;
  readonly chatId: number;
  readonly body: NoticeBody;
};

/**
 * Something that runs by itself when books change. Frames are steps of their own and each is applied; a strategy is woken
 * once for all that came meanwhile, and sees the book as it is then.
 */
export type Strategy = {
  readonly name: string;
  /** True while it listens to the market. Asked at every change of a book: a look-up, no more. */
  readonly wants: (view: Pick<StrategyView, "openCards">, conditionId: ConditionId) => boolean;
  /** The book of a market that it wants changed at least once since it was woken last. */
  readonly onBook: (view: StrategyView, conditionId: ConditionId) => readonly StrategyNotice[];
};
