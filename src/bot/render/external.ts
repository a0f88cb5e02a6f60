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

type AccountNews = Extract<
  NoticeBody,
  { kind: "external.order" | "external.fill" | "position.corrected" | "copies.disagree" }
>;

/** News of the account that no command of this desk caused. */
export function renderAccountNews(mode: DeskMode, body: AccountNews): RichText {
  const text = new TextBuilder();
  const tag = modeTag(mode);
  switch (body.kind) {
    case "external.order":
      text.bold(`${tag} · EXTERNAL ORDER · not placed by this desk`).line();
      text.line(`${externalLine(body.order)} · ${cleanText(body.order.question)}`);
      text.line(`It counts in cash and limits: ${moneyExact(body.order.reservedUsd)} is locked.`);
      text.plain("If it is not yours: /kill, then revoke the API key. Order ");
      return text.code(body.order.shortId).build();
    case "external.fill":
      return renderExternalFill(tag, body);
    case "position.corrected": {
      const name = cleanText(body.outcomeName, 30);
      text.bold(`${tag} · POSITION CORRECTED to the venue's figure`).line();
      text.line(`${name}: ${sharesExact(body.from)} shares here, ${sharesExact(body.to)} there.`);
      text.line(cleanText(body.question));
      return text
        .plain(
          body.to < body.from
            ? "Moved, redeemed or sold outside? Its cost left without profit or loss. Look at /positions."
            : "More than this desk bought: shown in /positions, never sold by this desk.",
        )
        .build();
    }
    case "copies.disagree":
      text.bold(`${tag} · TRADES DIFFER between the private stream and the venue's list`).line();
      text.line(`Only in the list: ${body.notOnStream} · only on the stream: ${body.notListed}`);
      text.line(`First trade: ${cleanText(body.tradeId, 80)}`);
      return text
        .plain("All of them are counted. If this repeats, check the connection and the log.")
        .build();
  }
}

function renderExternalFill(
  tag: string,
  body: Extract<NoticeBody, { kind: "external.fill" }>,
): RichText {
  const text = new TextBuilder();
  const size = `${sharesExact(body.size)} ${cleanText(body.outcomeName, 30)}`;
  const at = `@ ${averageCents(body.money, body.size)} = ${moneyExact(body.money)}`;
  const was = body.what === "filled" ? "EXTERNAL TRADE" : "EXTERNAL TRADE REVERSED";
  text.bold(`${tag} · ${was} · not made by this desk`).line();
  text.line(`${body.side.toUpperCase()} ${size} ${at}`);
  text.line(cleanText(body.question));
  return text
    .plain(
      "It counts in positions, cash and limits. If it is not yours: /kill, then revoke the key.",
    )
    .build();
}
