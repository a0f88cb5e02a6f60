import type { NoticeBody } from "../../engine/api/notices.ts";
import type { DeskMode, RiskAfter, TradeCard } from "../../engine/api/views.ts";
import type { Usd } from "../../engine/domain/numbers.ts";
import { askAgain } from "../actions/bot-action.ts";
import type { ButtonMaker, Keyboard } from "../actions/buttons.ts";
import {
  averageCents,
  cents,
  centsOrDash,
  money,
  moneyExact,
  percentOf,
  sharesExact,
} from "../text/amounts.ts";
import { cleanText } from "../text/clean-text.ts";
import { type RichText, TextBuilder } from "../text/rich-text.ts";
import { duration, utcDateTime, utcTime } from "../text/time-text.ts";
import { modeTag } from "./mode.ts";
import { windowLine } from "./window.ts";

const fiveDollars = 5_000_000;

/** "FAK: what does not match at once is dropped", for the order types as a person needs them. */
function typeText(card: TradeCard): string {
  if (card.immediate === true) {
    return "LIMIT, AT ONCE: so many shares at this price or better; what does not match at once is canceled";
  }
  switch (card.timeInForce) {
    case "fak":
      return "FAK: what does not match at once is dropped";
    case "fok":
      return "FOK: all at once or nothing";
    case "gtc":
      return "GTC: rests until it is filled or canceled";
    case "gtd":
      return card.goodTillMs === null
        ? "GTD: rests until it expires"
        : `GTD: rests until ${utcDateTime(card.goodTillMs)}`;
  }
}

/** How far the average lies from the best price, in percent of the best; null when nothing matches now. */
export function slippagePercent(card: TradeCard): string | null {
  if (card.best === null || card.matchesNow === 0 || card.matchesNow !== card.shares) return null;
  const average = (card.money * 10_000) / card.shares;
  const apart = card.side === "buy" ? average - card.best : card.best - average;
  return `${((Math.max(0, apart) / card.best) * 100).toFixed(2)}%`;
}

function priceLine(card: TradeCard): string {
  const tick = card.tickSize;
  const limit = `Limit ${cents(card.limit, tick)}`;
  if (card.matchesNow === 0) {
    return `${limit} · best now ${centsOrDash(card.best, tick)} · nothing matches now, it will rest`;
  }
  const slip = slippagePercent(card);
  const average =
    card.matchesNow === card.shares ? ` · average ${averageCents(card.money, card.shares)}` : "";
  return `${limit}${average} · worst ${centsOrDash(card.worst, tick)} · best ${centsOrDash(card.best, tick)}${
    slip === null ? "" : ` · slippage ${slip}`
  }`;
}

/** One line on what risk looks like when the whole order fills. */
export function riskLine(risk: RiskAfter): string {
  const of = (part: Usd, cap: Usd) => `${money(part)} of ${money(cap)} (${percentOf(part, cap)})`;
  return `After: outcome ${of(risk.outcomeUsd, risk.outcomeCapUsd)} · market ${of(risk.marketUsd, risk.marketCapUsd)}${eventPart(risk)} · total ${of(risk.totalUsd, risk.totalCapUsd)} · cash left ${money(risk.cashLeftUsd)}`;
}

/** Named only where the event is more than its one market. */
function eventPart(risk: RiskAfter): string {
  if (risk.eventUsd === risk.marketUsd) return "";
  return ` · event ${money(risk.eventUsd)} of ${money(risk.eventCapUsd)} (its worst outcome costs ${money(risk.eventWorstUsd)})`;
}

/** A resting order pays no fee, but what one would cost is locked: it may match while it is on its way. */
function feeText(card: TradeCard): string {
  const locked = (card.maxSpend - card.money) as Usd;
  if (card.matchesNow > 0 || locked <= 0) return `Fee ${moneyExact(card.fee)}`;
  return `Fee none while it rests, up to ${moneyExact(locked)} if it matches at once`;
}

function moneyLines(text: TextBuilder, card: TradeCard): void {
  const name = cleanText(card.outcomeName, 40);
  const size = `${sharesExact(card.shares)} ${name} shares`;
  if (card.side === "buy") {
    text.line(`Spend ${moneyExact(card.money)} → ${size}`);
    text.line(priceLine(card));
    text.line(`${feeText(card)} · at most ${moneyExact(card.maxSpend)} leaves the account`);
    text.line(
      `Max loss ${moneyExact(card.maxLoss)} · pays ${moneyExact(card.paysIfWin)} if ${name}`,
    );
  } else {
    text.line(`Sell ${size} → ${moneyExact(card.money)} before the fee`);
    text.line(priceLine(card));
    text.line(`Fee ${moneyExact(card.fee)}`);
  }
  if (card.matchesNow > 0 && card.matchesNow < card.shares) {
    text.line(`Matches now: ${sharesExact(card.matchesNow)} shares`);
  }
}

