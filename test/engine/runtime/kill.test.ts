import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { trader } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { type LiveDesk, openLiveDesk, until } from "../support/live-desk.ts";
import { standing, standingTaxed } from "../support/standing-world.ts";

let desk: LiveDesk;
beforeEach(async () => {
  desk = await openLiveDesk({ resumeWaitMs: 500 });
});
afterEach(async () => desk.close());

const at = (limit: string) =>
  ({
    conditionId: standing.conditionId,
    limit: priceOf(limit),
    amount: { unit: "shares", value: sharesOf("20") },
  }) as const;

async function posts(): Promise<number> {
  return (await desk.requests("POST", /^\/order$/)).length;
}

async function openAtVenue(): Promise<number> {
  const open = await desk.polymarket.venue.openOrders();
  return open.ok ? open.value.length : -1;
}

async function threeResting(): Promise<string[]> {
  const oids: string[] = [];
  for (const limit of ["0.43", "0.44", "0.45"]) oids.push((await desk.place(at(limit))).clientOid);
  await until("all rest", () => oids.every((oid) => desk.order(oid).status === "live"));
  return oids;
}

describe("a kill with resting orders (P4)", () => {
  test("cancels them all at the venue and reports the fate of each, once settled", async () => {
    const oids = await threeResting();
    expect(await openAtVenue()).toBe(3);
    const { openOrders } = await desk.engine.kill(trader, "tg:k", "enough");
    expect(openOrders).toBe(3);
    await until("told", () => desk.notices().some((body) => body.kind === "kill.report"));
    expect(await openAtVenue()).toBe(0);
    const report = desk.notices().find((body) => body.kind === "kill.report");
    if (report?.kind !== "kill.report") throw new TypeError("no report");
    expect(report.settled).toBe(true);
    expect(report.orders.map(({ order, fate }) => [order.clientOid, fate])).toEqual(
      oids.map((oid) => [oid, "canceled"]),
    );
  });

  test("survives a restart: still killed, nothing sent, the resume takes two steps", async () => {
    await threeResting();
    await desk.engine.kill(trader, "tg:k", "");
    desk = await desk.restart();
    expect(desk.engine.view().trading).toMatchObject({ state: "killed", byUserId: 7 });
    const quoted = await desk.engine.quoteTrade(trader, "tg:q", {
      ...at("0.45"),
      outcome: 0,
      side: "buy",
      timeInForce: null,
      goodForMs: null,
      slippagePpm: null,
    });
    expect(quoted).toMatchObject({ ok: false, error: { code: "killed" } });
    await until("flat", async () => (await openAtVenue()) === 0);
    const offer = await desk.engine.askResume(trader, "tg:r");
    if (!offer.ok) throw new TypeError("no offer");
    const press = () => desk.engine.confirmResume(trader, "tg:r2", offer.value.nonce);
    expect(await press()).toMatchObject({ ok: false, error: { code: "resume_too_soon" } });
    await until("resumed", async () => (await press()).ok);
    const { clientOid } = await desk.place(at("0.42"));
    await until("it rests", () => desk.order(clientOid).status === "live");
  });

  test("cancels an order whose answer is still under way when it comes", async () => {
    await desk.fault("delay-answer", { method: "POST", path: "^/order$", ms: 150, times: 1 });
    const { nonce } = await desk.card(at("0.45"));
    await desk.fault("ws-mute", { ms: 60_000 });
    const { clientOid } = await desk.press(nonce);
    await until("it is at the venue", async () => (await openAtVenue()) === 1);
    await desk.engine.kill(trader, "tg:k", "");
    await until("ended", () => desk.order(clientOid).status === "canceled");
    expect(await openAtVenue()).toBe(0);
  });
});

test("a kill that the ledger does not take cancels everything all the same, and says what it is worth", async () => {
  await threeResting();
  await desk.ledger.close();
  const killed = await desk.engine.kill(trader, "tg:k", "");
  expect(killed).toEqual({ openOrders: 3, unkept: "canceled", survivesRestart: false });
  expect(await openAtVenue()).toBe(0);
  await desk.fault("status", { method: "DELETE", path: "^/cancel-all$", code: 503, times: 9 });
  expect(await desk.engine.kill(trader, "tg:k2", "")).toMatchObject({ unkept: "unconfirmed" });
});

test("a resume by code opens the gate once it is kept, a kill meanwhile wins, and its code is used up after a restart", async () => {
  await desk.close();
  desk = await openLiveDesk({ resumeWaitMs: 0, resumeCode: { lockMs: 60_000 } });
  const offered = async () => {
    await desk.engine.kill(trader, "tg:k", "");
    expect((await desk.engine.askResume(trader, "tg:r")).ok).toBe(true);
  };
  await offered();
  const resuming = desk.engine.resumeWithCode(trader, "tg:c1", 100);
  desk.engine.closeGate();
  expect((await resuming).ok).toBe(true);
  expect(desk.engine.gateClosed).toBe(true);
  await offered();
  expect((await desk.engine.resumeWithCode(trader, "tg:c2", 101)).ok).toBe(true);
  expect(desk.engine.gateClosed).toBe(false);
  await offered();
  desk = await desk.restart();
  expect(await desk.engine.resumeWithCode(trader, "tg:c3", 101)).toEqual({
    ok: false,
    error: { code: "resume_code_used", limit: 4 },
  });
  expect(desk.engine.gateClosed).toBe(true);
});

