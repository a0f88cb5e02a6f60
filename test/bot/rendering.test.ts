import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeAction,
  emptyDraft,
  encodeAction,
  raisesRisk,
} from "../../src/bot/actions/bot-action.ts";
import { ButtonMaker } from "../../src/bot/actions/buttons.ts";
import { cutText } from "../../src/bot/outbox/send-message.ts";
import { describeError, redact } from "../../src/bot/redact.ts";
import { renderMarketCard } from "../../src/bot/render/market.ts";
import { renderNotice } from "../../src/bot/render/notice.ts";
import {
  renderTradeCard,
  slippagePercent,
  tradeCardKeyboard,
} from "../../src/bot/render/trade-card.ts";
import {
  averageCents,
  cents,
  money,
  moneyExact,
  percentOf,
  profit,
  sharesExact,
  sharesShort,
} from "../../src/bot/text/amounts.ts";
import { cleanText } from "../../src/bot/text/clean-text.ts";
import { TextBuilder } from "../../src/bot/text/rich-text.ts";
import {
  conditionId,
  marketView,
  orderView,
  price,
  sharesOf,
  summary,
  tradeCard,
  usdOf,
} from "./support/sample-views.ts";

describe("numbers", () => {
  test("prices in cents of the tick", () => {
    expect(cents(price(6100), price(100))).toBe("61.0¢");
    expect(cents(price(6125), price(25))).toBe("61.25¢");
    expect(cents(price(6110), price(10))).toBe("61.1¢");
    expect(cents(price(1), price(1))).toBe("0.01¢");
    expect(cents(price(6125))).toBe("61.25¢");
  });

  test("money to the cent in general, to the last digit on a card", () => {
    expect(money(usdOf(1204.11))).toBe("$1,204.11");
    expect(money(usdOf(-0.004))).toBe("$0.00");
    expect(money(usdOf(-40))).toBe("-$40.00");
    expect(money(usdOf(1234567.891))).toBe("$1,234,567.89");
    expect(moneyExact(usdOf(25))).toBe("$25.00");
    expect(moneyExact(usdOf(0.57035))).toBe("$0.57035");
    expect(moneyExact(usdOf(-1.5))).toBe("-$1.50");
    expect(profit(usdOf(18.4))).toBe("+$18.40");
  });

  test("shares whole on cards, cut in lists", () => {
    expect(sharesExact(sharesOf(40.322581))).toBe("40.322581");
    expect(sharesShort(sharesOf(40.329999))).toBe("40.32");
    expect(sharesShort(sharesOf(0.003333))).toBe("0.003333");
    expect(sharesExact(sharesOf(47437.5))).toBe("47,437.5");
    expect(averageCents(usdOf(25), sharesOf(40.322581))).toBe("62.00¢");
    expect(percentOf(430, 1000)).toBe("43%");
    expect(percentOf(1, 0)).toBe("–");
  });

  test("an exact amount reads back as itself", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 1e12 }), (value) => {
        const text = moneyExact(value as ReturnType<typeof usdOf>);
        expect(Math.round(Number(text.replace(/[$,]/g, "")) * 1e6)).toBe(value);
      }),
    );
  });
});

