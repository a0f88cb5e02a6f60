import type { Price, Shares, Usd } from "../../engine/domain/numbers.ts";
import type { Denial } from "../../engine/domain/reasons.ts";
import { cents, money, sharesExact } from "../text/amounts.ts";
import { cleanText } from "../text/clean-text.ts";
import { type RichText, TextBuilder } from "../text/rich-text.ts";
import { duration } from "../text/time-text.ts";
import { explainHalt, isHaltReason } from "./explain-halt.ts";
import { setRefusal } from "./explain-set.ts";

/** Every refusal says three things: what happened, where the money is, what to do. */
export type Explanation = {
  readonly what: string;
  readonly money: string;
  readonly todo: string;
};

const nothingSent = "Nothing was sent. Your money is where it was.";

function because(what: string, todo: string): Explanation {
  return { what, money: nothingSent, todo };
}

function usdOf(value: number | undefined): string {
  return value === undefined ? "?" : money(value as Usd);
}

function sharesOf(value: number | undefined): string {
  return value === undefined ? "?" : sharesExact(value as Shares);
}

function centsOf(value: number | undefined): string {
  return value === undefined ? "?" : cents(value as Price);
}

const caps = {
  cap_order: "for one order",
  cap_outcome: "for one outcome",
  cap_market: "for one market",
  cap_total: "for everything together",
} as const;

function explainCap(code: keyof typeof caps, denial: Denial): Explanation {
  return because(
    `This would pass the limit ${caps[code]}: it would be ${usdOf(denial.wanted)}, the limit is ${usdOf(denial.limit)}.`,
    "Use a smaller amount, cancel an order (/orders) or sell something (/positions).",
  );
}

/** The words for a refusal of ours. Complete: a new reason does not compile without its words. */
export function explain(denial: Denial): Explanation {
  const subject = denial.subject === undefined ? "" : cleanText(denial.subject, 80);
  switch (denial.code) {
    case "killed":
      return because("The kill switch is on.", "/status shows since when. /resume turns it off.");
    case "not_ready":
    case "paused":
    case "ledger_failed":
    case "venue_unreachable":
    case "busy":
    case "duplicate_intent":
    case "command_expired":
      return explainState(denial.code, subject);
    case "card_unknown":
    case "card_used":
    case "card_expired":
    case "card_not_yours":
    case "price_moved":
      return explainCard(denial.code);
    case "market_unknown":
    case "market_closed":
    case "market_unsupported":
    case "outcome_unknown":
    case "book_stale":
    case "book_empty":
    case "no_liquidity":
      return explainMarket(denial.code, subject);
    case "off_tick":
    case "price_collar":
    case "min_size":
    case "min_order_usd":
    case "amount_invalid":
    case "expiry_invalid":
    case "insufficient_cash":
    case "insufficient_shares":
      return explainAmount(denial.code, denial);
    case "cap_order":
    case "cap_outcome":
    case "cap_market":
    case "cap_total":
      return explainCap(denial.code, denial);
    case "order_unknown":
      return because(
        "There is no order with that id.",
        "/orders lists the open orders with their ids.",
      );
    case "order_closed":
      return because("That order is already over.", "/orders lists what is still open.");
    case "set_incomplete":
    case "set_augmented":
    case "set_other":
    case "set_fee":
    case "set_not_profitable":
    case "needs_convert":
      return because(
        `Not on offer: ${setRefusal(denial.code, subject)}.`,
        "/arb shows the other sets.",
      );
    case "resume_too_soon":
      return tooSoon(denial.wanted ?? denial.limit);
    case "not_killed":
      return {
        what: "Trading is not off.",
        money: "Nothing changed.",
        todo: "/status shows the state.",
      };
  }
}

