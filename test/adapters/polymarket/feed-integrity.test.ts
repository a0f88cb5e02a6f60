import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { defaultTimeouts } from "../../../src/adapters/polymarket/create-polymarket.ts";
import {
  defaultFeedLimits,
  defaultFeedTimings,
  type FeedLimits,
  type FeedTimings,
} from "../../../src/adapters/polymarket/feed-timings.ts";
import { createHttpClient } from "../../../src/adapters/polymarket/http-client.ts";
import { createMarketFeed, type MarketFeed } from "../../../src/adapters/polymarket/market-feed.ts";
import type { MarketEvent } from "../../../src/engine/domain/market-event.ts";
import type { FeedEvent } from "../../../src/engine/ports/market-data.ts";
import { neverMs } from "./feed-rig.ts";
import { collectingLog, type LogLine, until } from "./paper-desk.ts";
import { book, conditionOf, delta, markets, ScriptedVenue } from "./scripted-venue.ts";

let venue: ScriptedVenue;
let feed: MarketFeed;
let events: (MarketEvent | FeedEvent)[];
let lines: LogLine[];
let address: string;

const one = conditionOf("1");
const ofKind = <K extends string>(kind: K) => events.filter((event) => event.kind === kind);
const sizes = () =>
  events.flatMap((event) => (event.kind === "book.delta" ? [event.changes[0]?.size] : []));

beforeEach(async () => {
  venue = new ScriptedVenue();
  address = await venue.listen();
  events = [];
});
afterEach(async () => {
  await feed.close();
  await venue.close();
});

async function start(
  timings: Partial<FeedTimings> = {},
  limits: Partial<FeedLimits> = {},
  count = 1,
): Promise<void> {
  const log = collectingLog();
  lines = log.lines;
  feed = createMarketFeed({
    wsUrl: `ws://${address}`,
    http: createHttpClient({
      baseUrl: `http://${address}`,
      timeouts: defaultTimeouts,
      connections: 2,
    }),
    timings: { ...defaultFeedTimings, backOffFirstMs: 20, ...timings },
    limits: { ...defaultFeedLimits, ...limits },
    log: log.log,
  });
  feed.start((batch) => events.push(...batch));
  feed.watch(markets(count));
  await until("books", () => (ofKind("book.snapshot").length >= count ? true : null));
}

function send(socket: number, text: string): void {
  venue.sockets[socket]?.send(text);
}

describe("a connection that answers pings and delivers nothing", () => {
  test("is given up when the venue has a newer book, and its books come back with the next one", async () => {
    await start({ dataSilenceMs: 80, snapshotLimitMs: 40, pingEveryMs: 20 });
    venue.bookTimestamp = String(Date.now() + 10_000);
    const lost = await until("the loss", () => ofKind("link.lost")[0]);
    expect(lost).toMatchObject({ cause: "silent", conditionIds: [one] });
    venue.bookTimestamp = "1";
    await until("a second epoch", () => ofKind("link.up")[1]);
    await until("a second book", () => ofKind("book.snapshot")[1]);
    expect(feed.health().losses["silent"]).toBeGreaterThanOrEqual(1);
  });

  test("is left alone while the venue has nothing newer: the market is quiet", async () => {
    venue.bookTimestamp = "1";
    await start({ dataSilenceMs: 60, snapshotLimitMs: 10_000 });
    await until("several comparisons", () => (venue.books >= 4 ? true : null));
    expect(ofKind("link.lost")).toEqual([]);
    expect(venue.sockets).toHaveLength(1);
  });

  test("is left alone when the change comes while we look", async () => {
    await start({ dataSilenceMs: 80, snapshotLimitMs: 5_000 });
    const aheadMs = Date.now() + 10_000;
    venue.bookTimestamp = String(aheadMs);
    await until("a comparison", () => (venue.books >= 1 ? true : null));
    send(0, delta("1", "7", String(aheadMs)));
    await until("the change", () => ofKind("book.delta")[0]);
    venue.bookTimestamp = "1";
    await until("another comparison", () => (venue.books >= 2 ? true : null));
    expect(ofKind("link.lost")).toEqual([]);
  });
});