describe("the card", () => {
  const request = {
    ...emptyDraft("buy"),
    conditionId: conditionId(1),
    outcome: 0 as const,
    amount: { unit: "usd" as const, value: usdOf(25) },
  };
  const card = tradeCard(request, "n".repeat(32), 1_800_000_000_000);

  test("a resting order names the fee that is locked although none is due while it rests", () => {
    const resting = { ...card, matchesNow: sharesOf(0), fee: usdOf(0), maxSpend: usdOf(25.98) };
    expect(renderTradeCard(resting).text).toContain(
      "Fee none while it rests, up to $0.98 if it matches at once · at most $25.98 leaves the account",
    );
  });

  test("names every number, the mode first, and its end as a moment with a fallback", () => {
    const { text, entities } = renderTradeCard(card);
    expect(text.split("\n")[0]).toBe("PAPER · CONFIRM BUY");
    for (const fact of [
      "Spend $25.00",
      "40.322581 Yes shares",
      "Limit 63.0¢",
      "average 62.00¢",
      "worst 62.0¢",
      "best 62.0¢",
      "slippage 0.00%",
      "Fee $0.57035",
      "at most $25.98 leaves",
      "Max loss $25.57035",
      "pays $40.322581 if Yes",
      "outcome $25.00 of $200.00 (13%)",
      "total $430.00 of $1,000.00 (43%)",
      "cash left $974.43",
      "in 45 seconds",
      "fee reserved $0.98",
      "FAK",
    ]) {
      expect(text).toContain(fact);
    }
    const moments = entities.filter((entity) => entity.type === "date_time");
    expect(
      moments.map((entity) => text.slice(entity.offset, entity.offset + entity.length)),
    ).toEqual(["08:00:45 UTC", "in 45 seconds"]);
  });

  test("of an up/down market names coin, start, end and price to beat, like the market's own card", () => {
    const startMs = Date.UTC(2026, 11, 16, 14, 5);
    const window = { coin: "btc", startMs, endMs: startMs + 300_000, strike: usdOf(64_123.45) };
    const line = "Window BTC: 16 Dec 2026 14:05 UTC to 14:10:00 UTC · price to beat $64,123.45\n";
    expect(renderTradeCard({ ...card, window }).text).toContain(line);
    const view = marketView(summary(1, "BTC up or down?", "btc"), []);
    expect(renderMarketCard("paper", { ...view, window }).text).toContain(line);
    const early = renderMarketCard("paper", { ...view, window: { ...window, strike: null } });
    expect(early.text).toContain("UTC · price to beat not known yet\n");
    expect(renderTradeCard(card).text).not.toContain("Window");
  });

  test("slippage against the best price, for a buy and a sale", () => {
    expect(slippagePercent({ ...card, best: price(6100) })).toBe("1.64%");
    expect(slippagePercent({ ...card, side: "sell", best: price(6300) })).toBe("1.59%");
    expect(slippagePercent({ ...card, best: null })).toBeNull();
  });

  test("what rests says so", () => {
    const resting = { ...card, matchesNow: sharesOf(0), worst: null, timeInForce: "gtc" as const };
    expect(renderTradeCard(resting).text).toContain("nothing matches now, it will rest");
  });

  test("buttons fit into callback_data and the store", () => {
    const keyboard = tradeCardKeyboard(card, new ButtonMaker((bytes) => "ab".repeat(bytes)));
    for (const button of keyboard.flat()) {
      expect(`v1:${button.verb}:${button.nonce}`).toMatch(/^v1:[a-z]{1,9}:[\w-]{16,32}$/);
      expect(button.action.length).toBeLessThanOrEqual(1_000);
      expect(decodeAction(button.action)).not.toBeNull();
    }
    expect(keyboard.flat().find((button) => button.verb === "ok")?.nonce).toBe(card.nonce);
  });
});

test("actions of another version or shape are refused, and only looking is allowed late", () => {
  expect(decodeAction('{"v":2,"do":"kill"}')).toBeNull();
  expect(decodeAction('{"v":1,"do":"toString"}')).toBeNull();
  expect(decodeAction("not json")).toBeNull();
  expect(decodeAction("null")).toBeNull();
  expect(decodeAction(encodeAction({ do: "kill" }))).toEqual({ do: "kill" });
  expect(raisesRisk({ do: "status" })).toBe(false);
  expect(raisesRisk({ do: "draft", draft: emptyDraft("buy") })).toBe(true);
});

