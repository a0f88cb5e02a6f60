import type { FillReport } from "../../engine/domain/fill.ts";
import type { Shares, Usd } from "../../engine/domain/numbers.ts";
import type { Denial } from "../../engine/domain/reasons.ts";
import { AdapterError } from "../../engine/lib/errors.ts";
import { err, ok, type Result } from "../../engine/lib/result.ts";
import type { Log } from "../../engine/ports/system.ts";
import type { VenuePort } from "../../engine/ports/venue.ts";
import type {
  AccountBalance,
  CancelOutcome,
  PostOutcome,
  QueryOutcome,
  VenueOrder,
} from "../../engine/protocol/venue-report.ts";
import { cancelEverything, cancelMany } from "./cancels.ts";
import { classifyPost } from "./classify.ts";
import { type ClobClient, errorText, type PrivateCall } from "./clob-client.ts";
import type { Exchanges } from "./contracts.ts";
import { GateClosedError, type HttpAnswer } from "./http-client.ts";
import { parseTrade, parseVenueOrder } from "./parse-account.ts";
import type { RateGuard } from "./rate-limits.ts";
import type { OrderSigner } from "./signing.ts";
import type { UserFeed } from "./user-feed.ts";
import { arrayOf, type Fields, fieldsOf, freeText, jsonOf, textOf } from "./wire.ts";

/** Pages of one listing; a page has up to 500 rows. */
const maxPages = 200;
const firstCursor = "MA==";
const lastCursor = "LTE=";

/** How long an order may wait for our own limits when its sender names no time. */
const orderWaitMs = 2_000;

const nothingToCancel: CancelOutcome = { kind: "answered", canceled: [], refused: {} };

export type VenueOptions = {
  readonly clob: ClobClient;
  readonly signer: OrderSigner;
  readonly exchanges: Exchanges;
  readonly userFeed: UserFeed;
  /** True: connections for orders are opened ahead once the venue is connected. */
  readonly keepSpares: boolean;
  /** Our own limits below the venue's. */
  readonly limits: RateGuard;
  readonly log: Log;
};

/** Carries the gate's reason through the HTTP client. */
class DenialError extends AdapterError {
  override readonly name = "DenialError";
  readonly denial: Denial;

  constructor(denial: Denial) {
    super("DENIED", denial.code, { outcome: "not_sent", retryable: false });
    this.denial = denial;
  }
}

/** The exchange behind the engine's port. No method throws, except `prepare` before `connect` (AdapterError). */
export function createVenue(options: VenueOptions): VenuePort {
  const { clob, signer, userFeed, limits, log } = options;
  const sends = { seq: 0, keyRenewed: false };
  return {
    account: { signer: signer.signer, funder: signer.funder },
    connect: () => connect(options),
    async readTime() {
      try {
        return ok(await clob.measureClock());
      } catch (error) {
        return err(detailOf(error));
      }
    },
    prepare(draft, unique) {
      const credentials = clob.credentials();
      if (credentials === null) {
        throw new AdapterError("NOT_CONNECTED", "an order names its API key: connect first", {
          outcome: "not_sent",
          retryable: true,
        });
      }
      return signer.prepare(draft, unique, credentials.apiKey);
    },
    async post(order, gate, waitMaxMs = orderWaitMs) {
      const seq = ++sends.seq;
      const admitted = limits.admit("orders", 1, waitMaxMs);
      if (admitted !== true && !(await admitted)) {
        log.warn("order.held_back", { seq, orderHash: order.orderHash });
        return { kind: "blocked", denial: { code: "rate_limited" } };
      }
      let passed = false;
      const first = await postOrder(options, order.orderHash, {
        method: "POST",
        path: "/order",
        body: order.body,
        gate: () => {
          const denial = gate();
          passed = denial === null;
          return denial === null ? null : new DenialError(denial);
        },
      });
      const outcome = await renewKey(options, sends, first);
      log.info("order.posted", { seq, orderHash: order.orderHash, passed, outcome: outcome.kind });
      return outcome;
    },
    // Nothing was sent in a dry run, so there is nothing of ours to cancel; what others placed is theirs.
    cancel: (orderHashes) =>
      clob.readOnly ? Promise.resolve(nothingToCancel) : cancelMany(clob, limits, orderHashes),
    cancelAll: () =>
      clob.readOnly ? Promise.resolve(nothingToCancel) : cancelEverything(clob, limits),
    queryOrder: (orderHash) => queryOrder(clob, orderHash),
    openOrders: () => listOrders(clob),
    fills: (afterS) => listFills(options, afterS),
    balance: () => readBalance(options),
    shares: (tokenId, version) => readShares(options, tokenId, version),
    listen: (listener) => userFeed.start(listener),
    async close() {
      await userFeed.close();
      await clob.close();
    },
  };
}

