import assert from "node:assert/strict";
import { describe, expect, test } from "vitest";
import { feeCharged } from "../../../src/engine/domain/fees.ts";
import type { FillReport } from "../../../src/engine/domain/fill.ts";
import type { Rate } from "../../../src/engine/domain/numbers.ts";
import type { Effect } from "../../../src/engine/protocol/effect.ts";
import type { AccountEvent } from "../../../src/engine/protocol/venue-report.ts";
import { applyFact } from "../../../src/engine/state/apply-fact.ts";
import { keptClosedOrders } from "../../../src/engine/state/engine-state.ts";
import { exposureOf, freeCash, freeShares } from "../../../src/engine/state/exposure.ts";
import { type CoreDesk, openCoreDesk, trader } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { marketOf, plain } from "../support/markets.ts";
import { foldedState, refold } from "../support/refold.ts";
import { dollars, testSettings } from "../support/settings.ts";
import { fillOf, foreign, reportOf } from "../support/venue-reports.ts";

const [{ tokenId }] = plain.outcomes;
const { waits } = testSettings();
const buy = foreign(1, "buy", sharesOf("40"));
const sale = foreign(2, "sell", sharesOf("15"));

function hears(desk: CoreDesk, event: AccountEvent): void {
  desk.run({ kind: "account", event });
}

function told(desk: CoreDesk, kind: string): number {
  return desk.notices().filter((body) => body.kind === kind).length;
}

describe("a stranger sells shares whose purchase is not confirmed yet", () => {
  function oversold(): { readonly desk: CoreDesk; readonly confirm: (n: number) => void } {
    const desk = openCoreDesk();
    const { clientOid } = desk.place({ amount: { unit: "usd", value: dollars(10) } });
    const bought = [8_000_000, 12_000_000].map((size, n) =>
      fillOf(desk.order(clientOid), `t${n}`, size),
    );
    for (const fill of bought) hears(desk, { kind: "fill.reported", fill });
    hears(desk, { kind: "fill.reported", fill: { ...sale.fill, status: "confirmed" } });
    const confirm = (n: number) => {
      const fill = bought[n];
      assert(fill !== undefined);
      hears(desk, { kind: "fill.reported", fill: { ...fill, status: "confirmed" } });
    };
    return { desk, confirm };
  }

  test("they are owed, and taken from the purchase when it is confirmed", () => {
    const { desk, confirm } = oversold();
    expect(desk.state.positions.get(tokenId)).toMatchObject({ confirmed: 0, owed: 15_000_000 });
    expect(freeShares(desk.state, tokenId)).toBe(0);
    confirm(0);
    expect(desk.state.positions.get(tokenId)).toMatchObject({ confirmed: 0, owed: 7_000_000 });
    confirm(1);
    expect(desk.state.positions.get(tokenId)).toMatchObject({
      confirmed: 5_000_000,
      provisionalSold: 0,
      owed: 0,
    });
    expect(freeShares(desk.state, tokenId)).toBe(5_000_000);
  });

  test("when the market ends first, nothing is owed any more", () => {
    const { desk, confirm } = oversold();
    desk.resolve(plain, plain.outcomes[0].tokenId === tokenId ? 0 : 1);
    confirm(0);
    expect(desk.state.positions.get(tokenId)).toMatchObject({
      confirmed: 0,
      provisionalSold: 0,
      owed: 0,
    });
  });
});

