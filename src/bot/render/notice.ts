import type { Notice, NoticeBody, OrderResult } from "../../engine/api/notices.ts";
import type { DeskMode, OrderView } from "../../engine/api/views.ts";
import { type Shares, type Usd, usd } from "../../engine/domain/numbers.ts";
import type { ButtonMaker, Keyboard } from "../actions/buttons.ts";
import { averageCents, moneyExact, profit, sharesExact } from "../text/amounts.ts";
import { cleanText } from "../text/clean-text.ts";
import { type RichText, TextBuilder } from "../text/rich-text.ts";
import { duration, utcTime } from "../text/time-text.ts";
import { renderActionOutcome } from "./actions.ts";
import { explain } from "./explain.ts";
import { renderDegraded } from "./explain-degraded.ts";
import { explainHalt } from "./explain-halt.ts";
import { explainReject } from "./explain-order.ts";
import { renderAccountNews } from "./external.ts";
import { renderKillReport } from "./kill-report.ts";
import { modeTag, tradingLine } from "./mode.ts";
import { canChangePrice, orderCount, orderLine } from "./orders.ts";
import { renderControl } from "./reducing.ts";
import { renderRulesEdited, rulesEditedKeyboard } from "./rules.ts";
import { renderCardOutdated } from "./trade-card.ts";

/** Orders or legs listed one by one; the rest is counted. */
const linesShown = 40;

function side(order: OrderView): string {
  return order.side.toUpperCase();
}

/** "40.32 YES @ 61.84¢ average = $24.78 · fee $0.57". */
function filledText(order: OrderView): string {
  const name = cleanText(order.outcomeName, 30);
  return `${sharesExact(order.filled)} ${name} @ ${averageCents(order.filledUsd, order.filled)} average = ${moneyExact(order.filledUsd)} · fee ${moneyExact(order.feesUsd)}`;
}

/** What became of the part that was not filled. */
function restLine(order: OrderView): string {
  const end = order.cancelAsked ? "canceled" : "dropped: it did not match inside the limit";
  if (order.spend !== null) {
    const rest = Math.max(0, order.spend - order.filledUsd) as Usd;
    return `${moneyExact(rest)} of ${moneyExact(order.spend)} was ${end}.`;
  }
  const rest = Math.max(0, order.size - order.filled) as Shares;
  return `${sharesExact(rest)} of ${sharesExact(order.size)} shares were ${end}.`;
}

const resultWords: Readonly<Record<OrderResult, string>> = {
  filled: "FILLED",
  partially_filled: "PARTLY FILLED",
  nothing_filled: "NOTHING FILLED",
  resting: "RESTING",
  rejected: "REJECTED",
  canceled: "CANCELED",
  expired: "EXPIRED",
};

/** What follows from an end, in the second line of its message. */
function outcomeLines(text: TextBuilder, order: OrderView, result: OrderResult): void {
  if (order.filled > 0) text.line(filledText(order));
  switch (result) {
    case "filled":
      return;
    case "partially_filled":
      text.line(restLine(order));
      return;
    case "nothing_filled":
      text.line("Nothing matched inside the limit. Nothing was bought or sold; its cash is free.");
      return;
    case "resting":
      text.line(`${orderLine(order)} rests at the venue. /orders shows it, /cancel ends it.`);
      return;
    case "canceled":
    case "expired":
      if (order.filled === 0) text.line("Nothing filled; what it locked is free again.");
      return;
    case "rejected": {
      const explanation = explainReject(order.rejectReason ?? "other_refusal");
      text.line(explanation.what).line(explanation.money).line(explanation.todo);
    }
  }
}

function renderOutcome(mode: DeskMode, order: OrderView, result: OrderResult): RichText {
  const text = new TextBuilder();
  const words = order.rejectReason === "dry_run" ? "NOT SENT" : resultWords[result];
  text.bold(`${modeTag(mode)} · ${words} ${side(order)} ${cleanText(order.outcomeName, 30)}`);
  text.line();
  outcomeLines(text, order, result);
  text.line(cleanText(order.question));
  return text.plain("Order ").code(order.shortId).build();
}

