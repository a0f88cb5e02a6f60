import type { MarketSummary } from "../engine/api/views.ts";
import type { TradeDraft } from "./actions/bot-action.ts";

/** How long a guided trade waits for its next part. */
export const guideTimeoutMs = 5 * 60_000;
/** Rows that `#n` can refer to. */
export const maxListRows = 60;

/** The part of a trade that the next free text is taken for. */
export type Awaiting = "market" | "outcome" | "amount";

export type Guide = {
  readonly draft: TradeDraft;
  readonly awaiting: Awaiting;
  /** Name of an outcome that was given before its market was known. */
  readonly outcomeText: string | null;
  readonly untilMs: number;
};

/** What is remembered of one chat. In memory only: losing it at a restart costs a question, never money. */
export class ChatState {
  private rows: readonly MarketSummary[] = [];
  private guide: Guide | null = null;

  showList(rows: readonly MarketSummary[]): void {
    this.rows = rows.slice(0, maxListRows);
  }

  /** The market of `#n` in the list shown last; null when there is none. */
  row(n: number): MarketSummary | null {
    return this.rows[n - 1] ?? null;
  }

  waitFor(
    draft: TradeDraft,
    awaiting: Awaiting,
    nowMs: number,
    outcomeText: string | null = null,
  ): void {
    this.guide = { draft, awaiting, outcomeText, untilMs: nowMs + guideTimeoutMs };
  }

  guided(nowMs: number): Guide | null {
    if (this.guide !== null && nowMs >= this.guide.untilMs) this.guide = null;
    return this.guide;
  }

  /** Ends a guided trade; true when there was one. */
  endGuide(nowMs: number): boolean {
    const had = this.guided(nowMs) !== null;
    this.guide = null;
    return had;
  }
}

/** One state a chat; bounded by the whitelist, because nobody else gets this far. */
export class ChatStates {
  private readonly states = new Map<number, ChatState>();

  of(chatId: number): ChatState {
    let state = this.states.get(chatId);
    if (state === undefined) {
      state = new ChatState();
      this.states.set(chatId, state);
    }
    return state;
  }
}
