// Faults of the network between the engine and its venue (N1 to N15), on real sockets through a proxy that breaks them.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { requestOf, trader } from "../engine/support/core-desk.ts";
import { priceOf, sharesOf } from "../engine/support/levels.ts";
import { postTimeoutMs, until } from "../engine/support/live-desk.ts";
import { standing } from "../engine/support/standing-world.ts";
import { ProxiedDesk } from "./proxied-desk.ts";
import type { Harm } from "./proxy.ts";

const { conditionId } = standing;
const resting = {
  conditionId,
  limit: priceOf("0.45"),
  amount: { unit: "shares", value: sharesOf("20") },
} as const;
const taking = { conditionId } as const;
/** 20 shares at 45 cents, in micro-dollars. */
const reserved = 9_000_000;
const onPost = { method: "POST", path: /^\/order$/ } as const;
const bookMaxAgeMs = 400;

let world: ProxiedDesk;
beforeEach(async () => {
  // The account is compared rarely, so that an order is found by asking for it.
  world = await ProxiedDesk.open({
    risk: { bookMaxAgeMs },
    waits: { reconcileIntervalMs: 10_000 },
  });
});
afterEach(async () => world[Symbol.asyncDispose]());

/** Places the resting order without a stream that could tell of it. */
async function placeUnheard(): Promise<string> {
  const { nonce } = await world.desk.card(resting);
  world.sockets.socketsMute = true;
  return (await world.desk.press(nonce)).clientOid;
}

/** Waits for the end that `status` names, and returns every reservation seen on the way. */
async function reservationsUntil(clientOid: string, status: string): Promise<Set<number>> {
  const seen = new Set<number>();
  await until(`it is ${status}`, () => {
    const now = world.desk.order(clientOid).status;
    if (now !== status) seen.add(world.locked);
    return now === status;
  });
  return seen;
}

async function wasUnknown(clientOid: string): Promise<boolean> {
  const rows = await world.desk.ledger.read(1, 10_000);
  return rows.some((row) => row.kind === "order.unknown" && row.body.includes(clientOid));
}

/** One intent, one hash: every request that left carries the same bytes, and the venue has at most that one order. */
function expectOneOrder(clientOid: string): void {
  expect(new Set(world.posts.map((post) => post.body)).size).toBe(1);
  const { orderHash } = world.desk.order(clientOid);
  expect(world.resting.filter((id) => id !== orderHash)).toEqual([]);
}

describe("the request does not get there", () => {
  test("N2: connection refused: nothing was sent, and the same bytes go once the way is open", async () => {
    const { nonce } = await world.desk.card(resting);
    await world.desk.polymarket.venue.balance();
    world.rest.isDown = true;
    world.rest.resetAll();
    const { clientOid } = await world.desk.press(nonce);
    await until("it was tried", () => world.desk.engine.order(clientOid) !== null);
    expect(world.locked).toBe(reserved);
    expect(world.resting).toEqual([]);
    world.rest.clear();
    await until("it rests", () => world.desk.order(clientOid).status === "live");
    expectOneOrder(clientOid);
    expect(world.locked).toBe(reserved);
  });

  test("N4: reset before any byte reached the venue: the same bytes or none, never a second order", async () => {
    world.rest.add({ ...onPost, do: "reset-before" });
    const { clientOid } = await world.desk.place(resting);
    const seen = await reservationsUntil(clientOid, "rejected");
    expect(seen).toEqual(new Set([reserved]));
    expectOneOrder(clientOid);
    expect(world.posts.length).toBe(1);
    expect(world.resting).toEqual([]);
    expect(world.locked).toBe(0);
  });

  test("N5: reset after half of the body: unknown, its money kept until it is proven absent", async () => {
    world.rest.add({ ...onPost, do: "cut-request", part: 0.5 });
    const { clientOid } = await world.desk.place(resting);
    const seen = await reservationsUntil(clientOid, "rejected");
    expect(await wasUnknown(clientOid)).toBe(true);
    expect(seen).toEqual(new Set([reserved]));
    expect(world.desk.order(clientOid).rejectReason).toBe("not_found_after_quarantine");
    expect(world.posts.length).toBe(1);
    expect(world.locked).toBe(0);
  });

  test("N12: a kept connection that closes exactly at reuse: no automatic replay of the order", async () => {
    const first = await world.desk.place(resting);
    await until("the first rests", () => world.desk.order(first.clientOid).status === "live");
    world.rest.add({ ...onPost, do: "reset-before" });
    const again = { ...resting, limit: priceOf("0.44") };
    const { clientOid } = await world.desk.place(again);
    await reservationsUntil(clientOid, "rejected");
    const bodies = world.posts.map((post) => post.body);
    expect(bodies.length).toBe(2);
    expect(new Set(bodies).size).toBe(2);
    expect(world.resting).toEqual([world.desk.order(first.clientOid).orderHash]);
  });
});