function tooSoon(waitMs: number | undefined): Explanation {
  const wait = waitMs === undefined ? "a few seconds" : duration(waitMs);
  return {
    what: `Too soon: the button works in ${wait}.`,
    money: "Trading is still off.",
    todo: "Read what changed, then press it again.",
  };
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

type StateCode =
  | "not_ready"
  | "paused"
  | "ledger_failed"
  | "venue_unreachable"
  | "busy"
  | "duplicate_intent"
  | "command_expired";
type CardCode = "card_unknown" | "card_used" | "card_expired" | "card_not_yours" | "price_moved";
type MarketCode =
  | "market_unknown"
  | "market_closed"
  | "market_unsupported"
  | "outcome_unknown"
  | "book_stale"
  | "book_empty"
  | "no_liquidity";
type AmountCode =
  | "off_tick"
  | "price_collar"
  | "min_size"
  | "min_order_usd"
  | "amount_invalid"
  | "expiry_invalid"
  | "insufficient_cash"
  | "insufficient_shares";

function explainState(code: StateCode, subject: string): Explanation {
  switch (code) {
    case "not_ready":
      return because(
        "The desk is still starting: it compares its records with the venue.",
        "Try again in a few seconds; /status shows when it is ready.",
      );
    case "paused":
      return explainPause(subject);
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
      return because(
        "Too many commands are waiting.",
        "Wait until the earlier ones are answered, then send it again. /kill is never refused.",
      );
    case "duplicate_intent":
      return because(
        "The same order was just placed; this looks like sending it twice.",
        "/orders shows the first one. Wait a moment if you do want both.",
      );
    case "command_expired":
      return because(
        "This came too old: commands that trade are taken for one minute only.",
        "Send it again if you still want it.",
      );
  }
}

function explainCard(code: CardCode): Explanation {
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

function explainMarket(code: MarketCode, subject: string): Explanation {
  const named = subject === "" ? "" : ` (${subject})`;
  switch (code) {
    case "market_unknown":
      return because(
        `No such market${named}.`,
        "Look for it with /markets and a few words, or paste its link.",
      );
    case "market_closed":
      return because(`This market takes no orders now${named}.`, "/markets lists open ones.");
    case "market_unsupported":
      return because(
        `This kind of market is not supported${named}.`,
        "Choose another one with /markets.",
      );
    case "outcome_unknown":
      return because(
        `The market has no outcome of that name${named}.`,
        "Use the name as the market shows it, or press its button.",
      );
    case "book_stale":
      return because(
        "The order book is not fresh, so its prices cannot be trusted.",
        "Wait for the feed to come back (/status), then try again.",
      );
    case "book_empty":
      return because(
        "The order book is empty: there is nobody to trade with.",
        "Name a price, for example @0.62, to place a resting order.",
      );
    case "no_liquidity":
      return because(
        "There is not enough on the other side inside your limit.",
        "Use a smaller amount, a wider slip= or a price of your own.",
      );
  }
}

function explainAmount(code: AmountCode, denial: Denial): Explanation {
  switch (code) {
    case "off_tick":
      return because(
        "That price does not lie on the market's grid.",
        `Use a multiple of ${centsOf(denial.limit)}.`,
      );
    case "price_collar":
      return because(
        `The price ${centsOf(denial.wanted)} is too far from the book (limit ${centsOf(denial.limit)}).`,
        "Check the price; a slip of the finger is the usual reason.",
      );
    case "min_size":
      return because(
        `Too small for the venue: at least ${sharesOf(denial.limit)} shares, asked ${sharesOf(denial.wanted)}.`,
        "Use a larger amount.",
      );
    case "min_order_usd":
      return because(
        `Too small: an order must be worth at least ${usdOf(denial.limit)}, this one is ${usdOf(denial.wanted)}. Below that fees and ticks eat the trade (min_order_usd in the config).`,
        "Use a larger amount.",
      );
    case "amount_invalid":
      return because(
        "That amount cannot be used.",
        "Write $25, 40sh, 50% or max: plain digits, more than zero.",
      );
    case "expiry_invalid":
      return because(
        "That time is too short or too long for an order.",
        "gtd= needs at least 3 minutes, for example gtd=1h.",
      );
    case "insufficient_cash":
      return because(
        `Not enough cash: ${usdOf(denial.wanted)} needed, ${usdOf(denial.limit)} free.`,
        "Use a smaller amount or `max`; open orders lock cash (/orders).",
      );
    case "insufficient_shares":
      return because(
        `Not enough shares: ${sharesOf(denial.wanted)} asked, ${sharesOf(denial.limit)} confirmed and free.`,
        "Use `max` or a smaller number; shares of open sales and unconfirmed fills do not count.",
      );
  }
}

/** Three lines, and a reference when somebody may have to look it up in the log. */
export function renderExplanation(
  head: string,
  explanation: Explanation,
  reference: string | null = null,
): RichText {
  const text = new TextBuilder();
  if (head !== "") text.bold(head).line();
  text.line(explanation.what).line(explanation.money).plain(explanation.todo);
  if (reference !== null) text.plain(" · ref ").code(reference);
  return text.build();
}
