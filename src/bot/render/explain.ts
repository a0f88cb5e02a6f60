import type { Denial } from "../../engine/domain/reasons.ts";
import { cleanText } from "../text/clean-text.ts";
import { duration } from "../text/time-text.ts";
import { setRefusal } from "./explain-set.ts";
import { explainCard, explainState } from "./explain-state.ts";
import { explainAmount, explainCap, explainMarket } from "./explain-trade.ts";
import { because, type Explanation } from "./explanation.ts";

/** The words for a refusal of ours. Complete: a new reason does not compile without its words. */
export function explain(denial: Denial): Explanation {
  const subject = denial.subject === undefined ? "" : cleanText(denial.subject, 80);
  switch (denial.code) {
    case "killed":
      return because("The kill switch is on.", "/status shows since when. /resume turns it off.");
    case "not_ready":
    case "paused":
    case "reducing":
    case "venue_mode":
    case "ledger_failed":
    case "venue_unreachable":
    case "busy":
    case "rate_limited":
    case "duplicate_intent":
    case "command_expired":
      return explainState(denial.code, denial, subject);
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
      return explainMarket(denial.code, denial, subject);
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
    case "cap_event":
    case "cap_strategy":
    case "cap_total":
    case "cap_day_volume":
    case "cap_day_loss":
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
      return notKilled;
  }
}

const notKilled: Explanation = {
  what: "Trading is not off.",
  money: "Nothing changed.",
  todo: "/status shows the state.",
};

function tooSoon(waitMs: number | undefined): Explanation {
  const wait = waitMs === undefined ? "a few seconds" : duration(waitMs);
  return {
    what: `Too soon: the button works in ${wait}.`,
    money: "Trading is still off.",
    todo: "Read what changed, then press it again.",
  };
}