describe("notices", () => {
  test("a card that its book left is named, and what a press does and what helps is said", () => {
    const body = { kind: "card.outdated", title: "Will it rain?", order: null } as const;
    const head = { noticeId: 1, atMs: 0, chatId: 1 };
    expect(renderNotice("paper", { ...head, body }).text).toBe(
      "PAPER · CARD OUTDATED · SET\nWill it rain?\n" +
        "The book no longer gives what your card shows: a press of it now trades nothing.\n" +
        "Its Re-quote button asks for new terms. If the book comes back in time, it holds as shown.",
    );
    const one = { ...body, order: { side: "sell", outcomeName: "No" } } as const;
    const { text } = renderNotice("live", { ...head, body: one });
    expect(text).toContain("LIVE · CARD OUTDATED · SELL No\n");
  });

  test("each order end says what happened in numbers, the mode first", () => {
    const order = orderView({
      filled: sharesOf(40.322581),
      filledUsd: usdOf(25),
      feesUsd: usdOf(0.57035),
    });
    for (const result of [
      "filled",
      "partially_filled",
      "resting",
      "canceled",
      "expired",
    ] as const) {
      const body = { kind: "order.outcome" as const, order, result };
      const { text } = renderNotice("live", { noticeId: 1, atMs: 0, chatId: 1, body });
      expect(text).toMatch(/^LIVE · /);
      expect(text).toContain("= $25.00 · fee $0.57035");
    }
    const rejected = renderNotice("paper", {
      noticeId: 1,
      atMs: 0,
      chatId: 1,
      body: {
        kind: "order.outcome",
        order: orderView({ rejectReason: "balance" }),
        result: "rejected",
      },
    });
    expect(rejected.text).toMatch(/REJECTED BUY Yes\n.*balance or allowance.*\n.*\n/);
  });

  test("a broken set says so and what to do", () => {
    const { text } = renderNotice("paper", {
      noticeId: 1,
      atMs: 0,
      chatId: 1,
      body: {
        kind: "set.outcome",
        title: "Who wins?",
        legs: [
          orderView({ filled: sharesOf(10), filledUsd: usdOf(3) }),
          orderView({ status: "rejected" }),
        ],
        shares: sharesOf(0),
        cost: usdOf(3),
        fee: usdOf(0),
        complete: false,
      },
    });
    expect(text).toMatch(/SET BROKEN[\s\S]*: rejected[\s\S]*\/positions/);
  });
});

describe("texts", () => {
  test("foreign text cannot break lines, hide or turn text", () => {
    expect(cleanText("a\n\tb\u202ec\u200bd\u0007")).toBe("a bcd");
    expect(cleanText("😀".repeat(300))).toBe(`${"😀".repeat(159)}…`);
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(cleanText(text)).not.toMatch(/[\n\r\u202e\u200f]/u);
      }),
    );
  });

  test("entities stand where their text stands, also after emoji and trimming", () => {
    const { text, entities } = new TextBuilder()
      .plain("😀 ")
      .bold("x")
      .line()
      .bold("tail ")
      .line()
      .build();
    expect(entities.map((one) => text.slice(one.offset, one.offset + one.length))).toEqual([
      "x",
      "tail",
    ]);
  });

  test("a cut text keeps inside the limit and its entities inside the text", () => {
    const long = "y".repeat(5_000);
    const { text, entities } = cutText(long, [
      { type: "bold", offset: 10, length: 4_980 },
      { type: "code", offset: 4_990, length: 5 },
    ]);
    expect(text.length).toBe(4_096);
    expect(entities).toHaveLength(1);
    expect((entities[0]?.offset ?? 0) + (entities[0]?.length ?? 0)).toBeLessThanOrEqual(4_096);
  });

  test("tokens are taken out wherever they stand", () => {
    const secret = "AAH-abcdefghijklmnopqrstuvwxyz_01234";
    for (const leak of [
      `request to https://api.telegram.org/bot1234567890:${secret}/sendMessage failed`,
      `1234567890:${secret}`,
      `bot1234567890%3A${secret}`,
      `https://api.telegram.org/file/bot1234567890:${secret}/photos/1.jpg`,
    ]) {
      expect(redact(leak)).not.toContain(secret);
    }
    expect(redact("/bot1:TEST/getMe")).toBe("/bot***/getMe");
    expect(describeError({ toString: () => `x 1234567890:${secret}` })).not.toContain(secret);
    expect(redact("order 123456789: fine")).toBe("order 123456789: fine");
  });
});
