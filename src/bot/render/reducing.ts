import type { NoticeBody } from "../../engine/api/notices.ts";
import type { DeskMode } from "../../engine/api/views.ts";
import { type RichText, TextBuilder } from "../text/rich-text.ts";
import { explainReducing } from "./explain-reducing.ts";
import { modeTag, tradingLine } from "./mode.ts";

/** Only sales from now on, or no longer: the causes, what ends each, and what still works. */
export function renderReducing(
  mode: DeskMode,
  body: Extract<NoticeBody, { kind: "reducing" }>,
): RichText {
  const text = new TextBuilder();
  const tag = modeTag(mode);
  const ended = body.ended.map((cause) => explainReducing(cause).what);
  if (body.causes.length === 0) {
    text.bold(`${tag} · SALES ONLY ENDED`).line();
    for (const what of ended) text.line(`No longer: ${what}.`);
    const { trading } = body;
    return text
      .plain(trading.state === "active" ? "Trading on." : `${tradingLine(trading)}.`)
      .build();
  }
  text.bold(`${tag} · SALES ONLY · nothing new is bought`).line();
  for (const cause of body.causes) {
    const { what, end } = explainReducing(cause);
    text.line(`Because ${what}: ${end}.`);
  }
  for (const what of ended) text.line(`No longer: ${what}.`);
  return text.plain("Resting orders stay. Sales of what you hold, cancels and /kill work.").build();
}
