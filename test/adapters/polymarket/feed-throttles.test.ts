import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FeedRig } from "./feed-rig.ts";
import { until } from "./paper-desk.ts";
import { conditionOf, markets } from "./scripted-venue.ts";

let rig: FeedRig;

beforeEach(() => {
  rig = new FeedRig();
});
afterEach(async () => rig.close());

const one = conditionOf("1");
/** Fresh books that were asked for: the token, and when the venue read it. */
const asked = () =>
  rig.venue
    .subscriptions()
    .filter((frame) => frame.operation === "unsubscribe")
    .map(({ assets_ids, atMs }) => ({ token: assets_ids[0], atMs }));
/** Resolves when so many milliseconds have passed since: the rule under test speaks of this time. */
const passed = (sinceMs: number, ms: number) =>
  until("the time", () => (performance.now() - sinceMs > ms ? true : null));

/** Asks for a fresh book so many times, each one once the one before it came. */
async function resyncInRow(times: number): Promise<void> {
  for (let n = 1; n <= times; n++) {
    const before = rig.ofKind("book.snapshot").length;
    rig.feed.resync(one);
    await rig.books(before + 1);
  }
}

describe("requests for fresh books of one market", () => {
  test("stay at the longest pause while they do not help, and go no further", async () => {
    await rig.start({ resyncEveryMs: 20, resyncLongestMs: 80 });
    const startedAt = performance.now();
    await resyncInRow(9);
    const earliest = [0, 20, 60, 140, 220, 300, 380, 460, 540];
    asked().forEach(({ atMs }, i) => {
      expect(atMs - startedAt).toBeGreaterThan((earliest[i] ?? 0) - 2);
    });
    // Doubled without an end, five more would take ten seconds and more.
    await resyncInRow(5);
    expect(asked()).toHaveLength(14);
  });

  test("begin anew with the shortest pause after a rest", async () => {
    await rig.start({ resyncEveryMs: 20, resyncLongestMs: 300 }, {}, 2);
    await resyncInRow(4);
    await passed(performance.now(), 160 + 300);
    const before = asked().length;
    const two = conditionOf("2");
    // A book that came would end the request that waits.
    rig.venue.autoAnswer = false;
    // Both as if for the first time: a longer pause of the first one would let the second one pass.
    for (const id of [one, two, one, two]) rig.feed.resync(id);
    await until("all four", () => (asked().length === before + 4 ? true : null));
    expect(
      asked()
        .slice(before)
        .map(({ token }) => token),
    ).toEqual(["1", "2", "1", "2"]);
  });

  test("are joined while they wait for their turn: a hundred of one keep nobody else waiting (P11)", async () => {
    await rig.start({}, { resyncs: { perSecond: 5, burst: 1 } }, 3);
    rig.feed.resync(one);
    for (let i = 0; i < 100; i++) rig.feed.resync(conditionOf("2"));
    rig.feed.resync(conditionOf("3"));
    // Asking again is no reason to stand behind the others either.
    rig.feed.resync(conditionOf("2"));
    // A turn for each request would be twenty seconds.
    await until("all three", () => (asked().length === 3 ? true : null));
    expect(asked().map(({ token }) => token)).toEqual(["1", "2", "3"]);
    expect(rig.feed.health().snapshots.asked).toBe(3);
  });

  test("are each measured, however many are under way at once", async () => {
    await rig.start({}, {}, 5);
    for (let i = 1; i <= 5; i++) rig.feed.resync(conditionOf(String(i)));
    await rig.books(10);
    expect(rig.feed.health().snapshots.durationsMs).toHaveLength(5);
    expect(rig.feed.health().snapshots.durationsMs).not.toContain(undefined);
  });

  test("end with the market: one that is left is asked for no more", async () => {
    await rig.start({ resyncEveryMs: 30 }, {}, 2);
    rig.venue.autoAnswer = false;
    const two = conditionOf("2");
    const tokens = () => asked().map(({ token }) => token);
    // The second request of each waits for its pause.
    for (const id of [one, one, two, two]) rig.feed.resync(id);
    rig.feed.unwatch([one]);
    await until("the other one's pause is over", () => (tokens().at(-1) === "2" ? true : null));
    await until("all", () => (tokens().length >= 4 ? true : null));
    // Once for the request, once because it was left.
    expect(tokens()).toEqual(["1", "2", "1", "2"]);
    expect(rig.feed.health().snapshots).toMatchObject({ asked: 3, waiting: 1 });
  });
});