describe("an open order that this desk did not place (V29)", () => {
  test("locks its dollars, counts in exposure, and is told once however often it is seen", () => {
    const desk = openCoreDesk();
    for (let i = 0; i < 3; i++) {
      hears(desk, { kind: "order.reported", order: buy.order });
      desk.read("periodic", { orders: [buy.order] });
    }
    expect(exposureOf(desk.state)).toMatchObject({ total: 20_000_000, locked: 20_000_000 });
    expect(exposureOf(desk.state).byToken.get(tokenId)).toBe(20_000_000);
    expect(freeCash(desk.state)).toBe(dollars(980));
    expect(told(desk, "external.order")).toBe(1);
    const again = refold(desk);
    again.read("periodic", { orders: [buy.order] });
    expect(told(again, "external.order")).toBe(1);
  });

  test("without a readable price it locks a dollar a share", () => {
    const desk = openCoreDesk();
    hears(desk, { kind: "order.reported", order: { ...buy.order, price: null } });
    expect(exposureOf(desk.state).locked).toBe(40_000_000);
  });

  test("a foreign sale claims the shares that it offers", () => {
    const desk = openCoreDesk();
    const { clientOid } = desk.place({ amount: { unit: "usd", value: dollars(10) } });
    const bought = fillOf(desk.order(clientOid), "t", 20_000_000, { status: "confirmed" });
    hears(desk, { kind: "fill.reported", fill: bought });
    expect(freeShares(desk.state, tokenId)).toBe(20_000_000);
    hears(desk, { kind: "order.reported", order: sale.order });
    expect(freeShares(desk.state, tokenId)).toBe(5_000_000);
  });

  test("its money is free when the venue no longer shows it, and a read that failed says nothing", () => {
    const desk = openCoreDesk();
    hears(desk, { kind: "order.reported", order: buy.order });
    desk.read("periodic", { orders: null });
    expect(exposureOf(desk.state).locked).toBe(20_000_000);
    desk.read("periodic", { orders: [] });
    expect(exposureOf(desk.state).locked).toBe(0);
  });

  test("what it filled is locked no more; a late older report does not lock it again", () => {
    const desk = openCoreDesk();
    const part = { ...buy.order, matched: sharesOf("30") };
    hears(desk, { kind: "order.reported", order: part });
    hears(desk, { kind: "order.reported", order: buy.order });
    expect(exposureOf(desk.state).locked).toBe(5_000_000);
  });

  test("is canceled by its own name only: neither by all nor by a wrong one", () => {
    const desk = openCoreDesk();
    hears(desk, { kind: "order.reported", order: buy.order });
    desk.drain();
    desk.request("cancel", { do: "cancel", actor: trader, clientOids: "all" });
    expect(desk.drain()).toEqual([]);
    const cancel = (orderHash: string) =>
      desk.request("cancel-external", { do: "cancel-external", actor: trader, orderHash }).value;
    expect(cancel("0x12")).toMatchObject({ ok: false, error: { code: "order_unknown" } });
    expect(cancel(buy.orderHash)).toMatchObject({ ok: true });
    expect(desk.drain()).toEqual([{ kind: "external.cancel", orderHash: buy.orderHash }]);
    // Only the venue's word ends it.
    expect(exposureOf(desk.state).locked).toBe(20_000_000);
  });

  test("a kill cancels it with everything and reports it until it is gone", () => {
    const desk = openCoreDesk();
    hears(desk, { kind: "order.reported", order: buy.order });
    desk.kill();
    expect(desk.drain()).toContainEqual({ kind: "orders.cancel-all" });
    desk.pass(10_000, 1_000);
    const reports = () => desk.notices().filter((body) => body.kind === "kill.report");
    expect(reports().at(-1)).toMatchObject({ settled: false, external: [{ fate: "still_open" }] });
    desk.read("kill", { orders: [] });
    desk.pass(100);
    expect(reports().at(-1)).toMatchObject({ settled: true, external: [{ fate: "gone" }] });
  });
});

