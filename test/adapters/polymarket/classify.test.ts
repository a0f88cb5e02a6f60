import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { classifyPost } from "../../../src/adapters/polymarket/classify.ts";

const ours = `0x${"ab".repeat(32)}`;
const foreign = `0x${"cd".repeat(32)}`;

function classify(status: number, body: unknown, retryAfter: string | null = null) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return classifyPost({ status, body: text, retryAfter }, ours);
}

const accepted = { success: true, errorMsg: "", orderID: ours, status: "live" };

/** [what, HTTP status, body, kind, reason or state]: polymarket-trading 8 and reliability 1.6. */
const table: readonly (readonly [string, number, unknown, string, string?])[] = [
  ["accepted, resting", 200, accepted, "accepted", "live"],
  ["accepted, matched", 200, { ...accepted, status: "matched" }, "accepted", "matched"],
  ["accepted, delayed", 200, { ...accepted, status: "delayed" }, "accepted", "delayed"],
  ["accepted, not filled", 200, { ...accepted, status: "unmatched" }, "accepted", "live"],
  [
    "accepted, a word nobody knows (V7)",
    200,
    { ...accepted, status: "queued" },
    "accepted",
    "live",
  ],
  [
    "accepted, upper case id",
    200,
    { ...accepted, orderID: ours.toUpperCase().replace("X", "x") },
    "accepted",
    "live",
  ],
  ["another id (V6)", 200, { ...accepted, orderID: foreign }, "id_mismatch"],
  [
    "another id in a refusal",
    400,
    { error: "not enough balance / allowance", orderID: foreign },
    "id_mismatch",
  ],
  [
    "another id in the text",
    400,
    { error: `order ${foreign} is invalid. Duplicated.` },
    "id_mismatch",
  ],
  ["success with an error text (V4)", 200, { ...accepted, errorMsg: "something" }, "unknown"],
  [
    "success with a refusal text and no id",
    200,
    { ...accepted, orderID: "", errorMsg: "not enough balance / allowance" },
    "unknown",
  ],
  ["success without an id (V4)", 200, { ...accepted, orderID: "" }, "unknown"],
  ["success that is a string", 200, { ...accepted, success: "true" }, "unknown"],
  [
    "a refusal in a 200",
    200,
    { success: false, errorMsg: "not enough balance / allowance", orderID: "", status: "" },
    "rejected",
    "balance",
  ],
  [
    "a delayed leg that failed",
    200,
    { success: false, errorMsg: "", orderID: "", status: "delayed" },
    "unknown",
  ],
  ["HTML (V3)", 200, "<html>ok</html>", "unknown"],
  ["empty body (V3)", 200, "", "unknown"],
  ["an array (V3)", 200, [], "unknown"],
  ["null (V3)", 200, "null", "unknown"],
  ["cut JSON (N8)", 200, '{"success":true,"orderID":"0x', "unknown"],
  [
    "duplicated, our id (V5)",
    400,
    { error: `order ${ours} is invalid. Duplicated.` },
    "duplicated",
  ],
  [
    "duplicated in a 200",
    200,
    {
      success: true,
      errorMsg: "order is invalid. Duplicated. Same order has already been placed",
      orderID: "",
    },
    "duplicated",
  ],
  ["payload", 400, { error: "Invalid order payload" }, "rejected", "invalid_payload"],
  ["version", 400, { error: "order_version_mismatch" }, "rejected", "order_version_mismatch"],
  ["signature", 400, { error: "invalid signature" }, "rejected", "invalid_signature"],
  [
    "owner",
    400,
    { error: "the order owner has to be the owner of the API KEY" },
    "rejected",
    "wrong_owner",
  ],
  [
    "signer",
    400,
    { error: "the order signer address has to be the address of the API KEY" },
    "rejected",
    "wrong_signer",
  ],
  [
    "maker",
    400,
    { error: "maker address not allowed, please use the deposit wallet flow" },
    "rejected",
    "maker_not_allowed",
  ],
  ["banned (V11)", 400, { error: "'0xabc' address banned" }, "rejected", "banned"],
  ["closed only (V30)", 400, { error: "address in closed only mode" }, "rejected", "closed_only"],
  [
    "tick (V23)",
    400,
    { error: `order ${ours} is invalid. Price (0.123) breaks minimum tick size rule: 0.01` },
    "rejected",
    "off_tick",
  ],
  [
    "size",
    400,
    { error: `order ${ours} is invalid. Size (1) lower than the minimum: 5` },
    "rejected",
    "min_size",
  ],
  [
    "balance",
    400,
    {
      error:
        "not enough balance / allowance: the balance is not enough -> balance: 1, order amount: 2",
    },
    "rejected",
    "balance",
  ],
  [
    "accuracy",
    400,
    {
      error:
        "invalid amounts, the market buy orders maker amount supports a max accuracy of 2 decimals, taker amount a max of 4 decimals",
    },
    "rejected",
    "amount_accuracy",
  ],
  [
    "notional",
    400,
    { error: "invalid amount for a marketable BUY order ($0.5), min size: $1" },
    "rejected",
    "min_notional",
  ],
  ["expiration", 400, { error: "invalid expiration" }, "rejected", "expiration"],
  [
    "post-only",
    400,
    { error: "invalid post-only order: order crosses book" },
    "rejected",
    "post_only_crossed",
  ],
  [
    "post-only, other words",
    400,
    { error: `order ${ours} crosses the book` },
    "rejected",
    "post_only_crossed",
  ],
  [
    "FAK without a match, with our id",
    400,
    {
      error:
        "no orders found to match with FAK order. FAK orders are partially filled or killed if no match is found.",
      orderID: ours,
    },
    "rejected",
    "no_match",
  ],
  [
    "FOK not filled",
    400,
    { error: "order couldn't be fully filled. FOK orders are fully filled or killed." },
    "rejected",
    "not_fully_filled",
  ],
  [
    "not yet ready",
    400,
    { error: "the market is not yet ready to process new orders" },
    "rejected",
    "market_not_ready",
  ],
  [
    "match delayed",
    400,
    { error: "order match delayed due to market conditions" },
    "rejected",
    "market_not_ready",
  ],
  [
    "too many",
    400,
    { error: "Too many orders in payload: 16, max allowed: 15" },
    "rejected",
    "invalid_payload",
  ],
  ["rounding", 400, { error: "the trade contains rounding issues" }, "rejected", "other_refusal"],
  ["a 400 that nobody documented", 400, { error: "could not run the execution" }, "unknown"],
  ["context canceled", 400, { error: "context canceled" }, "unknown"],
  ["a 400 from a proxy", 400, "<html>Bad Request</html>", "unknown"],
  ["key refused", 401, { error: "Unauthorized/Invalid api key" }, "rejected", "unauthorized"],
  ["401 without a body", 401, "", "rejected", "unauthorized"],
  ["forbidden", 403, "<html>blocked</html>", "rejected", "unauthorized"],
  [
    "forbidden, geoblocked (V30)",
    403,
    { error: "Trading restricted in your region, please refer to available regions" },
    "rejected",
    "geoblocked",
  ],
  [
    "forbidden, closed only",
    403,
    { error: "address in closed only mode" },
    "rejected",
    "closed_only",
  ],
  ["L1 headers", 401, { error: "Invalid L1 Request headers" }, "rejected", "unauthorized"],
  ["api key", 401, { error: "Invalid API key" }, "rejected", "unauthorized"],
  ["market unknown", 404, { error: "market not found" }, "rejected", "no_orderbook"],
  ["token unknown", 404, { error: "token id not found" }, "rejected", "no_orderbook"],
  [
    "accuracy of a sale",
    400,
    {
      error:
        "invalid amounts, the market sell orders maker amount supports a max accuracy of 2 decimals, taker amount a max of 4 decimals",
    },
    "rejected",
    "amount_accuracy",
  ],
  [
    "worst maker",
    400,
    {
      error:
        "the price of the taker's order has a discrepancy greater than allowed with the worst maker order",
    },
    "rejected",
    "other_refusal",
  ],
  [
    "FOK, short words",
    400,
    { error: "FOK orders are filled or killed" },
    "rejected",
    "not_fully_filled",
  ],
  ["internal error", 500, { error: "Internal server error" }, "unknown"],
  ["disabled, short words", 503, { error: "trading is disabled" }, "not_taken", "venue_disabled"],
  [
    "a leg of a batch in post-only mode: success, text, no id (V4)",
    200,
    {
      success: true,
      errorMsg: "post-only mode: only post-only orders and cancels are allowed",
      orderID: "",
      status: "",
    },
    "unknown",
  ],
  [
    "a leg that failed as delayed, with a text (V4)",
    200,
    { success: false, errorMsg: "not enough balance / allowance", orderID: "", status: "delayed" },
    "unknown",
  ],
  ["forbidden, banned", 403, { error: "'0xabc' address banned" }, "rejected", "banned"],
  [
    "no book",
    404,
    { error: "No orderbook exists for the requested token id" },
    "rejected",
    "no_orderbook",
  ],
  ["404 of something between", 404, "not found", "unknown"],
  ["restarting (V8)", 425, "", "not_taken", "venue_restarting"],
  ["rate limited (V10)", 429, { error: "Too Many Requests" }, "not_taken", "rate_limited"],
  ["rate limited by the edge", 429, "error code: 1015", "not_taken", "rate_limited"],
  ["insert failed (V1, V2)", 500, { error: "could not insert order" }, "unknown"],
  ["bad gateway", 502, "<html>", "unknown"],
  [
    "post-only mode",
    503,
    {
      error: "post-only mode: only post-only orders and cancels are allowed",
      code: "post_only_mode",
    },
    "not_taken",
    "post_only_mode",
  ],
  [
    "disabled (V9)",
    503,
    { error: "Trading is currently disabled. Check polymarket.com for updates" },
    "not_taken",
    "venue_disabled",
  ],
  [
    "cancel-only (V9)",
    503,
    { error: "Trading is currently cancel-only. New orders are not accepted" },
    "not_taken",
    "venue_disabled",
  ],
  ["503 of something between", 503, "<html>Service Unavailable</html>", "unknown"],
  ["504", 504, "", "unknown"],
  ["a redirect", 302, "", "unknown"],
  ["a status from nowhere", 418, { error: "not enough balance / allowance" }, "unknown"],
];