describe("REST reads in place of books that do not come", () => {
  test("are made only when the stream had its time", async () => {
    await rig.start({ snapshotLimitMs: 200 });
    rig.venue.autoAnswer = false;
    const startedAt = performance.now();
    rig.feed.watch(markets(1, 2));
    await until("the read", () => rig.venue.askedAtMs[0]);
    expect((rig.venue.askedAtMs[0] ?? 0) - startedAt).toBeGreaterThan(198);
    // The first market had its book from the stream: its time is over too, and nobody read it.
    expect(rig.venue.asked).toEqual(["2"]);
  });

  test("that fail are made again with a pause, never in a row", async () => {
    rig.venue.autoAnswer = false;
    rig.venue.missing.add("1");
    const startedAt = performance.now();
    await rig.start({ snapshotLimitMs: 50, backOffFirstMs: 1, backOffLongestMs: 2 });
    await until("five reads", () => rig.venue.askedAtMs[4]);
    rig.venue.askedAtMs.slice(0, 5).forEach((atMs, i) => {
      expect(atMs - startedAt).toBeGreaterThan(50 * (i + 1) - 2);
    });
  });

  test("are one request a turn, also while the venue fails: it is not asked three times as often", async () => {
    const { venue } = rig;
    await rig.start({ snapshotLimitMs: 30 }, { resyncs: { perSecond: 5, burst: 1 } });
    venue.autoAnswer = false;
    venue.bookStatus = 500;
    const startedAt = performance.now();
    rig.feed.watch(markets(10, 2));
    await until("five reads", () => venue.askedAtMs[4]);
    venue.askedAtMs.slice(0, 5).forEach((atMs, i) => {
      expect(atMs - startedAt).toBeGreaterThan(200 * i - 2);
    });
    // A read that a person waits for is repeated at once.
    venue.asked.length = 0;
    const [one] = markets(1);
    if (one !== undefined) expect(await rig.feed.readBook(one)).toMatchObject({ ok: false });
    expect(venue.asked.filter((id) => id === "1")).toHaveLength(3);
  });

  test("end when the stream brings the book while one is under way", async () => {
    const { venue } = rig;
    await rig.start({ snapshotLimitMs: 50 }, {}, 2);
    venue.autoAnswer = false;
    venue.missing.add("1");
    venue.held = [];
    rig.feed.resync(one);
    const answer = await until("the read", () => venue.held?.[0]);
    venue.held = null;
    venue.say(0, "1");
    await rig.books(3);
    answer();
    await rig.roundTrips(1);
    // The second market's wait begins later and ends with its read twice over.
    venue.missing.add("2");
    rig.feed.resync(conditionOf("2"));
    await until("two reads", () =>
      venue.asked.filter((id) => id === "2").length >= 2 ? true : null,
    );
    expect(venue.asked.filter((id) => id === "1")).toHaveLength(1);
  });

  test("that the venue refuses with 429 wait as long as it says, whoever wants one, and come back (P11)", async () => {
    const { venue } = rig;
    await rig.start({ snapshotLimitMs: 30 }, { resyncs: { perSecond: 5, burst: 1 } });
    venue.autoAnswer = false;
    venue.bookStatus = 429;
    venue.retryAfter = "2";
    rig.feed.watch(markets(5, 2));
    await until("the refusal", () => (rig.feed.health().snapshots.readsRefused > 0 ? 1 : null));
    venue.bookStatus = 200;
    const refusedAtMs = venue.askedAtMs.at(-1) ?? 0;
    const refused = venue.askedAtMs.length;
    const [first] = markets(1);
    if (first === undefined) throw new TypeError("a market");
    expect(await rig.feed.readBook(first)).toMatchObject({
      ok: false,
      detail: expect.stringMatching(/^the venue takes no reads for \d+ ms$/),
    });
    await rig.books(6);
    expect((venue.askedAtMs[refused] ?? 0) - refusedAtMs).toBeGreaterThan(1_980);
    expect(await rig.feed.readBook(first)).toMatchObject({ ok: true });
  });

  test("that came to nothing because the connection was lost keep no other one waiting (P11)", async () => {
    const { venue } = rig;
    await rig.start({ snapshotLimitMs: 30 }, { resyncs: { perSecond: 10, burst: 1 } });
    venue.autoAnswer = false;
    rig.feed.watch(markets(399, 2));
    await until("the first read", () => (venue.books > 0 ? true : null));
    venue.autoAnswer = true;
    for (const socket of venue.sockets) socket.terminate();
    const books = rig.ofKind("book.snapshot").length;
    await rig.books(books + 400);
    venue.autoAnswer = false;
    // Turns that were kept for the others would last for forty seconds.
    rig.feed.watch(markets(1, 1_000));
    await until("its read", () => (venue.asked.includes("1000") ? true : null));
  });
});
