import type { RejectReason } from "../../engine/domain/reasons.ts";
import type { Explanation } from "./explanation.ts";

function notFilled(what: string, todo: string): Explanation {
  return { what, money: "The order did not trade; its cash is free again.", todo };
}

const askOperator = "Tell whoever runs the desk: this needs a look at the account or the config.";

/** The words for a refusal of the venue. Complete over its documented refusals. */
export function explainReject(reason: RejectReason): Explanation {
  switch (reason) {
    case "no_match":
      return notFilled(
        "Nothing matched at once: the liquidity was gone.",
        "Ask for a new quote, or name a price to place a resting order.",
      );
    case "not_fully_filled":
      return notFilled(
        "All or nothing (fok): it could not be filled whole.",
        "Use fak to take what is there, or a smaller amount.",
      );
    case "balance":
      return notFilled(
        "The venue says that balance or allowance does not suffice.",
        "/status shows the cash; open orders lock part of it.",
      );
    case "off_tick":
    case "amount_accuracy":
    case "invalid_payload":
      return notFilled(
        "The venue did not accept the price or the amount.",
        "Ask for a new quote: the market's tick may have changed.",
      );
    case "min_size":
    case "min_notional":
      return notFilled("Too small for the venue.", "Use a larger amount.");
    case "expiration":
      return notFilled("The venue did not accept the expiry.", "Use gtd= with at least 3 minutes.");
    case "post_only_crossed":
      return notFilled(
        "It would have matched at once, which a post-only order may not.",
        "Use another price.",
      );
    case "market_not_ready":
    case "no_orderbook":
    case "venue_restarting":
    case "post_only_mode":
    case "venue_disabled":
    case "rate_limited":
      return explainVenueState(reason);
    case "dry_run":
    case "not_sent":
    case "not_found_after_quarantine":
      return explainUnsent(reason);
    case "order_version_mismatch":
    case "invalid_signature":
    case "wrong_owner":
    case "wrong_signer":
    case "maker_not_allowed":
    case "banned":
    case "closed_only":
    case "geoblocked":
    case "unauthorized":
      return notFilled(
        `The venue does not accept orders of this account (${words(reason)}).`,
        askOperator,
      );
    case "other_refusal":
      return notFilled(
        "The venue refused it for a reason that is not documented.",
        "Try once more; if it happens again, look into the log by the reference.",
      );
  }
}

function explainUnsent(reason: "dry_run" | "not_sent" | "not_found_after_quarantine"): Explanation {
  switch (reason) {
    case "dry_run":
      return {
        what: "Signed and recorded; every check passed. It would have been sent.",
        money: "Nothing left the desk and nothing is locked.",
        todo: "Orders are sent only with dry_run = false.",
      };
    case "not_sent":
      return notFilled("The order never left the desk.", "Ask for a new quote.");
    case "not_found_after_quarantine":
      return notFilled(
        "The venue never answered and does not know the order: it did not arrive.",
        "Ask for a new quote.",
      );
  }
}

type VenueState =
  | "market_not_ready"
  | "no_orderbook"
  | "venue_restarting"
  | "post_only_mode"
  | "venue_disabled"
  | "rate_limited";

function explainVenueState(reason: VenueState): Explanation {
  switch (reason) {
    case "market_not_ready":
    case "no_orderbook":
      return notFilled("The market takes no orders now.", "Try again later.");
    case "venue_restarting":
    case "post_only_mode":
    case "venue_disabled":
      return notFilled(
        "The venue is restarting or has trading switched off.",
        "Try again in a few minutes; /status shows the feeds.",
      );
    case "rate_limited":
      return notFilled("The venue asks us to slow down.", "Try again in a minute.");
  }
}

function words(code: string): string {
  return code.replaceAll("_", " ");
}
