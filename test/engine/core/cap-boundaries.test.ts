import { describe, expect, test } from "vitest";
import { price, type Shares, shares, type Usd, usd } from "../../../src/engine/domain/numbers.ts";
import type { OrderDraft } from "../../../src/engine/domain/order.ts";
import type { RiskLimits } from "../../../src/engine/protocol/settings.ts";
import { checkRisk } from "../../../src/engine/risk/check-risk.ts";
import { type CoreDesk, openCoreDesk } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { plain } from "../support/markets.ts";
import { dollars, testSettings } from "../support/settings.ts";
import { fillOf } from "../support/venue-reports.ts";

/** A marketable buy of so many micro-dollars, without a fee: all that a cap sees of it. */
function buy(spend: number, over: Partial<OrderDraft> = {}): OrderDraft {
  return {
    conditionId: plain.conditionId,
    tokenId: plain.outcomes[0].tokenId,
    outcome: 0,
    side: "buy",
    timeInForce: "fak",
    limit: price(5_200),
    spend: spend as Usd,
    size: shares(100_000_000),
    tickSize: plain.tickSize,
    negRisk: false,
    version: "v1",
    expirationS: null,
    postOnly: false,
    ...over,
  };
}

function sell(size: number): OrderDraft {
  return buy(1, { side: "sell", spend: null, size: size as Shares, limit: price(4_800) });
}

function codeOf(desk: CoreDesk, draft: OrderDraft, gate = true): string {
  const question = {
    drafts: [draft],
    nowMs: desk.nowMs,
    userId: 7,
    strategy: "manual",
    gate,
  } as const;
  const checked = checkRisk(desk.state, desk.settings, question);
  return checked.ok ? "yes" : checked.error.code;
}

/** Nothing but the one limit stands in the way. */
const wide = {
  maxNotionalPerOrderUsd: dollars(1_000_000),
  maxExposurePerOutcomeUsd: dollars(1_000_000),
  maxExposurePerMarketUsd: dollars(1_000_000),
  maxExposurePerEventUsd: dollars(1_000_000),
  maxExposurePerStrategyUsd: dollars(1_000_000),
  maxExposureTotalUsd: dollars(1_000_000),
  maxDailyVolumeUsd: dollars(1_000_000),
  duplicateWindowMs: 0,
} as const;

function openWith(risk: Partial<RiskLimits>): CoreDesk {
  return openCoreDesk(testSettings({ risk: { ...wide, ...risk } }));
}

const cap = 50_000_000;
const caps = [
  ["maxNotionalPerOrderUsd", "cap_order"],
  ["maxExposurePerOutcomeUsd", "cap_outcome"],
  ["maxExposurePerMarketUsd", "cap_market"],
  ["maxExposurePerEventUsd", "cap_event"],
  ["maxExposurePerStrategyUsd", "cap_strategy"],
  ["maxExposureTotalUsd", "cap_total"],
  ["maxDailyVolumeUsd", "cap_day_volume"],
] as const;

describe("every cap on dollars, to the micro-dollar", () => {
  const cells = caps.flatMap(([key, code]) =>
    ([-1, 0, 1] as const).map((more) => [key, more, more > 0 ? code : "yes"] as const),
  );
  test.each(cells)("%s and %d: %s", (key, more, answer) => {
    expect(codeOf(openWith({ [key]: usd(cap) }), buy(cap + more))).toBe(answer);
  });

  // The cap of one order is on that order alone; all others count what is there already.
  const added = cells.filter(([key]) => key !== "maxNotionalPerOrderUsd");
  test.each(added)("%s and %d, with 20 dollars held and 10 in flight: %s", (key, more, answer) => {
    const desk = openWith({ [key]: usd(cap) });
    const held = desk.place({ amount: { unit: "usd", value: dollars(20) } });
    const size = 40_000_000;
    const fill = fillOf(held, "t", size, { at: priceOf("0.50"), status: "provisional" });
    desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
    const report = {
      orderHash: held.orderHash,
      conditionId: held.draft.conditionId,
      tokenId: held.draft.tokenId,
      side: "buy",
      price: held.draft.limit,
      originalSize: held.draft.size,
      matched: shares(size),
      state: "matched",
    } as const;
    desk.run({ kind: "account", event: { kind: "order.reported", order: report } });
    desk.place({ amount: { unit: "shares", value: sharesOf("25") }, limit: priceOf("0.40") });
    expect(codeOf(desk, buy(cap - 30_000_000 + more))).toBe(answer);
  });

  test.each([
    [-1, "yes"],
    [0, "yes"],
    [1, "insufficient_cash"],
  ])("the cash and %d: %s", (more, answer) => {
    const desk = openWith({});
    desk.read("periodic", { cash: usd(cap) });
    expect(codeOf(desk, buy(cap + more))).toBe(answer);
  });

  test.each([
    [-1, "min_order_usd"],
    [0, "yes"],
    [1, "yes"],
  ])("the smallest order and %d: %s", (more, answer) => {
    expect(codeOf(openWith({ minOrderUsd: usd(cap) }), buy(cap + more))).toBe(answer);
  });

  test.each([
    [-1, "yes"],
    [0, "cap_day_loss"],
    [1, "cap_day_loss"],
  ])("a loss of today's limit and %d: %s", (more, answer) => {
    const desk = openWith({ maxDailyLossUsd: usd(cap) });
    const startMs = desk.nowMs - (desk.nowMs % 86_400_000);
    desk.state.day = { startMs, volumeUsd: usd(0), realizedUsd: usd(0 - cap - more) };
    expect(codeOf(desk, buy(5_000_000))).toBe(answer);
  });
});

