import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FeedRig, neverMs } from "./feed-rig.ts";
import { until } from "./paper-desk.ts";
import { book, conditionOf, delta, markets } from "./scripted-venue.ts";

let rig: FeedRig;

beforeEach(() => {
  rig = new FeedRig();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rig.close();
});

const one = conditionOf("1");
const aheadMs = () => Date.now() + 10_000;
const sizes = () => rig.ofKind("book.delta").map((event) => (event.changes[0]?.size ?? 0) / 1e6);

describe("a quiet connection", () => {
  test("keeps its life when the change comes within the time that it gets", async () => {
    const { venue } = rig;
    await rig.start({ dataSilenceMs: 300, snapshotLimitMs: 900 });
    const newer = String(aheadMs());
    venue.bookTimestamp = newer;
    await until("the comparison", () => (venue.books >= 1 ? true : null));
    await rig.roundTrips(1);
    rig.send(0, delta("1", "7", newer));
    // One comparison in 300 ms at most: these begin after that time has ended.
    await until("more comparisons", () => (venue.books >= 7 ? true : null));
    expect(rig.ofKind("link.lost")).toEqual([]);
  });

  test("is compared once in its time, and a busy one never", async () => {
    const { venue } = rig;
    venue.bookTimestamp = "1";
    const startedAt = performance.now();
    await rig.start({ dataSilenceMs: 400, snapshotLimitMs: 60_000 });
    let silences = 0;
    let heardAt = performance.now();
    for (let i = 1; performance.now() - startedAt < 1_200; i++) {
      rig.send(0, delta("1", String(i)));
      await until("the change", () => (sizes().length >= i ? true : null));
      // Only a machine that stands still makes a silence here.
      if (performance.now() - heardAt > 390) silences++;
      heardAt = performance.now();
    }
    expect(venue.books).toBeLessThanOrEqual(silences);
    const [before, quietAt] = [venue.books, performance.now()];
    await until("six comparisons", () => (venue.books >= before + 6 ? true : null));
    expect(performance.now() - quietAt).toBeGreaterThan(6 * 400 - 100);
  });

  test("waits while four others are compared, and none is forgotten (P11)", async () => {
    const { venue } = rig;
    venue.bookTimestamp = "1";
    await rig.start({ dataSilenceMs: 200, snapshotLimitMs: 60_000 }, { tokensPerConnection: 1 }, 8);
    venue.held = [];
    await until("four reads", () => (venue.held?.length === 4 ? true : null));
    // Other markets come meanwhile: all that was due has been asked for by then.
    for (let i = 1; i <= 3; i++) {
      rig.feed.watch(markets(1, 100 + i));
      await rig.books(8 + i);
    }
    expect(venue.held).toHaveLength(4);
    const held = venue.held;
    venue.held = null;
    for (const answer of held) answer();
    await until("the others", () => (new Set(venue.asked).size >= 8 ? true : null));
  });

  test("is noticed although the venue tells everybody of new markets and of those of others", async () => {
    const { venue } = rig;
    await rig.start({ dataSilenceMs: 100, snapshotLimitMs: 40 });
    venue.bookTimestamp = String(aheadMs());
    const opened = { event_type: "new_market", market: conditionOf("77"), timestamp: "1" };
    await until("the loss", () => {
      rig.send(0, JSON.stringify(opened));
      rig.send(0, delta("78", "1", String(Date.now())));
      return rig.ofKind("link.lost")[0];
    });
    expect(rig.feed.health().losses).toMatchObject({ silent: 1 });
  });

  test("that was opened anew while it was compared has its own time", async () => {
    const { venue } = rig;
    await rig.start({ dataSilenceMs: 300, snapshotLimitMs: 600, backOffFirstMs: 1 });
    venue.bookTimestamp = String(aheadMs());
    await until("the comparison", () => (venue.books >= 1 ? true : null));
    await rig.roundTrips(1);
    venue.bookTimestamp = "1";
    venue.sockets[0]?.terminate();
    await until("the next connection", () => rig.ofKind("link.up")[1]);
    // Its comparisons come one in 300 ms: the time of the first connection has ended by then.
    const before = venue.books;
    await until("more comparisons", () => (venue.books >= before + 5 ? true : null));
    expect(rig.feed.health().losses).toEqual({ closed: 1 });
  });
});

describe("a connection that was given up", () => {
  test("says nothing more, whatever it had buffered, and is closed at the venue too", async () => {
    await rig.start({ lagMaxMs: 1_000 });
    rig.send(0, delta("1", "1", String(Date.now())));
    for (let i = 0; i < 50; i++) rig.send(0, delta("1", "2", String(Date.now() - 60_000)));
    for (let i = 0; i < 50; i++) rig.send(0, delta("1", "777", String(Date.now())));
    await rig.books(2);
    expect(sizes()).not.toContain(777);
    await until("its end", () => (rig.venue.sockets[0]?.readyState === 3 ? true : null));
    rig.send(1, delta("1", "8", String(Date.now())));
    await until("the next one's change", () => (sizes().includes(8) ? true : null));
    expect(rig.feed.health().losses).toEqual({ lagging: 1 });
    expect(rig.venue.sockets).toHaveLength(2);
  });

  test("because it was dead is closed at the venue too", async () => {
    const { venue } = rig;
    await rig.start({ pingEveryMs: 20, silenceLimitMs: 200 });
    venue.autoAnswer = false;
    await until("the loss", () => rig.ofKind("link.lost")[0]);
    expect(rig.feed.health().losses).toMatchObject({ dead: 1 });
    venue.autoAnswer = true;
    await until("its end", () => (venue.sockets[0]?.readyState === 3 ? true : null));
  });
});

