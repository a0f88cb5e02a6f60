/**
 * What is wrong around the engine. Each refuses a part of new orders while it lasts and ends by itself: our clock is off
 * (clock_warn only tells), the process did not run for a while, or the venue may cancel what rests because its dead-man
 * switch does not hear us, or book hashes fail everywhere, so that books are judged by their best prices alone.
 */
export type DegradedCause = "clock" | "clock_warn" | "stalled" | "heartbeat" | "book_hash";

/** Why we refuse an order or a request before anything is sent. A closed set: stable codes, rendered by the bot. */
export type DenyReason =
  | "killed"
  | "not_ready"
  | "paused"
  | "reducing"
  | "venue_mode"
  | "card_unknown"
  | "card_used"
  | "card_expired"
  | "card_not_yours"
  | "price_moved"
  | "market_unknown"
  | "market_closed"
  | "market_unsupported"
  /** What decides how the market pays was edited since; the subject names the market. */
  | "rules_edited"
  | "outcome_unknown"
  | "book_stale"
  | "book_empty"
  | "no_liquidity"
  | "off_tick"
  | "price_collar"
  | "price_collar_period"
  | "min_size"
  | "min_order_usd"
  | "amount_invalid"
  | "expiry_invalid"
  | "insufficient_cash"
  | "insufficient_shares"
  | "cap_order"
  | "cap_outcome"
  | "cap_market"
  | "cap_event"
  | "cap_strategy"
  | "cap_total"
  | "cap_day_volume"
  | "cap_day_loss"
  | "duplicate_intent"
  | "repeated_execution"
  | "message_rate"
  | "order_unknown"
  | "order_closed"
  | "order_not_resting"
  | "set_incomplete"
  | "set_augmented"
  | "set_other"
  | "set_fee"
  | "set_not_profitable"
  | "needs_convert"
  | "action_pending"
  | "action_unsupported"
  | "contracts_off"
  | "contracts_refused"
  | "cap_gas"
  | "not_confirmed"
  | "nothing_to_redeem"
  | "command_expired"
  | "busy"
  /** Our own limit below the venue's rate limit holds orders back. */
  | "rate_limited"
  | "ledger_failed"
  /** The subject is a DegradedCause. */
  | "degraded"
  | "venue_unreachable"
  /** The limit is how long to wait; with the subject "code" it was a one-time code that came, and it was not looked at. */
  | "resume_too_soon"
  /** A button alone does not resume where one-time codes are on. */
  | "resume_needs_code"
  /** A one-time code came, and this trader has no open offer to resume. */
  | "resume_not_asked"
  /** The limit is how many more may be wrong; subject "clock": our clock is off by `wanted` milliseconds. */
  | "resume_code_wrong"
  /** This one or a later one was used; the limit as above. */
  | "resume_code_used"
  /** The limit is how long no code is taken. */
  | "resume_code_locked"
  /** With the subject "code" it was a one-time code that came. */
  | "not_killed";

/** A refusal with the numbers that explain it: `{ code: "cap_order", have, want }` in the unit that the code implies. */
export type Denial = {
  readonly code: DenyReason;
  /** The limit or the amount at hand. */
  readonly limit?: number;
  /** The amount asked for. */
  readonly wanted?: number;
  /** A name that belongs to the refusal: an outcome, a market, a step. */
  readonly subject?: string;
};

/** Why the venue refused an order, from its documented texts (polymarket-trading 8). */
export type RejectReason =
  | "invalid_payload"
  | "order_version_mismatch"
  | "invalid_signature"
  | "wrong_owner"
  | "wrong_signer"
  | "maker_not_allowed"
  | "banned"
  | "closed_only"
  | "geoblocked"
  | "off_tick"
  | "min_size"
  | "balance"
  | "amount_accuracy"
  | "min_notional"
  | "expiration"
  | "post_only_crossed"
  | "no_match"
  | "not_fully_filled"
  | "market_not_ready"
  | "no_orderbook"
  | "unauthorized"
  | "venue_restarting"
  | "rate_limited"
  | "post_only_mode"
  | "venue_disabled"
  | "not_sent"
  | "dry_run"
  | "not_found_after_quarantine"
  | "other_refusal";

/** Why new risk is refused for everybody until somebody acts. */
export type HaltReason =
  | "killed"
  | "starting"
  | "reconcile_failed"
  | "order_id_mismatch"
  | "ledger_failed"
  | "unauthorized"
  | "banned"
  | "geoblocked"
  | "consecutive_failures"
  | "reject_burst"
  /** More started on the socket than was approved. */
  | "conservation"
  /** The service crashed several times within minutes. */
  | "crash_loop"
  | "live_start";

/** Why new orders are restricted for now: by the venue's mode, or to sales of held shares; cancels always pass. Most end by themselves when their cause is gone. */
export type ReducingReason =
  | "day_loss"
  | "over_cap"
  /** The venue takes only closing orders of this account; a person ends it with a resume. */
  | "closed_only"
  /** Several answers to orders came late within a while; it ends when the while has passed without another. */
  | "slow_acks"
  /** The market link, or every book with money in it, is lost for longer than a moment. */
  | "feed_stale"
  | "venue_restarting"
  | "venue_post_only"
  | "venue_cancel_only"
  | "venue_disabled"
  | "telegram"
  | "geoblock"
  /** The periodic check found the account restricted, banned, or its key refused; it ends when the check passes. */
  | "account"
  /** Some code of this process wanted a host that nobody configured; a person ends it with a resume. */
  | "outbound";

/** What other parts of the desk can report, and withdraw, as a reason to take no new risk. */
export type DegradedSource = Extract<
  ReducingReason,
  "telegram" | "geoblock" | "account" | "outbound"
>;