/** The confirmation card: the dry run of exactly what will be sent. `lead` is a first line such as "Price moved". */
export function renderTradeCard(card: TradeCard, lead: string | null = null): RichText {
  const text = new TextBuilder();
  if (lead !== null) text.bold(lead).line();
  const what = card.replaces === undefined ? card.side.toUpperCase() : "PRICE CHANGE";
  text.bold(`${modeTag(card.mode)} · CONFIRM ${what}`).line();
  text.line(`${cleanText(card.outcomeName, 40)} · ${cleanText(card.question)}`);
  windowLine(text, card.window);
  moneyLines(text, card);
  if (card.rulesEditedAtMs !== undefined) {
    text.line(
      `Its rules were edited ${utcDateTime(card.rulesEditedAtMs)}: read them on its page first`,
    );
  }
  if (card.amountCutFrom !== null) {
    text.line(`Cut from ${moneyExact(card.amountCutFrom)} to what the book or the account allows`);
  }
  if (card.replaces !== undefined) {
    const { limit, shortId } = card.replaces;
    text.line(
      `Instead of order ${shortId} @ ${cents(limit, card.tickSize)}: it is canceled and proven gone first, only its rest is sent.`,
    );
  }
  text.line(riskLine(card.riskAfter));
  text.plain("Quote valid until ").moment(card.expiresAtMs, "T", utcTime(card.expiresAtMs));
  text.plain(" (").relativeTime(card.expiresAtMs, remaining(card)).line(")");
  text.styled(
    "expandable_blockquote",
    `${typeText(card)}\nBook ${duration(card.bookAgeMs)} old · tick ${cents(card.tickSize, card.tickSize)} · fee reserved ${moneyExact(reservedFee(card))}`,
  );
  return text.build();
}

/** A buy locks the highest fee that any price inside its limit can cost; a sale's fee comes out of its proceeds. */
function reservedFee(card: TradeCard): Usd {
  return card.side === "buy" ? ((card.maxSpend - card.money) as Usd) : card.feeReserved;
}

function remaining(card: { readonly createdAtMs: number; readonly expiresAtMs: number }): string {
  return `in ${Math.round((card.expiresAtMs - card.createdAtMs) / 1000)} seconds`;
}

/** "Confirm $25.00" or "Confirm sale of 40 shares". */
function confirmLabel(card: TradeCard): string {
  if (card.replaces !== undefined) return `Confirm ${cents(card.limit, card.tickSize)}`;
  return card.side === "buy"
    ? `Confirm ${moneyExact(card.money)}`
    : `Confirm sale of ${sharesExact(card.shares)} shares`;
}

/** The card's buttons. Confirm carries the card's own nonce. */
export function tradeCardKeyboard(card: TradeCard, buttons: ButtonMaker): Keyboard {
  const again = (request: TradeCard["request"]) =>
    ({ do: "quote", request, replaces: card.nonce }) as const;
  const confirm = buttons.withNonce(
    confirmLabel(card),
    {
      do: "confirm",
      expiresAtMs: card.expiresAtMs,
      request: card.request,
      ...(card.replaces === undefined ? {} : { clientOid: card.replaces.clientOid }),
    },
    card.side === "buy" ? "success" : "primary",
    card.nonce,
  );
  const first = [buttons.make("Cancel", { do: "discard", nonce: card.nonce }), confirm];
  const { amount } = card.request;
  const steps = [];
  if (card.side === "buy" && amount.unit === "usd") {
    for (const step of [-fiveDollars, fiveDollars]) {
      const value = (amount.value + step) as Usd;
      if (value <= 0) continue;
      const label = step < 0 ? "- $5" : "+ $5";
      steps.push(buttons.make(label, again({ ...card.request, amount: { unit: "usd", value } })));
    }
  }
  const requote = askAgain({ ...card, clientOid: card.replaces?.clientOid });
  return [first, [...steps, buttons.make("Re-quote", requote)]];
}

/** A card that ended without an order: what it was and why it ended. */
export function renderDeadCard(title: string, why: string): RichText {
  return new TextBuilder().bold(why).line().plain(title).build();
}

/** What follows an open card whose terms the book no longer gives. It has no buttons: the card has the right ones. */
export function renderCardOutdated(
  mode: DeskMode,
  { title, order }: Extract<NoticeBody, { kind: "card.outdated" }>,
): RichText {
  const what =
    order === null ? "SET" : `${order.side.toUpperCase()} ${cleanText(order.outcomeName, 40)}`;
  return new TextBuilder()
    .bold(`${modeTag(mode)} · CARD OUTDATED · ${what}`)
    .line()
    .line(cleanText(title))
    .line("The book no longer gives what your card shows: a press of it now trades nothing.")
    .plain(
      "Its Re-quote button asks for new terms. If the book comes back in time, it holds as shown.",
    )
    .build();
}

/** First line of a card as it is kept for its end: "PAPER · BUY YES · question". */
export function cardTitle(card: TradeCard): string {
  return `${modeTag(card.mode)} · ${card.side.toUpperCase()} ${cleanText(card.outcomeName, 40)} · ${cleanText(card.question)}`;
}
