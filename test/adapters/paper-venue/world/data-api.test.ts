import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ActivityRow } from "../../../../src/adapters/paper-venue/exchange/records.ts";
import {
  createPaperVenue,
  type PaperVenue,
} from "../../../../src/adapters/paper-venue/http/create-paper-venue.ts";
import { createDataApiHandler } from "../../../../src/adapters/paper-venue/world/data-api.ts";
import { createUniverse } from "../../../../src/adapters/paper-venue/world/universe.ts";

const NOW_MS = Date.UTC(2026, 10, 21, 12, 1, 0);
const OWNER = "0x1111111111111111111111111111111111111111";
const SLUG = "bitcoin-above-150k";

let stateDir = "";
let venue: PaperVenue;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), "pitboss-data-api-"));
  venue = createPaperVenue({ stateDir, clock: () => NOW_MS });
  const { exchange } = venue;
  createUniverse({ exchange, seed: 1, pace: 0, still: true, nowMs: () => NOW_MS });
});
afterEach(async () => {
  await venue.close();
  rmSync(stateDir, { recursive: true });
});

function get(path: string, query: Record<string, string> = {}) {
  return createDataApiHandler(venue.state)(path, new URLSearchParams(query));
}

type Page = {
  readonly data: readonly Record<string, unknown>[];
  readonly pagination: Record<string, unknown>;
};

function page(path: string, query: Record<string, string> = {}): Page {
  return get(path, { user: OWNER, ...query })?.body as Page;
}

/** Gives the account what two buys and a sell of outcome 0 would have left: 15 shares. */
function trade(): void {
  const { state } = venue;
  const account = state.accounts.open(OWNER);
  const market = state.markets.bySlug(SLUG);
  if (account === null || market === null) throw new TypeError("setup");
  const row = (seq: number, over: Partial<ActivityRow>): ActivityRow => ({
    seq,
    account: OWNER,
    address: OWNER,
    type: "TRADE",
    atMs: NOW_MS + seq * 1000,
    conditionId: market.id,
    tokenId: market.token(0),
    outcomeIndex: 0,
    side: "BUY",
    size: 10_000_000n,
    cash: 3_000_000n,
    price: 300_000n,
    transactionHash: `0x${String(seq).repeat(64)}`,
    ...over,
  });
  state.act((work) => {
    state.giveShares(work, account, market, 0, 15_000_000n);
    work.activity.push(
      row(1, {}),
      row(2, { cash: 5_000_000n, price: 500_000n }),
      row(3, { side: "SELL", size: 5_000_000n, cash: 2_500_000n, price: 500_000n }),
      row(4, { type: "SPLIT", side: "", tokenId: "", outcomeIndex: null }),
      row(5, { type: "REVERSAL" }),
    );
  });
}

describe("Data API v2", () => {
  test("positions carry size, average cost and the live price", () => {
    trade();
    const { data } = page("/v2/positions");
    expect(data).toHaveLength(1);
    const market = venue.exchange.markets().find(({ spec }) => spec.slug === SLUG);
    const mid = (Number(market?.bestBid) + Number(market?.bestAsk)) / 2;
    expect(data[0]).toMatchObject({
      proxy_wallet: OWNER,
      token_id: market?.spec.outcomes[0].tokenId,
      opposite_token_id: market?.spec.outcomes[1].tokenId,
      size: 15,
      avg_price: 0.4,
      slug: SLUG,
      outcome: "Yes",
      outcome_index: 0,
      redeemable: false,
      mergeable: false,
    });
    expect(data[0]?.["cur_price"]).toBeCloseTo(mid, 9);
  });

  test("trades and activity are newest first, in the v2 envelope, page by page", () => {
    trade();
    expect(page("/v2/trades").data.map(({ timestamp }) => timestamp)).toEqual(
      [3, 2, 1].map((seq) => NOW_MS / 1000 + seq),
    );
    const first = page("/v2/activity", { limit: "3" });
    expect(first.data.map(({ type }) => type)).toEqual(["SPLIT", "TRADE", "TRADE"]);
    expect(first.data[0]).toMatchObject({ outcome_index: 999, token_id: "", outcome: "" });
    expect(first.pagination).toMatchObject({ limit: 3, offset: 0, has_more: true });
    const rest = page("/v2/activity", {
      limit: "3",
      cursor: String(first.pagination["next_cursor"]),
    });
    expect(rest.data).toHaveLength(1);
    expect(rest.pagination).toMatchObject({ has_more: false, next_cursor: "" });
    expect(page("/v2/trades", { side: "SELL" }).data).toHaveLength(1);
    expect(page("/v2/activity", { type: "SPLIT" }).data).toHaveLength(1);
    const late = { start: String(NOW_MS / 1000 + 3) };
    expect(page("/v2/trades", late).data).toHaveLength(1);
  });

  test("strangers hold nothing; a missing user and a bad cursor are 400; v1 paths are unknown", () => {
    expect(page("/v2/positions").data).toEqual([]);
    expect(page("/v2/trades").data).toEqual([]);
    expect(get("/v2/trades")?.status).toBe(400);
    expect(get("/v2/trades", { user: OWNER, cursor: "zzz" })?.status).toBe(400);
    expect(get("/trades", { user: OWNER })).toBeNull();
  });
});