/** One line for the card that led to an order; the receipt is a message of its own. */
export function renderCardEnd(mode: DeskMode, orders: readonly OrderView[]): RichText {
  const first = orders[0];
  const text = new TextBuilder();
  // It may take the place of the edit that said "SENT" before that one was shown, so it says so too.
  const sent = mode === "dry-run" ? "RECORDED, not sent" : "SENT";
  const heading = `${modeTag(mode)} · ${sent} · ${orderCount(orders.length)} · ${endWords(orders)}`;
  if (first === undefined) return text.bold(heading).build();
  const verb = first.side === "buy" ? "bought" : "sold";
  const ends = orders.map((order) =>
    order.filled > 0
      ? `${verb} ${sharesExact(order.filled)} ${cleanText(order.outcomeName, 30)} for ${moneyExact(order.filledUsd)}`
      : isOpenStatus(order)
        ? `${cleanText(order.outcomeName, 30)} waits in the book`
        : `${order.cancelAsked ? "canceled" : "over"}, nothing ${verb} (${cleanText(order.outcomeName, 30)})`,
  );
  text.bold(heading).line();
  text.line(ends.slice(0, linesShown).join("\n"));
  return text.plain(cleanText(first.question)).build();
}

function endWords(orders: readonly OrderView[]): string {
  if (orders.some((order) => order.filled > 0)) return "DONE · receipt below";
  return orders.some(isOpenStatus) ? "RESTING" : "ENDED";
}

function isOpenStatus(order: OrderView): boolean {
  return order.status === "live" || order.status === "partially_filled";
}

function renderSetOutcome(
  mode: DeskMode,
  body: Extract<NoticeBody, { kind: "set.outcome" }>,
): RichText {
  const text = new TextBuilder();
  text.bold(`${modeTag(mode)} · SET ${setWord(body)} · ${cleanText(body.title)}`);
  text.line();
  for (const leg of body.legs.slice(0, linesShown)) {
    text.line(
      `${cleanText(leg.outcomeName, 30)} · ${cleanText(leg.question, 50)}: ${leg.filled > 0 ? filledText(leg) : leg.status}${reasonOf(leg)}`,
    );
  }
  text.line(
    `${sharesExact(body.shares)} whole sets · cost ${moneyExact(body.cost)} · fee ${moneyExact(body.fee)}`,
  );
  if (setWord(body) === "NOT SENT") {
    return text.plain("A dry run: the legs were signed and recorded, nothing was sent.").build();
  }
  if (body.complete) {
    const gain = (body.shares - body.cost - body.fee) as Usd;
    return text
      .plain(`Pays ${moneyExact(body.shares as number as Usd)} · profit ${profit(gain)}`)
      .build();
  }
  const surplus = Math.max(0, body.cost + body.fee - body.shares) as Usd;
  return text
    .plain(
      `The legs are not equal: the surplus is an open position, at risk now ${moneyExact(surplus)}. Sell it or buy the rest: /positions.`,
    )
    .build();
}

function setWord(body: Extract<NoticeBody, { kind: "set.outcome" }>): string {
  if (body.legs.every((leg) => leg.rejectReason === "dry_run")) return "NOT SENT";
  return body.complete ? "COMPLETE" : "BROKEN";
}

/** Why a leg did not fill, in a few words. */
function reasonOf(leg: OrderView): string {
  return leg.rejectReason === null ? "" : ` (${explainReject(leg.rejectReason).what})`;
}

type SafetyNotice = Extract<
  NoticeBody,
  {
    kind:
      | "killed"
      | "resumed"
      | "resume.locked"
      | "halted"
      | "degraded"
      | "degraded.over"
      | "feed.lost"
      | "feed.back";
  }
>;

