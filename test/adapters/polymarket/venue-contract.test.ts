import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Polymarket } from "../../../src/adapters/polymarket/create-polymarket.ts";
import type { Market } from "../../../src/engine/domain/market.ts";
import {
  applyMarketEvent,
  createMarketBook,
  type MarketBook,
} from "../../../src/engine/domain/market-book.ts";
import {
  costCeil,
  price,
  shares,
  sharesForFloor,
  usd,
} from "../../../src/engine/domain/numbers.ts";
import type { OrderDraft, PreparedOrder } from "../../../src/engine/domain/order.ts";
import { bestPrice } from "../../../src/engine/domain/order-book.ts";
import type { AccountEvent, PostOutcome } from "../../../src/engine/protocol/venue-report.ts";
import { collectingLog, openPaperDesk, type PaperDesk, testKey, until } from "./paper-desk.ts";

let desk: PaperDesk;
let polymarket: Polymarket;
let salt = 1;

beforeAll(async () => {
  desk = await openPaperDesk();
  polymarket = desk.connect();
  const connected = await polymarket.venue.connect();
  expect(connected.ok).toBe(true);
});
afterAll(async () => desk.close());

async function marketOf(slugPart: string): Promise<Market> {
  const found = await polymarket.catalog.openMarkets(1_000);
  if (!found.ok) throw new TypeError(found.error);
  const market = found.value.markets.find((one) => one.slug.includes(slugPart));
  if (market === undefined) throw new TypeError(`no market ${slugPart}`);
  return market;
}

async function bookOf(market: Market): Promise<MarketBook> {
  const book = createMarketBook({
    ...market,
    tokenIds: [market.outcomes[0].tokenId, market.outcomes[1].tokenId],
  });
  const read = await polymarket.marketData.readBook(book);
  if (!read.ok) throw new TypeError(read.detail);
  expect(applyMarketEvent(book, read.book, Date.now(), polymarket.hasher)).toBeNull();
  expect(book.hashesVerified).toBe(1);
  return book;
}

function draftOf(market: Market, part: Partial<OrderDraft>): OrderDraft {
  return {
    conditionId: market.conditionId,
    tokenId: market.outcomes[0].tokenId,
    outcome: 0,
    side: "buy",
    timeInForce: "gtc",
    limit: price(market.tickSize),
    spend: null,
    size: shares(10_000_000),
    tickSize: market.tickSize,
    negRisk: market.negRisk,
    version: market.version,
    expirationS: null,
    postOnly: false,
    ...part,
  };
}

function prepare(draft: OrderDraft): PreparedOrder {
  return polymarket.venue.prepare(draft, { salt: salt++, timestampMs: Date.now() });
}

function post(order: PreparedOrder): Promise<PostOutcome> {
  return polymarket.venue.post(order, () => null);
}

/** Requests for new orders that reached the venue so far. */
async function ordersSeen(): Promise<number> {
  const answer = await fetch(`${desk.urls.clob}/paper/log?path=${encodeURIComponent("^/order$")}`);
  const rows = (await answer.json()) as { readonly method: string }[];
  return rows.filter((row) => row.method === "POST").length;
}