describe("limits on counts, sizes, prices and ages", () => {
  test.each([
    [2, "yes"],
    [3, "busy"],
  ])("with %d open orders of three: %s", (open, answer) => {
    const desk = openWith({ maxOpenOrders: 3 });
    const amount = { unit: "shares", value: sharesOf("10") } as const;
    for (let i = 0; i < open; i++) desk.place({ amount, limit: priceOf("0.40") });
    expect(codeOf(desk, buy(cap))).toBe(answer);
  });

  test.each([
    [2, "yes"],
    [3, "busy"],
  ])("after %d orders of three a minute: %s", (sent, answer) => {
    const desk = openWith({ breakerOrdersPerMinute: 3 });
    const amount = { unit: "shares", value: sharesOf("10") } as const;
    for (let i = 0; i < sent; i++) desk.place({ amount, limit: priceOf("0.40") });
    expect(codeOf(desk, buy(cap))).toBe(answer);
  });

  test.each([
    [-1, "yes"],
    [0, "yes"],
    [1, "insufficient_shares"],
  ])("a sale of all shares and %d: %s", (more, answer) => {
    const desk = openWith({});
    const order = desk.place({
      limit: priceOf("0.52"),
      amount: { unit: "shares", value: sharesOf("100") },
    });
    const fill = fillOf(order, "t", 100_000_000, { status: "confirmed" });
    desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
    expect(codeOf(desk, sell(100_000_000 + more))).toBe(answer);
  });

  test.each([
    [4_999_999, "min_size"],
    [5_000_000, "yes"],
    [5_000_001, "yes"],
  ])("a resting order of %d micro-shares: %s", (size, answer) => {
    const resting = { timeInForce: "gtc", spend: null, size: shares(size) } as const;
    expect(codeOf(openWith({ minOrderUsd: usd(1) }), buy(0, resting))).toBe(answer);
  });

  test.each([
    [6_200, "yes"],
    [6_300, "price_collar"],
  ])("ten ticks beyond the best ask of 0.52, a limit of %d: %s", (limit, answer) => {
    expect(codeOf(openWith({}), buy(cap, { limit: price(limit) }))).toBe(answer);
  });

  test.each([
    [4_999, "yes"],
    [5_000, "yes"],
    [5_001, "book_stale"],
  ])("a book of %d ms: %s", (ageMs, answer) => {
    const desk = openWith({ bookMaxAgeMs: 5_000 });
    desk.nowMs += ageMs;
    expect(codeOf(desk, buy(cap))).toBe(answer);
    expect(codeOf(desk, buy(cap), false)).toBe("yes");
  });
});

describe("what is no amount at all is refused, whatever the limits", () => {
  const noAmounts = [
    0,
    -0,
    -1,
    -cap,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ];

  test.each(noAmounts)("a buy of %d micro-dollars", (spend) => {
    expect(codeOf(openWith({}), buy(spend))).toBe("amount_invalid");
  });

  test.each(noAmounts)("a resting buy and a sale of %d micro-shares", (size) => {
    const resting = { timeInForce: "gtc", spend: null, size: size as Shares } as const;
    expect(codeOf(openWith({}), buy(0, resting))).toBe("amount_invalid");
    expect(codeOf(openWith({}), sell(size))).toBe("amount_invalid");
  });

  test.each([...noAmounts, 10_000, 5_150, 0.5])("a limit of %d", (limit) => {
    const draft = buy(cap, { limit: limit as OrderDraft["limit"] });
    expect(codeOf(openWith({}), draft)).not.toBe("yes");
  });

  // A limit that is no number must let nothing through either.
  test.each(caps)("a cap that is not a number: %s", (key, code) => {
    // As a cap on what is held it leaves only sales from the start; as one on orders it refuses by its name.
    const refused = codeOf(openWith({ [key]: Number.NaN as Usd }), buy(cap));
    expect([code, "reducing"]).toContain(refused);
  });

  test.each([
    ["maxOpenOrders", "busy"],
    ["breakerOrdersPerMinute", "busy"],
    ["messageRateMax", "message_rate"],
    ["bookMaxAgeMs", "book_stale"],
    ["priceCollarTicks", "price_collar"],
    ["minOrderUsd", "min_order_usd"],
  ])("another limit that is not a number: %s", (key, code) => {
    expect(codeOf(openWith({ [key]: Number.NaN }), buy(cap))).toBe(code);
  });
});
