import { describe, expect, test } from "vitest";
import type { FillReport } from "../../../src/engine/domain/fill.ts";
import { price } from "../../../src/engine/domain/numbers.ts";
import { type CoreDesk, openCoreDesk } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { group, plain, runners, taxed } from "../support/markets.ts";
import { dollars, type SettingsOver, testSettings } from "../support/settings.ts";
import { fillOf, reportOf } from "../support/venue-reports.ts";

type Limits = NonNullable<SettingsOver["risk"]>;

function open(risk: Limits): CoreDesk {
  return openCoreDesk(testSettings({ risk: { duplicateWindowMs: 0, ...risk } }));
}

const hundred = { unit: "shares", value: sharesOf("100") } as const;

/** Buys or sells a hundred shares of the plain market at one price, whole and as a maker. */
function trade(desk: CoreDesk, side: "buy" | "sell", at: string, tradeId: string): FillReport {
  const order = desk.place({ side, limit: priceOf(at), amount: hundred });
  const fill = fillOf(order, tradeId, 100_000_000, { isMaker: true });
  for (const status of ["provisional", "confirmed"] as const) {
    if (side === "sell" && status === "confirmed") continue;
    desk.run({ kind: "account", event: { kind: "fill.reported", fill: { ...fill, status } } });
  }
  const matched = reportOf(order, "matched", 100_000_000);
  desk.run({ kind: "account", event: { kind: "order.reported", order: matched } });
  return fill;
}

describe("caps on events and strategies", () => {
  test("the markets of one event share its cap, and a market alone is an event of its own", () => {
    const desk = open({ maxExposurePerEventUsd: dollars(50) });
    for (const market of runners) {
      desk.list(market, { bids: [["0.3", "500"]], asks: [["0.4", "500"]] }, [group]);
    }
    const [first, second] = runners;
    if (first === undefined || second === undefined) throw new TypeError("no runners");
    const limit = price(3_000);
    desk.place({ conditionId: first.conditionId, limit, amount: hundred });
    expect(desk.quote({ conditionId: second.conditionId, limit, amount: hundred })).toMatchObject({
      ok: false,
      error: { code: "cap_event", wanted: 60_000_000 },
    });
    expect(desk.quote({ limit: priceOf("0.43"), amount: hundred }).ok).toBe(true);
  });

  test("a strategy's cap counts what it holds and what it may still buy", () => {
    const desk = open({ maxExposurePerStrategyUsd: dollars(100) });
    trade(desk, "buy", "0.50", "a");
    desk.place({ limit: priceOf("0.45"), amount: hundred });
    const more = {
      conditionId: taxed.conditionId,
      amount: { unit: "usd", value: dollars(10) },
    } as const;
    expect(desk.quote(more)).toMatchObject({
      ok: false,
      error: { code: "cap_strategy", wanted: 105_400_000 },
    });
  });
});

describe("caps on a day", () => {
  test("volume: traded and open dollars; sales are never stopped by it; the next day begins anew", () => {
    const desk = open({ maxDailyVolumeUsd: dollars(100) });
    trade(desk, "buy", "0.50", "a");
    desk.place({ limit: priceOf("0.45"), amount: hundred });
    const more = { amount: { unit: "usd", value: dollars(6) } } as const;
    const refused = { ok: false, error: { code: "cap_day_volume", wanted: 101_000_000 } };
    expect(desk.quote(more)).toMatchObject(refused);
    expect(desk.quote({ side: "sell", amount: hundred }).ok).toBe(true);
    desk.nowMs += 86_400_000;
    desk.book(plain, { bids: [["0.48", "1000"]], asks: [["0.52", "500"]] });
    expect(desk.quote(more).ok).toBe(true);
  });

  test("loss: buys stop once it is reached, sales go on", () => {
    const desk = open({ maxDailyLossUsd: dollars(10) });
    trade(desk, "buy", "0.55", "a");
    trade(desk, "buy", "0.55", "b");
    trade(desk, "sell", "0.44", "c");
    expect(desk.quote({})).toMatchObject({ ok: false, error: { code: "cap_day_loss" } });
    expect(desk.quote({ side: "sell", amount: hundred }).ok).toBe(true);
  });

  test.each([
    ["0.44", "a voided loss does not stop the day", true],
    ["0.60", "a voided profit does not pay for a loss", false],
  ])("a sale at %s that failed: %s", (at, _, allowed) => {
    const desk = open({ maxDailyLossUsd: dollars(10) });
    trade(desk, "buy", "0.55", "a");
    const sale = trade(desk, "sell", at, "b");
    desk.run({
      kind: "account",
      event: { kind: "fill.reported", fill: { ...sale, status: "failed" } },
    });
    expect(desk.state.day.realizedUsd).toBe(0);
    if (!allowed) trade(desk, "sell", "0.44", "c");
    expect(desk.quote({}).ok).toBe(allowed);
  });
});

describe("breakers", () => {
  const resting = { limit: priceOf("0.40"), amount: hundred } as const;

  test("a burst of refusals halts trading; refusals that mean nothing do not count", () => {
    const desk = open({ breakerRejectsPerMinute: 3 });
    const refuse = (reason: "balance" | "no_match") => {
      const { clientOid } = desk.place(resting);
      const outcome = { kind: "rejected", reason, detail: "" } as const;
      desk.run({ kind: "post.finished", clientOid, outcome });
      desk.run({ kind: "query.finished", clientOid, outcome: { kind: "absent" }, fills: [] });
    };
    for (let i = 0; i < 5; i++) refuse("no_match");
    refuse("balance");
    refuse("balance");
    expect(desk.state.halt).toBeNull();
    refuse("balance");
    expect(desk.state.halt?.reason).toBe("reject_burst");
    expect(desk.quote(resting)).toMatchObject({ ok: false, error: { code: "paused" } });
  });

  test("the same refusals over more than a minute are no burst", () => {
    const desk = open({ breakerRejectsPerMinute: 3 });
    for (let i = 0; i < 6; i++) {
      desk.book(plain, { bids: [["0.48", "1000"]], asks: [["0.52", "500"]] });
      const { clientOid } = desk.place(resting);
      const outcome = { kind: "rejected", reason: "balance", detail: "" } as const;
      desk.run({ kind: "post.finished", clientOid, outcome });
      desk.nowMs += 31_000;
    }
    expect(desk.state.halt).toBeNull();
  });

  test("orders a minute have a bound (P11)", () => {
    const desk = open({ breakerOrdersPerMinute: 2 });
    desk.place(resting);
    desk.place(resting);
    expect(desk.quote(resting)).toMatchObject({ ok: false, error: { code: "busy" } });
    desk.nowMs += 60_000;
    expect(desk.quote(resting).ok).toBe(true);
  });
});
