import { describe, expect, test } from "vitest";
import type { PostOutcome } from "../../../src/engine/protocol/venue-report.ts";
import { type CoreDesk, openCoreDesk } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { marketOf, plain, plainRows } from "../support/markets.ts";
import { dollars, testSettings } from "../support/settings.ts";
import { fillOf, reportOf } from "../support/venue-reports.ts";

const money = (amount: number) => ({ unit: "usd", value: dollars(amount) }) as const;
const sh = (text: string) => ({ unit: "shares", value: sharesOf(text) }) as const;
const resting = { limit: priceOf("0.40"), amount: sh("100") } as const;
const dayMs = 86_400_000;

/** Buys for `amount` dollars at 50 cents; the venue matches and confirms it. */
function bought(desk: CoreDesk, amount: number): void {
  const order = desk.place({ amount: money(amount) });
  const spent = order.draft.spend ?? 0;
  const at = priceOf("0.50");
  const fill = fillOf(order, order.clientOid, spent * 2, { status: "confirmed", at });
  desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
  desk.run({
    kind: "query.finished",
    clientOid: order.clientOid,
    outcome: { kind: "found", order: reportOf(order, "matched", spent * 2) },
    fills: [fill],
  });
}

describe("limits of a day", () => {
  test("what was traded today and what open orders can add is capped; tomorrow it starts anew", () => {
    const desk = openCoreDesk(testSettings({ risk: { maxDailyVolumeUsd: dollars(60) } }));
    bought(desk, 30);
    desk.pass(2_000);
    desk.book(plain, plainRows);
    expect(desk.quote({ amount: money(30.01) })).toMatchObject({
      error: { code: "cap_day_volume", limit: dollars(60), wanted: dollars(60.01) },
    });
    expect(desk.quote({ amount: money(29) }).ok).toBe(true);
    desk.nowMs += dayMs;
    desk.book(plain, plainRows);
    expect(desk.quote({ amount: money(59) }).ok).toBe(true);
  });

  test("after the day's loss only sales are taken", () => {
    const desk = openCoreDesk(testSettings({ risk: { maxDailyLossUsd: dollars(5) } }));
    bought(desk, 30);
    const other = marketOf(3, {});
    desk.list(other);
    desk.resolve(plain, 1);
    expect(desk.quote({ conditionId: other.conditionId })).toMatchObject({
      error: { code: "cap_day_loss", limit: dollars(5) },
    });
  });
});

describe("a market that resolves", () => {
  test("ends its positions at their payoff and tells it once", () => {
    const desk = openCoreDesk();
    bought(desk, 30);
    const [position] = [...desk.state.positions.values()];
    const held = position?.confirmed ?? 0;
    const cost = position?.cost ?? 0;
    expect(held).toBeGreaterThan(0);
    desk.resolve(plain, 0);
    desk.resolve(plain, 0);
    const [after] = [...desk.state.positions.values()];
    expect(after).toMatchObject({ confirmed: 0, cost: 0, realizedUsd: held - cost });
    const told = desk.notices().filter((body) => body.kind === "market.settled");
    expect(told).toEqual([
      expect.objectContaining({ winner: plain.outcomes[0].name, paidUsd: held, costUsd: cost }),
    ]);
    expect(desk.quote({ amount: money(10) })).toMatchObject({ error: { code: "market_closed" } });
  });
});

describe("caps on events and strategies", () => {
  test("two markets of one event share its cap", () => {
    const desk = openCoreDesk(testSettings({ risk: { maxExposurePerEventUsd: dollars(70) } }));
    const one = marketOf(5, { groupId: "g" });
    const two = marketOf(6, { groupId: "g" });
    desk.list(one);
    desk.list(two);
    desk.place({ ...resting, conditionId: one.conditionId });
    expect(desk.quote({ ...resting, conditionId: two.conditionId })).toMatchObject({
      error: { code: "cap_event", limit: dollars(70), wanted: dollars(80) },
    });
  });

  test("a strategy's open orders and holdings count against its own cap", () => {
    const desk = openCoreDesk(testSettings({ risk: { maxExposurePerStrategyUsd: dollars(70) } }));
    bought(desk, 35);
    desk.pass(2_000);
    desk.book(plain, plainRows);
    expect(desk.quote(resting)).toMatchObject({
      error: { code: "cap_strategy", limit: dollars(70), wanted: dollars(75) },
    });
  });
});

describe("breakers", () => {
  const refused: PostOutcome = { kind: "rejected", reason: "invalid_signature", detail: "" };

  function refuse(desk: CoreDesk, times: number, outcome: PostOutcome): void {
    for (let i = 0; i < times; i++) {
      const { clientOid } = desk.place({ ...resting, limit: priceOf(`0.4${i}`) });
      desk.run({ kind: "post.finished", clientOid, outcome });
    }
  }

  test("a burst of refusals halts trading by itself and tells every trader", () => {
    const desk = openCoreDesk(testSettings({ risk: { breakerRejectsPerMinute: 3 } }));
    refuse(desk, 3, refused);
    expect(desk.state.halt).toMatchObject({ reason: "reject_burst" });
    expect(desk.notices().filter((body) => body.kind === "halted")).toHaveLength(1);
    expect(desk.quote(resting)).toMatchObject({ error: { code: "paused" } });
  });

  test("orders that found nobody to match with are no failures", () => {
    const desk = openCoreDesk(testSettings({ risk: { breakerRejectsPerMinute: 3 } }));
    refuse(desk, 5, { kind: "rejected", reason: "no_match", detail: "" });
    expect(desk.state.halt).toBeNull();
  });

  test("more orders than the minute allows are denied, not sent", () => {
    const desk = openCoreDesk(testSettings({ risk: { breakerOrdersPerMinute: 2 } }));
    desk.place(resting);
    desk.place({ ...resting, limit: priceOf("0.41") });
    desk.drain();
    expect(desk.quote({ ...resting, limit: priceOf("0.42") })).toMatchObject({
      error: { code: "busy", limit: 2, wanted: 3 },
    });
    desk.pass(60_000);
    desk.book(plain, plainRows);
    expect(desk.quote({ ...resting, limit: priceOf("0.42") }).ok).toBe(true);
  });

  test("a commit that is late halts trading until a person resumes", () => {
    const desk = openCoreDesk();
    desk.run({ kind: "ledger.late", detail: "2,000 ms" });
    expect(desk.state.halt).toMatchObject({ reason: "ledger_failed" });
    expect(desk.quote(resting)).toMatchObject({ error: { code: "paused" } });
  });
});
