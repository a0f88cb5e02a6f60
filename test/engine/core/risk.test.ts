import { describe, expect, test } from "vitest";
import type { TradeRequest } from "../../../src/engine/api/requests.ts";
import { shares } from "../../../src/engine/domain/numbers.ts";
import { openCoreDesk, trader } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { marketOf, plain, plainRows, taxed } from "../support/markets.ts";
import { dollars, type SettingsOver, testSettings } from "../support/settings.ts";
import { fillOf } from "../support/venue-reports.ts";

const sh = (text: string) => ({ unit: "shares", value: sharesOf(text) }) as const;
const money = (amount: number) => ({ unit: "usd", value: dollars(amount) }) as const;
const resting = { limit: priceOf("0.40"), amount: sh("100") } as const;

type Row = readonly [Partial<TradeRequest>, SettingsOver, code: string];

describe("refused with its reason before anything exists", () => {
  test.each<Row>([
    [{ amount: money(100.01) }, { risk: { maxNotionalPerOrderUsd: dollars(100) } }, "cap_order"],
    [{ amount: money(0.99) }, {}, "min_order_usd"],
    [{ ...resting, amount: sh("4.99") }, {}, "min_size"],
    [
      { ...resting, amount: sh("200") },
      { risk: { maxExposurePerOutcomeUsd: dollars(79.99) } },
      "cap_outcome",
    ],
    [
      { ...resting, amount: sh("200") },
      { risk: { maxExposurePerMarketUsd: dollars(79.99) } },
      "cap_market",
    ],
    [
      { ...resting, amount: sh("200") },
      { risk: { maxExposureTotalUsd: dollars(79.99) } },
      "cap_total",
    ],
    [{ limit: priceOf("0.63"), amount: money(10) }, {}, "price_collar"],
    [{ limit: priceOf("0.405"), amount: sh("100") }, {}, "off_tick"],
    [{ side: "sell", amount: sh("10") }, {}, "insufficient_shares"],
    [{ amount: money(10), timeInForce: "gtc" }, {}, "amount_invalid"],
    [{ ...resting, timeInForce: "gtd", goodForMs: 60_000 }, {}, "expiry_invalid"],
    [{ conditionId: "0x9" }, {}, "market_unknown"],
    [resting, { risk: { maxOpenOrders: 0 } }, "busy"],
  ])("%j under %j: %s", (request, over, code) => {
    const desk = openCoreDesk(testSettings(over));
    expect(desk.quote(request)).toMatchObject({ ok: false, error: { code } });
    expect(desk.effects).toEqual([]);
    expect(desk.state.cards.size).toBe(0);
  });

  test("at the cap itself it is allowed: 200 shares at 0.40 are 80 dollars", () => {
    const over = { risk: { maxExposurePerOutcomeUsd: dollars(80) } };
    expect(openCoreDesk(testSettings(over)).quote({ ...resting, amount: sh("200") }).ok).toBe(true);
  });

  test("a market that closed, an empty side, too little cash", () => {
    const desk = openCoreDesk();
    const closed = marketOf(3, { tradable: false });
    desk.list(closed);
    const { conditionId } = closed;
    expect(desk.quote({ conditionId })).toMatchObject({ error: { code: "market_closed" } });
    desk.book(plain, { bids: plainRows.bids, asks: [] });
    expect(desk.quote({})).toMatchObject({ error: { code: "no_liquidity" } });
    const poor = openCoreDesk();
    poor.read("periodic", { cash: dollars(5) });
    expect(poor.quote({ amount: money(10) })).toMatchObject({
      error: { code: "insufficient_cash", limit: 5_000_000, wanted: 10_000_000 },
    });
  });

  test("the venue's smaller balance reduces what may be spent, its larger one does not add (V18)", () => {
    const desk = openCoreDesk();
    desk.place(resting);
    // An order is in flight: our account does not follow, the smaller figure holds.
    desk.read("periodic", { cash: dollars(3) });
    expect(desk.state.cash).toBe(dollars(1_000));
    expect(desk.quote({ amount: money(10) })).toMatchObject({
      error: { code: "insufficient_cash" },
    });
    desk.read("periodic", { cash: dollars(9_000) });
    expect(desk.state.cash).toBe(dollars(1_000));
  });

  test("cash in reserve of open orders is not spent twice, the highest fee included", () => {
    const desk = openCoreDesk();
    desk.read("periodic", { cash: dollars(50) });
    desk.place({ conditionId: taxed.conditionId, limit: priceOf("0.40"), amount: sh("100") });
    // 40 dollars and 4 % of them.
    expect(desk.quote({ amount: money(8.41) })).toMatchObject({
      error: { code: "insufficient_cash", limit: 8_400_000 },
    });
    expect(desk.quote({ amount: money(8.4) }).ok).toBe(true);
  });

  test("shares that another open sale or an unconfirmed buy holds cannot be sold", () => {
    const desk = openCoreDesk();
    const order = desk.place({ limit: priceOf("0.52"), amount: sh("100") });
    const fill = (status: "provisional" | "confirmed") => {
      const report = fillOf(order, "t", 100_000_000, { status });
      desk.run({ kind: "account", event: { kind: "fill.reported", fill: report } });
    };
    const sell = (size: string) =>
      desk.quote({ side: "sell", limit: priceOf("0.60"), amount: sh(size) });
    fill("provisional");
    expect(sell("10")).toMatchObject({ error: { code: "insufficient_shares", limit: 0 } });
    fill("confirmed");
    expect(sell("100").ok).toBe(true);
    desk.place({ side: "sell", limit: priceOf("0.60"), amount: sh("60") });
    expect(sell("41")).toMatchObject({ error: { code: "insufficient_shares", limit: 40_000_000 } });
    expect(sell("40").ok).toBe(true);
  });
});

