import type { NoticeBody } from "../../engine/api/notices.ts";
import type { DeskMode } from "../../engine/api/views.ts";
import { cleanText } from "../text/clean-text.ts";
import { type RichText, TextBuilder } from "../text/rich-text.ts";
import { duration } from "../text/time-text.ts";
import { explainReducing, restriction } from "./explain-reducing.ts";
import { modeTag, tradingLine } from "./mode.ts";

/** What a control on new risk did by itself. */
export function renderControl(
  mode: DeskMode,
  body: Extract<NoticeBody, { kind: "reducing" | "strategy.locked" }>,
): RichText {
  return body.kind === "reducing" ? renderReducing(mode, body) : renderLocked(mode, body);
}

/** Only sales from now on, or no longer: the causes, what ends each, and what still works. */
function renderReducing(mode: DeskMode, body: Extract<NoticeBody, { kind: "reducing" }>): RichText {
  const text = new TextBuilder();
  const tag = modeTag(mode);
  const ended = body.ended.map((cause) => explainReducing(cause).what);
  if (body.causes.length === 0) {
    text.bold(`${tag} · ${restriction(body.ended)} ENDED`).line();
    for (const what of ended) text.line(`No longer: ${what}.`);
    const { trading } = body;
    return text
      .plain(trading.state === "active" ? "Trading on." : `${tradingLine(trading)}.`)
      .build();
  }
  const all = restriction(body.causes);
  text.bold(`${tag} · ${all}`).line();
  for (const cause of body.causes) {
    const { what, end } = explainReducing(cause);
    text.line(`Because ${what}: ${end}.`);
  }
  for (const what of ended) text.line(`No longer: ${what}.`);
  return text
    .plain(
      all === "SALES ONLY"
        ? "Resting orders stay. Sales of what you hold, cancels and /kill work."
        : "Resting orders are as they were. Cancels and /kill work.",
    )
    .build();
}

/** A strategy that did the same thing too often and waits for somebody to look. */
function renderLocked(
  mode: DeskMode,
  body: Extract<NoticeBody, { kind: "strategy.locked" }>,
): RichText {
  const side = body.side === "buy" ? "purchases" : "sales";
  return new TextBuilder()
    .bold(`${modeTag(mode)} · STOPPED · ${body.strategy} ${side}`)
    .line()
    .line(`${body.executions} orders of the same kind traded within ${duration(body.windowMs)}.`)
    .line(cleanText(body.question))
    .plain("Everything else goes on. Look at /orders and /positions, then /resume.")
    .build();
}
