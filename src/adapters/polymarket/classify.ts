import type { RejectReason } from "../../engine/domain/reasons.ts";
import type { PostOutcome } from "../../engine/protocol/venue-report.ts";
import { type Fields, fieldsOf, freeText, jsonOf, textOf } from "./wire.ts";

/** What came back for a POST of an order. */
export type PostAnswer = {
  readonly status: number;
  readonly body: string;
  /** The Retry-After header, null when there is none. */
  readonly retryAfter: string | null;
};

/** Documented refusal texts and what each means; the first that fits decides (polymarket-trading 8). */
const refusals: readonly (readonly [RegExp, RejectReason])[] = [
  [/order_version_mismatch/i, "order_version_mismatch"],
  [/invalid order payload/i, "invalid_payload"],
  [/too many orders in payload/i, "invalid_payload"],
  [/invalid signature/i, "invalid_signature"],
  [/order owner has to be the owner of the api key/i, "wrong_owner"],
  [/order signer address has to be the address of the api key/i, "wrong_signer"],
  [/maker address not allowed/i, "maker_not_allowed"],
  [/address banned/i, "banned"],
  [/closed only mode/i, "closed_only"],
  [/restricted in your region|geo-?block/i, "geoblocked"],
  [/breaks minimum tick size/i, "off_tick"],
  [/size \(.*\) lower than the minimum/i, "min_size"],
  [/not enough balance/i, "balance"],
  [/invalid amounts/i, "amount_accuracy"],
  [/invalid amount for a marketable/i, "min_notional"],
  [/invalid expiration/i, "expiration"],
  [/post-only order|crosses (?:the )?book/i, "post_only_crossed"],
  [/no orders found to match with fak/i, "no_match"],
  [/couldn't be fully filled|fok orders are (?:fully )?filled or killed/i, "not_fully_filled"],
  [/order match delayed due to market conditions/i, "market_not_ready"],
  [/not yet ready to process new orders/i, "market_not_ready"],
  [/contains rounding issues/i, "other_refusal"],
  [/has a discrepancy greater than allowed/i, "other_refusal"],
  [/no orderbook exists|market not found|not found/i, "no_orderbook"],
];

/** The venue's own words in an answer, wherever it put them. */
function textIn(fields: Fields): string {
  for (const name of ["errorMsg", "error", "error_msg", "message"]) {
    const text = freeText(fields[name]);
    if (text !== "") return text;
  }
  return "";
}

const maxDetail = 300;

/** Free text of the venue for logs: one line, bounded. */
function detailOf(text: string): string {
  return text.replaceAll(/\s+/g, " ").slice(0, maxDetail);
}

const maxRetryAfterS = 3_600;

function retryAfterMs(answer: PostAnswer, fields: Fields | null): number | null {
  const text = answer.retryAfter ?? textOf(fields?.["retry_after_seconds"]) ?? "";
  if (!/^\d{1,6}(?:\.\d{1,6})?$/.test(text)) return null;
  return Math.ceil(Math.min(Number(text), maxRetryAfterS) * 1_000);
}

/** The order that the answer speaks of, when it is another than the one sent. */
function foreignId(fields: Fields, text: string, expectedHash: string): string | null {
  const named = /^order (0x[0-9a-f]{64}) (?:is invalid|crosses)/i.exec(text)?.[1];
  for (const id of [freeText(fields["orderID"]), named ?? ""]) {
    if (id !== "" && id.toLowerCase() !== expectedHash.toLowerCase()) return id.slice(0, 80);
  }
  return null;
}

/**
 * What a complete answer to a POST of one order means (reliability 1.6). Only a documented refusal is `rejected`;
 * everything that is not in the tables is `unknown`.
 */
export function classifyPost(answer: PostAnswer, expectedHash: string): PostOutcome {
  const fields = fieldsOf(jsonOf(answer.body));
  const text = fields === null ? "" : textIn(fields);
  const detail = detailOf(`HTTP ${answer.status} ${text}`);
  if (fields !== null) {
    const got = foreignId(fields, text, expectedHash);
    if (got !== null) return { kind: "id_mismatch", got };
    if (/duplicated/i.test(text)) return { kind: "duplicated" };
  }
  if (answer.status >= 200 && answer.status < 300) {
    return fields === null
      ? { kind: "unknown", detail: detailOf(`HTTP ${answer.status} without a JSON object`) }
      : classifySuccess(fields, text, expectedHash);
  }
  const notTaken = classifyMode(answer.status, text, fields);
  if (notTaken !== null) {
    return {
      kind: "not_taken",
      reason: notTaken,
      retryAfterMs: retryAfterMs(answer, fields),
      detail,
    };
  }
  const reason = classifyRefusal(answer.status, text);
  return reason === null ? { kind: "unknown", detail } : { kind: "rejected", reason, detail };
}

/** Accepted only if the flag, the empty error and our own hash agree; a flag alone proves nothing (reliability 2.2). */
function classifySuccess(fields: Fields, text: string, expectedHash: string): PostOutcome {
  const id = freeText(fields["orderID"]).toLowerCase();
  const status = freeText(fields["status"]).toLowerCase();
  const detail = detailOf(`HTTP 200 ${text} ${status}`);
  if (fields["success"] === true && text === "" && id === expectedHash.toLowerCase()) {
    // An unknown word beside our own id still means that the venue holds the order.
    const state = status === "matched" || status === "delayed" ? status : "live";
    return { kind: "accepted", state };
  }
  const reason = refusalOf(text);
  if (fields["success"] === false && reason !== null && status !== "delayed") {
    return { kind: "rejected", reason, detail };
  }
  return { kind: "unknown", detail };
}

function classifyMode(status: number, text: string, fields: Fields | null): RejectReason | null {
  if (status === 425) return "venue_restarting";
  if (status === 429) return "rate_limited";
  if (status !== 503 || fields === null) return null;
  if (fields["code"] === "post_only_mode" || /post-only mode/i.test(text)) return "post_only_mode";
  return /trading is (?:currently )?(?:disabled|cancel-only)/i.test(text) ? "venue_disabled" : null;
}

function classifyRefusal(status: number, text: string): RejectReason | null {
  if (status === 401 || status === 403) {
    const reason = refusalOf(text);
    const named = reason === "banned" || reason === "closed_only" || reason === "geoblocked";
    return named ? reason : "unauthorized";
  }
  return status === 400 || status === 404 ? refusalOf(text) : null;
}

function refusalOf(text: string): RejectReason | null {
  return refusals.find(([pattern]) => pattern.test(text))?.[1] ?? null;
}
