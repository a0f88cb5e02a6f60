import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LoggedRequest } from "../../../src/adapters/paper-venue/http/request-log.ts";
import { renderNotice } from "../../../src/bot/render/notice.ts";
import { trader } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { type LiveDesk, openLiveDesk, until } from "../support/live-desk.ts";
import { standing, standingTaxed } from "../support/standing-world.ts";

let desk: LiveDesk;
beforeEach(async () => {
  desk = await openLiveDesk({ mode: "dry-run" });
});
afterEach(async () => desk.close());

const resting = {
  conditionId: standing.conditionId,
  limit: priceOf("0.45"),
  amount: { unit: "shares", value: sharesOf("20") },
} as const;

/** What changed something at the venue, but for the key of the account, without which nothing can be read. */
async function changing(): Promise<LoggedRequest[]> {
  const sent = [
    ...(await desk.requests("POST", /.*/)),
    ...(await desk.requests("DELETE", /.*/)),
    ...(await desk.requests("PUT", /.*/)),
  ];
  return sent.filter(({ path }) => path !== "/auth/api-key" && !path.startsWith("/paper/"));
}

describe("a dry run", () => {
  test("signs and records an order, holds nothing for it, and sends nothing", async () => {
    const before = desk.engine.view();
    const order = await desk.place(resting);
    await until("its end", () => desk.order(order.clientOid).status === "rejected");
    expect(desk.order(order.clientOid).rejectReason).toBe("dry_run");
    const kept = desk.engine.state.orders.get(order.clientOid);
    expect(kept?.orderHash).toMatch(/^0x[0-9a-f]{64}$/);
    expect(JSON.parse(kept?.body ?? "{}")).toMatchObject({ orderType: "GTC" });
    const { cashFree, locked, exposureUsd, openOrders } = desk.engine.view();
    expect({ cashFree, locked, exposureUsd, openOrders }).toEqual({
      cashFree: before.cashFree,
      locked: before.locked,
      exposureUsd: before.exposureUsd,
      openOrders: 0,
    });
    expect(await changing()).toEqual([]);
  });

  test("many orders hold no reservation: the caps are as free as at the start", async () => {
    for (let i = 0; i < 12; i++) {
      const limit = priceOf(`0.${30 + i}`);
      const order = await desk.place({ ...resting, limit, conditionId: standingTaxed.conditionId });
      await until("its end", () => desk.order(order.clientOid).status === "rejected");
    }
    expect(desk.engine.view()).toMatchObject({ exposureUsd: 0, locked: 0, openOrders: 0 });
    expect(desk.engine.state.halt).toBeNull();
  });

  test("each order is told as one that would have been sent", async () => {
    await desk.place(resting);
    await until("told", () => desk.notices().some((body) => body.kind === "order.outcome"));
    const [notice] = desk.engine.noticesAfter(0).filter((one) => one.body.kind === "order.outcome");
    if (notice === undefined) throw new TypeError("no notice");
    const { text } = renderNotice("dry-run", notice);
    expect(text).toContain("DRY-RUN · NOT SENT BUY Yes");
    expect(text).toContain("It would have been sent");
    expect(text).not.toContain("REJECTED");
  });

  test("a kill, a cancel and what forgets the gate reach no POST and no DELETE", async () => {
    await desk.place(resting);
    await desk.engine.cancelOrders(trader, "tg:c", "all");
    await desk.engine.kill(trader, "tg:k", "drill");
    const { venue } = desk.polymarket;
    const hash = `0x${"12".repeat(32)}`;
    expect(await venue.cancel([hash])).toEqual({ kind: "answered", canceled: [], refused: {} });
    expect(await venue.cancelAll()).toMatchObject({ kind: "answered" });
    expect(await venue.post({ orderHash: hash, body: "{}" }, () => null)).toMatchObject({
      kind: "not_sent",
    });
    expect(await changing()).toEqual([]);
  });
});