describe("the answer does not come back", () => {
  const lost: readonly (readonly [string, Harm])[] = [
    ["N6: a full request, then a black hole", { do: "black-hole" }],
    ["N8: an answer that is cut in its middle", { do: "cut-answer", part: 0.5 }],
    ["N8: an answer shorter than its content-length", { do: "claim-more", bytes: 100 }],
    ["N9: a body of one byte now and then", { do: "trickle", everyMs: postTimeoutMs / 4 }],
    ["N7: an answer after the time limit", { do: "delay-answer", ms: postTimeoutMs * 5 }],
  ];
  test.each(lost)("%s: unknown, then found by its hash, one order", async (_name, harm) => {
    world.rest.add({ ...onPost, ...harm });
    const clientOid = await placeUnheard();
    const seen = await reservationsUntil(clientOid, "live");
    expect(await wasUnknown(clientOid)).toBe(true);
    expect(seen).toEqual(new Set([reserved]));
    expectOneOrder(clientOid);
    expect(world.posts.length).toBe(1);
    expect(world.resting.length).toBe(1);
  });

  test("N7: booked long after the time limit, inside the quarantine: found, and its money was never free", async () => {
    await world[Symbol.asyncDispose]();
    world = await ProxiedDesk.open({ waits: { reconcileIntervalMs: 10_000, quarantineMs: 6_000 } });
    world.rest.add({ ...onPost, do: "queue", ms: postTimeoutMs * 4 });
    const clientOid = await placeUnheard();
    const seen = await reservationsUntil(clientOid, "live");
    expect(await wasUnknown(clientOid)).toBe(true);
    expect(seen).toEqual(new Set([reserved]));
    expect(world.posts.length).toBe(1);
  });

  test("N7: booked after the quarantine: counted again as soon as it is seen, and canceled", async () => {
    await world[Symbol.asyncDispose]();
    world = await ProxiedDesk.open();
    world.rest.add({ ...onPost, do: "queue", ms: postTimeoutMs * 7 });
    const clientOid = await placeUnheard();
    await until("it is given up", () => world.desk.order(clientOid).status === "rejected");
    await until("it is booked", () => world.resting.length === 1);
    await until("it is canceled", () => world.desk.order(clientOid).status === "canceled");
    expect(world.resting).toEqual([]);
    expect(world.posts.length).toBe(1);
  });

  test("N10: an order that the edge lets through late meets a market that ran away: it pays no more than its limit", async () => {
    const { nonce } = await world.desk.card(taking);
    world.rest.add({ ...onPost, do: "queue", ms: postTimeoutMs / 2 });
    const pressed = world.desk.press(nonce);
    const { exchange } = world.desk.venue;
    for (const price of ["0.52", "0.53"]) {
      exchange.setBackgroundLevel(conditionId, "SELL", price, "0");
    }
    exchange.setBackgroundLevel(conditionId, "SELL", "0.6", "1000");
    const { clientOid } = await pressed;
    expect(await reservationsUntil(clientOid, "canceled")).toEqual(new Set([10_000_000]));
    expect(world.desk.engine.state.fills.size).toBe(0);
    expect(world.desk.engine.state.cash).toBe(1_000_000_000);
    expect(world.locked).toBe(0);
  });

  test("N11: requests arrive, answers are lost: nothing is sent twice, and a kill still cancels", async () => {
    world.rest.answersLost = true;
    const clientOid = await placeUnheard();
    await until("unknown", () => world.desk.order(clientOid).status === "unknown");
    expect(world.resting.length).toBe(1);
    void world.desk.engine.kill(null, null, "partition");
    await until("the venue took the cancel", () => world.resting.length === 0);
    expect(world.desk.order(clientOid).status).toBe("unknown");
    expect(world.locked).toBe(reserved);
    world.rest.clear();
    await until("its end is known", () => world.desk.order(clientOid).status === "canceled");
    expect(world.posts.length).toBe(1);
    expect(world.locked).toBe(0);
  });
});

