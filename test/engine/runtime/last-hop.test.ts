import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Order } from "../../../src/engine/domain/order.ts";
import { LastHop } from "../../../src/engine/runtime/last-hop.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { type LiveDesk, openLiveDesk, until } from "../support/live-desk.ts";
import { standing } from "../support/standing-world.ts";

const resting = {
  conditionId: standing.conditionId,
  limit: priceOf("0.45"),
  amount: { unit: "shares", value: sharesOf("20") },
} as const;

describe("an order path gone wrong, at the socket", () => {
  let desk: LiveDesk;
  beforeEach(async () => {
    desk = await openLiveDesk();
  });
  afterEach(async () => desk.close());

  const posts = async () => (await desk.requests("POST", /^\/order$/)).length;

  test("that sends an order twice is halted before the second first byte", async () => {
    await desk.fault("delay-answer", { method: "POST", path: "^/order$", ms: 250, times: 1 });
    const { nonce } = await desk.card(resting);
    await desk.fault("ws-mute", { ms: 60_000 });
    const { clientOid } = await desk.press(nonce);
    // At once, while the first one cannot have been answered or looked up yet.
    desk.engine.effects.run({ kind: "order.post", clientOid });
    await until("the gate closed", () => desk.engine.gateClosed);
    await until("halted", () => desk.engine.view().trading.reason === "conservation");
    await until("the first one is answered", () => desk.order(clientOid).status === "live");
    expect(await posts()).toBe(1);
    expect(desk.notices()).toContainEqual(
      expect.objectContaining({ kind: "halted", reason: "conservation" }),
    );
    const next = await desk.engine.quoteTrade({ userId: 7, chatId: 7 }, "tg:n", {
      ...resting,
      outcome: 0,
      side: "buy",
      timeInForce: null,
      goodForMs: null,
      slippagePpm: null,
    });
    expect(next).toMatchObject({ ok: false, error: { code: "paused" } });
  });

  test("a second send that the gate stops does not end an order that rests", async () => {
    const { clientOid } = await desk.place(resting);
    await until("it rests", () => desk.order(clientOid).status === "live");
    const looks = async () => (await desk.requests("GET", /^\/data\/order\//)).length;
    const before = await looks();
    desk.engine.effects.run({ kind: "order.post", clientOid });
    await until("it was looked at again", async () => (await looks()) > before);
    expect(desk.order(clientOid).status).toBe("live");
    expect(await posts()).toBe(1);
  });

  test("the same bytes may start again after the venue said that it took nothing", async () => {
    await desk.fault("status", { method: "POST", path: "^/order$", code: 425, times: 2 });
    const { nonce } = await desk.card(resting);
    const { clientOid } = await desk.press(nonce);
    await until("it rests", () => desk.order(clientOid).status === "live");
    expect(await posts()).toBe(3);
    expect(desk.engine.view().trading.state).toBe("active");
  });
});

describe("the count", () => {
  const broken: string[] = [];
  const order = {
    clientOid: "a",
    orderHash: "0xa",
    body: "bytes",
    draft: { size: sharesOf("20") },
  } as Order;
  const prepared = { orderHash: "0xa", body: "bytes" };
  const approved = (): LastHop => {
    broken.length = 0;
    const hop = new LastHop((detail) => broken.push(detail));
    hop.noteDurable([{ kind: "plan.approved", orders: [order] } as never]);
    return hop;
  };

  test("lets an approved order start once, and never again while its fate is open", () => {
    const hop = approved();
    expect(hop.start(prepared)).toBeNull();
    hop.ended("0xa", { kind: "unknown", detail: "" });
    expect(hop.start(prepared)).toMatchObject({ subject: "conservation" });
    expect(broken).toEqual(["order 0xa starts again before its last send is settled"]);
  });

  test("stops an order without approval, with other bytes, approved twice, closed, or sent too often", () => {
    expect(approved().start({ orderHash: "0xb", body: "bytes" })).not.toBeNull();
    expect(approved().start({ orderHash: "0xa", body: "other" })).not.toBeNull();
    const twice = approved();
    twice.noteDurable([{ kind: "plan.approved", orders: [order] } as never]);
    expect(broken).toEqual(["order 0xa was approved twice"]);
    expect(twice.start(prepared)).not.toBeNull();
    const closed = approved();
    closed.noteDurable([{ kind: "order.closed", clientOid: "a" } as never]);
    expect(closed.start(prepared)).not.toBeNull();
    const often = approved();
    for (let send = 0; send < 4; send++) {
      expect(often.start(prepared)).toBeNull();
      often.ended("0xa", { kind: "not_sent", detail: "" });
    }
    expect(often.start(prepared)).not.toBeNull();
  });

  test("once broken lets nothing start any more", () => {
    const hop = approved();
    hop.start({ orderHash: "0xb", body: "" });
    expect(hop.start(prepared)).toMatchObject({ code: "paused" });
    expect(broken).toHaveLength(1);
  });
});
