import type { Denial } from "../../engine/domain/reasons.ts";
import { duration } from "../text/time-text.ts";
import { explainDegraded, isDegradedCause } from "./explain-degraded.ts";
import { explainHalt, isHaltReason } from "./explain-halt.ts";
import { explainReducing, isReducingReason } from "./explain-reducing.ts";
import { because, type Explanation } from "./explanation.ts";

type StateCode =
  | "not_ready"
  | "paused"
  | "reducing"
  | "venue_mode"
  | "ledger_failed"
  | "degraded"
  | "venue_unreachable"
  | "busy"
  | "rate_limited"
  | "duplicate_intent"
  | "repeated_execution"
  | "message_rate"
  | "command_expired";
type CardCode = "card_unknown" | "card_used" | "card_expired" | "card_not_yours" | "price_moved";
/** Too many orders, when a limit is named; else too many commands. */
function explainBusy(denial: Denial): Explanation {
  return denial.limit === undefined
    ? because(
        "Too many commands are waiting.",
        "Wait until the earlier ones are answered, then send it again. /kill is never refused.",
      )
    : because(
        `Too many orders at one time: it would be ${denial.wanted ?? "more"}, the limit is ${denial.limit}.`,
        "Wait until some have ended, or cancel one (/orders).",
      );
}

/** The subject of a pause is a halt reason, or a state of this process that has no halt of its own. */
function explainPause(subject: string): Explanation {
  if (subject === "dry_run") {
    return because("This is a dry run: orders are recorded, never sent.", "Nothing to do.");
  }
  if (subject === "lease_lost") {
    return because(
      "Another service holds this account: this one may not trade.",
      "Stop one of the two services.",
    );
  }
  const halt = isHaltReason(subject) ? explainHalt(subject) : null;
  return because(
    halt === null ? "Trading is halted." : `Trading is halted: ${halt.what}.`,
    halt === null
      ? "/status shows why. /resume starts it again."
      : `To do: ${halt.todo}. /status shows more.`,
  );
}

/** The subject names the causes. */
function explainRestriction(code: "reducing" | "venue_mode", subject: string): Explanation {
  const causes = subject.split(", ").filter(isReducingReason).map(explainReducing);
  const why = causes.map((cause) => cause.what).join("; ");
  const end = causes.map((cause) => cause.end).join("; ");
  const isVenue = code === "venue_mode";
  const what = isVenue ? "The venue takes no such orders now" : "Only sales are taken now";
  const works = isVenue ? "Cancels work." : "Sales of what you hold and cancels work.";
  return because(
    why === "" ? `${what}.` : `${what}: ${why}.`,
    end === "" ? `${works} /status shows why.` : `${works} The rest: ${end}.`,
  );
}

/** The state of desk, ledger or venue stands in the way. */
export function explainState(code: StateCode, denial: Denial, subject: string): Explanation {
  switch (code) {
    case "not_ready":
      return because(
        "The desk is still starting: it compares its records with the venue.",
        "Try again in a few seconds; /status shows when it is ready.",
      );
    case "paused":
      return explainPause(subject);
    case "reducing":
    case "venue_mode":
      return explainRestriction(code, subject);
    case "degraded":
      return isDegradedCause(subject)
        ? explainDegraded(subject)
        : because("Something around the desk is wrong.", "/status shows what.");
    case "ledger_failed":
      return because(
        "The desk cannot write its records, so it does not trade.",
        "Check the disk of the machine, then /status. /kill still works.",
      );
    case "venue_unreachable":
      return because(
        "The venue does not answer.",
        "Try again in a minute; /status shows the feeds.",
      );
    case "busy":
      return explainBusy(denial);
    case "rate_limited":
      return because(
        "Too many orders within a moment: the desk stays below the venue's rate limit.",
        "Send it again in a few seconds.",
      );
    case "duplicate_intent":
      return because(
        denial.limit === undefined
          ? "The same order was just placed; this looks like sending it twice."
          : `The same order was placed less than ${duration(denial.limit)} ago; this looks like sending it twice.`,
        "/orders shows the first one. Wait a moment if you do want both.",
      );
    case "repeated_execution":
      return because(
        `This was done too often in a row${subject === "" ? "" : ` (${subject})`}, so it is stopped until somebody looks.`,
        "Look at /orders and /positions; /resume lets it go on.",
      );
    case "message_rate":
      return because(
        `Too many requests to the venue within a moment: it would be ${denial.wanted ?? "more"}, the limit is ${denial.limit ?? "lower"}.`,
        "Wait a few seconds, then send it again. Cancels and /kill are never refused.",
      );
    case "command_expired":
      return because(
        "This came too old: commands that trade are taken for one minute only.",
        "Send it again if you still want it.",
      );
  }
}

/** Something about the pressed card. */
export function explainCard(code: CardCode): Explanation {
  switch (code) {
    case "card_unknown":
      return because("This card is no longer known.", "Ask for a new one with /buy or /sell.");
    case "card_used":
      return {
        what: "This card was already used.",
        money: "Nothing more was sent; the first press counts.",
        todo: "/orders and /positions show what became of it.",
      };
    case "card_expired":
      return because("Expired: the quote was too old.", "Press Re-quote for a new one.");
    case "card_not_yours":
      return because("This card belongs to somebody else.", "Ask for your own with /buy or /sell.");
    case "price_moved":
      return because(
        "The price moved beyond what the card showed.",
        "Look at the new price and decide again.",
      );
  }
}