describe("the streams", () => {
  test("N13: pongs and no data: after the limit nothing is sent on that book", async () => {
    const { nonce } = await world.desk.card(resting);
    world.sockets.socketsMute = true;
    const book = world.desk.engine.state.live.books.get(conditionId);
    expect(book?.status).toBe("live");
    await until("the book is old", () => {
      const provenAtMs = Math.max(book?.frameAtMs ?? 0, book?.confirmedAtMs ?? 0);
      return world.desk.engine.deps.clock.nowMs() - provenAtMs > bookMaxAgeMs;
    });
    const outcome = await world.desk.engine.confirm(trader, "late", nonce);
    expect(outcome).toMatchObject({ kind: "refused", denial: { code: "book_stale" } });
    expect(world.posts).toEqual([]);
  });

  test("N14: a hundred flaps: the pauses grow, no connection is left over, and the books come back", async () => {
    const { engine } = world.desk;
    await world.desk.card(resting);
    const before = world.sockets.accepted;
    for (let flap = 0; flap < 100; flap++) {
      world.sockets.resetAll();
      await new Promise((resolve) => setImmediate(resolve));
    }
    // Resets that find no connection cost nothing: a client that waits between its tries makes few of them.
    expect(world.sockets.accepted - before).toBeLessThan(50);
    await until("both streams are up", () => {
      const { market, user } = engine.state.live.links;
      return market.up && user.up;
    });
    await until("the book is live", async () => (await engine.quoteTrade(...quote())).ok);
    expect(world.sockets.open).toBeLessThanOrEqual(2);
  });

  test("N15: the streams are down, REST works: a card shows what REST reads now, never the dead book", async () => {
    const before = await world.desk.card(taking);
    expect(before.best).toBe(priceOf("0.52"));
    world.sockets.isDown = true;
    world.sockets.resetAll();
    // In the same turn: a read that comes with the loss must not have seen the book as it was.
    world.desk.venue.exchange.setBackgroundLevel(conditionId, "SELL", "0.52", "0");
    await until("the loss is seen", () => !world.desk.engine.state.live.links.market.up);
    const quoted = await world.desk.engine.quoteTrade(...quote());
    expect(quoted.ok ? quoted.value.best : quoted.error.code).toBe(priceOf("0.53"));
  });

  test("N15: REST is down, the streams work: the order is not sent, and told as it is", async () => {
    const { nonce } = await world.desk.card(resting);
    world.rest.isDown = true;
    world.rest.resetAll();
    const { clientOid } = await world.desk.press(nonce);
    expect(world.resting).toEqual([]);
    expect(world.locked).toBe(reserved);
    expect(["in_flight", "unknown"]).toContain(world.desk.order(clientOid).status);
    world.rest.clear();
    await until("it rests", () => world.desk.order(clientOid).status === "live");
    expectOneOrder(clientOid);
  });
});

let quotes = 0;
function quote() {
  return [trader, `q${quotes++}`, requestOf(taking)] as const;
}
