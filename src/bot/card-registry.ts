import type { BotAction } from "./actions/bot-action.ts";

/** Where a card stands in its chat: a message known by its Telegram id, or by the outbox key it will be sent under. */
export type MessageTarget =
  | { readonly editMessageId: number; readonly editKey: null }
  | { readonly editMessageId: null; readonly editKey: string };

export type Card = {
  readonly nonce: string;
  readonly chatId: number;
  readonly target: MessageTarget;
  readonly expiresAtMs: number;
  /** First line of the expired card. */
  readonly title: string;
  /** What [Re-quote] on the expired card does. */
  readonly again: BotAction;
};

export type PressOfCard = "fresh" | "used" | "expired" | "unknown";

type Entry = {
  readonly card: Card;
  state: "open" | "pressed" | "closed";
  timer: NodeJS.Timeout | null;
};

const maxCards = 500;
const maxPlans = 500;

/**
 * The confirmation cards of this run, so that an expired one is edited once and a second press is told at once. The
 * engine decides what a press does; this only makes the chat tell it sooner. Cards of an earlier run are "unknown" here.
 */
export class CardRegistry {
  private readonly entries = new Map<string, Entry>();
  private readonly plans = new Map<string, { chatId: number; target: MessageTarget }>();
  private readonly now: () => number;
  private readonly onExpired: (card: Card) => void;

  constructor(now: () => number, onExpired: (card: Card) => void) {
    this.now = now;
    this.onExpired = onExpired;
  }

  open(card: Card): void {
    this.close(card.nonce);
    const entry: Entry = { card, state: "open", timer: null };
    entry.timer = setTimeout(() => this.expire(entry), Math.max(0, card.expiresAtMs - this.now()));
    entry.timer.unref();
    this.entries.set(card.nonce, entry);
    for (const nonce of this.entries.keys()) {
      if (this.entries.size <= maxCards) break;
      this.close(nonce);
      this.entries.delete(nonce);
    }
  }

  /** What a press of the card would be now; only the first press of an unexpired card is "fresh". */
  look(nonce: string): PressOfCard {
    const entry = this.entries.get(nonce);
    if (entry === undefined) return "unknown";
    if (entry.state === "pressed") return "used";
    if (this.isPast(entry)) return "expired";
    return entry.state === "closed" ? "used" : "fresh";
  }

  /** Marks the card as pressed and says what it was before. */
  press(nonce: string): PressOfCard {
    const was = this.look(nonce);
    const entry = this.entries.get(nonce);
    if (entry !== undefined && was === "fresh") {
      entry.state = "pressed";
      this.stopTimer(entry);
    }
    return was;
  }

  /** Takes a press back that was not kept. */
  reopen(nonce: string): void {
    const entry = this.entries.get(nonce);
    if (entry?.state === "pressed") this.open(entry.card);
  }

  /** The card was replaced or discarded: it will not be edited as expired. */
  close(nonce: string): void {
    const entry = this.entries.get(nonce);
    if (entry === undefined) return;
    if (entry.state === "open") entry.state = "closed";
    this.stopTimer(entry);
  }

  /** Remembers which message shows a plan, to edit its outcome into it. */
  showPlan(planId: string, chatId: number, target: MessageTarget): void {
    this.plans.set(planId, { chatId, target });
    for (const oldest of this.plans.keys()) {
      if (this.plans.size <= maxPlans) break;
      this.plans.delete(oldest);
    }
  }

  planMessage(planId: string): { readonly chatId: number; readonly target: MessageTarget } | null {
    return this.plans.get(planId) ?? null;
  }

  stop(): void {
    for (const entry of this.entries.values()) this.stopTimer(entry);
  }

  private isPast(entry: Entry): boolean {
    return this.now() >= entry.card.expiresAtMs;
  }

  private expire(entry: Entry): void {
    if (entry.state !== "open") return;
    entry.state = "closed";
    entry.timer = null;
    this.onExpired(entry.card);
  }

  private stopTimer(entry: Entry): void {
    if (entry.timer !== null) clearTimeout(entry.timer);
    entry.timer = null;
  }
}