describe("how far behind a connection is", () => {
  test("is not measured against a few frames that claim to come from the future", async () => {
    await rig.start({ lagMaxMs: 1_000 });
    const year = 365 * 86_400_000;
    for (let i = 1; i <= 600; i++) {
      // First many that never come in a row, then single ones far apart.
      const aheadOfUsMs = i % (i <= 300 ? 4 : 100) === 2 ? year : 0;
      rig.send(0, delta("1", String(i), String(Date.now() + aheadOfUsMs)));
    }
    await until("all", () => (sizes().length === 600 ? true : null));
    // It is against the promptest ones that go on coming.
    for (let i = 1; i <= 60; i++) rig.send(0, delta("1", "7777", String(Date.now() + year)));
    for (let i = 1; i <= 60; i++) rig.send(0, delta("1", "8888", String(Date.now())));
    const lost = await until("the loss", () => rig.ofKind("link.lost")[0]);
    expect(lost).toMatchObject({ cause: "lagging" });
    expect(sizes().filter((size) => size === 7777)).toHaveLength(60);
  });

  test("is what frames show, not the machine's clock, which may be set", async () => {
    await rig.start({ lagMaxMs: 1_000 });
    const realNow = Date.now.bind(Date);
    rig.send(0, delta("1", "1", String(realNow())));
    await until("the first", () => (sizes().length === 1 ? true : null));
    vi.spyOn(Date, "now").mockImplementation(() => realNow() + 3_600_000);
    for (let i = 2; i <= 120; i++) rig.send(0, delta("1", String(i), String(realNow())));
    await until("all", () => (sizes().length === 120 ? true : null));
    expect(rig.ofKind("link.lost")).toEqual([]);
  });

  test("begins anew with each opening: what was prompt before says nothing", async () => {
    await rig.start({ lagMaxMs: 1_000 });
    rig.send(0, delta("1", "1", String(Date.now())));
    await until("the first", () => (sizes().length === 1 ? true : null));
    rig.venue.sockets[0]?.terminate();
    await rig.books(2);
    const set = Date.now() - 3_600_000;
    for (let i = 2; i <= 120; i++) rig.send(1, delta("1", String(i), String(set + i)));
    await until("all", () => (sizes().length === 120 ? true : null));
    expect(rig.feed.health().losses).toEqual({ closed: 1 });
  });
});

describe("the way back to a venue that turns us away", () => {
  const pauses = () => rig.logged("market_feed.lost").map(({ retryMs }) => Number(retryMs));

  test("after 1013 begins with a pause, not at once", async () => {
    await rig.start({ backOffFirstMs: neverMs, backOffLongestMs: neverMs });
    rig.venue.sockets[0]?.close(1013, "slow consumer: send buffer full");
    await until("the loss", () => rig.ofKind("link.lost")[0]);
    await rig.roundTrips(10);
    expect(rig.venue.sockets).toHaveLength(1);
    expect(rig.feed.health()).toMatchObject({
      losses: { slow_consumer: 1 },
      connections: [{ up: false, losses: 1 }],
    });
  });

  test("has pauses by chance below a bound that doubles, up to the longest", async () => {
    const { venue } = rig;
    venue.closeWith = 1013;
    venue.autoAnswer = false;
    await rig.start({ backOffFirstMs: 4, backOffLongestMs: 64 });
    await until("twenty losses", () => (pauses().length >= 20 ? true : null));
    pauses().forEach((pauseMs, i) => {
      expect(pauseMs).toBeGreaterThanOrEqual(0);
      expect(pauseMs).toBeLessThanOrEqual(Math.min(64, 4 * 2 ** i));
    });
    const later = pauses().slice(4);
    // Each of these fails by chance less than once in a billion times.
    expect(Math.max(...later)).toBeGreaterThan(8);
    expect(new Set(later).size).toBeGreaterThan(1);
    venue.closeWith = null;
    venue.autoAnswer = true;
    await rig.books(1);
  });

  test("begins with the shortest pause again once a connection has lived", async () => {
    const { venue } = rig;
    venue.closeWith = 1013;
    venue.autoAnswer = false;
    await rig.start({ backOffFirstMs: 1, backOffLongestMs: 500, steadyAfterMs: 150 });
    await until("twelve losses", () => (pauses().length >= 12 ? true : null));
    venue.closeWith = null;
    venue.autoAnswer = true;
    await rig.books(1);
    const heardAt = performance.now();
    await until("it has lived", () => (performance.now() - heardAt > 160 ? true : null));
    const before = pauses().length;
    venue.sockets.at(-1)?.close(1013);
    await until("the loss", () => (pauses().length > before ? true : null));
    expect(pauses().at(-1)).toBeLessThanOrEqual(1);
  });
});