describe("what an answer to a POST of an order means", () => {
  for (const [what, status, body, kind, word] of table) {
    test(what, () => {
      const outcome = classify(status, body);
      expect(outcome.kind).toBe(kind);
      if (outcome.kind === "accepted") expect(outcome.state).toBe(word);
      else if (outcome.kind === "rejected" || outcome.kind === "not_taken") {
        expect(outcome.reason).toBe(word);
      } else expect(word).toBeUndefined();
    });
  }

  test.each([
    [425, "2", null, 2_000],
    [429, "0.5", null, 500],
    [429, "Wed, 21 Oct 2026 07:28:00 GMT", null, null],
    [429, "-1", null, null],
    [429, "999999", null, 3_600_000],
    [503, null, 30, 30_000],
  ] as const)(
    "HTTP %i with Retry-After %s and body %s waits %s ms",
    (status, header, seconds, waitMs) => {
      const body = { code: "post_only_mode", retry_after_seconds: seconds };
      const outcome = classify(status, body, header);
      expect(outcome).toMatchObject({ kind: "not_taken", retryAfterMs: waitMs });
    },
  );

  test("nothing but our own id with success and no error is ever accepted", () => {
    const words = fc.constantFrom("", ours, foreign, "live", "matched", "error", "Duplicated");
    const body = fc.record(
      {
        success: fc.oneof(fc.boolean(), words, fc.constant(null)),
        errorMsg: fc.oneof(words, fc.integer()),
        error: words,
        orderID: fc.oneof(words, fc.integer()),
        status: fc.oneof(words, fc.integer()),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 599 }), body, (status, fields) => {
        const outcome = classify(status, fields);
        if (outcome.kind !== "accepted") return;
        expect(fields.success).toBe(true);
        expect(fields.orderID).toBe(ours);
        expect(status).toBe(200 + (status % 100));
      }),
    );
  });

  test("any text gives an outcome", () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 599 }), fc.string(), (status, body) => {
        expect(classify(status, body).kind).not.toBe("accepted");
      }),
    );
  });
});