function renderSafety(mode: DeskMode, atMs: number, body: SafetyNotice): RichText {
  const text = new TextBuilder();
  const tag = modeTag(mode);
  switch (body.kind) {
    case "killed":
      return killText(mode, body.trading.sinceMs, body.openOrders, body.trading.note);
    case "resumed":
      return text
        .bold(`${tag} · TRADING ON since ${utcTime(atMs)}`)
        .line()
        .plain(body.byUserId === null ? "Resumed." : `Resumed by ${body.byUserId}.`)
        .build();
    case "resume.locked":
      return text
        .bold(`${tag} · RESUME LOCKED for ${duration(body.forMs)}`)
        .line()
        .line(`${body.byUserId} sent too many wrong codes. Trading is still off; /kill works.`)
        .plain(
          "If that was not the person, the Telegram account is in other hands: end its sessions now.",
        )
        .build();
    case "halted": {
      const halt = explainHalt(body.reason);
      text.bold(`${tag} · HALTED · ${halt.what}`).line();
      if (body.detail !== "") text.line(cleanText(body.detail, 200));
      text.line("No new orders are sent. Positions and resting orders are as they were.");
      return text.plain(`To do: ${halt.todo}.`).build();
    }
    case "degraded":
    case "degraded.over":
      return renderDegraded(tag, body);
    case "feed.lost":
      return text
        .bold(`${tag} · FEED LOST · ${body.feed} data since ${utcTime(body.sinceMs)}`)
        .line()
        .plain("New orders are refused until it is back. It reconnects by itself.")
        .build();
    case "feed.back":
      return text
        .bold(`${tag} · FEED BACK · ${body.feed} data after ${duration(body.afterMs)}`)
        .build();
  }
}

/** The acknowledgement of a kill, to the one who killed and to everybody else. */
export function killText(mode: DeskMode, atMs: number, openOrders: number, note: string): RichText {
  const text = new TextBuilder();
  text.bold(`${modeTag(mode)} · KILL ON `);
  text.moment(atMs, "T", utcTime(atMs));
  text.line(` · cancelling ${orderCount(openOrders)} · strategies stopped · positions kept`);
  if (note !== "") text.line(`Reason: ${cleanText(note, 200)}`);
  return text.plain("Nothing new is sent until /resume.").build();
}

function renderStarted(mode: DeskMode, body: Extract<NoticeBody, { kind: "started" }>): RichText {
  const text = new TextBuilder();
  const carried =
    body.openOrders + body.positions + body.unknownOrders === 0
      ? ""
      : ` · carried over: ${body.openOrders} open orders, ${body.positions} positions, ${body.unknownOrders} unknown`;
  text.bold(`${modeTag(mode)} · STARTED${carried}`).line();
  if (body.trading.state === "active") return text.plain("Trading on.").build();
  if (body.trading.state === "reducing") return text.plain(`${tradingLine(body.trading)}.`).build();
  return text.plain(`${tradingLine(body.trading)}. Type /resume to go on.`).build();
}

function renderReplaceFailed(
  mode: DeskMode,
  body: Extract<NoticeBody, { kind: "replace.failed" }>,
): RichText {
  const { what, todo } = explain(body.denial);
  return new TextBuilder()
    .bold(`${modeTag(mode)} · PRICE NOT CHANGED · no new order was sent`)
    .line()
    .line(what)
    .line(`${orderLine(body.order)} was to be canceled for it; its own end is told apart.`)
    .line(todo)
    .plain("Order ")
    .code(body.order.shortId)
    .build();
}

