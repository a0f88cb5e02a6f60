import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { tradingState } from "../../../src/engine/risk/trading-state.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { type LiveDesk, openLiveDesk, until } from "../support/live-desk.ts";
import { standing } from "../support/standing-world.ts";

let desk: LiveDesk;
beforeEach(async () => {
  desk = await openLiveDesk({
    waits: { reconcileIntervalMs: 10_000 },
    risk: { breakerSlowAcks: 1, breakerSlowAckMs: 150 },
  });
});
afterEach(async () => desk.close());

const { conditionId } = standing;
const resting = {
  conditionId,
  limit: priceOf("0.45"),
  amount: { unit: "shares", value: sharesOf("20") },
} as const;

async function posts(): Promise<number> {
  return (await desk.requests("POST", /^\/order$/)).length;
}

describe("no new risk from a moment on", () => {
  test("a buy that was confirmed before is not sent any more, and its money is free", async () => {
    // The first sending is not taken, so that the order waits for its second one.
    const params = { method: "POST", path: "^/order$", code: 429, body: {}, times: 1 };
    await desk.fault("status", { ...params, headers: { "retry-after": "1" } });
    const { clientOid } = await desk.place(resting);
    await until("the first sending", async () => (await posts()) === 1);
    await desk.engine.degrade("telegram", "no poll for a minute");
    await until("it is given up", () => desk.order(clientOid).status === "rejected");
    expect(await posts()).toBe(1);
    expect(desk.order(clientOid)).toMatchObject({ rejectReason: "not_sent", reservedUsd: 0 });
    expect(desk.engine.view().trading).toMatchObject({ state: "reducing", causes: ["telegram"] });
  });

  test("an answer's time is measured from the first byte, and a late one closes the gate for buys", async () => {
    await desk.place(resting);
    await until("it is answered", async () => (await posts()) === 1);
    expect(tradingState(desk.engine.state).state).toBe("active");
    await desk.fault("delay-answer", { method: "POST", path: "^/order$", ms: 200, times: 1 });
    await desk.place({ ...resting, limit: priceOf("0.44") });
    await until("it is late", () => tradingState(desk.engine.state).state === "reducing");
    expect(desk.engine.view().trading.causes).toEqual(["slow_acks"]);
  });

  test("it outlives the process, until it is withdrawn", async () => {
    await desk.engine.degrade("geoblock", "blocked here");
    desk = await desk.restart();
    expect(tradingState(desk.engine.state)).toEqual({ state: "reducing", causes: ["geoblock"] });
    await desk.engine.degrade("geoblock", null);
    const { clientOid } = await desk.place(resting);
    await until("it rests", () => desk.order(clientOid).status === "live");
  });
});