describe("the same order twice", () => {
  test.each([
    [1_499, "refused"],
    [1_500, "accepted"],
  ])("after %d ms: %s", (waited, kind) => {
    const desk = openCoreDesk();
    const first = desk.card(resting);
    const second = desk.card(resting);
    desk.confirm(first.nonce);
    desk.nowMs += waited;
    const outcome = desk.confirm(second.nonce);
    expect(outcome.kind).toBe(kind);
    if (outcome.kind === "refused") expect(outcome.denial.code).toBe("duplicate_intent");
  });

  test("another price, another size or another person is another order", () => {
    const desk = openCoreDesk();
    desk.place(resting);
    expect(desk.place({ ...resting, limit: priceOf("0.41") }).status).toBe("in_flight");
    expect(desk.place({ ...resting, amount: sh("99") }).status).toBe("in_flight");
    const actor = { userId: 8, chatId: 8 };
    const quoted = desk.quote(resting, actor);
    if (!quoted.ok) throw new TypeError("no card");
    expect(desk.confirm(quoted.value.nonce, actor).kind).toBe("accepted");
  });
});

test("a card shows what the caps look like after it, and cannot pass them when they changed meanwhile", () => {
  const desk = openCoreDesk(testSettings({ risk: { maxExposureTotalUsd: dollars(100) } }));
  const first = desk.card({ ...resting, amount: sh("150") });
  const second = desk.card({ ...resting, amount: sh("140") });
  expect(first.riskAfter).toMatchObject({ totalUsd: 60_000_000, totalCapUsd: 100_000_000 });
  expect(first.riskAfter.cashLeftUsd).toBe(dollars(940));
  expect(desk.confirm(first.nonce).kind).toBe("accepted");
  expect(desk.confirm(second.nonce, trader)).toMatchObject({
    kind: "refused",
    denial: { code: "cap_total", wanted: 116_000_000 },
  });
});

test("amounts: percent and max leave room for the fee, so that the gate lets them through", () => {
  const desk = openCoreDesk(testSettings({ risk: { maxNotionalPerOrderUsd: dollars(10_000) } }));
  desk.read("periodic", { cash: dollars(40) });
  const { conditionId } = taxed;
  const all = { unit: "part", value: 1_000_000 } as const;
  const card = desk.card({ conditionId, amount: all });
  expect(card.money).toBe(38_460_000);
  expect(card.maxSpend).toBeLessThanOrEqual(dollars(40));
  expect(desk.confirm(card.nonce).kind).toBe("accepted");
  const half = openCoreDesk().card({ amount: { unit: "part", value: 50_000 } });
  expect(half).toMatchObject({ money: dollars(50), shares: shares(96_153_846) });
});

test("a card for a sale shows what it releases: its part of the cost, and at least its limit less the highest fee", () => {
  const desk = openCoreDesk();
  const bought = desk.place({ ...resting, limit: priceOf("0.50") });
  const fill = fillOf(bought, "first", 100_000_000, { status: "confirmed" });
  desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
  const now = desk.card({ limit: priceOf("0.40"), amount: sh("10") }).riskAfter;
  const sale = desk.card({ side: "sell", amount: sh("100"), limit: priceOf("0.52") }).riskAfter;
  const half = desk.card({ side: "sell", amount: sh("50"), limit: priceOf("0.52") }).riskAfter;
  expect(now.totalUsd).toBe(dollars(54));
  expect(sale).toMatchObject({ outcomeUsd: 0, marketUsd: 0, totalUsd: 0 });
  expect(half.totalUsd).toBe(dollars(25));
  expect(sale.cashLeftUsd).toBe(dollars(1_000 - 50 + 52));
});