describe("the gate", () => {
  test("closed in memory, no POST reaches the venue: not for what is pressed, not for what is signed", async () => {
    const { nonce } = await desk.card(at("0.45"));
    const second = await desk.card(at("0.44"));
    // The commit is under way when the gate closes: the order exists, its bytes do not leave.
    const confirming = desk.engine.confirm(trader, "tg:1", nonce);
    desk.engine.closeGate();
    const outcome = await confirming;
    const refused = { kind: "refused", denial: { code: "killed" } };
    expect(await desk.engine.confirm(trader, "tg:2", second.nonce)).toEqual(refused);
    await until("nothing is open", () => desk.engine.view().openOrders === 0);
    if (outcome.kind === "accepted") {
      const [order] = outcome.orders;
      expect(desk.order(order?.clientOid ?? "")).toMatchObject({
        status: "rejected",
        rejectReason: "not_sent",
      });
    } else expect(outcome).toEqual(refused);
    expect(await posts()).toBe(0);
  });

  test("closed by a kill whose command never comes becomes a lasting kill", async () => {
    desk.engine.closeGate();
    await until("killed", () => desk.engine.view().trading.state === "killed");
    desk = await desk.restart();
    expect(desk.engine.view().trading.state).toBe("killed");
  });

  test("is asked after the commit: a gate that closes between commit and first byte stops the order", async () => {
    const { nonce } = await desk.card(at("0.45"));
    const stop = desk.engine.onChange(() => desk.engine.closeGate());
    const outcome = await desk.engine.confirm(trader, "tg:1", nonce);
    stop();
    expect(outcome.kind).toBe("accepted");
    await until("given up", () => desk.engine.view().openOrders === 0);
    const [order] = outcome.kind === "accepted" ? outcome.orders : [];
    const { status, rejectReason } = desk.order(order?.clientOid ?? "");
    // The post effect of the commit runs before its listeners: either it left before the gate closed, or never.
    expect([status, rejectReason, await posts()]).toEqual(["rejected", "not_sent", 0]);
  });

  test("refuses every one of many presses that race with a kill; what left before it is canceled", async () => {
    const cards = await Promise.all(
      ["0.38", "0.39", "0.40", "0.41", "0.42", "0.43"].map((limit) => desk.card(at(limit))),
    );
    const presses = cards.map(({ nonce }, i) => desk.engine.confirm(trader, `tg:${i}`, nonce));
    const killing = desk.engine.kill(trader, "tg:k", "");
    const sentAtKill = await posts();
    await killing;
    await Promise.all(presses);
    await until("nothing is open", () => desk.engine.view().openOrders === 0);
    expect(await posts()).toBe(sentAtKill);
    expect(await openAtVenue()).toBe(0);
  });

  test("a lost lease stops orders and not cancels (P12)", async () => {
    const { clientOid } = await desk.place(at("0.45"));
    await until("it rests", () => desk.order(clientOid).status === "live");
    const { nonce } = await desk.card(at("0.44"));
    const sent = await posts();
    desk.loseLease();
    await desk.engine.confirm(trader, "tg:1", nonce);
    await desk.engine.cancelOrders(trader, "tg:2", [clientOid]);
    await until("canceled", () => desk.order(clientOid).status === "canceled");
    await until("nothing is open", () => desk.engine.view().openOrders === 0);
    expect(await posts()).toBe(sent);
  });
});

describe("a ledger that fails", () => {
  test("closes the gate before anything else: the confirmation is refused and nothing is sent", async () => {
    const { nonce } = await desk.card({ ...at("0.45"), conditionId: standingTaxed.conditionId });
    await desk.ledger.close();
    const outcome = await desk.engine.confirm(trader, "tg:1", nonce);
    expect(outcome).toEqual({ kind: "refused", denial: { code: "ledger_failed" } });
    expect(desk.engine.gateDenial()).toEqual({ code: "ledger_failed" });
    expect(await desk.engine.confirm(trader, "tg:2", nonce)).toMatchObject({ kind: "refused" });
    expect(await posts()).toBe(0);
    expect(desk.engine.view().warnings.join()).toContain("ledger");
  });

  test("still lets a kill close everything that can be closed", async () => {
    await desk.ledger.close();
    await expect(desk.engine.kill(trader, "tg:k", "")).resolves.toMatchObject({ openOrders: 0 });
    expect(desk.engine.gateClosed).toBe(true);
  });
});
