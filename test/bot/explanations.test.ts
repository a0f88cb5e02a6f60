import { describe, expect, test } from "vitest";
import { explain } from "../../src/bot/render/explain.ts";
import { explainHalt } from "../../src/bot/render/explain-halt.ts";
import { explainReject } from "../../src/bot/render/explain-order.ts";
import type { DenyReason, HaltReason, RejectReason } from "../../src/engine/domain/reasons.ts";

describe("explanations", () => {
  const deny: Record<DenyReason, true> = {
    killed: true,
    not_ready: true,
    paused: true,
    card_unknown: true,
    card_used: true,
    card_expired: true,
    card_not_yours: true,
    price_moved: true,
    market_unknown: true,
    market_closed: true,
    market_unsupported: true,
    outcome_unknown: true,
    book_stale: true,
    book_empty: true,
    no_liquidity: true,
    off_tick: true,
    price_collar: true,
    price_collar_period: true,
    min_size: true,
    min_order_usd: true,
    amount_invalid: true,
    expiry_invalid: true,
    insufficient_cash: true,
    insufficient_shares: true,
    cap_order: true,
    cap_outcome: true,
    cap_market: true,
    cap_total: true,
    cap_event: true,
    cap_strategy: true,
    cap_day_volume: true,
    cap_day_loss: true,
    duplicate_intent: true,
    order_unknown: true,
    order_closed: true,
    reducing: true,
    venue_mode: true,
    set_incomplete: true,
    set_augmented: true,
    set_other: true,
    set_fee: true,
    set_not_profitable: true,
    needs_convert: true,
    command_expired: true,
    busy: true,
    rate_limited: true,
    ledger_failed: true,
    venue_unreachable: true,
    resume_too_soon: true,
    not_killed: true,
  };
  const reject: Record<RejectReason, true> = {
    invalid_payload: true,
    order_version_mismatch: true,
    invalid_signature: true,
    wrong_owner: true,
    wrong_signer: true,
    maker_not_allowed: true,
    banned: true,
    closed_only: true,
    geoblocked: true,
    off_tick: true,
    min_size: true,
    balance: true,
    amount_accuracy: true,
    min_notional: true,
    expiration: true,
    post_only_crossed: true,
    no_match: true,
    not_fully_filled: true,
    market_not_ready: true,
    no_orderbook: true,
    unauthorized: true,
    venue_restarting: true,
    rate_limited: true,
    post_only_mode: true,
    venue_disabled: true,
    not_sent: true,
    dry_run: true,
    not_found_after_quarantine: true,
    other_refusal: true,
  };
  const halts: HaltReason[] = ["killed", "starting", "banned", "live_start", "ledger_failed"];

  test.each(Object.keys(deny) as DenyReason[])(
    "%s: what, where the money is, what to do",
    (code) => {
      for (const denial of [
        { code },
        { code, limit: 1_000_000, wanted: 2_000_000, subject: "x\ny" },
      ]) {
        const { what, money: where, todo } = explain(denial);
        for (const line of [what, where, todo]) {
          expect(line).toMatch(/\w/);
          expect(line).not.toMatch(/\n|undefined|NaN/);
        }
      }
    },
  );

  test.each(Object.keys(reject) as RejectReason[])("the venue says %s", (reason) => {
    expect(Object.values(explainReject(reason)).join("")).not.toMatch(/undefined|^$/);
  });

  test.each(halts)("halted: %s", (reason) => {
    expect(explainHalt(reason).todo).toMatch(/\w/);
  });

  test("a pause names its halt", () => {
    expect(explain({ code: "paused", subject: "unauthorized" }).what).toContain(
      "does not accept our key",
    );
  });
});