describe("a trade that this desk did not make", () => {
  test("moves position, exposure and cash once, and is told once", () => {
    const desk = openCoreDesk();
    for (let i = 0; i < 3; i++) {
      hears(desk, { kind: "fill.reported", fill: buy.fill });
      desk.read("periodic", { fills: [buy.fill] });
    }
    expect(desk.state.positions.get(tokenId)).toMatchObject({
      provisionalBought: 40_000_000,
      external: 40_000_000,
      cost: 20_000_000,
    });
    expect(exposureOf(desk.state).total).toBe(20_000_000);
    expect(desk.state.cash).toBe(dollars(980));
    expect(told(desk, "external.fill")).toBe(1);
    hears(desk, { kind: "fill.reported", fill: { ...buy.fill, status: "confirmed" } });
    expect(freeShares(desk.state, tokenId)).toBe(40_000_000);
  });

  describe("in a market that nobody has read yet", () => {
    const unheard = marketOf(9, { fee: { rate: 40_000 as Rate } });
    const [, no] = unheard.outcomes;
    /** The market's other outcome, and no name of the market: the least that a trade can say. */
    const elsewhere = (fill: FillReport): FillReport => {
      const { conditionId, ...rest } = fill;
      assert(conditionId !== undefined);
      return { ...rest, tokenId: no.tokenId };
    };
    const fee = (fill: FillReport) => feeCharged(unheard.fee, fill.money, fill.size);
    const learned = (desk: CoreDesk) => {
      const { conditionId } = unheard;
      expect(desk.state.positions.get(no.tokenId)).toMatchObject({ conditionId, outcome: 1 });
      expect([...desk.state.fills.values()]).toMatchObject([{ conditionId, outcome: 1 }]);
    };

    test.each([
      ["", (desk: CoreDesk) => desk],
      [" after a restart", refold],
    ])("a purchase gets its market, outcome and fee when the market is read%s, once", (_, then) => {
      const first = openCoreDesk();
      const bought = elsewhere(buy.fill);
      hears(first, { kind: "fill.reported", fill: bought });
      expect(first.state.cash).toBe(dollars(980));
      expect(fee(bought)).toBeGreaterThan(0);
      const desk = then(first);
      desk.list(unheard);
      desk.list(unheard);
      learned(desk);
      const cost = dollars(20) + fee(bought);
      expect(desk.state.positions.get(no.tokenId)).toMatchObject({ cost });
      expect(desk.state.cash).toBe(dollars(1_000) - cost);
      expect(exposureOf(desk.state).byMarket.get(unheard.conditionId)).toBe(cost);
      hears(desk, { kind: "fill.reported", fill: { ...bought, status: "failed" } });
      expect(desk.state.cash).toBe(dollars(1_000));
      expect(desk.state.positions.get(no.tokenId)).toMatchObject({ cost: 0, realizedUsd: 0 });
    });

    test("a sale pays its fee out of what it made, and the day knows", () => {
      const desk = openCoreDesk();
      const sold = elsewhere(sale.fill);
      hears(desk, { kind: "fill.reported", fill: sold });
      desk.list(unheard);
      learned(desk);
      const made = sold.money - fee(sold);
      expect(desk.state.positions.get(no.tokenId)).toMatchObject({ realizedUsd: made });
      expect(desk.state.cash).toBe(dollars(1_000) + made);
      expect(desk.state.day.realizedUsd).toBe(0);
      expect(foldedState(desk).positions).toEqual(desk.state.positions);
      hears(desk, { kind: "fill.reported", fill: { ...sold, status: "failed" } });
      expect(desk.state.cash).toBe(dollars(1_000));
    });

    test("one that failed meanwhile costs nothing; a maker pays no fee", () => {
      for (const over of [{ status: "failed" }, { isMaker: true }] as const) {
        const desk = openCoreDesk();
        const bought = elsewhere({ ...buy.fill, ...over });
        hears(desk, { kind: "fill.reported", fill: bought });
        desk.list(unheard);
        const isDead = bought.status === "failed";
        expect(desk.state.cash).toBe(isDead ? dollars(1_000) : dollars(980));
      }
    });
  });

  test("is taken back when it fails", () => {
    const desk = openCoreDesk();
    hears(desk, { kind: "fill.reported", fill: buy.fill });
    hears(desk, { kind: "fill.reported", fill: { ...buy.fill, status: "failed" } });
    expect(desk.state.positions.get(tokenId)).toMatchObject({ provisionalBought: 0, external: 0 });
    expect(desk.state.cash).toBe(dollars(1_000));
    expect(exposureOf(desk.state).total).toBe(0);
    expect(told(desk, "external.fill")).toBe(2);
  });

  test("a sale of shares whose cost nobody knows never makes room in the day's loss", () => {
    const desk = openCoreDesk();
    hears(desk, { kind: "fill.reported", fill: sale.fill });
    expect(desk.state.day.realizedUsd).toBe(0);
    hears(desk, { kind: "fill.reported", fill: { ...sale.fill, status: "failed" } });
    expect(desk.state.day.realizedUsd).toBe(0);
    expect(desk.state.cash).toBe(dollars(1_000));
  });

  const sold = { ...sale.fill, size: buy.fill.size, money: buy.fill.money } as const;
  const settled = (fill: FillReport) => ({ ...fill, status: "confirmed" }) as const;
  test.each([
    ["heard first", [buy.fill, sold, settled(sold), settled(buy.fill)]],
    ["heard of when it was confirmed", [buy.fill, settled(sold), settled(buy.fill)]],
    ["read before the buy itself", [settled(sold), settled(buy.fill)]],
  ])("sold by a stranger before our buy is confirmed, %s: nothing is left over", (_, fills) => {
    const desk = openCoreDesk();
    for (const fill of fills) hears(desk, { kind: "fill.reported", fill });
    const { confirmed = 0, provisionalSold = 0 } = desk.state.positions.get(tokenId) ?? {};
    expect(confirmed - provisionalSold).toBe(0);
    expect(freeShares(desk.state, tokenId)).toBe(0);
  });

  test("what was traded while the desk was down is asked for at the next start", () => {
    const desk = refold(openCoreDesk());
    const lastMs = desk.state.atMs;
    desk.nowMs += 3_600_000;
    const { effects } = desk.run({ kind: "run.start" });
    const [read] = effects.filter((effect) => effect.kind === "account.read");
    expect(read?.fillsAfterS).toBeLessThan(lastMs / 1_000);
  });

  describe("by a clock that was an hour ahead", () => {
    const hourMs = 3_600_000;
    const asked = (effects: readonly Effect[]) => {
      const [read] = effects.filter((effect) => effect.kind === "account.read");
      assert(read !== undefined);
      return (read.fillsAfterS ?? Number.NaN) * 1_000;
    };

    test("and set right before the start, it is asked from the newest trade that is known", () => {
      const ahead = openCoreDesk();
      const known = { ...buy.fill, atMs: ahead.nowMs - hourMs };
      hears(ahead, { kind: "fill.reported", fill: known });
      const desk = refold(ahead);
      desk.nowMs -= hourMs - 60_000;
      expect(asked(desk.run({ kind: "run.start" }).effects)).toBeLessThan(known.atMs);
    });

    test("and set right before the start, without any trade: from a while before now", () => {
      const desk = refold(openCoreDesk());
      desk.nowMs -= hourMs;
      expect(asked(desk.run({ kind: "run.start" }).effects)).toBeLessThan(desk.nowMs - 300_000);
    });

    test("a kill of that run asks for the trades of now", () => {
      const ahead = openCoreDesk();
      ahead.kill();
      const desk = refold(ahead);
      desk.nowMs -= hourMs;
      desk.run({ kind: "run.start" });
      desk.drain();
      desk.pass(5_000);
      const sweeps = desk.drain().filter((effect) => effect.kind === "account.read");
      const kills = sweeps.filter(({ purpose }) => purpose === "kill");
      expect(kills.length).toBeGreaterThan(0);
      for (const { fillsAfterS } of kills)
        expect(fillsAfterS).toBeLessThan(desk.nowMs / 1_000 - 50);
    });

    test("while it runs, it is asked by the venue's time", () => {
      const desk = openCoreDesk();
      desk.run({ kind: "clock.measured", offsetMs: 0 - hourMs });
      desk.read("periodic", { fills: [] });
      desk.drain();
      desk.pass(waits.reconcileIntervalMs);
      const venueNowMs = desk.nowMs - hourMs;
      expect(asked(desk.drain())).toBeLessThan(venueNowMs - waits.reconcileIntervalMs);
    });
  });

  test("a kill's reads begin at the kill: they do not stand for what could not be read before", () => {
    const desk = openCoreDesk();
    const readAtMs = desk.nowMs;
    desk.nowMs += 600_000;
    desk.run({ kind: "tick" });
    desk.read("periodic", { fills: null });
    desk.kill();
    desk.read("kill");
    desk.read("balance");
    desk.drain();
    desk.nowMs += waits.reconcileIntervalMs;
    desk.run({ kind: "tick" });
    const read = desk
      .drain()
      .find((effect) => effect.kind === "account.read" && effect.purpose === "periodic");
    assert(read?.kind === "account.read");
    expect(read.fillsAfterS).toBeLessThan(readAtMs / 1_000);
  });

  test("and between two reads nothing is left out, although nothing of ours is open", () => {
    const desk = openCoreDesk();
    const readAtMs = desk.nowMs;
    desk.read("periodic", { fills: null });
    desk.nowMs += 600_000;
    desk.run({ kind: "tick" });
    const read = desk.drain().find((effect) => effect.kind === "account.read");
    expect(read?.fillsAfterS).toBeLessThan(readAtMs / 1_000);
  });
});

