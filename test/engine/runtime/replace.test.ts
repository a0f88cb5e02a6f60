import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { exposureOf } from "../../../src/engine/state/exposure.ts";
import { trader } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { type LiveDesk, openLiveDesk, until } from "../support/live-desk.ts";
import { standing } from "../support/standing-world.ts";

let desk: LiveDesk;
beforeEach(async () => {
  desk = await openLiveDesk();
});
afterEach(async () => desk.close());

const resting = {
  conditionId: standing.conditionId,
  limit: priceOf("0.45"),
  amount: { unit: "shares", value: sharesOf("20") },
} as const;

async function rested(): Promise<string> {
  const { clientOid } = await desk.place(resting);
  await until("it rests", () => desk.order(clientOid).status === "live");
  return clientOid;
}

async function change(clientOid: string, to: string) {
  const quoted = await desk.engine.quoteReplace(trader, "q1", clientOid, priceOf(to));
  if (!quoted.ok) throw new Error(JSON.stringify(quoted.error));
  return desk.engine.confirm(trader, "c1", quoted.value.nonce);
}

async function atVenue() {
  const open = await desk.polymarket.venue.openOrders();
  return open.ok ? open.value : [];
}

describe("a price change on the paper venue", () => {
  test("the old order is gone and one order rests at the new price", async () => {
    const old = await rested();
    expect(await change(old, "0.46")).toMatchObject({ kind: "replacing", limit: 4_600 });
    await until("the new one rests", () =>
      desk.engine.orders().some((order) => order.limit === 4_600 && order.status === "live"),
    );
    expect(desk.order(old).status).toBe("canceled");
    expect(await atVenue()).toMatchObject([{ price: 4_600, originalSize: 20_000_000 }]);
    expect(exposureOf(desk.engine.state).locked).toBe(9_200_000);
    const log = [
      ...(await desk.requests("POST", /^\/order$/)),
      ...(await desk.requests("DELETE", /^\/orders$/)),
    ].sort((a, b) => a.seq - b.seq);
    const methods = log.map((row) => row.method);
    expect(methods.filter((method) => method === "POST")).toHaveLength(2);
    expect(methods.slice(0, 2)).toEqual(["POST", "DELETE"]);
    expect(methods.at(-1)).toBe("POST");
  });

  test("a lost cancel is sent again before anything new is", async () => {
    const old = await rested();
    await desk.fault("drop-before", { method: "DELETE", path: "^/orders$", times: 1 });
    await change(old, "0.46");
    await until("the new one rests", () =>
      desk.engine.orders().some((order) => order.limit === 4_600 && order.status === "live"),
    );
    expect(await atVenue()).toHaveLength(1);
    expect((await desk.requests("DELETE", /^\/orders$/)).length).toBeGreaterThanOrEqual(1);
  });

  test("a crash while the old one is being canceled: after the restart one of the two, never both", async () => {
    const old = await rested();
    await desk.fault("delay-answer", { method: "DELETE", path: "^/orders$", ms: 300, times: 1 });
    await change(old, "0.46");
    desk = await desk.restart();
    await until("the change came to an end", () => desk.engine.state.replacements.size === 0);
    await until("what is open rests", () =>
      desk.engine
        .orders()
        .filter((order) => order.status !== "canceled")
        .every((order) => order.status === "live" || order.status === "rejected"),
    );
    const there = await atVenue();
    expect(there.length).toBeLessThanOrEqual(1);
    expect(desk.order(old).status).toBe("canceled");
  });

  test("a kill in between leaves neither", async () => {
    const old = await rested();
    await desk.fault("delay-answer", { method: "DELETE", path: "^/orders$", ms: 300, times: 1 });
    await change(old, "0.46");
    await desk.engine.kill(trader, "k1", "");
    await until("the book is flat", async () => (await atVenue()).length === 0);
    await until("told", () => desk.notices().some((body) => body.kind === "replace.failed"));
    expect(await desk.requests("POST", /^\/order$/)).toHaveLength(1);
  });
});
