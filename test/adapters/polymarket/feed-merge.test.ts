import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FeedRig } from "./feed-rig.ts";
import { until } from "./paper-desk.ts";
import { book, conditionOf, delta } from "./scripted-venue.ts";

let rig: FeedRig;
const one = conditionOf("1");

beforeEach(async () => {
  rig = new FeedRig();
  await rig.start({ dataSilenceMs: 60_000 });
  rig.feed.double([one]);
  await rig.books(2);
});
afterEach(async () => rig.close());

const sizes = () => rig.ofKind("book.delta").map((event) => (event.changes[0]?.size ?? 0) / 1e6);
const told = (timestamp: string) => JSON.stringify(book("1", timestamp));
const duplicates = (count: number) =>
  until(`${count} repetitions`, () => (rig.feed.health().duplicates === count ? true : null));

describe("of two lines", () => {
  test("a book that one of them brought already does not undo what came since", async () => {
    const at = String(Date.now() + 1_000);
    const before = rig.ofKind("book.snapshot").length;
    // Of one moment: the market's change, the book that a trade made the venue send, one more change.
    for (const text of [delta("1", "5", at), told(at), delta("1", "6", at)]) rig.send(0, text);
    await until("the change", () => (sizes().includes(6) ? true : null));
    for (const text of [delta("1", "5", at), told(at), delta("1", "6", at)]) rig.send(1, text);
    await duplicates(3);
    expect(sizes()).toEqual([5, 6]);
    expect(rig.ofKind("book.snapshot")).toHaveLength(before + 1);
  });

  test("the book that was asked for counts, although the other one brought the same before", async () => {
    rig.venue.streamTimestamp = String(Date.now());
    for (let n = 1; n <= 3; n++) {
      const before = rig.ofKind("book.snapshot").length;
      rig.feed.resync(one);
      await rig.books(before + 1);
    }
    const before = rig.ofKind("book.snapshot").length;
    for (const line of [0, 1]) rig.venue.sockets[line]?.terminate();
    await until("the loss", () => rig.ofKind("link.lost")[0]);
    await rig.books(before + 1);
    expect(rig.feed.health().losses).toEqual({ closed: 2 });
    expect(rig.venue.books).toBe(0);
  });

  test("trades, quotes and news to all are heard once", async () => {
    const about = { market: one, asset_id: "1", timestamp: "7" };
    const trade = { price: "0.5", size: "3", side: "BUY", event_type: "last_trade_price" };
    const quote = { best_bid: "0.4", best_ask: "0.6", event_type: "best_bid_ask" };
    const opened = { event_type: "new_market", market: conditionOf("9"), timestamp: "7" };
    for (const line of [0, 1]) {
      for (const message of [{ ...about, ...trade }, { ...about, ...quote }, opened]) {
        rig.send(line, JSON.stringify(message));
      }
    }
    await duplicates(2);
    for (const kind of ["trade.printed", "quote.printed", "market.opened"] as const) {
      expect(rig.ofKind(kind), kind).toHaveLength(1);
    }
  });

  test("one that is far behind brings nothing that was forgotten meanwhile (P11)", async () => {
    const from = Date.now();
    const changes = Array.from({ length: 1_200 }, (_, i) =>
      delta("1", String(i + 1), `${from + i}`),
    );
    for (const text of changes) rig.send(0, text);
    await until("all", () => (sizes().length === 1_200 ? true : null));
    for (const text of changes) rig.send(1, text);
    await duplicates(1_200);
    expect(sizes()).toHaveLength(1_200);
  });

  test("none is held for dead because books were asked for on the other one", async () => {
    await rig.close();
    rig = new FeedRig();
    await rig.start({
      dataSilenceMs: 300,
      snapshotLimitMs: 60_000,
      resyncEveryMs: 20,
      resyncLongestMs: 20,
    });
    rig.venue.bookTimestamp = "1";
    rig.feed.double([one]);
    await rig.books(2);
    const startedAt = performance.now();
    while (performance.now() - startedAt < 1_000) {
      const before = rig.ofKind("book.snapshot").length;
      rig.feed.resync(one);
      await rig.books(before + 1);
    }
    expect(rig.feed.health().losses).toEqual({});
  });
});
