import type { Denial } from "../../engine/domain/reasons.ts";
import { cleanText } from "../text/clean-text.ts";
import { explainContract, isContractCode } from "./explain-contract.ts";
import { explainResume } from "./explain-resume.ts";
import { isSetRefusal, setRefusal } from "./explain-set.ts";
import { explainCard, explainState } from "./explain-state.ts";
import { explainAmount, explainCap, explainMarket, isCap } from "./explain-trade.ts";
import { because, type Explanation } from "./explanation.ts";

/** The words for a refusal of ours. Complete: a new reason does not compile without its words. */
export function explain(denial: Denial): Explanation {
  const subject = denial.subject === undefined ? "" : cleanText(denial.subject, 80);
  const { code } = denial;
  if (isCap(code)) return explainCap(code, denial);
  if (isSetRefusal(code)) {
    return because(`Not on offer: ${setRefusal(code, subject)}.`, "/arb shows the other sets.");
  }
  if (isContractCode(code)) return explainContract(code, denial, subject);
  switch (code) {
    case "killed":
      return because("The kill switch is on.", "/status shows since when. /resume turns it off.");
    case "not_ready":
    case "paused":
    case "reducing":
    case "venue_mode":
    case "ledger_failed":
    case "degraded":
    case "venue_unreachable":
    case "busy":
    case "rate_limited":
    case "duplicate_intent":
    case "repeated_execution":
    case "message_rate":
    case "command_expired":
      return explainState(code, denial, subject);
    case "card_unknown":
    case "card_used":
    case "card_expired":
    case "card_not_yours":
    case "price_moved":
      return explainCard(code);
    case "market_unknown":
    case "market_closed":
    case "market_unsupported":
    case "rules_edited":
    case "outcome_unknown":
    case "book_stale":
    case "book_empty":
    case "no_liquidity":
      return explainMarket(code, denial, subject);
    case "off_tick":
    case "price_collar":
    case "price_collar_period":
    case "min_size":
    case "min_order_usd":
    case "amount_invalid":
    case "expiry_invalid":
    case "insufficient_cash":
    case "insufficient_shares":
      return explainAmount(code, denial);
    case "order_unknown":
    case "order_closed":
    case "order_not_resting":
      return explainNoOrder(code);
    case "resume_too_soon":
    case "resume_needs_code":
    case "resume_not_asked":
    case "resume_code_wrong":
    case "resume_code_used":
    case "resume_code_locked":
    case "not_killed":
      return explainResume(code, denial);
  }
}

function explainNoOrder(code: "order_unknown" | "order_closed" | "order_not_resting"): Explanation {
  switch (code) {
    case "order_unknown":
      return because(
        "There is no order with that id.",
        "/orders lists the open orders with their ids.",
      );
    case "order_closed":
      return because("That order is already over.", "/orders lists what is still open.");
    case "order_not_resting":
      return because(
        "Only a resting order that nobody is canceling can change its price.",
        "/orders shows what each order is doing.",
      );
  }
}
