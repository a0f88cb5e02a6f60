import { getAddress } from "ethers/address";
import type { Account } from "./account.ts";
import { requireBalance } from "./balance-check.ts";
import { executeOrder } from "./execute-order.ts";
import type { Listing, Market } from "./market.ts";
import { crosses } from "./match-plan.ts";
import type { OrderRequest } from "./order-request.ts";
import { parseOrderRequest } from "./order-request.ts";
import {
  checkAmounts,
  checkExpiration,
  checkMarketableMinimum,
  isMarketOrder,
} from "./order-rules.ts";
import type { DomainVersion } from "./order-signature.ts";
import { exchanges, orderHash, signatureValid } from "./order-signature.ts";
import { takerOf } from "./order-taker.ts";
import type { ApiKey, OrderRecord } from "./records.ts";
import { badRequest, invalidOrder, notFound, VenueError } from "./venue-error.ts";
import type { VenueState } from "./venue-state.ts";
import { placedBody } from "./wire.ts";
import type { Work } from "./work.ts";
import { index } from "./work.ts";

/** Bound on one account's open orders. */
const MAX_OPEN_ORDERS = 5000;

const SIGNER_TEXT = "the order signer address has to be the address of the API KEY";

/** Type 0 is the EOA itself; 1 and 2 are wallets it signs for; in 3 the wallet is maker and signer. */
function checkSigner(state: VenueState, key: ApiKey, request: OrderRequest): void {
  const { signatureType } = request.fields;
  const maker = getAddress(request.fields.maker);
  const signer = getAddress(request.fields.signer);
  if (signatureType === 3 ? signer !== maker : signer !== key.account) {
    throw badRequest(SIGNER_TEXT);
  }
  if (signatureType === 0) {
    if (maker !== key.account) {
      throw badRequest("maker address not allowed, please use the deposit wallet flow");
    }
    return;
  }
  const owner = state.accounts.ownerOfFunder(maker);
  const takenByEoa = maker !== key.account && state.accounts.get(maker) !== null;
  if ((owner !== null && owner !== key.account) || takenByEoa) throw badRequest(SIGNER_TEXT);
}

/** A blocked place gets 403 from the edge; the account's own restrictions are answered by the exchange. */
function checkAccess(state: VenueState, key: ApiKey, request: OrderRequest): void {
  const { blocked, closedOnly, banned } = state.access;
  if (blocked) throw new VenueError(403, "Trading restricted in your region");
  if (banned) throw badRequest(`'${key.account}' address banned`);
  if (closedOnly && request.side === "BUY") {
    throw badRequest(`'${key.account}' address in closed only mode`);
  }
}

const otherDomains: readonly { readonly version: DomainVersion; readonly exchange: string }[] = [
  { version: "1", exchange: exchanges.standard },
  { version: "1", exchange: exchanges.negRisk },
  { version: "2", exchange: exchanges.standard },
  { version: "2", exchange: exchanges.negRisk },
  { version: "3", exchange: exchanges.positions },
];

/** Recovers the signer under the market's own domain; a hit under another version is a version mismatch. */
function checkSignature(market: Market, key: ApiKey, request: OrderRequest): void {
  const { fields, signature } = request;
  const domain = market.domain();
  if (request.hasV1Fields) throw badRequest("order_version_mismatch");
  if (signatureValid(fields, domain, signature, key.account)) return;
  const mismatch = otherDomains.some(
    (other) =>
      other.version !== domain.version && signatureValid(fields, other, signature, key.account),
  );
  throw badRequest(mismatch ? "order_version_mismatch" : "invalid signature");
}

function listingOf(state: VenueState, request: OrderRequest): Listing {
  const listing = state.markets.byToken(request.tokenId);
  if (listing === null || listing.market.resolved !== null) {
    throw notFound("No orderbook exists for the requested token id");
  }
  return listing;
}

function checkRules(state: VenueState, market: Market, id: string, request: OrderRequest): bigint {
  if (!market.acceptingOrders) {
    throw badRequest("the market is not yet ready to process new orders");
  }
  if (request.postOnly && isMarketOrder(request)) {
    throw badRequest("invalid post-only order: only GTC and GTD orders can be post-only");
  }
  const rules = { tickSize: market.book.tickSize, minOrderSize: market.spec.minOrderSize };
  const price = checkAmounts(id, request, rules);
  checkExpiration(request, state.now(), state.options.gtdMinLeadMs);
  return price;
}

