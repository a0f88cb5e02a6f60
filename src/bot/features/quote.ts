import type { TradeRequest } from "../../engine/api/requests.ts";
import type { TradeCard } from "../../engine/api/views.ts";
import type { Denial } from "../../engine/domain/reasons.ts";
import { askAgain } from "../actions/bot-action.ts";
import type { MessageTarget } from "../card-registry.ts";
import { cardTitle, renderTradeCard, tradeCardKeyboard } from "../render/trade-card.ts";
import { answered, type Reply, type ReplyMessage, type Turn } from "../turn.ts";
import { openCard, takeOver } from "./open-card.ts";
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

/** The message of an order's card. */
export function showCard(
  turn: Turn,
  card: TradeCard,
  target: MessageTarget | null,
  lead: string | null,
): ReplyMessage {
  return openCard(turn, card, target, {
    title: cardTitle(card),
    again: askAgain({ ...card, clientOid: card.replaces?.clientOid }),
    body: renderTradeCard(card, lead),
    keyboard: tradeCardKeyboard(card, turn.buttons),
  });
}
