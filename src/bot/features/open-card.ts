import type { BotAction } from "../actions/bot-action.ts";
import type { Keyboard } from "../actions/buttons.ts";
import type { MessageTarget } from "../card-registry.ts";
import type { RichText } from "../text/rich-text.ts";
import {
  firstMessageTarget,
  message,
  pressedMessage,
  type ReplyMessage,
  type Turn,
} from "../turn.ts";

/**
 * Ends the card that a new one replaces and returns its message, to show the new one there. The message of a card that was
 * used stays as it is: it tells what was sent.
 */
export async function takeOver(turn: Turn, replaces: string | null): Promise<MessageTarget | null> {
  if (replaces === null) return null;
  const was = turn.cards.look(replaces);
  turn.cards.close(replaces);
  await turn.api.discardCard(turn.actor, replaces);
  return was === "fresh" || was === "expired" ? pressedMessage(turn) : null;
}

type ShownCard = {
  readonly title: string;
  /** What asks for the same card again. */
  readonly again: BotAction;
  readonly body: RichText;
  readonly keyboard: Keyboard;
};

/** The message of a confirmation card of any kind; from now on the card is edited when it expires. */
export function openCard(
  turn: Turn,
  card: { readonly nonce: string; readonly expiresAtMs: number },
  target: MessageTarget | null,
  { title, again, body, keyboard }: ShownCard,
): ReplyMessage {
  turn.cards.open({
    nonce: card.nonce,
    chatId: turn.actor.chatId,
    target: target ?? firstMessageTarget(turn),
    expiresAtMs: card.expiresAtMs,
    title,
    again,
  });
  return { ...message(body, keyboard, target), priority: "confirmation" };
}