function newRecord(
  listing: Listing,
  key: ApiKey,
  request: OrderRequest,
  id: string,
  about: { readonly price: bigint; readonly nowMs: number },
): OrderRecord {
  const { makerAmount, takerAmount, maker } = request.fields;
  return {
    id,
    account: key.account,
    owner: key.key,
    maker: getAddress(maker),
    conditionId: listing.market.id,
    tokenId: request.tokenId,
    outcomeIndex: listing.outcome,
    outcome: listing.market.spec.outcomes[listing.outcome].name,
    side: request.side,
    orderType: request.orderType,
    postOnly: request.postOnly,
    price: about.price,
    makerAmount,
    takerAmount,
    originalSize: request.side === "BUY" ? takerAmount : makerAmount,
    createdAtMs: about.nowMs,
    expirationS: request.expirationS,
    matched: 0n,
    status: "LIVE",
    matchAtMs: null,
    tradeIds: [],
  };
}

function delay(
  state: VenueState,
  work: Work,
  market: Market,
  account: Account,
  order: OrderRecord,
): void {
  order.status = "DELAYED";
  order.matchAtMs = work.nowMs + market.spec.secondsDelay * state.options.delaySecondMs;
  index(order, account, market);
  state.delayed.set(order.id, order);
  if (order.expirationS > 0) state.expiring.set(order.id, order);
  work.orderChanged(order, "PLACEMENT");
}

/**
 * Judges one order of POST /order: shape, owner, signer, signature, duplicate, rules, balance, then matches it.
 * Returns the answer's body; throws VenueError with the documented text and status.
 */
export function placeOrder(
  state: VenueState,
  key: ApiKey,
  payload: unknown,
): Record<string, unknown> {
  const request = parseOrderRequest(payload);
  if (request.owner !== key.key) {
    throw badRequest("the order owner has to be the owner of the API KEY");
  }
  checkSigner(state, key, request);
  checkAccess(state, key, request);
  const listing = listingOf(state, request);
  const { market } = listing;
  checkSignature(market, key, request);
  const { version, exchange } = market.domain();
  const id = orderHash(request.fields, version, exchange);
  const account = state.accounts.get(key.account);
  if (account === null) throw badRequest("account not found");
  return state.act((work) => {
    if (state.order(id) !== null) throw invalidOrder(id, "Duplicated.");
    const price = checkRules(state, market, id, request);
    const order = newRecord(listing, key, request, id, { price, nowMs: work.nowMs });
    const crossing = crosses(market.book, takerOf(order));
    if (crossing && request.postOnly) {
      throw badRequest("invalid post-only order: order crosses book");
    }
    if (crossing) checkMarketableMinimum(request);
    if (account.open.size >= MAX_OPEN_ORDERS) throw badRequest("too many open orders");
    requireBalance(account, order);
    bindFunder(state, work, order);
    if (crossing && market.spec.secondsDelay > 0) {
      delay(state, work, market, account, order);
      return { ...placedBody(order, null), takingAmount: "0", makingAmount: "0" };
    }
    const outcome = executeOrder(state, work, market, order);
    if (!outcome.ok) throw outcome.error;
    return placedBody(order, outcome.value);
  });
}

function bindFunder(state: VenueState, work: Work, order: OrderRecord): void {
  if (order.maker === order.account || state.accounts.ownerOfFunder(order.maker) !== null) return;
  state.accounts.bindFunder(order.maker, order.account);
  work.funders.push({ address: order.maker, account: order.account });
}

/** Most orders in one POST /orders. */
const MAX_BATCH = 15;

/** Judges a batch one by one; each leg has its own answer. Throws only when the batch itself is wrong. */
export function placeOrders(
  state: VenueState,
  key: ApiKey,
  payload: unknown,
): Record<string, unknown>[] {
  if (!Array.isArray(payload) || payload.length === 0) throw badRequest("Invalid order payload");
  if (payload.length > MAX_BATCH) {
    throw badRequest(`Too many orders in payload: ${payload.length}, max allowed: ${MAX_BATCH}`);
  }
  return payload.map((leg: unknown) => {
    try {
      return placeOrder(state, key, leg);
    } catch (error) {
      if (!(error instanceof VenueError)) throw error;
      const orderID = typeof error.body.orderID === "string" ? error.body.orderID : "";
      const amounts = { takingAmount: "", makingAmount: "" };
      return { errorMsg: error.message, orderID, ...amounts, status: "", success: false };
    }
  });
}
