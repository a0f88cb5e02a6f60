import type { OutMessage } from "../../../src/engine/api/outbox.ts";
import type { Actor, TradeRequest, Verdict } from "../../../src/engine/api/requests.ts";

/** A message as the double of the engine keeps it. */
export type OutRow = OutMessage & {
  readonly messageId: string;
  attempts: number;
  retryAtMs: number;
  state: "due" | "sent" | "dead";
  telegramMessageId: number | null;
};

export type CardRow = {
  readonly actor: Actor;
  readonly expiresAtMs: number;
  readonly request: TradeRequest | null;
  readonly setId: string | null;
  used: boolean;
  dead: boolean;
};

export type Answered = {
  readonly verdict: Verdict;
  readonly reason: string;
  readonly count: number;
};
