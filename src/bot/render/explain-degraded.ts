import type { NoticeBody } from "../../engine/api/notices.ts";
import type { DegradedCause } from "../../engine/domain/reasons.ts";
import { cleanText } from "../text/clean-text.ts";
import { type RichText, TextBuilder } from "../text/rich-text.ts";
import { duration } from "../text/time-text.ts";
import { because, type Explanation } from "./explanation.ts";

/** What a degraded state refuses and what ends it. */
const texts: Readonly<Record<DegradedCause, Explanation>> = {
  clock: because(
    "The machine's clock is off, so the venue may refuse what we sign: no new orders.",
    "Set the clock (NTP). It ends by itself; if the clock was set and it does not, restart the service.",
  ),
  clock_warn: because(
    "The machine's clock is drifting away from the venue's. Orders are still sent.",
    "Set the clock (NTP) before it is further off.",
  ),
  stalled: because(
    "The desk did not run for a while and reads everything again before it trades.",
    "Wait some seconds. Cards from before are expired: ask again.",
  ),
  heartbeat: because(
    "The venue does not hear our heartbeat and may cancel what rests: no new resting orders.",
    "It ends by itself; /orders shows what still rests. Orders that trade at once work.",
  ),
  book_hash: because(
    "The venue's book hashes fit nowhere any more: their format changed. Books are checked by best prices alone, and nothing is bought.",
    "Sales and cancels work. Look for a newer version of this desk; it ends by itself when the hashes fit again.",
  ),
};

export function explainDegraded(cause: DegradedCause): Explanation {
  return texts[cause];
}

export function isDegradedCause(text: string): text is DegradedCause {
  return Object.hasOwn(texts, text);
}

const names: Readonly<Record<DegradedCause, string>> = {
  clock: "CLOCK",
  clock_warn: "CLOCK",
  stalled: "TIME LOST",
  heartbeat: "HEARTBEAT",
  book_hash: "BOOK HASHES",
};

/** The notice of a degraded state, and of its end. */
export function renderDegraded(
  tag: string,
  body: Extract<NoticeBody, { readonly kind: "degraded" | "degraded.over" }>,
): RichText {
  const text = new TextBuilder();
  const name = names[body.cause];
  if (body.kind === "degraded.over") {
    return text.bold(`${tag} · ${name} · well again after ${duration(body.afterMs)}`).build();
  }
  const { what, todo } = explainDegraded(body.cause);
  text.bold(`${tag} · DEGRADED · ${name}`).line();
  if (body.detail !== "") text.line(cleanText(body.detail, 200));
  return text.line(what).plain(`To do: ${todo}`).build();
}
