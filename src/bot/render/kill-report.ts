import type { NoticeBody, OrderFate } from "../../engine/api/notices.ts";
import type { DeskMode } from "../../engine/api/views.ts";
import { cleanText } from "../text/clean-text.ts";
import { type RichText, TextBuilder } from "../text/rich-text.ts";
import { externalFates } from "./external.ts";
import { modeTag } from "./mode.ts";
import { orderLine } from "./orders.ts";

/** Fates listed one by one; the rest is counted. */
const linesShown = 40;

const fateWords: Readonly<Record<OrderFate["fate"], string>> = {
  canceled: "canceled",
  filled: "filled before the cancel came",
  was_done: "was already over",
  still_open: "STILL OPEN, cancel is being repeated",
  delayed: "DELAYED by the venue: may still fill, cannot be canceled before its delay is over",
  unknown: "UNKNOWN, being checked with the venue",
};

/** What became of each order that was open when the kill came. */
export function renderKillReport(
  mode: DeskMode,
  body: Extract<NoticeBody, { kind: "kill.report" }>,
): RichText {
  const open = body.orders.filter((one) => ["still_open", "unknown", "delayed"].includes(one.fate));
  const canceled = body.orders.filter((one) => one.fate === "canceled").length;
  const total = body.orders.length;
  const text = new TextBuilder();
  text.bold(
    `${modeTag(mode)} · KILL REPORT · ${canceled}/${total} canceled${open.length > 0 ? ` · ${open.length} NOT YET SETTLED` : ""}`,
  );
  text.line();
  for (const { order, fate } of body.orders.slice(0, linesShown)) {
    text.code(order.shortId).line(` ${orderLine(order)}: ${fateWords[fate]}`);
  }
  if (total > linesShown) text.line(`and ${total - linesShown} more`);
  externalFates(text, body.external);
  for (const { title } of body.calls) {
    text.line(
      `${cleanText(title)}: a contract call under way, no kill can take it back; its result follows.`,
    );
  }
  return text
    .plain(
      body.settled
        ? "All settled. Positions were kept."
        : "Not settled yet: another report follows.",
    )
    .build();
}
