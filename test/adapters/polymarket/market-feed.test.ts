import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { defaultTimeouts } from "../../../src/adapters/polymarket/create-polymarket.ts";
import {
  defaultFeedTimings,
  type FeedTimings,
} from "../../../src/adapters/polymarket/feed-timings.ts";
import { createHttpClient } from "../../../src/adapters/polymarket/http-client.ts";
import { createMarketFeed, type MarketFeed } from "../../../src/adapters/polymarket/market-feed.ts";
import type { MarketEvent } from "../../../src/engine/domain/market-event.ts";
import type { FeedEvent } from "../../../src/engine/ports/market-data.ts";
import { collectingLog, until } from "./paper-desk.ts";
import { conditionOf, delta, markets, ScriptedVenue } from "./scripted-venue.ts";

let venue: ScriptedVenue;
let address: string;
let feed: MarketFeed;
let batches: (readonly (MarketEvent | FeedEvent)[])[];

function open(timings: Partial<FeedTimings> = {}): MarketFeed {
  return createMarketFeed({
    wsUrl: `ws://${address}`,
    http: createHttpClient({
      baseUrl: `http://${address}`,
      timeouts: defaultTimeouts,
      connections: 2,
    }),
    timings: { ...defaultFeedTimings, backOffFirstMs: 20, ...timings },
    log: collectingLog().log,
  });
}

const events = () => batches.flat();
const ofKind = <K extends string>(kind: K) => events().filter((event) => event.kind === kind);

beforeEach(async () => {
  venue = new ScriptedVenue();
  address = await venue.listen();
  batches = [];
});
afterEach(async () => {
  await feed.close();
  await venue.close();
});

function start(timings: Partial<FeedTimings> = {}): void {
  feed = open(timings);
  feed.start((batch) => batches.push(batch));
}

describe("subscriptions", () => {
  test("250 markets: 200 tokens a connection, 100 ids a frame, token 0 only, custom features, no deflate", async () => {
    start();
    feed.watch(markets(250));
    await until("all books", () => (ofKind("book.snapshot").length === 250 ? true : null));
    const sent = venue.subscriptions();
    const shapes = (socket: number) =>
      sent
        .filter((frame) => frame.socket === socket)
        .map((frame) => [frame.type ?? frame.operation, frame.assets_ids.length]);
    expect(shapes(0)).toEqual([
      ["market", 100],
      ["subscribe", 100],
    ]);
    expect(shapes(1)).toEqual([["market", 50]]);
    expect(sent.every((frame) => frame.custom_feature_enabled === true)).toBe(true);
    expect(sent.flatMap((frame) => frame.assets_ids).every((id) => Number(id) <= 250)).toBe(true);
    expect(venue.offers).toEqual([undefined, undefined]);
    expect(feed.counters()).toMatchObject({ connections: 2, watched: 250, framesInvalid: 0 });
    expect(ofKind("link.up").map((event) => event.kind === "link.up" && event.epoch)).toEqual([
      1, 2,
    ]);
  });

  test("markets join and leave on the open connection; an empty connection is closed", async () => {
    start();
    feed.watch(markets(2));
    await until("books", () => (ofKind("book.snapshot").length === 2 ? true : null));
    feed.watch(markets(1, 3));
    await until("a third book", () => (ofKind("book.snapshot").length === 3 ? true : null));
    feed.watch(markets(3));
    feed.unwatch([conditionOf("1")]);
    await until("unsubscribe", () =>
      venue.subscriptions().find((frame) => frame.operation === "unsubscribe"),
    );
    expect(venue.subscriptions().map((frame) => [frame.operation, ...frame.assets_ids])).toEqual([
      [undefined, "1", "2"],
      ["subscribe", "3"],
      ["unsubscribe", "1"],
    ]);
    feed.unwatch([conditionOf("2"), conditionOf("3")]);
    await until("the end of the connection", () =>
      venue.sockets[0]?.readyState === 3 ? true : null,
    );
    expect(ofKind("link.lost")).toEqual([]);
  });
});