describe("which market stands for its connection", () => {
  test("is another one next time: one that ended does not hide the silence of the others", async () => {
    venue.bookTimestamp = "1";
    // The busiest one by far is over: the venue has no book of it.
    venue.missing.add("1");
    await start({ dataSilenceMs: 80, snapshotLimitMs: 40 }, {}, 3);
    for (let i = 0; i < 50; i++) send(0, delta("1", String(i + 1)));
    await until("the changes", () => (ofKind("book.delta").length === 50 ? true : null));
    venue.bookTimestamp = String(Date.now() + 10_000);
    const lost = await until("the loss", () => ofKind("link.lost")[0]);
    expect(lost).toMatchObject({ cause: "silent" });
    expect(venue.asked[0]).toBe("1");
  });
});

describe("a reader that cannot keep up", () => {
  test("drops the connection with its backlog; the books are stale and come anew", async () => {
    await start({ lagMaxMs: 1_000 });
    send(0, delta("1", "1", String(Date.now())));
    for (let i = 0; i < 60; i++) send(0, delta("1", "2", String(Date.now() - 60_000)));
    const lost = await until("the loss", () => ofKind("link.lost")[0]);
    expect(lost).toMatchObject({ cause: "lagging", conditionIds: [one] });
    await until("a new book", () => ofKind("book.snapshot")[1]);
    expect(feed.health().losses).toEqual({ lagging: 1 });
  });

  test("a frame that the venue held back is no backlog, and clocks may differ", async () => {
    await start({ lagMaxMs: 1_000 });
    const behindMs = 3_600_000;
    for (let i = 0; i < 200; i++) {
      const lateMs = i % 3 === 2 ? 5_000 : 0;
      send(0, delta("1", String(i + 1), String(Date.now() - behindMs - lateMs)));
    }
    await until("all", () => (ofKind("book.delta").length === 200 ? true : null));
    expect(ofKind("link.lost")).toEqual([]);
  });
});

describe("why a connection ended", () => {
  test("1013 is a slow consumer, another code is a close", async () => {
    await start();
    venue.sockets[0]?.close(1013, "slow consumer: send buffer full");
    await until("the next connection", () => ofKind("link.up")[1]);
    venue.sockets[1]?.close(1001, "going away");
    await until("the third connection", () => ofKind("link.up")[2]);
    expect(feed.health().losses).toEqual({ slow_consumer: 1, closed: 1 });
  });

  test("a frame over the size cap ends the connection and is counted, and nothing of it is read", async () => {
    await start();
    send(0, `[${" ".repeat(9 * 1024 * 1024)}]`);
    await until("the next connection", () => ofKind("link.up")[1]);
    expect(feed.health().losses).toEqual({ too_large: 1 });
    await until("a second book", () => ofKind("book.snapshot")[1]);
  });
});

