import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { exposureOf, freeCash } from "../../../src/engine/state/exposure.ts";
import { trader } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { type LiveDesk, openLiveDesk, until } from "../support/live-desk.ts";
import { dollars } from "../support/settings.ts";
import { standingTaxed } from "../support/standing-world.ts";

let desk: LiveDesk;
beforeEach(async () => {
  desk = await openLiveDesk();
});
afterEach(async () => desk.close());

const { conditionId } = standingTaxed;
const [yesToken] = standingTaxed.outcomes;
const buy = { conditionId, amount: { unit: "usd", value: dollars(25) } } as const;

async function venueCash(): Promise<number> {
  const balance = await desk.polymarket.venue.balance();
  return balance.ok ? balance.value.cash : -1;
}

async function venueShares(): Promise<number> {
  const held = await desk.polymarket.venue.shares(yesToken.tokenId, "v1");
  return held.ok ? held.value : -1;
}

async function settled(): Promise<void> {
  await until("every fill is confirmed", () => {
    const fills = [...desk.engine.state.fills.values()];
    return fills.length > 0 && fills.every((fill) => fill.status !== "provisional");
  });
}

describe("a buy and a sale on the paper venue", () => {
  test("spend, shares and fee of the card are what the venue took, to the micro-dollar", async () => {
    const card = await desk.card(buy);
    expect(card).toMatchObject({ money: 25_000_000, worst: 5_300 });
    const { clientOid } = await desk.place(buy);
    await until("the order has ended", () => desk.order(clientOid).status === "filled");
    await settled();
    expect(await venueCash()).toBe(dollars(1_000) - card.money - card.fee);
    expect(await venueShares()).toBe(card.shares);
    expect(desk.engine.state.cash).toBe(await venueCash());
    expect(desk.engine.state.positions.get(yesToken.tokenId)).toMatchObject({
      confirmed: card.shares,
      provisionalBought: 0,
      cost: card.money + card.fee,
    });
    expect(exposureOf(desk.engine.state).locked).toBe(0);
    expect(desk.notices().map((body) => body.kind)).toEqual(["started", "order.outcome"]);
  });

  test("every stage of the order is timed, in order, by one clock", async () => {
    const { clientOid, planId } = await desk.place(buy);
    await settled();
    await until("answered", () => desk.order(clientOid).timing.acknowledgedMs !== null);
    const { requestId, ...stages } = desk.order(clientOid).timing;
    expect(requestId).toBe(`${planId.slice(0, 12)}-0`);
    const { decidedMs, committedMs, sentMs, acknowledgedMs, filledMs } = stages;
    const path = [decidedMs, committedMs, sentMs, acknowledgedMs].map((ms) => ms ?? -1);
    expect(path).toEqual([...path].sort((a, b) => a - b));
    expect(path[1]).toBeGreaterThan(0);
    expect(filledMs).not.toBeNull();
  });

  test("the log leads from the command to its order, the posting, the fill and its settlement", async () => {
    const { clientOid, orderHash } = await desk.place(buy);
    await settled();
    const lines = (event: string) => desk.logged.filter((line) => line.event === event);
    const [plan] = lines("plan.approved");
    expect(plan?.["correlationId"]).toMatch(/^[0-9a-f]{16}$/);
    expect(lines("order.approved")).toEqual([
      {
        event: "order.approved",
        correlationId: plan?.["correlationId"],
        planId: plan?.["planId"],
        leg: 0,
        clientOid,
        orderHash,
      },
    ]);
    await until("the posting is logged", () => lines("order.posted").length > 0);
    expect(lines("order.posted")[0]).toMatchObject({ orderHash, outcome: "accepted" });
    for (const event of ["fill.recorded", "order.closed"]) {
      await until(`${event} is logged`, () => lines(event).length > 0);
      const line = { planId: plan?.["planId"], clientOid, orderHash };
      expect(lines(event)[0]).toMatchObject(line);
    }
    await until("the settlement is logged", () => lines("fill.settled").length > 0);
    expect(lines("fill.settled")[0]).toMatchObject({ orderHash, status: "confirmed" });
  });

  test("sold again, cash and shares agree with the venue still, and the loss is realized", async () => {
    const { clientOid } = await desk.place(buy);
    await until("bought", () => desk.order(clientOid).status === "filled");
    await settled();
    const sale = { conditionId, side: "sell", amount: { unit: "part", value: 1_000_000 } } as const;
    const sold = await desk.place(sale);
    await until("sold", () => desk.order(sold.clientOid).status === "filled");
    await settled();
    expect(desk.engine.state.cash).toBe(await venueCash());
    // Sizes of orders go to the hundredth of a share: dust stays on both sides alike.
    expect(desk.engine.state.positions.get(yesToken.tokenId)?.confirmed).toBe(await venueShares());
    const { cost = 0, realizedUsd = 0 } = desk.engine.state.positions.get(yesToken.tokenId) ?? {};
    expect(dollars(1_000) - (await venueCash())).toBe(cost - realizedUsd);
  });

  test("two presses of one card at the same moment make one order at the venue (P1)", async () => {
    const { nonce } = await desk.card(buy);
    const press = (commandId: string) => desk.engine.confirm(trader, commandId, nonce);
    const outcomes = await Promise.all([press("tg:1"), press("tg:2"), press("tg:3")]);
    expect(outcomes.map((outcome) => outcome.kind).sort()).toEqual([
      "accepted",
      "refused",
      "refused",
    ]);
    await settled();
    expect(await desk.requests("POST", /^\/order$/)).toHaveLength(1);
    const again = await press("tg:1");
    expect(again).toMatchObject({ kind: "accepted" });
    expect(await desk.requests("POST", /^\/order$/)).toHaveLength(1);
  });

  test("a resting order rests, is canceled on wish, and its money is free again", async () => {
    const { clientOid } = await desk.place({
      conditionId,
      limit: priceOf("0.45"),
      amount: { unit: "shares", value: sharesOf("100") },
    });
    await until("it rests", () => desk.order(clientOid).status === "live");
    expect(freeCash(desk.engine.state)).toBe(dollars(1_000) - 45_000_000 * 1.04);
    const asked = await desk.engine.cancelOrders(trader, "tg:9", [clientOid]);
    expect(asked.ok).toBe(true);
    await until("it is canceled", () => desk.order(clientOid).status === "canceled");
    expect(freeCash(desk.engine.state)).toBe(dollars(1_000));
  });

  test("the crowd fills a resting order: no fee for a maker, told part by part", async () => {
    const { clientOid } = await desk.place({
      conditionId,
      limit: priceOf("0.50"),
      amount: { unit: "shares", value: sharesOf("40") },
    });
    await until("it rests", () => desk.order(clientOid).status === "live");
    desk.venue.exchange.crowdTrade(conditionId, "SELL", "0.5", "15");
    await until("filled in part", () => desk.order(clientOid).filled === 15_000_000);
    expect(desk.order(clientOid).status).toBe("partially_filled");
    desk.venue.exchange.crowdTrade(conditionId, "SELL", "0.5", "25");
    await until("filled", () => desk.order(clientOid).status === "filled");
    await settled();
    expect(desk.order(clientOid).feesUsd).toBe(0);
    expect(desk.engine.state.cash).toBe(dollars(980));
    expect(await venueCash()).toBe(dollars(980));
    // The part that completes the order is told by the order's end.
    const told = desk.notices().filter((body) => body.kind === "order.filled");
    expect(told.map((body) => body.size)).toEqual([15_000_000]);
    expect(desk.notices().at(-1)).toMatchObject({ kind: "order.outcome", result: "filled" });
  });

  test("a trade that fails on chain is undone here as there (V12)", async () => {
    await desk.fault("trade-fail", { times: 1 });
    const { clientOid } = await desk.place(buy);
    await until("reversed", () => desk.notices().some((body) => body.kind === "fill.reversed"));
    expect(desk.order(clientOid).filled).toBe(0);
    await until("the venue's cash is back", async () => (await venueCash()) === dollars(1_000));
    expect(desk.engine.state.cash).toBe(dollars(1_000));
    expect(exposureOf(desk.engine.state).total).toBe(0);
  });

  test("a documented refusal is told and frees its money: a fill-or-kill that cannot fill", async () => {
    const { clientOid } = await desk.place({
      conditionId,
      limit: priceOf("0.52"),
      timeInForce: "fok",
      amount: { unit: "usd", value: dollars(10) },
    });
    await until("ended", () => desk.engine.view().openOrders === 0);
    expect(["filled", "rejected"]).toContain(desk.order(clientOid).status);
    expect(exposureOf(desk.engine.state).locked).toBe(0);
  });
});
