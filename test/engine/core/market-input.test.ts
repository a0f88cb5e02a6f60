import { describe, expect, test } from "vitest";
import { currentHash } from "../../../src/engine/domain/market-book.ts";
import { bestPrice, levelsOf } from "../../../src/engine/domain/order-book.ts";
import { type CoreDesk, openCoreDesk } from "../support/core-desk.ts";
import { plainHasher } from "../support/hasher.ts";
import { levels, priceOf, sharesOf } from "../support/levels.ts";
import { plain, plainRows, snapshotOf, taxed } from "../support/markets.ts";
import { testSettings } from "../support/settings.ts";
import { fillOf, reportOf } from "../support/venue-reports.ts";

const { conditionId } = plain;

function bookOf(desk: CoreDesk, id = conditionId) {
  const book = desk.state.live.books.get(id);
  if (book === undefined) throw new TypeError("no book");
  return book;
}

/** A REST read of the plain market at `timestamp`, with the hash that the venue would give it. */
function readOf(desk: CoreDesk, timestamp: number, rows = plainRows) {
  const other = openCoreDesk();
  other.book(plain, rows);
  const twin = bookOf(other);
  twin.lastTradePrice = bookOf(desk).lastTradePrice;
  const hash = currentHash(twin, 0, String(timestamp), plainHasher);
  return { ...snapshotOf(plain, rows, timestamp), hash, source: "rest" as const };
}

const broken = {
  kind: "book.delta",
  conditionId,
  timestamp: "2000000000000",
  changes: [
    {
      tokenId: "11",
      side: "buy",
      price: priceOf("0.4"),
      size: sharesOf("1"),
      hash: "0".repeat(40),
      bestBid: undefined,
      bestAsk: undefined,
    },
  ],
} as const;

describe("one book stops, the others go on", () => {
  test("a hash mismatch is noticed when the feed goes quiet, and only that market is resynced", () => {
    const desk = openCoreDesk();
    desk.run({ kind: "market", event: broken });
    expect(bookOf(desk).status).toBe("live");
    desk.pass(100);
    expect(bookOf(desk)).toMatchObject({ status: "stale", resyncReason: "hash_mismatch" });
    expect(desk.drain()).toEqual([
      { kind: "book.resync", conditionId, reason: "hash_mismatch", resyncId: "r1" },
    ]);
    expect(desk.state.live.resyncs.get("hash_mismatch")).toBe(1);
    expect(bookOf(desk, taxed.conditionId).status).toBe("live");
    expect(desk.quote({ conditionId: taxed.conditionId }).ok).toBe(true);
    expect(desk.quote({})).toMatchObject({ ok: false, error: { code: "book_stale" } });
  });

  test("news of a market that is not watched changes nothing", () => {
    const desk = openCoreDesk();
    const event = { ...broken, conditionId: "0x77" };
    desk.run({ kind: "market", event });
    expect(desk.state.live.books.size).toBe(2);
    expect(desk.effects).toEqual([]);
  });
});

