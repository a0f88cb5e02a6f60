import type { NoticeBody } from "../../engine/api/notices.ts";
import type { DeskMode } from "../../engine/api/views.ts";
import type { ButtonMaker, Keyboard } from "../actions/buttons.ts";
import { cleanText } from "../text/clean-text.ts";
import { type RichText, TextBuilder } from "../text/rich-text.ts";
import { modeTag } from "./mode.ts";
import { orderLine } from "./orders.ts";

type RulesEdited = Extract<NoticeBody, { kind: "rules.edited" }>;

/** Buttons to cancel single orders; more of them are in /orders. */
const cancelButtons = 6;

/** The terms of a market that something of the desk stands on were edited. */
export function renderRulesEdited(mode: DeskMode, body: RulesEdited): RichText {
  const text = new TextBuilder()
    .bold(`${modeTag(mode)} · RULES EDITED`)
    .line()
    .line(cleanText(body.question))
    .line("The venue changed its question, description, source, outcomes or dates.")
    .line("Read them on its page. Open cards of it send nothing; strategies leave it alone.");
  if (body.isHeld) text.line("You hold shares of it. Nothing was sold.");
  const count = body.orders.length + body.moreOrders;
  if (count > 0) {
    text.line(`${count === 1 ? "1 order is" : `${count} orders are`} open in it. Cancel?`);
    for (const order of body.orders) {
      text
        .plain(`${orderLine(order)} · `)
        .code(order.shortId)
        .line();
    }
    if (body.moreOrders > 0) text.line(`and ${body.moreOrders} more: /orders`);
  }
  return text.plain("Accept lets strategies trade it again; it sends nothing.").build();
}

export function rulesEditedKeyboard(body: RulesEdited, buttons: ButtonMaker): Keyboard {
  const cancels = body.orders
    .slice(0, cancelButtons)
    .map(({ clientOid, shortId }) =>
      buttons.make(`Cancel ${shortId}`, { do: "cancel", clientOid }, "danger"),
    );
  const { conditionId, ruleHash } = body;
  return [
    cancels.slice(0, 3),
    cancels.slice(3),
    [
      buttons.make("Market", { do: "market", id: conditionId }),
      buttons.make("Accept the rules", { do: "acceptRules", conditionId, ruleHash }),
    ],
  ].filter((row) => row.length > 0);
}