describe("an order of ours that left the memory", () => {
  test("is not taken for somebody else's, nor are its fills", () => {
    const desk = openCoreDesk();
    const first = desk.place({
      limit: priceOf("0.40"),
      amount: { unit: "shares", value: sharesOf("20") },
    });
    const plan = desk.state.plans.get(first.planId);
    if (plan === undefined) throw new Error("a placed order has a plan");
    close(desk, first.clientOid);
    for (let i = 0; i < keptClosedOrders; i++) {
      const clientOid = `oid${i}`;
      const order = { ...first, clientOid, planId: `p${i}`, orderHash: `0xa${i}` };
      const own = { ...plan, planId: `p${i}`, commandId: `c${i}`, clientOids: [clientOid] };
      const fact = { kind: "plan.approved", plan: own, orders: [order], evidence: [] } as const;
      applyFact(desk.state, { ...fact, configHash: "c", codeVersion: "v" }, desk.nowMs);
      close(desk, clientOid);
    }
    expect(desk.state.orders.has(first.clientOid)).toBe(false);
    const { seq } = desk.state;
    desk.read("periodic", {
      orders: [reportOf(first, "live")],
      fills: [fillOf(first, "t", 20_000_000)],
    });
    expect(desk.state.seq).toBe(seq);
    expect(desk.state.externalOrders.size).toBe(0);
  });
});

function close(desk: CoreDesk, clientOid: string): void {
  const end = { status: "canceled", reason: null, detail: "" } as const;
  applyFact(desk.state, { kind: "order.closed", clientOid, ...end }, desk.nowMs);
}
