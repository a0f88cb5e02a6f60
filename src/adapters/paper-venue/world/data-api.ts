import { formatMicro } from "../exchange/amounts.ts";
import type { ActivityRow } from "../exchange/records.ts";
import type { VenueState } from "../exchange/venue-state.ts";
import type { MountAnswer, MountHandler } from "./gamma-handler.ts";

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 500;
/** Newest activity rows of one account that answers are made from. */
const MAX_ROWS = 10_000;
/** The venue's word for "no outcome". */
const NO_OUTCOME_INDEX = 999;

function number(micro: bigint): number {
  return Number(formatMicro(micro < 0n ? -micro : micro)) * (micro < 0n ? -1 : 1);
}

/** What both feeds say of a market; empty strings when it is no longer listed. */
function marketMembers(state: VenueState, conditionId: string): Record<string, unknown> {
  const market = state.markets.market(conditionId);
  return {
    condition_id: conditionId,
    title: market?.spec.question ?? "",
    slug: market?.spec.slug ?? "",
    icon: "",
    event_slug: market === null ? "" : (state.markets.event(market.spec.eventId)?.slug ?? ""),
  };
}

function outcomeName(state: VenueState, row: ActivityRow): string {
  if (row.outcomeIndex === null) return "";
  return state.markets.market(row.conditionId)?.spec.outcomes[row.outcomeIndex].name ?? "";
}

function feedRow(state: VenueState, row: ActivityRow): Record<string, unknown> {
  return {
    proxy_wallet: row.address,
    timestamp: Math.floor(row.atMs / 1000),
    ...marketMembers(state, row.conditionId),
    side: row.side,
    token_id: row.tokenId,
    size: number(row.size),
    price: number(row.price),
    outcome: outcomeName(state, row),
    outcome_index: row.outcomeIndex ?? NO_OUTCOME_INDEX,
    name: "",
    pseudonym: "",
    bio: "",
    profile_image: "",
    transaction_hash: row.transactionHash,
  };
}

function activityRow(state: VenueState, row: ActivityRow): Record<string, unknown> {
  return {
    ...feedRow(state, row),
    type: row.type,
    usdc_size: number(row.cash),
    is_combo: false,
  };
}

type Cost = { size: bigint; cash: bigint };

/** Average cost by token: buys add, sells take away at the average. */
function costs(rows: readonly ActivityRow[]): Map<string, Cost> {
  const byToken = new Map<string, Cost>();
  for (const row of rows.toReversed()) {
    if (row.type !== "TRADE") continue;
    const cost = byToken.get(row.tokenId) ?? { size: 0n, cash: 0n };
    byToken.set(row.tokenId, cost);
    if (row.side === "BUY") {
      cost.size += row.size;
      cost.cash += row.cash;
    } else if (cost.size > 0n) {
      const sold = row.size < cost.size ? row.size : cost.size;
      cost.cash -= (cost.cash * sold) / cost.size;
      cost.size -= sold;
    }
  }
  return byToken;
}

function positions(state: VenueState, address: string): Record<string, unknown>[] {
  const account = state.accounts.byOwner(address);
  if (account === null) return [];
  const cost = costs(state.store.activity(account.address, MAX_ROWS));
  return account.held().flatMap(([tokenId, shares]) => {
    const listing = state.markets.byToken(tokenId);
    if (listing === null) return [];
    const { market, outcome } = listing;
    const { bid, ask } = market.book.best(outcome);
    const price = market.payout(outcome) ?? ((bid ?? 0n) + (ask ?? 1_000_000n)) / 2n;
    const held = number(shares);
    const paid = cost.get(tokenId) ?? { size: 0n, cash: 0n };
    const average = paid.size === 0n ? 0 : Number(paid.cash) / Number(paid.size);
    const opposite = outcome === 0 ? 1 : 0;
    return [
      {
        proxy_wallet: state.accounts.shownAddress(account.address),
        token_id: tokenId,
        ...marketMembers(state, market.id),
        size: held,
        avg_price: average,
        initial_value: held * average,
        current_value: held * number(price),
        cur_price: number(price),
        cash_pnl: held * (number(price) - average),
        outcome: market.spec.outcomes[outcome].name,
        outcome_index: outcome,
        opposite_outcome: market.spec.outcomes[opposite].name,
        opposite_token_id: market.spec.outcomes[opposite].tokenId,
        event_id: market.spec.eventId,
        end_date: market.spec.endDate.slice(0, 10),
        negative_risk: market.spec.negRisk,
        redeemable: market.resolved !== null,
        mergeable: account.shares(market.token(opposite)) > 0n,
      },
    ];
  });
}

function feed(state: VenueState, address: string, query: URLSearchParams): ActivityRow[] {
  const account = state.accounts.byOwner(address);
  if (account === null) return [];
  const start = Number(query.get("start") ?? "0");
  const end = Number(query.get("end") ?? Number.MAX_SAFE_INTEGER);
  const conditions = query.getAll("condition").flatMap((value) => value.split(","));
  const types = query.getAll("type").flatMap((value) => value.split(","));
  const side = query.get("side");
  return state.store.activity(account.address, MAX_ROWS).filter((row) => {
    const second = Math.floor(row.atMs / 1000);
    return (
      // Failed settlements are taken back by rows that the real feed does not have.
      row.type !== "REVERSAL" &&
      second >= start &&
      second <= end &&
      (conditions.length === 0 || conditions.includes(row.conditionId)) &&
      (types.length === 0 || types.includes(row.type)) &&
      (side === null || side === row.side)
    );
  });
}

/** One page in the v2 envelope. The cursor is the offset of the next row. */
function page(rows: readonly Record<string, unknown>[], query: URLSearchParams): MountAnswer {
  const asked = Number(query.get("limit") ?? DEFAULT_LIMIT);
  const limit = Number.isInteger(asked) && asked > 0 ? Math.min(asked, MAX_LIMIT) : DEFAULT_LIMIT;
  const cursor = query.get("cursor");
  const text = cursor === null ? "" : Buffer.from(cursor, "base64url").toString("utf8");
  if (cursor !== null && !/^o:\d{1,9}$/.test(text))
    return { status: 400, body: { error: "invalid cursor" } };
  const offset = text === "" ? 0 : Number(text.slice(2));
  const more = offset + limit < rows.length;
  return {
    status: 200,
    body: {
      data: rows.slice(offset, offset + limit),
      pagination: {
        limit,
        offset,
        has_more: more,
        next_cursor: more ? Buffer.from(`o:${offset + limit}`).toString("base64url") : "",
      },
    },
  };
}

/** Data API v2 of the accounts of this venue: positions, trades and activity of one user. */
export function createDataApiHandler(state: VenueState): MountHandler {
  return (rawPath, query) => {
    const path = rawPath.replace(/^\/data(?=\/)/, "");
    if (!["/v2/positions", "/v2/trades", "/v2/activity"].includes(path)) return null;
    const user = query.get("user") ?? "";
    if (!/^0x[0-9a-fA-F]{40}$/.test(user))
      return { status: 400, body: { error: "required query param 'user' not provided" } };
    if (path === "/v2/positions") return page(positions(state, user), query);
    const rows = feed(state, user, query);
    return path === "/v2/activity"
      ? page(
          rows.map((row) => activityRow(state, row)),
          query,
        )
      : page(
          rows.filter(({ type }) => type === "TRADE").map((row) => feedRow(state, row)),
          query,
        );
  };
}
