import { describe, expect, test } from "vitest";
import { orderView } from "../../../src/engine/core/order-view.ts";
import { exposureOf } from "../../../src/engine/state/exposure.ts";
import { type CoreDesk, openCoreDesk, trader } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { foldedState, refold } from "../support/refold.ts";
import { fillOf, reportOf } from "../support/venue-reports.ts";

const taking = {
  limit: priceOf("0.53"),
  amount: { unit: "shares", value: sharesOf("20") },
} as const;

function delayed(): { readonly desk: CoreDesk; readonly oid: string } {
  const desk = openCoreDesk();
  const oid = desk.place(taking).clientOid;
  const outcome = { kind: "accepted", state: "delayed" } as const;
  desk.run({ kind: "post.finished", clientOid: oid, outcome });
  return { desk, oid };
}

function reported(desk: CoreDesk, oid: string, state: "delayed" | "live" | "ended"): void {
  const order = reportOf(desk.order(oid), state);
  desk.run({ kind: "account", event: { kind: "order.reported", order } });
}

describe("an order that the venue delays (V21)", () => {
  test("is shown as delayed, keeps its money, and each look changes nothing", () => {
    const { desk, oid } = delayed();
    expect(orderView(desk.state, desk.order(oid)).delayed).toBe(true);
    reported(desk, oid, "delayed");
    const { seq } = desk.state;
    reported(desk, oid, "delayed");
    expect(desk.state.seq).toBe(seq);
    expect(desk.order(oid).status).toBe("in_flight");
    expect(exposureOf(desk.state).locked).toBe(10_600_000);
    expect(foldedState(desk).orders.get(oid)).toEqual(desk.order(oid));
  });

  test("is named by the kill report, stays counted, and is canceled when its delay is over", () => {
    const { desk, oid } = delayed();
    desk.kill();
    desk.pass(9_000, 1_000);
    const report = desk.notices().findLast((body) => body.kind === "kill.report");
    expect(report).toMatchObject({ settled: false, orders: [{ fate: "delayed" }] });
    expect(exposureOf(desk.state).locked).toBe(10_600_000);
    reported(desk, oid, "live");
    desk.drain();
    const found = { kind: "found", order: reportOf(desk.order(oid), "live") } as const;
    desk.run({ kind: "query.finished", clientOid: oid, outcome: found, fills: [] });
    expect(desk.drain()).toContainEqual({ kind: "order.cancel", clientOids: [oid] });
    reported(desk, oid, "ended");
    desk.pass(100);
    const last = desk.notices().findLast((body) => body.kind === "kill.report");
    expect(last).toMatchObject({ settled: true, orders: [{ fate: "canceled" }] });
  });

  test("survives a restart: found delayed it is delayed, found filled it is filled", () => {
    const { desk, oid } = delayed();
    const again = refold(desk);
    again.run({ kind: "run.start" });
    expect(again.order(oid).status).toBe("unknown");
    const found = { kind: "found", order: reportOf(again.order(oid), "delayed") } as const;
    again.run({ kind: "query.finished", clientOid: oid, outcome: found, fills: [] });
    expect(orderView(again.state, again.order(oid))).toMatchObject({ delayed: true });
    const fill = fillOf(again.order(oid), "t", 20_000_000);
    again.run({ kind: "account", event: { kind: "fill.reported", fill } });
    expect(orderView(again.state, again.order(oid))).toMatchObject({
      status: "filled",
      delayed: false,
    });
  });
});

describe("a marketable limit order: shares at a limit that crosses", () => {
  const wish = {
    limit: priceOf("0.53"),
    amount: { unit: "shares", value: sharesOf("40.126") },
    timeInForce: "fak",
  } as const;

  test("is a limit order of whole hundredths whose rest is canceled at once", () => {
    const desk = openCoreDesk();
    const card = desk.card(wish);
    expect(card).toMatchObject({ timeInForce: "gtc", immediate: true, maxSpend: 21_263_600 });
    const outcome = desk.confirm(card.nonce);
    const oid = outcome.kind === "accepted" ? (outcome.orders[0]?.clientOid ?? "") : "";
    expect(desk.order(oid).draft).toMatchObject({ size: 40_120_000, spend: null, immediate: true });
    desk.drain();
    const accepted = { kind: "accepted", state: "live" } as const;
    desk.run({ kind: "post.finished", clientOid: oid, outcome: accepted });
    expect(desk.drain()).toContainEqual({ kind: "order.cancel", clientOids: [oid] });
    const fill = fillOf(desk.order(oid), "t", 20_000_000, { at: priceOf("0.50") });
    desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
    const ended = reportOf(desk.order(oid), "ended", 20_000_000);
    desk.run({ kind: "account", event: { kind: "order.reported", order: ended } });
    expect(desk.order(oid)).toMatchObject({ status: "canceled", filledUsd: 10_000_000 });
    expect(desk.notices().map((body) => body.kind)).toEqual(["started", "order.outcome"]);
    expect(desk.notices().at(-1)).toMatchObject({ result: "partially_filled" });
  });

  test("found resting after a crash, its cancel is asked for by itself", () => {
    const desk = openCoreDesk();
    const { clientOid } = desk.place(wish);
    const again = refold(desk);
    again.run({ kind: "run.start" });
    again.drain();
    const order = reportOf(again.order(clientOid), "live");
    again.read("start", { orders: [order], cash: again.state.cash });
    expect(again.drain()).toContainEqual({ kind: "order.cancel", clientOids: [clientOid] });
  });

  test("with a limit that crosses nothing is refused instead of resting", () => {
    const desk = openCoreDesk();
    const low = { ...wish, limit: priceOf("0.50") };
    expect(desk.quote(low, trader)).toMatchObject({ error: { code: "no_liquidity" } });
  });
});
