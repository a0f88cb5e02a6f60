import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { exposureOf } from "../../../src/engine/state/exposure.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { type LiveDesk, openLiveDesk, postTimeoutMs, until } from "../support/live-desk.ts";
import { standing } from "../support/standing-world.ts";

let desk: LiveDesk;
beforeEach(async () => {
  // The account is compared rarely, so that an order is found by asking for it.
  desk = await openLiveDesk({ waits: { reconcileIntervalMs: 10_000 } });
});
afterEach(async () => desk.close());

const { conditionId } = standing;
const resting = {
  conditionId,
  limit: priceOf("0.45"),
  amount: { unit: "shares", value: sharesOf("20") },
} as const;
const taking = { conditionId } as const;
const onPost = { method: "POST", path: "^/order$" };
const reserved = 9_000_000;

async function posts(): Promise<number> {
  return (await desk.requests("POST", /^\/order$/)).length;
}

/** Places the resting order while the private stream is silent, so that only the reads can tell. */
async function placeUnheard() {
  const { nonce } = await desk.card(resting);
  await desk.fault("ws-mute", { ms: 60_000 });
  return desk.press(nonce);
}

function openAtVenue() {
  return desk.polymarket.venue.openOrders();
}

/** Every status that an order went through, in order, as the ledger wrote it. */
async function kindsOf(clientOid: string): Promise<string[]> {
  const rows = await desk.ledger.read(1, 10_000);
  const about = rows.filter((row) => row.body.includes(clientOid));
  return about.map((row) => row.kind).filter((kind) => kind.startsWith("order."));
}