function detailOf(error: unknown): string {
  return error instanceof Error ? error.message.slice(0, 300) : "unreadable failure";
}

async function connect(
  options: VenueOptions,
): Promise<Result<{ readonly clockOffsetMs: number }, string>> {
  const { clob } = options;
  try {
    const { offsetMs: clockOffsetMs } = await clob.measureClock();
    if (clob.credentials() !== null) {
      // A stored key that the venue no longer takes is derived again, once, by the client.
      const probe = await clob.call(balanceCall(options, "COLLATERAL", null));
      if (probe.status === 401) return err(`the venue refuses our API key: ${errorText(probe)}`);
    } else await clob.obtainCredentials();
    if (options.keepSpares) clob.openSpares();
    return ok({ clockOffsetMs });
  } catch (error) {
    return err(detailOf(error));
  }
}

/**
 * A key that an order was refused with is derived again, once until an order got through: then nothing was taken, and the
 * same bytes may go again. A second refusal stands (polymarket-trading 8).
 */
async function renewKey(
  { clob, log }: VenueOptions,
  sends: { keyRenewed: boolean },
  outcome: PostOutcome,
): Promise<PostOutcome> {
  if (outcome.kind === "accepted") sends.keyRenewed = false;
  if (outcome.kind !== "rejected" || outcome.reason !== "unauthorized") return outcome;
  if (sends.keyRenewed) return outcome;
  sends.keyRenewed = true;
  try {
    await clob.obtainCredentials();
  } catch (error) {
    log.warn("venue.credentials_refused", { detail: detailOf(error) });
    return outcome;
  }
  log.warn("venue.credentials_renewed", {});
  return { kind: "not_taken", reason: "unauthorized", retryAfterMs: null, detail: outcome.detail };
}

async function postOrder(
  { clob, limits }: VenueOptions,
  orderHash: string,
  call: PrivateCall,
): Promise<PostOutcome> {
  try {
    const answer = await clob.sendOrder(call);
    if (answer.status === 429) limits.refused("orders", answer.retryAfter);
    return classifyPost(answer, orderHash);
  } catch (error) {
    if (error instanceof GateClosedError && error.cause instanceof DenialError) {
      return { kind: "blocked", denial: error.cause.denial };
    }
    const sent = !(error instanceof AdapterError && error.outcome === "not_sent");
    return { kind: sent ? "unknown" : "not_sent", detail: detailOf(error) };
  }
}

async function queryOrder(clob: ClobClient, orderHash: string): Promise<QueryOutcome> {
  try {
    const answer = await clob.call({ method: "GET", path: `/data/order/${orderHash}` });
    const value = jsonOf(answer.body);
    const fields = fieldsOf(value);
    if (isAbsence(answer, value)) return { kind: "absent" };
    if (answer.status !== 200 || fields === null) {
      return { kind: "failed", detail: errorText(answer) };
    }
    const order = parseVenueOrder(fieldsOf(fields["order"]) ?? fields);
    if (!order.ok) return { kind: "failed", detail: `an unreadable order: ${order.error}` };
    if (order.value.orderHash !== orderHash.toLowerCase()) {
      return { kind: "failed", detail: "an answer about another order" };
    }
    return { kind: "found", order: order.value };
  } catch (error) {
    return { kind: "failed", detail: detailOf(error) };
  }
}

/** Only the venue's own words say that it does not know an order: a bare 404 may come from anything between. */
function isAbsence(answer: HttpAnswer, value: unknown): boolean {
  if (answer.status === 200) return value === null;
  return answer.status === 404 && /not found/i.test(freeText(fieldsOf(value)?.["error"]));
}

/** All rows of a listing by its cursor, bounded. */
async function listRows(
  clob: ClobClient,
  path: string,
  query: string,
): Promise<Result<readonly Fields[], string>> {
  const rows: Fields[] = [];
  let cursor = firstCursor;
  for (let page = 0; page < maxPages; page++) {
    const next = `next_cursor=${encodeURIComponent(cursor)}`;
    const answer = await clob.call({
      method: "GET",
      path,
      query: query === "" ? next : `${query}&${next}`,
    });
    const fields = answer.status === 200 ? fieldsOf(jsonOf(answer.body)) : null;
    const data = arrayOf(fields?.["data"]);
    if (fields === null || data === null) return err(errorText(answer));
    for (const item of data) {
      const row = fieldsOf(item);
      if (row === null) return err(`${path}: a row is no object`);
      rows.push(row);
    }
    const following = freeText(fields["next_cursor"]);
    if (following === "" || following === lastCursor) return ok(rows);
    if (following === cursor) return err(`${path}: the cursor does not move`);
    cursor = following;
  }
  return err(`${path}: more than ${maxPages} pages`);
}

