import type { TradeRequest } from "../../engine/api/requests.ts";
import type { TradeCard } from "../../engine/api/views.ts";
import type { Denial } from "../../engine/domain/reasons.ts";
import { askAgain } from "../actions/bot-action.ts";
import type { MessageTarget } from "../card-registry.ts";
import { cardTitle, renderTradeCard, tradeCardKeyboard } from "../render/trade-card.ts";
import {
  answered,
  firstMessageTarget,
  message,
  pressedMessage,
  type Reply,
  type Turn,
} from "../turn.ts";
import { refuse } from "./refusals.ts";

const dollar = 1_000_000;

/** A buy below the desk's smallest order; sales are never held back, so that small rests can be closed. */
function tooSmall(turn: Turn, request: TradeRequest, card: TradeCard | null): Denial | null {
  if (request.side === "sell") return null;
  const wanted = card?.money ?? (request.amount.unit === "usd" ? request.amount.value : null);
  const limit = Math.round(turn.deps.minOrderUsd * dollar);
  return wanted === null || wanted >= limit ? null : { code: "min_order_usd", limit, wanted };
}

/**
 * Asks the engine for a card and shows it. `replaces` is the nonce of the card whose message this one takes over; that
 * card is dead from here on, whatever comes.
 */
export async function quoteCard(
  turn: Turn,
  request: TradeRequest,
  replaces: string | null,
): Promise<Reply> {
  const early = tooSmall(turn, request, null);
  if (early !== null) return refuse(turn, early);
  const target = await takeOver(turn, replaces);
  const quoted = await turn.api.quoteTrade(turn.actor, turn.command.commandId, request);
  if (!quoted.ok) return refuse(turn, quoted.error, target);
  const card = quoted.value;
  const late = tooSmall(turn, request, card);
  if (late !== null) {
    await turn.api.discardCard(turn.actor, card.nonce);
    return refuse(turn, late, target);
  }
  return answered(showCard(turn, card, target, null));
}

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

/** The message of a card; from now on the card is edited when it expires. */
export function showCard(
  turn: Turn,
  card: TradeCard,
  target: MessageTarget | null,
  lead: string | null,
) {
  turn.cards.open({
    nonce: card.nonce,
    chatId: turn.actor.chatId,
    target: target ?? firstMessageTarget(turn),
    expiresAtMs: card.expiresAtMs,
    title: cardTitle(card),
    again: askAgain({ ...card, clientOid: card.replaces?.clientOid }),
  });
  const text = renderTradeCard(card, lead);
  return {
    ...message(text, tradeCardKeyboard(card, turn.buttons), target),
    priority: "confirmation" as const,
  };
}
