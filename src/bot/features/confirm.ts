import type { ConfirmOutcome } from "../../engine/api/engine-api.ts";
import type { Price } from "../../engine/domain/numbers.ts";
import type { Denial } from "../../engine/domain/reasons.ts";
import { askAgain, type BotAction } from "../actions/bot-action.ts";
import { describeError } from "../redact.ts";
import { explain } from "../render/explain.ts";
import { modeTag } from "../render/mode.ts";
import { orderCount, orderLine } from "../render/orders.ts";
import { renderDeadCard } from "../render/trade-card.ts";
import { cents } from "../text/amounts.ts";
import { type RichText, TextBuilder } from "../text/rich-text.ts";
import { utcTime } from "../text/time-text.ts";
import {
  executed,
  message,
  pressedMessage,
  type Reply,
  refused,
  type Turn,
  toOutMessage,
} from "../turn.ts";
import { showCard } from "./quote.ts";
import { refusalText, refuse } from "./refusals.ts";

type ConfirmAction = Extract<BotAction, { do: "confirm" | "confirmSet" }>;

const ordersShown = 20;

/** What [Re-quote] on a dead card does. */
function again(action: ConfirmAction, nonce: string): BotAction {
  if (action.do === "confirmSet") return { do: "arbQuote", setId: action.setId, replaces: nonce };
  const { request, clientOid } = action;
  // Only a price change names an order, and it always has a limit.
  const limit = request.limit ?? (0 as Price);
  return askAgain({ nonce, request, limit, clientOid });
}

function submittingText(turn: Turn): RichText {
  return new TextBuilder()
    .bold(`${modeTag(turn.deps.mode)} · Submitting…`)
    .line()
    .plain(`Pressed at ${utcTime(turn.command.sentAtMs)}`)
    .build();
}

/** Not awaited by the order: a person reads it, nothing depends on it. */
function showSubmitting(turn: Turn): void {
  const target = pressedMessage(turn);
  const key = `s:${turn.command.commandId}`;
  const edit = toOutMessage(key, turn.actor.chatId, message(submittingText(turn), [], target));
  turn.api.enqueue([edit]).catch((error: unknown) => {
    turn.deps.log.warn("the Submitting edit was not kept", { error: describeError(error) });
  });
}

function sentText(turn: Turn, outcome: Extract<ConfirmOutcome, { kind: "accepted" }>): RichText {
  const text = new TextBuilder();
  const first = outcome.orders[0];
  const mode = turn.deps.mode;
  const what = mode === "dry-run" ? "RECORDED, not sent" : "SENT";
  text.bold(`${modeTag(mode)} · ${what} · ${orderCount(outcome.orders.length)}`).line();
  for (const order of outcome.orders.slice(0, ordersShown)) {
    text
      .plain(`${orderLine(order)} · `)
      .code(order.shortId)
      .line();
  }
  if (first !== undefined) text.line(first.question);
  return text.plain("What became of it follows as a message.").build();
}

function replacingText(
  turn: Turn,
  outcome: Extract<ConfirmOutcome, { kind: "replacing" }>,
): RichText {
  const { order, limit } = outcome;
  return new TextBuilder()
    .bold(`${modeTag(turn.deps.mode)} · CHANGING PRICE to ${cents(limit)}`)
    .line()
    .line(`${orderLine(order)} is being canceled first; what it still fills counts.`)
    .plain(
      "The rest is sent at the new price when it is proven gone. What became of it follows. Order ",
    )
    .code(order.shortId)
    .build();
}

function refusedOutcome(turn: Turn, action: ConfirmAction, denial: Denial, nonce: string): Reply {
  const target = pressedMessage(turn);
  const requote = turn.buttons.make("Re-quote", again(action, nonce));
  switch (denial.code) {
    case "card_used":
      // The toast of the second press has said it; the message of the first one stays as it is.
      return turn.cardPress === "used" ? refused("card_used") : refuse(turn, denial);
    case "card_expired": {
      const text = renderDeadCard("The price may have moved.", "Expired, nothing was sent");
      return refused("card_expired", message(text, [[requote]], target));
    }
    case "card_not_yours":
    case "card_unknown":
      return refuse(turn, denial);
    case "killed":
      return refuse(turn, denial, target);
    default:
      return refused(denial.code, message(refusalText(turn, explain(denial)), [[requote]], target));
  }
}

/** Why a card was replaced by a new one: on the dead card, and above the new one. */
const requotes = {
  price_moved: {
    dead: "Price moved",
    below: "A new card with the new price is below.",
    lead: "Price moved",
  },
  rules_edited: {
    dead: "Rules edited",
    below: "A new card is below: read the rules before you confirm it.",
    lead: "The market's rules were edited since the card was shown; read them on its page",
  },
} as const;

/**
 * A press of Confirm. The engine decides, once a card; asked again with the same command it says the same. A press that
 * waited too long first takes the card away, so that asking can only tell what happened then, never send now.
 */
export async function confirm(turn: Turn, action: ConfirmAction, nonce: string): Promise<Reply> {
  const { api, actor, command } = turn;
  if (turn.tooOld) await api.discardCard(actor, nonce);
  else if (turn.cardPress === "fresh") showSubmitting(turn);
  const outcome = await api.confirm(actor, command.commandId, nonce);
  const target = pressedMessage(turn);
  switch (outcome.kind) {
    case "accepted":
      if (target !== null) turn.cards.showPlan(outcome.planId, actor.chatId, target);
      return executed("accepted", message(sentText(turn, outcome), [], target));
    case "replacing":
      return executed("replacing", message(replacingText(turn, outcome), [], target));
    case "requoted": {
      const { dead, below, lead } = requotes[outcome.why];
      const old = renderDeadCard(below, `${dead}, nothing was sent`);
      return refused(
        outcome.why,
        showCard(turn, outcome.card, null, `${lead}: nothing was sent. New terms:`),
        message(old, [], target),
      );
    }
    case "refused":
      // A used card tells of an order that another press sent: its message stays.
      if (turn.tooOld && outcome.denial.code !== "card_used") {
        const text = renderDeadCard("The press came too late.", "Too old, nothing was sent");
        const requote = turn.buttons.make("Re-quote", again(action, nonce));
        return refused("command_expired", message(text, [[requote]], target));
      }
      return refusedOutcome(turn, action, outcome.denial, nonce);
  }
}

/**
 * [Cancel] on a card. Of a card that was confirmed, or that an earlier run showed, nothing is claimed: its message may be
 * about an order that was sent.
 */
export async function discard(turn: Turn, nonce: string): Promise<Reply> {
  const was = turn.cards.look(nonce);
  turn.cards.close(nonce);
  await turn.api.discardCard(turn.actor, nonce);
  if (was === "used") return refuse(turn, { code: "card_used" });
  if (was === "unknown") return refuse(turn, { code: "card_unknown" });
  const text = new TextBuilder()
    .bold(`${modeTag(turn.deps.mode)} · Canceled, nothing was sent`)
    .build();
  return executed("card_discarded", message(text, [], pressedMessage(turn)));
}