async function listOrders(clob: ClobClient): Promise<Result<readonly VenueOrder[], string>> {
  try {
    const rows = await listRows(clob, "/data/orders", "");
    if (!rows.ok) return rows;
    const orders: VenueOrder[] = [];
    for (const row of rows.value) {
      const order = parseVenueOrder(row);
      // An order that cannot be read must not look like an order that is gone.
      if (!order.ok) return err(`/data/orders: an unreadable order (${order.error})`);
      orders.push(order.value);
    }
    return ok(orders);
  } catch (error) {
    return err(detailOf(error));
  }
}

async function listFills(
  { clob, signer, log }: VenueOptions,
  afterS: number,
): Promise<Result<readonly FillReport[], string>> {
  try {
    const self = { apiKey: clob.credentials()?.apiKey ?? "", funder: signer.funder };
    // The venue's bound is exclusive on one page and inclusive on another: one second earlier fits both.
    const rows = await listRows(clob, "/data/trades", `after=${Math.max(0, afterS - 1)}`);
    if (!rows.ok) return rows;
    const fills = new Map<string, FillReport>();
    for (const row of rows.value) {
      const ours = parseTrade(row, self);
      if (!ours.ok && ours.error === "not_ours") {
        log.warn("venue.trade_without_us", { tradeId: freeText(row["id"]).slice(0, 80) });
        continue;
      }
      if (!ours.ok) return err(`/data/trades: an unreadable trade (${ours.error})`);
      for (const fill of ours.value) keepNewest(fills, fill);
    }
    return ok([...fills.values()]);
  } catch (error) {
    return err(detailOf(error));
  }
}

/** A trade that moved between two pages appears on both: the final state wins. */
function keepNewest(fills: Map<string, FillReport>, fill: FillReport): void {
  const key = `${fill.tradeId} ${fill.orderHash}`;
  const known = fills.get(key);
  if (known === undefined || known.status === "provisional") fills.set(key, fill);
}

function balanceCall(
  { signer }: VenueOptions,
  assetType: string,
  tokenId: string | null,
): PrivateCall {
  const token = tokenId === null ? "" : `&token_id=${tokenId}`;
  const query = `asset_type=${assetType}${token}&signature_type=${signer.signatureType}`;
  return { method: "GET", path: "/balance-allowance", query };
}

/** Allowances are often 2^256 - 1. */
function microOf(value: unknown): number | null {
  const text = textOf(value);
  if (text === null || !/^\d{1,78}$/.test(text)) return null;
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER);
}

async function readBalance(options: VenueOptions): Promise<Result<AccountBalance, string>> {
  try {
    const answer = await options.clob.call(balanceCall(options, "COLLATERAL", null));
    const fields = answer.status === 200 ? fieldsOf(jsonOf(answer.body)) : null;
    const cash = microOf(fields?.["balance"]);
    const allowance = fields === null ? null : allowanceIn(fields, options.exchanges);
    if (cash === null || allowance === null) return err(errorText(answer));
    return ok({ cash: cash as Usd, allowance: allowance as Usd });
  } catch (error) {
    return err(detailOf(error));
  }
}

/** The smallest allowance of the exchanges that trade v1 markets; older answers name one number only. */
function allowanceIn(fields: Fields, exchanges: Exchanges): number | null {
  const map = fieldsOf(fields["allowances"]);
  if (map === null) return microOf(fields["allowance"]);
  const wanted = new Set([exchanges.standard.toLowerCase(), exchanges.negRisk.toLowerCase()]);
  const found: number[] = [];
  for (const [spender, value] of Object.entries(map)) {
    const allowance = microOf(value);
    if (wanted.has(spender.toLowerCase()) && allowance !== null) found.push(allowance);
  }
  return found.length === 0 ? null : Math.min(...found);
}

async function readShares(
  options: VenueOptions,
  tokenId: string,
  version: "v1" | "v2",
): Promise<Result<Shares, string>> {
  try {
    const assetType = version === "v2" ? "CONDITIONAL-V2" : "CONDITIONAL";
    const answer = await options.clob.call(balanceCall(options, assetType, tokenId));
    const fields = answer.status === 200 ? fieldsOf(jsonOf(answer.body)) : null;
    const shares = microOf(fields?.["balance"]);
    return shares === null ? err(errorText(answer)) : ok(shares as Shares);
  } catch (error) {
    return err(detailOf(error));
  }
}
