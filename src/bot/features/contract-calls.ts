import type { ActionRequest } from "../../engine/api/actions.ts";
import type { Shares } from "../../engine/domain/numbers.ts";
import type { Denial } from "../../engine/domain/reasons.ts";
import type { BotAction } from "../actions/bot-action.ts";
import { parseAmount } from "../parse/amount-text.ts";
import { parseTradeText } from "../parse/trade-text.ts";
import {
  actionCardKeyboard,
  actionCardTitle,
  claimsKeyboard,
  renderActionCard,
  renderActionSent,
  renderClaims,
} from "../render/actions.ts";
import { explain } from "../render/explain.ts";
import { TextBuilder } from "../text/rich-text.ts";
import {
  answered,
  executed,
  message,
  pressedMessage,
  type Reply,
  refused,
  type Turn,
} from "../turn.ts";
import { findMarkets } from "./find-market.ts";
import { openCard, takeOver } from "./open-card.ts";
import { refusalText, refuse } from "./refusals.ts";

type MarketCall = "split" | "merge" | "convert";

const usage: Readonly<Record<MarketCall, string>> = {
  split: "/split market $25 turns 25 dollars into 25 shares of each outcome.",
  merge: "/merge market [25sh|max] turns equal shares of both outcomes into dollars.",
  convert:
    "/convert market [25sh|max] turns NO of an event's markets into YES of the others and dollars.",
};

function howTo(kind: MarketCall): Reply {
  const text = new TextBuilder().line(usage[kind]).plain("Nothing was sent. A card comes first.");
  return refused("bad_amount", message(text.build()));
}

/** `/split`, `/merge` and `/convert`: one market, one amount; dollars and shares are the same number here. */
export async function marketCall(turn: Turn, kind: MarketCall, args: string): Promise<Reply> {
  const parsed = parseTradeText(args);
  if (!parsed.ok || parsed.value.market === null) return howTo(kind);
  const { amount } = parsed.value;
  if (amount === null && kind === "split") return howTo(kind);
  const isMax = amount === null || (amount.unit === "part" && amount.value === 1_000_000);
  if (amount?.unit === "part" && (!isMax || kind === "split")) return howTo(kind);
  const found = await findMarkets(turn, parsed.value.market);
  if (!found.ok) return refuse(turn, found.error);
  const [first, second] = found.value;
  if (first === undefined) return refuse(turn, { code: "market_unknown" });
  if (second !== undefined) {
    turn.chat.showList(found.value);
    return refuse(turn, { code: "market_unknown", subject: "one market: several fit" });
  }
  const size = isMax ? null : (amount.value as Shares);
  return showCall(turn, { kind, conditionId: first.conditionId, size }, null);
}

/** `/wrap $25`: bridged dollars of the wallet into the venue's. */
export async function wrap(turn: Turn, args: string): Promise<Reply> {
  const amount = parseAmount(args.trim());
  if (amount?.unit !== "usd" && amount?.unit !== "bare") {
    const text = new TextBuilder().line("/wrap $25 turns 25 USDC.e of the wallet into pUSD.");
    return refused("bad_amount", message(text.plain("Nothing was sent.").build()));
  }
  return showCall(turn, { kind: "wrap", amount: amount.value }, null);
}

/** `/redeem [market]`: without a market, the list of what waits. */
export async function redeem(turn: Turn, args: string): Promise<Reply> {
  const claims = turn.api.claims();
  if (args.trim() === "") {
    const text = renderClaims(turn.deps.mode, claims);
    return answered(message(text, claimsKeyboard(claims, turn.buttons)));
  }
  const parsed = parseTradeText(args);
  const market = parsed.ok ? parsed.value.market : null;
  if (market === null) return refuse(turn, { code: "nothing_to_redeem" });
  const found = await findMarkets(turn, market);
  if (!found.ok) return refuse(turn, found.error);
  // Looking a market up may have told that it is resolved.
  const open = turn.api.claims();
  const one = found.value.find((it) => open.some((c) => c.conditionId === it.conditionId));
  if (one === undefined) return refuse(turn, { code: "nothing_to_redeem" });
  return showCall(turn, { kind: "redeem", conditionId: one.conditionId }, null);
}

/** The card of a contract call; `replaces` is the card whose message it takes over. */
export async function showCall(
  turn: Turn,
  request: ActionRequest,
  replaces: string | null,
): Promise<Reply> {
  const target = await takeOver(turn, replaces);
  const quoted = await turn.api.quoteAction(turn.actor, turn.command.commandId, request);
  if (!quoted.ok) return refuse(turn, quoted.error, target);
  const card = quoted.value;
  return answered(
    openCard(turn, card, target, {
      title: actionCardTitle(card),
      again: { do: "call", request, replaces: card.nonce },
      body: renderActionCard(card),
      keyboard: actionCardKeyboard(card, turn.buttons),
    }),
  );
}

type ConfirmCall = Extract<BotAction, { do: "confirmCall" }>;

/** A press of Confirm. The engine decides, once a card; the same command again is told the same. */
export async function confirmCall(turn: Turn, action: ConfirmCall, nonce: string): Promise<Reply> {
  if (turn.tooOld) await turn.api.discardCard(turn.actor, nonce);
  const outcome = await turn.api.confirmAction(turn.actor, turn.command.commandId, nonce);
  const target = pressedMessage(turn);
  if (outcome.kind === "accepted") {
    return executed(
      "accepted",
      message(renderActionSent(turn.deps.mode, outcome.action), [], target),
    );
  }
  const { denial } = outcome;
  if (denial.code === "card_used" && turn.cardPress === "used") return refused("card_used");
  if (keepsMessage(denial)) return refuse(turn, denial);
  const again = turn.buttons.make("Re-quote", {
    do: "call",
    request: action.request,
    replaces: nonce,
  });
  return refused(denial.code, message(refusalText(turn, explain(denial)), [[again]], target));
}

/** The pressed message may be about a call that was sent: it stays. */
function keepsMessage(denial: Denial): boolean {
  return ["card_used", "card_unknown", "card_not_yours"].includes(denial.code);
}
