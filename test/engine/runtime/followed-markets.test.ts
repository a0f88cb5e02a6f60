import { afterEach, describe, expect, test } from "vitest";
import { ageMs } from "../../../src/engine/domain/market-book.ts";
import { levelsOf } from "../../../src/engine/domain/order-book.ts";
import { trader } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { type LiveDesk, openLiveDesk, until } from "../support/live-desk.ts";
import { standing, standingRunners, standingTaxed } from "../support/standing-world.ts";

const resting = {
  conditionId: standing.conditionId,
  limit: priceOf("0.45"),
  amount: { unit: "shares", value: sharesOf("20") },
} as const;

let desk: LiveDesk;
afterEach(async () => desk.close());

const followed = () => [...desk.engine.state.live.books.keys()];

describe("which markets are followed", () => {
  test("one with an open order is carried twice while the order rests", async () => {
    desk = await openLiveDesk({ doubledBooks: 3 });
    const { marketData } = desk.polymarket;
    expect(marketData.health?.().doubled).toBe(0);
    const order = await desk.place(resting);
    await until("a second connection", () => marketData.health?.().doubled === 1);
    // The second connection goes on when the first one dies, and nobody has to be told.
    await until("both up", () => marketData.health?.().connections.every((one) => one.up) === true);
    await desk.engine.cancelOrders(trader, "c1", [order.clientOid]);
    await until("one connection", () => marketData.health?.().doubled === 0);
  });

  test("the longest unused makes room, never one with money in it", async () => {
    desk = await openLiveDesk({ maxBooks: 2 });
    await desk.place(resting);
    await desk.engine.market(standingTaxed.conditionId);
    const [first, second] = standingRunners;
    await desk.engine.market(first?.conditionId ?? "");
    await desk.engine.market(second?.conditionId ?? "");
    expect(followed()).toEqual([standing.conditionId, second?.conditionId]);
    await until("the venue's word", () => desk.polymarket.marketData.counters().watched === 2);
  });
});

describe("more frames than anybody can look at", () => {
  test("none is dropped, wake-ups are joined, and every fill of the account is heard", async () => {
    desk = await openLiveDesk();
    const { exchange } = desk.venue;
    const { conditionId } = standing;
    await desk.place({ ...resting, limit: priceOf("0.49") });
    await until("the order rests", () => desk.engine.orders()[0]?.status === "live");
    const book = desk.engine.state.live.books.get(conditionId);
    // A card before a trader is what a strategy listens for.
    await desk.card({ conditionId, limit: priceOf("0.30"), amount: resting.amount });
    const before = { applied: book?.framesApplied ?? 0, ...desk.engine.dataReport().wakeUps };
    const frames = 2_000;
    for (let i = 0; i < frames; i++) {
      exchange.setBackgroundLevel(conditionId, "SELL", `0.${55 + (i % 20)}`, `${100 + i}`);
      // The crowd takes one of our shares now and then.
      if (i % 100 === 50) exchange.crowdTrade(conditionId, "SELL", "0.49", "1");
    }
    const applied = () => (book?.framesApplied ?? 0) - before.applied;
    await until("all frames", () => applied() >= frames);
    await until("all fills", () => desk.engine.orders()[0]?.filled === 20_000_000);
    const changes = () => desk.engine.dataReport().wakeUps.changes - before.changes;
    await until("the last wake-up", () => changes() >= frames);
    const made = desk.engine.dataReport().wakeUps.wakeUps - before.wakeUps;
    expect([made > 0, made < changes() / 2]).toEqual([true, true]);
    expect(book?.status).toBe("live");
    expect(book === undefined ? 0 : ageMs(book, Date.now())).toBeLessThan(60_000);
  });

  test("a reader that is too slow drops the connection's books at once, counted, and reads them anew; every fill is heard", async () => {
    const lagMaxMs = 300;
    desk = await openLiveDesk({ feedTimings: { lagMaxMs, backOffFirstMs: 20 } });
    const { exchange } = desk.venue;
    const { conditionId } = standing;
    await desk.place({ ...resting, limit: priceOf("0.49") });
    await until("the order rests", () => desk.engine.orders()[0]?.status === "live");
    const { live } = desk.engine.state;
    const { resyncs = {} } = live.books.get(conditionId)?.health ?? {};
    // One change in time shows what no lag is.
    exchange.setBackgroundLevel(conditionId, "SELL", "0.55", "99");
    await until("it is read", () => (live.books.get(conditionId)?.framesApplied ?? 0) > 1);
    // Nobody reads while the venue goes on: the reader is the same thread.
    const untilMs = Date.now() + 4 * lagMaxMs;
    for (let i = 0; Date.now() < untilMs || i < 400; i++) {
      exchange.setBackgroundLevel(conditionId, "SELL", `0.${55 + (i % 20)}`, `${100 + i}`);
      if (i < 400 && i % 20 === 10) exchange.crowdTrade(conditionId, "SELL", "0.49", "1");
    }
    const { marketData } = desk.polymarket;
    await until("the loss", () => (marketData.health?.().losses["lagging"] ?? 0) > 0);
    expect(live.resyncs.get("lagging")).toBeGreaterThanOrEqual(1);
    expect(resyncs.lagging).toBeGreaterThanOrEqual(1);
    await until("all fills", () => desk.engine.orders()[0]?.filled === 20_000_000);
    await until("fresh books", () => live.books.get(conditionId)?.status === "live");
    const read = await marketData.readBook({
      conditionId,
      tokenIds: [standing.outcomes[0].tokenId, standing.outcomes[1].tokenId],
    });
    const ladder = live.books.get(conditionId)?.ladder;
    const theirs = read.ok ? read.book.asks.map(({ price, size }) => `${price}:${size}`) : [];
    const ours = ladder === undefined ? [] : levelsOf(ladder, 0, "sell");
    expect(ours.map(({ price, size }) => `${price}:${size}`).sort()).toEqual(theirs.sort());
  });
});