describe("frames", () => {
  test("of one socket read are handed on together, in order, none dropped", async () => {
    start();
    feed.watch(markets(1));
    await until("a book", () => ofKind("book.snapshot")[0]);
    const before = batches.length;
    for (let i = 1; i <= 500; i++) venue.sockets[0]?.send(delta("1", String(i)));
    await until("all deltas", () => (ofKind("book.delta").length === 500 ? true : null));
    const sizes = events().flatMap((event) =>
      event.kind === "book.delta" ? [event.changes[0]?.size] : [],
    );
    expect(sizes).toEqual(Array.from({ length: 500 }, (_, i) => (i + 1) * 1_000_000));
    expect(batches.length - before).toBeLessThan(250);
  });

  test("bad ones are counted and never end the feed; a broken change is told of its market", async () => {
    start();
    feed.watch(markets(1));
    await until("a book", () => ofKind("book.snapshot")[0]);
    const socket = venue.sockets[0];
    for (const text of ["", "PONG", "NO NEW ASSETS", "{", "[[[[[[[[1]]]]]]]]", "null", "7"]) {
      socket?.send(text);
    }
    socket?.send(Buffer.from([1, 2, 3]));
    socket?.send(delta("1", "ten"));
    const unread = await until("the news", () => ofKind("change.unread")[0]);
    expect(unread).toEqual({ kind: "change.unread", conditionId: conditionOf("1") });
    expect(feed.counters().framesInvalid).toBe(6);
    expect(feed.refusals()).toEqual({ not_json: 2, too_deep: 1, bad_shape: 2, bad_size: 1 });
  });
});

describe("integrity", () => {
  test("resync unsubscribes and subscribes, at most once in 250 ms a market", async () => {
    start();
    feed.watch(markets(1));
    await until("a book", () => ofKind("book.snapshot")[0]);
    const startedAt = performance.now();
    // One snapshot answers all requests that were made before it came.
    for (let i = 0; i < 10; i++) feed.resync(conditionOf("1"));
    await until("a second book", () => ofKind("book.snapshot")[1]);
    for (let i = 0; i < 10; i++) feed.resync(conditionOf("1"));
    await until("a third book", () => ofKind("book.snapshot")[2]);
    const sent = venue.subscriptions().slice(1);
    expect(sent.map((frame) => frame.operation)).toEqual([
      "unsubscribe",
      "subscribe",
      "unsubscribe",
      "subscribe",
    ]);
    // How late a frame is read must not matter.
    expect((sent[2]?.atMs ?? 0) - startedAt).toBeGreaterThan(248);
  });

  test("without a snapshot from the stream the book is read by REST, again and again until it comes", async () => {
    venue.autoAnswer = false;
    venue.bookStatus = 500;
    start({ snapshotLimitMs: 30 });
    feed.watch(markets(1));
    await until("failed reads", () => (venue.books >= 4 ? true : null));
    expect(ofKind("book.snapshot")).toEqual([]);
    venue.bookStatus = 200;
    const read = await until("a book", () => ofKind("book.snapshot")[0]);
    expect(read).toMatchObject({ source: "rest", minOrderSize: 5_000_000, negRisk: false });
    expect(venue.subscriptions()).toHaveLength(1);
  });

  test("a lost connection says whose books it carried, and the next one is a new epoch with new books", async () => {
    start();
    feed.watch(markets(2));
    await until("books", () => ofKind("book.snapshot")[1]);
    venue.sockets[0]?.close(1013, "slow consumer: send buffer full");
    await until("a new epoch", () => ofKind("link.up")[1]);
    await until("new books", () => ofKind("book.snapshot")[3]);
    expect(events().map((event) => event.kind)).toEqual([
      "link.up",
      "book.snapshot",
      "book.snapshot",
      "link.lost",
      "link.up",
      "book.snapshot",
      "book.snapshot",
    ]);
    expect(ofKind("link.lost")[0]).toMatchObject({
      conditionIds: [conditionOf("1"), conditionOf("2")],
      detail: expect.stringContaining("1013"),
    });
    expect(feed.counters().reconnects).toBe(1);
  });

  test("PING keeps a quiet connection; silence ends it", async () => {
    start({ pingEveryMs: 20, silenceLimitMs: 1_500 });
    feed.watch(markets(1));
    await until("ten pings", () =>
      venue.frames.filter((f) => f.text === "PING").length > 10 ? 1 : null,
    );
    expect(ofKind("link.lost")).toEqual([]);
    venue.autoAnswer = false;
    const lost = await until("the loss", () => ofKind("link.lost")[0]);
    expect(lost).toMatchObject({ detail: expect.stringContaining("silent") });
    await until("another connection", () => venue.sockets[1]);
  });

  test("a venue that is away is tried again with growing pauses; nothing is said before a link was up", async () => {
    await venue.close();
    start();
    feed.watch(markets(1));
    venue = new ScriptedVenue();
    await venue.listen(Number(address.split(":")[1]));
    await until("a book", () => ofKind("book.snapshot")[0]);
    expect(events()[0]).toMatchObject({ kind: "link.up", epoch: 1 });
  });
});