test("a reader that stays too slow comes back less and less often, counted, and whole once it keeps up", async () => {
  const { venue } = rig;
  await rig.start({ lagMaxMs: 1_000, backOffFirstMs: 4, backOffLongestMs: 64 });
  const losses = () => rig.logged("market_feed.lost");
  for (let round = 0; round < 14; round++) {
    const socket = venue.sockets.length - 1;
    rig.send(socket, delta("1", "1", String(Date.now())));
    for (let i = 0; i < 60; i++) rig.send(socket, delta("1", "2", String(Date.now() - 60_000)));
    await until("the loss", () => losses()[round]);
    await rig.books(round + 2);
  }
  expect(rig.feed.health()).toMatchObject({
    losses: { lagging: 14 },
    connections: [{ up: true, losses: 14, lagMs: 0 }],
  });
  expect(rig.ofKind("link.lost").map(({ cause }) => cause)).toEqual(Array(14).fill("lagging"));
  // By chance they all stay below less than once in a billion times.
  expect(
    Math.max(
      ...losses()
        .slice(4)
        .map(({ retryMs }) => Number(retryMs)),
    ),
  ).toBeGreaterThan(8);
  rig.send(venue.sockets.length - 1, delta("1", "8", String(Date.now())));
  await until("its change", () => (sizes().includes(8) ? true : null));
  expect(losses()).toHaveLength(14);
});

describe("what was not asked for", () => {
  test("is counted by its reason, is no fault of the connection, and is not handed on", async () => {
    await rig.start();
    const stranger = conditionOf("55");
    rig.send(0, JSON.stringify([book("55"), JSON.parse(delta("55", "1"))]));
    // A book of the market under a token that is not its own would end the wait for the true one.
    rig.send(0, JSON.stringify({ ...book("1"), asset_id: "4711" }));
    rig.send(0, JSON.stringify({ topic: "comments", payload: { body: "x" } }));
    rig.send(0, JSON.stringify({ event_type: "weather", market: one, timestamp: "1" }));
    rig.send(0, delta("1", "5"));
    await until("what comes after", () => (sizes().includes(5) ? true : null));
    expect(
      rig.events.filter((event) => "conditionId" in event && event.conditionId === stranger),
    ).toEqual([]);
    expect(rig.ofKind("book.snapshot")).toHaveLength(1);
    expect(rig.feed.refusals()).toEqual({ unasked: 3, foreign: 1, unknown_event: 1 });
    expect(rig.feed.counters().framesInvalid).toBe(0);
    expect(rig.feed.health().connections[0]).toMatchObject({ invalid: 0, frames: 6 });
  });

  test("of a market that was left comes to an end with it, while its frames still come", async () => {
    await rig.start({}, {}, 3);
    // The third market takes the place of the first among the known ones.
    rig.feed.unwatch([one]);
    for (let i = 1; i <= 20; i++) {
      rig.send(0, delta("1", String(100 + i), String(i)));
      rig.send(0, delta("3", String(200 + i), String(i)));
    }
    await until("all", () => (sizes().length >= 20 ? true : null));
    expect(new Set(rig.ofKind("book.delta").map((event) => event.conditionId))).toEqual(
      new Set([conditionOf("3")]),
    );
    rig.feed.watch(markets(1));
    await rig.books(4);
    rig.send(0, delta("1", "9", "30"));
    await until("its change", () => (sizes().includes(9) ? true : null));
    expect(rig.ofKind("book.delta").at(-1)).toMatchObject({ conditionId: one });
  });

  test("refusals without an end are told once in a while, with their count", async () => {
    await rig.start();
    for (let i = 0; i < 200; i++) rig.send(0, "INVALID OPERATION");
    await until("all", () => (rig.feed.counters().framesInvalid === 200 ? true : null));
    expect(rig.logged("market_feed.refused")).toEqual([
      { reason: "not_json", conditionId: null, untold: 0 },
    ]);
    rig.send(0, delta("1", "5"));
    await until("the stream goes on", () => (sizes().includes(5) ? true : null));
  });
});

test("all connections lost at once come back with a frame for each hundred markets, and nothing else is asked", async () => {
  const { venue } = rig;
  await rig.start({}, {}, 1_000);
  const before = venue.subscriptions().length;
  for (const socket of venue.sockets) socket.terminate();
  await rig.books(2_000);
  const asked = venue.subscriptions().slice(before);
  expect(asked.map(({ assets_ids }) => assets_ids.length)).toEqual(Array(10).fill(100));
  expect(venue.books).toBe(0);
  expect(rig.feed.health()).toMatchObject({
    losses: { closed: 5 },
    snapshots: { asked: 0, waiting: 0 },
  });
});