describe("a market on two connections", () => {
  async function doubled(timings: Partial<FeedTimings> = {}): Promise<void> {
    await start(timings);
    feed.double([one]);
    await until("the second book", () => (ofKind("book.snapshot").length === 2 ? true : null));
  }

  test("what comes first counts, in order, and the repetition is counted", async () => {
    await doubled();
    const at = Date.now();
    for (let i = 1; i <= 50; i++) {
      // Each in turn is the faster one.
      const [fast, slow] = i % 2 === 0 ? [0, 1] : [1, 0];
      send(fast, delta("1", String(i), String(at + i)));
      send(slow, delta("1", String(i), String(at + i)));
    }
    await until("the repetitions", () => (feed.health().duplicates === 50 ? true : null));
    expect(sizes()).toEqual(Array.from({ length: 50 }, (_, i) => (i + 1) * 1_000_000));
  });

  test("what the venue says twice on one connection is said twice", async () => {
    await doubled();
    for (let i = 0; i < 3; i++) {
      send(0, delta("1", "5", "100"));
      send(1, delta("1", "5", "100"));
    }
    await until("the repetitions", () => (feed.health().duplicates === 3 ? true : null));
    expect(sizes()).toHaveLength(3);
  });

  test("one of them may be lost: the books go on, and no loss is told", async () => {
    await doubled();
    const before = events.length;
    venue.sockets[0]?.terminate();
    send(1, delta("1", "9", "100"));
    await until("the change", () => ofKind("book.delta")[0]);
    await until("the return", () => ofKind("link.up")[1]);
    expect(events.slice(before).map((event) => event.kind)).not.toContain("link.lost");
    // With both gone the book is gone.
    venue.sockets[1]?.terminate();
    venue.sockets[2]?.terminate();
    expect(await until("the loss", () => ofKind("link.lost")[0])).toMatchObject({
      conditionIds: [one],
    });
  });

  test("a second line whose own book has not come yet saves nothing: the book is lost with the first", async () => {
    await start({ snapshotLimitMs: 300 });
    venue.autoAnswer = false;
    feed.double([one]);
    await until("the second subscription", () => venue.subscriptions()[1]);
    venue.sockets[0]?.terminate();
    const lost = await until("the loss", () => ofKind("link.lost")[0]);
    expect(lost).toMatchObject({ conditionIds: [one] });
    // Neither line sends a book: REST does.
    await until("a book", () => ofKind("book.snapshot")[1]);
    expect(venue.books).toBeGreaterThanOrEqual(1);
  });

  test("with the first one back but bookless, the loss of the second loses the book and not the link (P11)", async () => {
    await doubled({ snapshotLimitMs: 60_000 });
    venue.autoAnswer = false;
    venue.sockets[0]?.terminate();
    await until("the return", () => ofKind("link.up")[1]);
    expect(ofKind("link.lost")).toEqual([]);
    const before = events.length;
    venue.sockets[1]?.terminate();
    await until("the loss", () => ofKind("link.lost")[0]);
    await until("the link", () => ofKind("link.up")[2]);
    expect(events.slice(before)).toMatchObject([
      { kind: "link.lost", conditionIds: [one] },
      { kind: "link.up", away: 0 },
    ]);
  });

  test("with both gone the link stays down, whatever other connection comes", async () => {
    const never = { backOffFirstMs: neverMs, backOffLongestMs: neverMs };
    await start(never, { tokensPerConnection: 1 });
    feed.double([one]);
    await until("the second book", () => (ofKind("book.snapshot").length === 2 ? true : null));
    venue.sockets[0]?.terminate();
    await until("the first loss", () => lines.find(({ event }) => event === "market_feed.lost"));
    expect(ofKind("link.lost")).toEqual([]);
    venue.sockets[1]?.terminate();
    await until("the loss", () => ofKind("link.lost")[0]);
    feed.watch(markets(1, 2));
    const up = await until("another connection", () => ofKind("link.up")[1]);
    expect(up).toMatchObject({ away: 1 });
  });

  test("a dead one is noticed by what the other brings, whichever it is", async () => {
    for (const dead of [0, 1]) {
      await doubled({ dataSilenceMs: 200, snapshotLimitMs: 60_000 });
      const alive = 1 - dead;
      const from = venue.sockets.length;
      let size = 1;
      await until("the reset", () => {
        send(from - 2 + alive, delta("1", String(size++), String(Date.now())));
        return feed.health().losses["silent"] ?? null;
      });
      const role = dead === 0 ? "main" : "double";
      expect(lines.find((line) => line.event === "market_feed.lost")?.fields["role"]).toBe(role);
      if (dead === 0) {
        await feed.close();
        events = [];
      }
    }
  });

  test("a market that is doubled no more leaves the second connection, which is closed", async () => {
    await doubled();
    feed.double([]);
    await until("the end", () => (venue.sockets[1]?.readyState === 3 ? true : null));
    expect(feed.health()).toMatchObject({ doubled: 0, connections: [{ role: "main", up: true }] });
  });
});