describe("the Polymarket adapter on the paper venue", () => {
  test("opens an account, reads the clock, the cash and the allowance", async () => {
    const balance = await polymarket.venue.balance();
    expect(balance).toMatchObject({ ok: true, value: { cash: 1_000_000_000 } });
    if (balance.ok) expect(balance.value.allowance).toBeGreaterThan(1_000_000_000);
    const again = await polymarket.venue.connect();
    if (again.ok) expect(Math.abs(again.value.clockOffsetMs)).toBeLessThan(1_500);
    expect(again.ok).toBe(true);
  });

  test("a second client with the same wallet derives the same key, and stored keys are used", async () => {
    const second = desk.connect();
    expect((await second.venue.connect()).ok).toBe(true);
    expect(second.credentials()).toEqual(polymarket.credentials());
    const stored = second.credentials();
    if (stored === null) throw new TypeError("no key");
    const third = desk.connect({ credentials: { ...stored, passphrase: "wrong" } });
    expect((await third.venue.connect()).ok).toBe(true);
    expect(third.credentials()).toEqual(stored);
  });

  test.each([true, false])(
    "a resting order (neg-risk %s) is accepted under our own hash, found, listed, canceled",
    async (negRisk) => {
      const all = await polymarket.catalog.openMarkets(1_000);
      const market = all.ok ? all.value.markets.find((one) => one.negRisk === negRisk) : undefined;
      if (market === undefined) throw new TypeError("no such market");
      const order = prepare(draftOf(market, {}));
      expect(await post(order)).toEqual({ kind: "accepted", state: "live" });
      const found = await polymarket.venue.queryOrder(order.orderHash);
      expect(found).toMatchObject({
        kind: "found",
        order: { orderHash: order.orderHash, state: "live", matched: 0, originalSize: 10_000_000 },
      });
      const open = await polymarket.venue.openOrders();
      expect(open.ok && open.value.some((one) => one.orderHash === order.orderHash)).toBe(true);
      expect(await post(order)).toEqual({ kind: "duplicated" });
      const canceled = await polymarket.venue.cancel([order.orderHash]);
      expect(canceled).toEqual({ kind: "answered", canceled: [order.orderHash], refused: {} });
      const after = await polymarket.venue.queryOrder(order.orderHash);
      expect(after).toMatchObject({ kind: "found", order: { state: "ended" } });
      const twice = await polymarket.venue.cancel([order.orderHash]);
      expect(twice).toMatchObject({ kind: "answered", canceled: [] });
    },
  );

  test("version v2 markets are signed for ExchangeV3 and accepted", async () => {
    const found = await polymarket.catalog.openMarkets(1_000);
    const market = found.ok ? found.value.markets.find((one) => one.version === "v2") : undefined;
    if (market === undefined) throw new TypeError("no v2 market");
    const order = prepare(draftOf(market, {}));
    expect(await post(order)).toEqual({ kind: "accepted", state: "live" });
    expect(await polymarket.venue.cancelAll()).toMatchObject({
      kind: "answered",
      canceled: [order.orderHash],
    });
  });

  test.each([1, 2, 3] as const)("orders of signature type %i are accepted", async (type) => {
    const privateKey = `0x${String(type).repeat(64)}`;
    const funder = `0x${String(type + 3).repeat(40)}`;
    const other = desk.connect({ privateKey, funder, signatureType: type });
    expect((await other.venue.connect()).ok).toBe(true);
    expect(other.venue.account.funder.toLowerCase()).toBe(funder);
    const draft = draftOf(await marketOf("harbor-league"), {});
    const order = other.venue.prepare(draft, { salt: salt++, timestampMs: Date.now() });
    expect(await other.venue.post(order, () => null)).toEqual({ kind: "accepted", state: "live" });
  });

  test("a marketable buy spends its dollars; fills and cash agree to the micro-dollar", async () => {
    const events: AccountEvent[] = [];
    polymarket.venue.listen((event) => events.push(event));
    await until("the private stream", () => events.find((event) => event.kind === "link.up"));
    const market = await marketOf("harbor-league");
    const book = await bookOf(market);
    const ask = bestPrice(book.ladder, 0, "sell");
    if (ask === null) throw new TypeError("no ask");
    const before = await polymarket.venue.balance();
    const order = prepare(
      draftOf(market, {
        timeInForce: "fak",
        limit: ask,
        spend: usd(5_000_000),
        size: sharesForFloor(usd(5_000_000), ask),
      }),
    );
    expect(await post(order)).toEqual({ kind: "accepted", state: "matched" });
    const confirmed = await until("a confirmed fill", () =>
      events.find((event) => event.kind === "fill.reported" && event.fill.status === "confirmed"),
    );
    if (confirmed.kind !== "fill.reported") throw new TypeError("no fill");
    const { fill } = confirmed;
    expect(fill).toMatchObject({ orderHash: order.orderHash, side: "buy", isMaker: false });
    expect(fill.money).toBe(5_000_000);
    expect(costCeil(ask, fill.size)).toBe(fill.money);
    const read = await polymarket.venue.fills(Math.floor(Date.now() / 1_000) - 60);
    expect(read.ok && read.value).toEqual([fill]);
    const after = await polymarket.venue.balance();
    if (!before.ok || !after.ok) throw new TypeError("no balance");
    const spent = before.value.cash - after.value.cash;
    expect(spent).toBeGreaterThanOrEqual(5_000_000);
    // What is above the five dollars is the taker fee.
    expect(spent).toBeLessThan(5_000_000 * 1.08);
    const held = await polymarket.venue.shares(fill.tokenId, market.version);
    expect(held).toEqual({ ok: true, value: fill.size });
    expect(events.some((event) => event.kind === "order.reported")).toBe(true);
  });

  test("documented refusals are rejected by reason", async () => {
    const market = await marketOf("harbor-league");
    const small = prepare(draftOf(market, { size: shares(1_000_000) }));
    expect(await post(small)).toMatchObject({ kind: "rejected", reason: "min_size" });
    const dear = prepare(
      draftOf(market, { limit: price(market.tickSize * 9), size: shares(90_000_000_000_000) }),
    );
    expect(await post(dear)).toMatchObject({ kind: "rejected", reason: "balance" });
    const late = prepare(draftOf(market, { timeInForce: "gtd", expirationS: 1_000_000 }));
    expect(await post(late)).toMatchObject({ kind: "rejected", reason: "expiration" });
    const nothing = prepare(
      draftOf(market, {
        timeInForce: "fak",
        spend: usd(5_000_000),
        limit: price(market.tickSize),
      }),
    );
    expect(await post(nothing)).toMatchObject({ kind: "rejected", reason: "no_match" });
  });

  test.each([
    ["drop-before", { times: 1 }, "unknown"],
    ["drop-after", { times: 1 }, "unknown"],
    ["garbage", { times: 1 }, "unknown"],
    ["truncate", { times: 1 }, "unknown"],
    ["status", { times: 1, code: 500, body: { error: "could not insert order" } }, "unknown"],
    ["status", { times: 1, code: 425, headers: { "retry-after": "2" } }, "not_taken"],
  ])("fault %s on POST /order: one request, %j, %s", async (name, params, kind) => {
    const market = await marketOf("harbor-league");
    await desk.fault(name, { method: "POST", path: "^/order$", ...params });
    const order = prepare(draftOf(market, {}));
    const outcome = await post(order);
    expect(outcome.kind).toBe(kind);
    if (outcome.kind === "not_taken") expect(outcome.retryAfterMs).toBe(2_000);
    const found = await polymarket.venue.queryOrder(order.orderHash);
    expect(found.kind).toMatch(/found|absent/);
    await polymarket.venue.cancelAll();
  });

  test("a closed gate blocks with its denial, and the venue sees no request at all", async () => {
    const order = prepare(draftOf(await marketOf("harbor-league"), {}));
    const before = await ordersSeen();
    let asked = 0;
    const gate = () => {
      asked++;
      return { code: "killed" } as const;
    };
    const outcome = await polymarket.venue.post(order, gate);
    expect(outcome).toEqual({ kind: "blocked", denial: { code: "killed" } });
    expect(asked).toBe(1);
    expect(await ordersSeen()).toBe(before);
    expect(await polymarket.venue.queryOrder(order.orderHash)).toEqual({ kind: "absent" });
  });

  test("each post is one request and one log line with a sequence number", async () => {
    const { log, lines } = collectingLog();
    const logged = desk.connect({ log });
    expect((await logged.venue.connect()).ok).toBe(true);
    const before = await ordersSeen();
    const draft = draftOf(await marketOf("harbor-league"), {});
    for (const seq of [1, 2]) {
      const order = logged.venue.prepare(draft, { salt: salt++, timestampMs: Date.now() });
      await logged.venue.post(order, () => null);
      expect(lines.at(-1)).toEqual({
        event: "order.posted",
        fields: { seq, orderHash: order.orderHash, passed: true, outcome: "accepted" },
      });
    }
    expect(await ordersSeen()).toBe(before + 2);
    const secrets = Object.values(logged.credentials() ?? {});
    for (const secret of [...secrets, testKey]) expect(JSON.stringify(lines)).not.toContain(secret);
  });

  test("a lost private stream is told and comes back as a new epoch", async () => {
    const events: AccountEvent[] = [];
    const other = desk.connect({ feedTimings: { backOffFirstMs: 20 } });
    expect((await other.venue.connect()).ok).toBe(true);
    other.venue.listen((event) => events.push(event));
    await until("link.up", () => events[0]);
    await desk.fault("ws-drop", { channel: "user" });
    await until("the next epoch", () => events[2]);
    expect(events).toMatchObject([
      { kind: "link.up", epoch: 1 },
      { kind: "link.lost", feed: "user" },
      { kind: "link.up", epoch: 2 },
    ]);
    const order = prepare(draftOf(await marketOf("harbor-league"), {}));
    await post(order);
    const reported = await until("our order", () =>
      events.find((event) => event.kind === "order.reported"),
    );
    expect(reported).toMatchObject({ order: { orderHash: order.orderHash, state: "live" } });
    await polymarket.venue.cancelAll();
    await until("its end", () =>
      events.find((event) => event.kind === "order.reported" && event.order.state === "ended"),
    );
  });

  test("without a venue every call is a failure, none throws, and no order counts as sent", async () => {
    const dead = "http://127.0.0.1:1";
    const credentials = polymarket.credentials();
    if (credentials === null) throw new TypeError("no key");
    const away = desk.connect({ urls: { ...desk.urls, clob: dead, gamma: dead }, credentials });
    expect((await away.venue.connect()).ok).toBe(false);
    const order = prepare(draftOf(await marketOf("harbor-league"), {}));
    expect((await away.venue.post(order, () => null)).kind).toBe("not_sent");
    expect((await away.venue.cancel([order.orderHash])).kind).toBe("failed");
    expect((await away.venue.cancelAll()).kind).toBe("failed");
    expect((await away.venue.queryOrder(order.orderHash)).kind).toBe("failed");
    for (const read of [away.venue.openOrders(), away.venue.fills(0), away.venue.balance()]) {
      expect((await read).ok).toBe(false);
    }
    expect((await away.catalog.openMarkets(1)).ok).toBe(false);
    // Closing is asked for by the engine and by who composed it.
    await away.close();
    await away.close();
  });

  test("an order that the venue never saw is absent; a failed read is not", async () => {
    const market = await marketOf("harbor-league");
    const order = prepare(draftOf(market, {}));
    expect(await polymarket.venue.queryOrder(order.orderHash)).toEqual({ kind: "absent" });
    await desk.fault("status", {
      method: "GET",
      path: "^/data/order/",
      times: 3,
      code: 404,
      body: "x",
    });
    expect((await polymarket.venue.queryOrder(order.orderHash)).kind).toBe("failed");
  });
});