describe("a REST read beside the stream", () => {
  test("that equals the book proves it and makes it young", () => {
    const desk = openCoreDesk();
    desk.nowMs += 60_000;
    const read = readOf(desk, desk.nowMs);
    desk.run({ kind: "book.read", conditionId, book: read });
    expect(bookOf(desk).confirmedAtMs).toBe(desk.nowMs);
    expect(desk.quote({}).ok).toBe(true);
    expect(desk.place({}).status).toBe("in_flight");
  });

  test("that is newer and different replaces it: the stream was frozen", () => {
    const desk = openCoreDesk();
    desk.nowMs += 1_000;
    const rows = { bids: [["0.4", "5"]], asks: [["0.6", "7"]] } as const;
    desk.run({ kind: "book.read", conditionId, book: readOf(desk, desk.nowMs, rows) });
    expect(levelsOf(bookOf(desk).ladder, 0, "buy")).toEqual(levels(["0.4", "5"]));
  });

  test("that is of the same moment and different is believed: the stream lost a frame", () => {
    const desk = openCoreDesk();
    const at = Number(bookOf(desk).timestamp);
    const rows = { bids: [["0.4", "5"]], asks: [["0.6", "7"]] } as const;
    desk.run({ kind: "book.read", conditionId, book: readOf(desk, at, rows) });
    expect(bestPrice(bookOf(desk).ladder, 0, "buy")).toBe(4_000);
  });

  test("that is older than the stream does not replace it", () => {
    const desk = openCoreDesk();
    const at = Number(bookOf(desk).timestamp) - 1;
    const rows = { bids: [["0.4", "5"]], asks: [["0.6", "7"]] } as const;
    desk.run({ kind: "book.read", conditionId, book: readOf(desk, at, rows) });
    expect(bestPrice(bookOf(desk).ladder, 0, "buy")).toBe(4_800);
    expect(bookOf(desk).confirmedAtMs).toBe(0);
    expect(bookOf(desk)).toMatchObject({ status: "live", resyncs: 0 });
    expect(desk.state.live.resyncs.size).toBe(0);
  });

  test("that is empty proves only an empty book (P6)", () => {
    const desk = openCoreDesk();
    const before = bookOf(desk).confirmedAtMs;
    const empty = { ...snapshotOf(plain, { bids: [], asks: [] }, 1), source: "rest" as const };
    desk.run({ kind: "book.read", conditionId, book: empty });
    expect(bookOf(desk).confirmedAtMs).toBe(before);
  });

  test("revives a book that waited for its snapshot", () => {
    const desk = openCoreDesk();
    const lost = {
      kind: "link.lost",
      feed: "market",
      conditionIds: [conditionId],
      detail: "",
    } as const;
    desk.run({ kind: "market", event: lost });
    expect(bookOf(desk).status).toBe("waiting");
    desk.run({ kind: "book.read", conditionId, book: readOf(desk, desk.nowMs) });
    expect(bookOf(desk).status).toBe("live");
  });
});

describe("links", () => {
  const { feedLostAfterMs } = testSettings().waits;
  const lost = { kind: "link.lost", feed: "user", detail: "" } as const;

  test("a short loss is not worth a word; a long one is told once, and so is the return", () => {
    const desk = openCoreDesk();
    const told = () => desk.notices().filter((body) => body.kind.startsWith("feed."));
    desk.run({ kind: "account", event: lost });
    desk.pass(feedLostAfterMs - 500, 500);
    desk.run({ kind: "account", event: { kind: "link.up", feed: "user", epoch: 2 } });
    expect(told()).toEqual([]);
    desk.run({ kind: "account", event: lost });
    desk.pass(3 * feedLostAfterMs, 500);
    expect(told()).toMatchObject([{ kind: "feed.lost", feed: "user" }]);
    desk.run({ kind: "account", event: { kind: "link.up", feed: "user", epoch: 3 } });
    expect(told()).toMatchObject([{ kind: "feed.lost" }, { kind: "feed.back", afterMs: 30_000 }]);
  });

  test("the private stream replays nothing: every connect reads the account", () => {
    const desk = openCoreDesk();
    desk.run({ kind: "account", event: { kind: "link.up", feed: "user", epoch: 2 } });
    expect(desk.drain()).toMatchObject([{ kind: "account.read", purpose: "link" }]);
  });

  test("the account is compared in its interval, one read at a time, back to the oldest open matter", () => {
    const desk = openCoreDesk();
    const order = desk.place({
      limit: priceOf("0.40"),
      amount: { unit: "shares", value: sharesOf("10") },
    });
    const { reconcileIntervalMs } = testSettings().waits;
    desk.drain();
    desk.pass(2 * reconcileIntervalMs, 500);
    const reads = desk.drain().filter((effect) => effect.kind === "account.read");
    // Nobody answered the first one.
    expect(reads).toHaveLength(1);
    const [read] = reads;
    expect(read?.fillsAfterS).toBe(Math.floor((order.createdAtMs - 20_000) / 1_000));
    desk.read("periodic");
    desk.pass(2 * reconcileIntervalMs, 500);
    expect(desk.drain().filter((effect) => effect.kind === "account.read")).toHaveLength(1);
  });
});

