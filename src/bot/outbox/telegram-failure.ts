import { GrammyError } from "grammy";

/** What a failed call to the Bot API means for a message. */
export type TelegramFailure =
  /** Wait so long before anything else goes to this chat. */
  | { readonly kind: "flood"; readonly retryAfterMs: number }
  /** Telegram or the way to it is down; nobody knows whether the call arrived. */
  | { readonly kind: "network" }
  /** The token is not accepted: nothing can be sent at all. */
  | { readonly kind: "unauthorized" }
  /** The person blocked the bot or left: this chat is dead. */
  | { readonly kind: "dead_chat" }
  /** The message already reads like this. */
  | { readonly kind: "unchanged" }
  /** The message to edit is gone: send it as a new one. */
  | { readonly kind: "edit_gone" }
  | { readonly kind: "too_long" }
  | { readonly kind: "bad_entities" }
  | { readonly kind: "bad_keyboard" }
  | { readonly kind: "other"; readonly description: string };

/** How long to wait when Telegram says 429 without a time. */
const defaultRetryAfterMs = 5_000;

const wordings: readonly (readonly [RegExp, TelegramFailure["kind"] & PlainKind])[] = [
  [/message is not modified/iu, "unchanged"],
  [/message to edit not found|message can't be edited|no text in the message/iu, "edit_gone"],
  [/MESSAGE_ID_INVALID/u, "edit_gone"],
  [/too long/iu, "too_long"],
  [/can't parse|entit(y|ies)/iu, "bad_entities"],
  [/reply markup|BUTTON|keyboard/iu, "bad_keyboard"],
  [/chat not found|user is deactivated|bot was blocked|PEER_ID_INVALID/iu, "dead_chat"],
];

type PlainKind = Exclude<TelegramFailure["kind"], "flood" | "other">;

/** Reads Telegram's documented error codes and wordings; anything that is no answer of Telegram counts as the network. */
export function classifyFailure(error: unknown): TelegramFailure {
  if (!(error instanceof GrammyError)) return { kind: "network" };
  if (error.error_code === 429) {
    const seconds = error.parameters.retry_after;
    return {
      kind: "flood",
      retryAfterMs: seconds === undefined ? defaultRetryAfterMs : seconds * 1000,
    };
  }
  if (error.error_code === 401 || error.error_code === 404) return { kind: "unauthorized" };
  if (error.error_code === 403) return { kind: "dead_chat" };
  if (error.error_code >= 500) return { kind: "network" };
  for (const [pattern, kind] of wordings) {
    // "reply markup is too long" is about the keyboard, not the text.
    if (kind === "too_long" && /markup/iu.test(error.description)) continue;
    if (pattern.test(error.description)) return { kind };
  }
  return { kind: "other", description: error.description };
}