/** The words of a notice. */
export function renderNotice(mode: DeskMode, notice: Notice): RichText {
  const { body } = notice;
  switch (body.kind) {
    case "order.outcome":
      return renderOutcome(mode, body.order, body.result);
    case "order.filled":
      return new TextBuilder()
        .bold(
          `${modeTag(mode)} · FILL ${side(body.order)} ${sharesExact(body.size)} ${cleanText(body.order.outcomeName, 30)} @ ${averageCents(body.money, body.size)} = ${moneyExact(body.money)}`,
        )
        .line()
        .line(
          `Fee ${moneyExact(body.fee)} · so far ${sharesExact(body.order.filled)} of ${sharesExact(body.order.size)}`,
        )
        .line(cleanText(body.order.question))
        .plain("Order ")
        .code(body.order.shortId)
        .build();
    case "order.unknown":
      return new TextBuilder()
        .bold(`${modeTag(mode)} · UNKNOWN · order may be live · checking`)
        .line()
        .line(`${orderLine(body.order)} · ${cleanText(body.order.question)}`)
        .line("The venue did not answer. Its money stays reserved until the truth is known.")
        .plain("Nothing to do: do not send it again. Order ")
        .code(body.order.shortId)
        .build();
    case "fill.reversed":
      return renderReversed(mode, body);
    case "market.settled":
      return renderSettled(mode, body);
    case "rules.edited":
      return renderRulesEdited(mode, body);
    case "card.outdated":
      return renderCardOutdated(mode, body);
    case "action.outcome":
      return renderActionOutcome(mode, body.action, body.detail);
    case "set.outcome":
      return renderSetOutcome(mode, body);
    case "kill.report":
      return renderKillReport(mode, body);
    case "external.order":
    case "external.fill":
    case "position.corrected":
    case "copies.disagree":
      return renderAccountNews(mode, body);
    case "replace.failed":
      return renderReplaceFailed(mode, body);
    case "started":
      return renderStarted(mode, body);
    case "reducing":
    case "strategy.locked":
      return renderControl(mode, body);
    case "killed":
    case "resumed":
    case "resume.locked":
    case "halted":
    case "degraded":
    case "degraded.over":
    case "feed.lost":
    case "feed.back":
      return renderSafety(mode, notice.atMs, body);
  }
}

function renderReversed(
  mode: DeskMode,
  body: Extract<NoticeBody, { kind: "fill.reversed" }>,
): RichText {
  return new TextBuilder()
    .bold(`${modeTag(mode)} · FILL REVERSED by the venue`)
    .line()
    .line(
      `${sharesExact(body.size)} ${cleanText(body.order.outcomeName, 30)} for ${moneyExact(body.money)} did not settle and was taken back.`,
    )
    .plain("Look at /positions and decide again. Order ")
    .code(body.order.shortId)
    .build();
}

function renderSettled(
  mode: DeskMode,
  body: Extract<NoticeBody, { kind: "market.settled" }>,
): RichText {
  return new TextBuilder()
    .bold(`${modeTag(mode)} · RESOLVED · ${cleanText(body.winner, 30)} won`)
    .line()
    .line(cleanText(body.question))
    .line(
      `Your shares cost ${moneyExact(body.costUsd)} and pay ${moneyExact(body.paidUsd)}: ${profit(usd(body.paidUsd - body.costUsd))}.`,
    )
    .build();
}

/** Buttons under a notice. An unknown order has none: nothing about it may be repeated by hand. */
export function noticeKeyboard(body: NoticeBody, buttons: ButtonMaker): Keyboard {
  if (body.kind === "order.outcome" && body.order.filled > 0) {
    return [
      [
        buttons.make("Market", { do: "market", id: body.order.conditionId }),
        buttons.make("Positions", { do: "positions" }),
      ],
    ];
  }
  if (body.kind === "rules.edited") return rulesEditedKeyboard(body, buttons);
  if (body.kind === "set.outcome" || body.kind === "market.settled") {
    return [[buttons.make("Positions", { do: "positions" })]];
  }
  if (body.kind === "order.outcome" && body.result === "resting") {
    const { clientOid } = body.order;
    const cancel = buttons.make("Cancel order", { do: "cancel", clientOid });
    if (!canChangePrice(body.order)) return [[cancel]];
    return [[cancel, buttons.make("Change price", { do: "askPrice", clientOid })]];
  }
  return [];
}