describe("an answer that never comes", () => {
  test.each([
    ["drop-after", {}],
    ["delay-answer", { ms: postTimeoutMs * 20 }],
    ["garbage", {}],
    ["truncate", {}],
  ])(
    "%s: unknown, then found by its hash; one order at the venue (V2, V3)",
    async (name, params) => {
      await desk.fault(name, { ...onPost, ...params, times: 1 });
      const { clientOid } = await placeUnheard();
      await until("it is found", () => desk.order(clientOid).status === "live");
      const open = await openAtVenue();
      expect(open.ok && open.value.map((order) => order.orderHash)).toEqual([
        desk.order(clientOid).orderHash,
      ]);
      expect(await posts()).toBe(1);
      expect(await kindsOf(clientOid)).toContain("order.unknown");
      expect(exposureOf(desk.engine.state).locked).toBe(reserved);
    },
  );

  test("lost while it filled: the trades are found, counted once, and told", async () => {
    await desk.fault("drop-after", { ...onPost, times: 1 });
    const { clientOid } = await desk.place(taking);
    await until("filled", () => desk.order(clientOid).status === "filled");
    expect(await posts()).toBe(1);
    expect(desk.engine.state.fills.size).toBe(1);
    expect(desk.engine.state.cash).toBe(990_000_000);
  });

  test("drop-before: absent, kept through the quarantine, then rejected and only then released (V1)", async () => {
    await desk.fault("drop-before", { ...onPost, times: 1 });
    const { clientOid } = await desk.place(resting);
    const startedMs = Date.now();
    const locked: number[] = [];
    await until("it is given up", () => {
      const { status } = desk.order(clientOid);
      if (status !== "rejected") locked.push(exposureOf(desk.engine.state).locked);
      return status === "rejected";
    });
    const waitedMs = Date.now() - startedMs;
    expect(new Set(locked)).toEqual(new Set([reserved]));
    expect(waitedMs).toBeGreaterThanOrEqual(450);
    expect(exposureOf(desk.engine.state).locked).toBe(0);
    expect(desk.order(clientOid).rejectReason).toBe("not_found_after_quarantine");
    expect(await posts()).toBe(1);
    const clean = (await kindsOf(clientOid)).filter((kind) => kind === "order.absent");
    expect(clean.length).toBeGreaterThanOrEqual(2);
  });

  test("500 without an order is unknown, never rejected at once", async () => {
    await desk.fault("status", { ...onPost, code: 500, times: 1 });
    const { clientOid } = await desk.place(resting);
    await until("unknown", () => desk.order(clientOid).status === "unknown");
    await until("given up", () => desk.order(clientOid).status === "rejected");
    expect(await posts()).toBe(1);
  });

  test("with the reads failing too it stays unknown and keeps its money, until they work again (P10)", async () => {
    await desk.fault("drop-after", { ...onPost, times: 1 });
    await desk.fault("status", { method: "GET", path: "^/data/", code: 500, times: 100_000 });
    const { clientOid } = await placeUnheard();
    await until("unknown", () => desk.order(clientOid).status === "unknown");
    const queries = async () => (await desk.requests("GET", /^\/data\/order\//)).length;
    // Far more reads than the quarantine asks for, and all of them failed.
    await until("many reads", async () => (await queries()) > 12);
    expect(desk.order(clientOid).status).toBe("unknown");
    expect(exposureOf(desk.engine.state).locked).toBe(reserved);
    await desk.clearFaults();
    await until("found", () => desk.order(clientOid).status === "live");
  });

  test("a restart in between asks for it and does not send it again", async () => {
    await desk.fault("drop-after", { ...onPost, times: 1 });
    await desk.fault("status", { method: "GET", path: "^/data/order/", code: 500, times: 100_000 });
    const { clientOid } = await placeUnheard();
    await until("unknown", () => desk.order(clientOid).status === "unknown");
    await desk.clearFaults();
    desk = await desk.restart();
    await until("found", () => desk.order(clientOid).status === "live");
    expect(await posts()).toBe(1);
    expect(exposureOf(desk.engine.state).locked).toBe(reserved);
  });
});

describe("an order that the venue did not take", () => {
  test("425: asked for first, then the same bytes once more", async () => {
    await desk.fault("status", { ...onPost, code: 425, body: { error: "restarting" }, times: 1 });
    const { clientOid } = await desk.place(resting);
    await until("it rests", () => desk.order(clientOid).status === "live");
    const log = [
      ...(await desk.requests("POST", /^\/order$/)),
      ...(await desk.requests("GET", /^\/data\/order\//)),
    ].sort((a, b) => a.seq - b.seq);
    expect(log.slice(0, 3).map((row) => row.method)).toEqual(["POST", "GET", "POST"]);
    const [first, again] = await desk.requests("POST", /^\/order$/);
    expect(again?.bodyBytes).toBe(first?.bodyBytes);
    const open = await openAtVenue();
    expect(open.ok && open.value).toHaveLength(1);
  });

  test("425 for ever: a handful of sends, then it is given up and its money is free (V8)", async () => {
    await desk.fault("status", {
      ...onPost,
      code: 425,
      body: { error: "restarting" },
      times: 1_000,
    });
    const { clientOid } = await desk.place(resting);
    await until("given up", () => desk.order(clientOid).status === "rejected");
    expect(await posts()).toBeLessThanOrEqual(4);
    expect(exposureOf(desk.engine.state).locked).toBe(0);
  });

  test("401 once: the key is derived again and the same bytes go out once more", async () => {
    const body = { error: "Unauthorized/Invalid api key" };
    await desk.fault("status", { ...onPost, code: 401, body, times: 1 });
    const { clientOid } = await desk.place(resting);
    await until("it rests", () => desk.order(clientOid).status === "live");
    expect(await posts()).toBe(2);
    expect(await desk.requests("GET", /^\/auth\/derive-api-key$/)).toHaveLength(2);
    expect(desk.engine.state.halt).toBeNull();
  });

  test("401 twice: one derivation, then trading halts and the order is refused (V11)", async () => {
    const body = { error: "Unauthorized/Invalid api key" };
    await desk.fault("status", { ...onPost, code: 401, body, times: 100 });
    const { clientOid } = await desk.place(resting);
    await until("refused", () => desk.order(clientOid).status === "rejected");
    expect(await posts()).toBe(2);
    expect(desk.order(clientOid).rejectReason).toBe("unauthorized");
    expect(desk.engine.state.halt?.reason).toBe("unauthorized");
  });

  test("a documented refusal is confirmed by one look by hash before its money is free", async () => {
    const body = { error: "not enough balance / allowance" };
    await desk.fault("status", { ...onPost, code: 400, body, times: 1 });
    await desk.fault("status", { method: "GET", path: "^/data/order/", code: 500, times: 6 });
    const { clientOid } = await desk.place(resting);
    await until("two looks failed", async () => {
      const looks = await desk.requests("GET", /^\/data\/order\//);
      return looks.length >= 6;
    });
    expect(exposureOf(desk.engine.state).locked).toBe(reserved);
    await until("refused", () => desk.order(clientOid).status === "rejected");
    expect(exposureOf(desk.engine.state).locked).toBe(0);
    expect(await posts()).toBe(1);
  });

  test("a kill between two sends wins", async () => {
    await desk.fault("status", {
      ...onPost,
      code: 425,
      body: { error: "restarting" },
      times: 1_000,
    });
    const { clientOid } = await desk.place(resting);
    await until("sent once", async () => (await posts()) >= 1);
    await desk.engine.kill(null, null, "");
    const sent = await posts();
    await until("ended", () => desk.order(clientOid).status === "rejected");
    expect(await posts()).toBe(sent);
  });
});
