import type { ExternalFate, NoticeBody } from "../../engine/api/notices.ts";
import type { DeskMode, ExternalOrderView } from "../../engine/api/views.ts";
import { averageCents, cents, money, moneyExact, sharesExact } from "../text/amounts.ts";
import { cleanText } from "../text/clean-text.ts";
import { type RichText, TextBuilder } from "../text/rich-text.ts";
import { modeTag } from "./mode.ts";

/** Foreign orders on one screen; more are counted, not hidden. */
const externalShown = 8;

/** "SELL 40 Yes @ 62.0¢". */
export function externalLine(order: ExternalOrderView): string {
  const name = cleanText(order.outcomeName, 30);
  const at = order.price === null ? "an unknown price" : cents(order.price);
  return `${order.side.toUpperCase()} ${sharesExact(order.size)} ${name} @ ${at}`;
}

/** The part of /orders about orders that somebody else placed on the account. */
export function externalLines(text: TextBuilder, external: readonly ExternalOrderView[]): void {
  if (external.length === 0) return;
  text.bold(`External · ${external.length} not placed by this desk`).line();
  for (const order of external.slice(0, externalShown)) {
    text.plain(`${externalLine(order)} · locks ${money(order.reservedUsd)} · `);
    text.code(order.shortId).line();
    text.line(`    ${cleanText(order.question, 80)}`);
  }
  if (external.length > externalShown) text.line(`and ${external.length - externalShown} more`);
  text.line("/cancel and an id ends one of them; /kill ends all. They count in every limit.");
}

const fateWords: Readonly<Record<ExternalFate["fate"], string>> = {
  gone: "gone from the book",
  still_open: "STILL OPEN, cancel is being repeated",
};

/** The lines of a kill report about orders of others. */
export function externalFates(text: TextBuilder, fates: readonly ExternalFate[]): void {
  for (const { order, fate } of fates.slice(0, externalShown)) {
    text.code(order.shortId).line(` external ${externalLine(order)}: ${fateWords[fate]}`);
  }
  if (fates.length > externalShown) text.line(`and ${fates.length - externalShown} more external`);
}

type ExternalNotice = Extract<NoticeBody, { kind: "external.order" | "external.fill" }>;

/** Somebody else acted on the account. */
export function renderExternal(mode: DeskMode, body: ExternalNotice): RichText {
  const text = new TextBuilder();
  if (body.kind === "external.order") {
    text.bold(`${modeTag(mode)} · EXTERNAL ORDER · not placed by this desk`).line();
    text.line(`${externalLine(body.order)} · ${cleanText(body.order.question)}`);
    text.line(`It counts in cash and limits: ${moneyExact(body.order.reservedUsd)} is locked.`);
    return text
      .plain("If it is not yours: /kill, then revoke the API key. Order ")
      .code(body.order.shortId)
      .build();
  }
  const size = `${sharesExact(body.size)} ${cleanText(body.outcomeName, 30)}`;
  const at = `@ ${averageCents(body.money, body.size)} = ${moneyExact(body.money)}`;
  const was = body.what === "filled" ? "EXTERNAL TRADE" : "EXTERNAL TRADE REVERSED";
  text.bold(`${modeTag(mode)} · ${was} · not made by this desk`).line();
  text.line(`${body.side.toUpperCase()} ${size} ${at}`);
  text.line(cleanText(body.question));
  return text
    .plain(
      "It counts in positions, cash and limits. If it is not yours: /kill, then revoke the key.",
    )
    .build();
}
