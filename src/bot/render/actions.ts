import type { ActionCard, ActionView, ClaimView, NamedShares } from "../../engine/api/actions.ts";
import type { DeskMode } from "../../engine/api/views.ts";
import type { ButtonMaker, Keyboard } from "../actions/buttons.ts";
import { moneyExact, profit, sharesExact } from "../text/amounts.ts";
import { cleanText } from "../text/clean-text.ts";
import { type RichText, TextBuilder } from "../text/rich-text.ts";
import { utcTime } from "../text/time-text.ts";
import { modeTag } from "./mode.ts";

/** Outcomes listed one by one; a call with more says how many are left out. */
const legsShown = 12;

function legLines(text: TextBuilder, verb: string, legs: readonly NamedShares[]): void {
  for (const leg of legs.slice(0, legsShown)) {
    const name = cleanText(leg.outcomeName, 30);
    text.line(`${verb} ${sharesExact(leg.size)} ${name} · ${cleanText(leg.question, 80)}`);
  }
  if (legs.length > legsShown) text.line(`and ${legs.length - legsShown} more`);
}

function termLines(text: TextBuilder, terms: ActionCard | ActionView): void {
  legLines(text, "Gives up", terms.takes);
  if (terms.takesUsd > 0) text.line(`Pays ${moneyExact(terms.takesUsd)}`);
  legLines(text, "Gets", terms.gives);
  if (terms.givesUsd > 0) text.line(`Gets ${moneyExact(terms.givesUsd)}`);
}

function gasText(card: ActionCard): string {
  return card.route === "relayer"
    ? "Gas none: the venue's relayer pays"
    : `Gas at most ${moneyExact(card.gasMaxUsd)}, paid in POL`;
}

/** What it does to the books; nothing is said where nothing is won or lost by itself. */
function resultLine(card: ActionCard): string | null {
  switch (card.kind) {
    case "merge":
    case "convert":
      return `Result ${profit(card.profitUsd)} against what the shares cost, gas included`;
    case "redeem":
      return "The result was counted when the market was resolved";
    case "split":
    case "wrap":
      return null;
  }
}

/** The confirmation card of a contract call: exactly what it takes, gives and may cost. */
export function renderActionCard(card: ActionCard): RichText {
  const text = new TextBuilder();
  text.bold(`${modeTag(card.mode)} · CONFIRM ${card.kind.toUpperCase()}`).line();
  text.line(cleanText(card.title));
  termLines(text, card);
  if (card.feeBips > 0)
    text.line(`Fee ${card.feeBips / 100}% of what comes out, taken off already`);
  text.line(gasText(card));
  const result = resultLine(card);
  if (result !== null) text.line(result);
  text.line("A contract call is final once it is mined; a kill cannot take it back.");
  text.plain("Valid until ").moment(card.expiresAtMs, "T", utcTime(card.expiresAtMs));
  return text.build();
}

export function actionCardKeyboard(card: ActionCard, buttons: ButtonMaker): Keyboard {
  const { request, expiresAtMs, nonce } = card;
  const confirm = buttons.withNonce(
    `Confirm ${card.kind}`,
    { do: "confirmCall", expiresAtMs, request },
    "success",
    nonce,
  );
  return [
    [buttons.make("Cancel", { do: "discard", nonce }), confirm],
    [buttons.make("Re-quote", { do: "call", request, replaces: nonce })],
  ];
}

export function actionCardTitle(card: ActionCard): string {
  return `${modeTag(card.mode)} · ${cleanText(card.title)}`;
}

/** What waits to be redeemed. */
export function renderClaims(mode: DeskMode, claims: readonly ClaimView[]): RichText {
  const text = new TextBuilder().bold(`${modeTag(mode)} · REDEEM · ${claims.length}`).line();
  if (claims.length === 0) {
    return text.plain("Nothing waits to be redeemed. The venue may have paid it already.").build();
  }
  for (const [i, claim] of claims.slice(0, legsShown).entries()) {
    text.bold(`${i + 1}. ${cleanText(claim.winner, 30)} won · pays ${moneyExact(claim.paysUsd)}`);
    text.line().line(`    ${cleanText(claim.question, 100)}`);
  }
  if (claims.length > legsShown) text.plain(`and ${claims.length - legsShown} more`);
  return text.build();
}

export function claimsKeyboard(claims: readonly ClaimView[], buttons: ButtonMaker): Keyboard {
  return claims.slice(0, legsShown).map((claim, i) => {
    const request = { kind: "redeem", conditionId: claim.conditionId } as const;
    const label = `${i + 1}: Redeem ${moneyExact(claim.paysUsd)}`;
    return [buttons.make(label, { do: "call", request, replaces: null })];
  });
}

export function renderActionSent(mode: DeskMode, action: ActionView): RichText {
  const what = mode === "dry-run" ? "RECORDED, not sent" : "SENT";
  const text = new TextBuilder().bold(`${modeTag(mode)} · ${what}`).line();
  text.line(cleanText(action.title));
  return text.plain("Its result follows as a message once the chain has made it final.").build();
}

const failures: Readonly<Record<NonNullable<ActionView["failure"]>, string>> = {
  not_sent: "Not sent: not one byte left. Everything is where it was.",
  refused: "Refused before it took effect. Everything is where it was.",
  reverted: "The contracts undid it: shares and dollars are where they were, gas is spent.",
  void: "It can no longer take effect: its nonce was used or its time ran out. Everything is where it was.",
  not_found_after_quarantine:
    "Nobody has it after many looks; it counts as never done. Look at /positions before you try again.",
};

/** How a contract call ended, or that nobody knows yet. */
export function renderActionOutcome(mode: DeskMode, action: ActionView, detail: string): RichText {
  const text = new TextBuilder();
  const name = action.kind.toUpperCase();
  if (action.status === "confirmed") {
    text
      .bold(`${modeTag(mode)} · ${name} DONE`)
      .line()
      .line(cleanText(action.title));
    termLines(text, action);
    if (action.gasUsd > 0) text.line(`Gas ${moneyExact(action.gasUsd)}`);
    if (action.profitUsd !== 0) text.line(`Result ${profit(action.profitUsd)}`);
  } else if (action.failure !== null) {
    text
      .bold(`${modeTag(mode)} · ${name} FAILED`)
      .line()
      .line(cleanText(action.title));
    text.line(failures[action.failure]);
    if (action.gasUsd > 0) text.line(`Gas ${moneyExact(action.gasUsd)}`);
    if (detail !== "") text.line(cleanText(detail, 200));
  } else {
    text.bold(`${modeTag(mode)} · ${name} UNKNOWN · it may take effect · checking`).line();
    text.line(cleanText(action.title));
    text.line("What it uses stays reserved until the truth is known. Do not do it again.");
  }
  if (action.reference !== null) text.plain("Transaction ").code(action.reference);
  return text.build();
}
