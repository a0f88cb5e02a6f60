import type { Price, Shares, Usd } from "../../engine/domain/numbers.ts";
import type { Denial, DenyReason } from "../../engine/domain/reasons.ts";
import { cents, money, sharesExact } from "../text/amounts.ts";
import { duration } from "../text/time-text.ts";
import { because, type Explanation } from "./explanation.ts";

type MarketCode =
  | "market_unknown"
  | "market_closed"
  | "market_unsupported"
  | "rules_edited"
  | "outcome_unknown"
  | "book_stale"
  | "book_empty"
  | "no_liquidity";
type AmountCode =
  | "off_tick"
  | "price_collar"
  | "price_collar_period"
  | "min_size"
  | "min_order_usd"
  | "amount_invalid"
  | "expiry_invalid"
  | "insufficient_cash"
  | "insufficient_shares";

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
  cap_event: "for one event",
  cap_strategy: "for one strategy",
  cap_total: "for everything together",
  cap_day_volume: "for one day's volume",
  cap_day_loss: "for one day's loss",
} as const;

export function isCap(code: DenyReason): code is keyof typeof caps {
  return Object.hasOwn(caps, code);
}

/** A limit of the desk that would be passed. */
export function explainCap(code: keyof typeof caps, denial: Denial): Explanation {
  return because(
    `This would pass the limit ${caps[code]}: it would be ${usdOf(denial.wanted)}, the limit is ${usdOf(denial.limit)}.`,
    code === "cap_day_volume" || code === "cap_day_loss"
      ? "The limit is free again on the next day; canceling always works."
      : "Use a smaller amount, cancel an order (/orders) or sell something (/positions).",
  );
}

/** A market that cannot be traded, or not now. */
export function explainMarket(code: MarketCode, denial: Denial, subject: string): Explanation {
  const named = subject === "" ? "" : ` (${subject})`;
  switch (code) {
    case "market_unknown":
      return because(
        `No such market${named}.`,
        "Look for it with /markets and a few words, or paste its link.",
      );
    case "rules_edited":
      return because(
        `The rules of this market were edited${named}.`,
        "Read them on its page. Its card (/markets) has a button to accept them; then ask again.",
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
      if (subject === "crossed") {
        return because(
          "The order book contradicts itself (its bids are above its asks), so its prices cannot be trusted.",
          "It is read again by itself; try again in a moment.",
        );
      }
      return because(
        `The order book is not fresh${denial.wanted === undefined ? "" : ` (${duration(denial.wanted)} old)`}, so its prices cannot be trusted.`,
        "Wait for the feed to come back (/status), then try again.",
      );
    case "book_empty":
      return because(
        "The order book is empty: there is no price to judge yours by.",
        "Wait until somebody quotes this market, or choose another one with /markets.",
      );
    case "no_liquidity":
      return because(
        "There is not enough on the other side inside your limit.",
        "Use a smaller amount, a wider slip= or a price of your own.",
      );
  }
}

/** An amount, price or time that cannot be used. */
export function explainAmount(code: AmountCode, denial: Denial): Explanation {
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
    case "price_collar_period":
      return because(
        `The price ${centsOf(denial.wanted)} ran too far within a short while (limit ${centsOf(denial.limit)}): it is not believed before it has stood for a while.`,
        "Look at why it moves, then try again in a minute.",
      );
    case "min_size":
      return because(
        `Too small for the venue: at least ${sharesOf(denial.limit)} shares, asked ${sharesOf(denial.wanted)}.`,
        denial.subject === "dust"
          ? "What you hold is dust: no resting order can sell it. It counts in the limits and is paid out when the market resolves."
          : "Use a larger amount.",
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
        denial.limit === 0
          ? "Not enough shares: you hold none of this outcome that are confirmed and free."
          : `Not enough shares: ${sharesOf(denial.wanted)} asked, ${sharesOf(denial.limit)} confirmed and free.`,
        "Use `max` or a smaller number; shares of open sales and unconfirmed fills do not count.",
      );
  }
}