describe("requests for fresh books", () => {
  const asked = () => venue.subscriptions().filter((frame) => frame.operation === "unsubscribe");

  test("carry their reason and name from the contradiction to the snapshot", async () => {
    await start();
    feed.resync(one, { reason: "crossed", resyncId: "r7" });
    const named = { conditionId: one, reason: "crossed", resyncId: "r7" };
    const line = await until("the end", () =>
      lines.find(({ event }) => event === "market_feed.resynced"),
    );
    expect(line.fields).toMatchObject(named);
    expect(lines.find(({ event }) => event === "market_feed.resync")?.fields).toEqual(named);
    expect(feed.health().snapshots).toMatchObject({ asked: 1, durationsMs: [expect.any(Number)] });
  });

  test("of one market come less and less often while they do not help", async () => {
    await start({ resyncEveryMs: 20, resyncLongestMs: 10_000 });
    const startedAt = performance.now();
    for (let n = 1; n <= 5; n++) {
      feed.resync(one);
      await until("a fresh book", () => (ofKind("book.snapshot").length > n ? true : null));
    }
    const times = asked().map((frame) => frame.atMs - startedAt);
    expect(times).toHaveLength(5);
    // Pauses of 20, 40, 80 and 160 ms at least; how late a frame is read must not matter.
    times.forEach((atMs, i) => expect(atMs).toBeGreaterThan(20 * (2 ** i - 1) - 2));
  });

  test("of all markets take turns, and none is forgotten", async () => {
    // So slow that no turn is earned while the requests are made.
    await start({}, { resyncs: { perSecond: 10, burst: 5 } }, 20);
    const startedAt = performance.now();
    for (let i = 1; i <= 20; i++) feed.resync(conditionOf(String(i)));
    expect(feed.health().snapshots).toMatchObject({ asked: 5, throttled: 15 });
    await until("all books", () => (ofKind("book.snapshot").length === 40 ? true : null));
    expect(performance.now() - startedAt).toBeGreaterThan(1_400);
    expect(new Set(asked().flatMap((frame) => frame.assets_ids)).size).toBe(20);
  });
});

test("a connection that is left while it was away is no loss any more (P11)", async () => {
  await start(
    { backOffFirstMs: neverMs, backOffLongestMs: neverMs },
    { tokensPerConnection: 1 },
    2,
  );
  venue.sockets[1]?.terminate();
  await until("the loss", () => ofKind("link.lost")[0]);
  const before = ofKind("link.up").length;
  feed.unwatch([conditionOf("2")]);
  expect(await until("its end", () => ofKind("link.up")[before])).toMatchObject({ away: 0 });
});

test("a stream that sends no books is not answered by a burst of reads", async () => {
  const perSecond = 20;
  await start({ snapshotLimitMs: 50 }, { resyncs: { perSecond, burst: 5 } }, 1);
  venue.autoAnswer = false;
  const before = venue.books;
  const startedAt = performance.now();
  feed.watch(markets(40, 2));
  await until("all books by REST", () => (venue.books - before >= 40 ? true : null));
  // Five at once, the others one by one.
  expect(performance.now() - startedAt).toBeGreaterThan((35 / perSecond) * 1_000);
});

test("connections hold as many markets as they are told to, and a fuller feed refuses", async () => {
  await start({}, { tokensPerConnection: 3, maxMarkets: 8 }, 8);
  feed.watch(markets(1, 100));
  expect(feed.counters().watched).toBe(8);
  expect(lines.some((line) => line.event === "market_feed.full")).toBe(true);
  const health = feed.health();
  expect(health.connections.map((connection) => connection.markets)).toEqual([3, 3, 2]);
  // A connection that lost all its markets while it was away is not waited for.
  venue.sockets[2]?.terminate();
  await until("the loss", () => ofKind("link.lost")[0]);
  feed.unwatch([conditionOf("7"), conditionOf("8")]);
  send(0, JSON.stringify([book("1")]));
  venue.sockets[0]?.terminate();
  const up = await until("a new epoch", () => ofKind("link.up")[3]);
  expect(up).toMatchObject({ away: 0 });
});