describe("a market that is resolved", () => {
  test("trades no more; what is held pays a dollar or nothing", () => {
    const desk = openCoreDesk();
    for (const [market, outcome] of [
      [plain, 0],
      [taxed, 1],
    ] as const) {
      const order = desk.place({
        conditionId: market.conditionId,
        outcome,
        limit: priceOf("0.50"),
        amount: { unit: "shares", value: sharesOf("100") },
      });
      const fill = fillOf(order, market.slug, 100_000_000, { status: "confirmed", isMaker: true });
      desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
      const matched = reportOf(order, "matched", 100_000_000);
      desk.run({ kind: "account", event: { kind: "order.reported", order: matched } });
    }
    const { cash } = desk.state;
    for (const market of [plain, taxed]) {
      desk.resolve(market, 0);
      expect(desk.quote({ conditionId: market.conditionId })).toMatchObject({
        ok: false,
        error: { code: "market_closed" },
      });
    }
    const [won, lostOne] = ["11", "22"].map((tokenId) => desk.state.positions.get(tokenId));
    expect(won).toMatchObject({ confirmed: 0, cost: 0, realizedUsd: 50_000_000 });
    expect(lostOne).toMatchObject({ confirmed: 0, cost: 0, realizedUsd: -50_000_000 });
    expect(desk.state.cash).toBeGreaterThanOrEqual(cash ?? 0);
  });

  const told = (winner: 0 | 1) => {
    const winningTokenId = plain.outcomes[winner].tokenId;
    const event = { kind: "market.resolved", conditionId, winningTokenId, timestamp: "1" } as const;
    return { kind: "market", event } as const;
  };
  const holding = () => {
    const desk = openCoreDesk();
    const order = desk.place({ limit: priceOf("0.52"), timeInForce: "fak" });
    const fill = fillOf(order, "f", 10_000_000, { status: "confirmed" });
    desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
    desk.drain();
    return desk;
  };
  const held = (desk: CoreDesk) => desk.state.positions.get("11")?.confirmed;

  test("by the stream's word trades no more at once; positions wait for Gamma's (once asked)", () => {
    const desk = holding();
    desk.run(told(0));
    desk.run(told(0));
    expect(desk.quote({})).toMatchObject({ error: { code: "market_closed" } });
    expect(desk.drain()).toEqual([{ kind: "market.read", conditionId }]);
    expect([held(desk), desk.notices().some((one) => one.kind === "market.settled")]).toEqual([
      10_000_000,
      false,
    ]);
    // Gamma's cache may still be of before.
    desk.run({ kind: "catalog.read", answer: { markets: [plain], groups: [] } });
    expect(desk.quote({})).toMatchObject({ error: { code: "market_closed" } });
    expect(held(desk)).toBe(10_000_000);
    desk.resolve(plain, 0);
    expect([held(desk), desk.state.live.resolutions.size]).toEqual([0, 0]);
    expect(desk.notices().findLast((one) => one.kind === "market.settled")).toMatchObject({
      paidUsd: 10_000_000,
    });
  });

  test("is settled as Gamma says where the stream said something else", () => {
    const desk = holding();
    desk.run(told(0));
    desk.resolve(plain, 1);
    expect(desk.notices().findLast((one) => one.kind === "market.settled")).toMatchObject({
      winner: plain.outcomes[1].name,
      paidUsd: 0,
    });
  });

  test("only by the stream for ten minutes while Gamma calls it open is open", () => {
    const desk = holding();
    desk.run(told(0));
    desk.nowMs += 600_000;
    desk.run({ kind: "catalog.read", answer: { markets: [plain], groups: [] } });
    expect(desk.state.markets.get(conditionId)?.tradable).toBe(true);
    expect(held(desk)).toBe(10_000_000);
  });

  test("is nothing to ask about when nobody here knows it", () => {
    const desk = openCoreDesk();
    const event = { ...told(0).event, conditionId: "0x77" };
    desk.run({ kind: "market", event });
    expect([desk.drain(), desk.state.live.resolutions.size]).toEqual([[], 0]);
  });
});
