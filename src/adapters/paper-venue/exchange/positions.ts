import { randomBytes } from "node:crypto";
import type { Account } from "./account.ts";
import { formatMicro } from "./amounts.ts";
import { cancelOrder } from "./cancel-orders.ts";
import type { Market } from "./market.ts";
import { marketResolvedFrame } from "./market-events.ts";
import type { ActivityRow, ActivityType, OutcomeIndex } from "./records.ts";
import { badRequest, notFound } from "./venue-error.ts";
import type { VenueState } from "./venue-state.ts";
import type { Work } from "./work.ts";

/** Calls on the position contracts, done at once: split, merge, convert, and payment on resolution. */

type Entry = {
  readonly type: ActivityType;
  readonly market: Market;
  readonly outcome: OutcomeIndex | null;
  readonly size: bigint;
  readonly cash: bigint;
};

function record(state: VenueState, work: Work, account: Account, entry: Entry): void {
  const { type, market, outcome, size, cash } = entry;
  const row: ActivityRow = {
    seq: state.nextSeq(),
    account: account.address,
    address: state.accounts.shownAddress(account.address),
    type,
    atMs: work.nowMs,
    conditionId: market.id,
    tokenId: outcome === null ? "" : market.token(outcome),
    outcomeIndex: outcome,
    side: "",
    size,
    cash,
    price: 0n,
    transactionHash: `0x${randomBytes(32).toString("hex")}`,
  };
  work.activity.push(row);
}

function freeShares(account: Account, market: Market, outcome: OutcomeIndex): bigint {
  const token = market.token(outcome);
  return account.shares(token) - account.reservedShares(token);
}

function requireFree(free: bigint, wanted: bigint): void {
  if (free < wanted) {
    throw badRequest(`not enough balance: ${formatMicro(free)} free, ${formatMicro(wanted)} asked`);
  }
}

function openMarket(state: VenueState, conditionId: string): Market {
  const market = state.markets.market(conditionId);
  if (market === null || market.resolved !== null) throw notFound("market not found");
  return market;
}

/** Turns dollars into full sets of a market. Throws 400 or 404. */
export function split(state: VenueState, account: Account, conditionId: string, shares: bigint) {
  const market = openMarket(state, conditionId);
  requireFree(account.cash - account.reservedCash(), shares);
  state.act((work) => {
    state.giveCash(work, account, -shares);
    for (const outcome of [0, 1] as const) {
      state.giveShares(work, account, market, outcome, shares);
    }
    record(state, work, account, {
      type: "SPLIT",
      market,
      outcome: null,
      size: shares,
      cash: shares,
    });
  });
}

/** Turns full sets of a market back into dollars. Throws 400 or 404. */
export function merge(state: VenueState, account: Account, conditionId: string, shares: bigint) {
  const market = openMarket(state, conditionId);
  for (const outcome of [0, 1] as const) {
    requireFree(freeShares(account, market, outcome), shares);
  }
  state.act((work) => {
    for (const outcome of [0, 1] as const) {
      state.giveShares(work, account, market, outcome, -shares);
    }
    state.giveCash(work, account, shares);
    record(state, work, account, {
      type: "MERGE",
      market,
      outcome: null,
      size: shares,
      cash: shares,
    });
  });
}

function negRiskMarkets(state: VenueState, negRiskMarketId: string): Market[] {
  const markets = state.markets
    .all()
    .filter((market) => market.spec.negRisk && market.spec.negRiskMarketId === negRiskMarketId);
  if (markets.length === 0) throw notFound("neg-risk market not found");
  return markets;
}

/**
 * Neg-risk convert: `shares` of NO in each of k chosen markets become YES in every other market of the event
 * plus (k - 1) dollars a share. Throws 400 or 404.
 */
export function convert(
  state: VenueState,
  account: Account,
  negRiskMarketId: string,
  conditionIds: readonly string[],
  shares: bigint,
): void {
  const all = negRiskMarkets(state, negRiskMarketId);
  const chosen = all.filter((market) => conditionIds.includes(market.id));
  if (chosen.length === 0 || chosen.length !== new Set(conditionIds).size) {
    throw badRequest("condition ids are not markets of this event");
  }
  for (const market of chosen) requireFree(freeShares(account, market, 1), shares);
  const cash = BigInt(chosen.length - 1) * shares;
  state.act((work) => {
    for (const market of chosen) state.giveShares(work, account, market, 1, -shares);
    for (const market of all) {
      if (!chosen.includes(market)) state.giveShares(work, account, market, 0, shares);
    }
    state.giveCash(work, account, cash);
    const [market] = chosen;
    if (market === undefined) return;
    record(state, work, account, { type: "CONVERSION", market, outcome: null, size: shares, cash });
  });
}

function redeem(state: VenueState, work: Work, market: Market, winner: OutcomeIndex): void {
  const holders = state.options.autoRedeem ? state.accounts.all() : [];
  payOut(state, work, market, winner, [...holders, state.crowd]);
}

/** What an account holds of a resolved market, both outcomes at once. Throws 400 or 404. */
export function redeemShares(state: VenueState, account: Account, conditionId: string): void {
  const market = state.markets.market(conditionId);
  if (market === null) throw notFound("market not found");
  const winner = market.resolved;
  if (winner === null) throw badRequest("result for condition not received yet");
  state.act((work) => payOut(state, work, market, winner, [account]));
}

function payOut(
  state: VenueState,
  work: Work,
  market: Market,
  winner: OutcomeIndex,
  accounts: readonly Account[],
): void {
  for (const account of accounts) {
    for (const outcome of [0, 1] as const) {
      const token = market.token(outcome);
      const shares = account.shares(token);
      if (shares === 0n) continue;
      const cash = outcome === winner ? shares : 0n;
      account.addShares(token, -shares);
      state.giveCash(work, account, cash);
      if (account === state.crowd) continue;
      record(state, work, account, { type: "REDEEM", market, outcome, size: shares, cash });
    }
  }
}

/** Ends a market: open orders are canceled, winners are paid a dollar a share, everybody is told. */
export function resolveMarket(state: VenueState, market: Market, winner: OutcomeIndex): void {
  if (market.resolved !== null) return;
  state.act((work) => {
    for (const order of market.open.values()) {
      cancelOrder(state, work, order, "CANCELED_MARKET_RESOLVED");
    }
    market.acceptingOrders = false;
    redeem(state, work, market, winner);
    market.resolved = winner;
    state.resolutions.set(market.id, winner);
    work.resolutions.push({ conditionId: market.id, winner });
    market.book.bids.clear();
    market.book.asks.clear();
    work.touched.add(market);
    const tokens = [market.token(0), market.token(1)];
    const event = state.markets.event(market.spec.eventId);
    work.frame("market_resolved", tokens, marketResolvedFrame(market, winner, event, work.nowMs));
  });
}
