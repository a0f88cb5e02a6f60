import { describe, expect, test } from "vitest";
import type { MarketBook } from "../../../src/engine/domain/market-book.ts";
import { createPriceTrail, keepPrices, pricesMet } from "../../../src/engine/domain/price-trail.ts";
import { checkBookState } from "../../../src/engine/risk/price-collar.ts";
import { type CoreDesk, openCoreDesk } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { type BookRows, marketOf, plain, plainRows } from "../support/markets.ts";
import { testSettings } from "../support/settings.ts";
import { fillOf, reportOf } from "../support/venue-reports.ts";

const { bookMaxAgeMs } = testSettings().risk;
const { priceCollarPeriodMs: periodMs, priceCollarPeriodCents: cents } = testSettings().risk;
const sh = (text: string) => ({ unit: "shares", value: sharesOf(text) }) as const;

/** A book of one level a side. */
function at(bid: number, ask: number): BookRows {
  const level = (price: number) => [[(price / 100).toFixed(2), "1000"]] as const;
  return { bids: level(bid), asks: level(ask) };
}

/** The book stands like this for a while. */
function stand(desk: CoreDesk, rows: BookRows, ms: number): void {
  for (let passed = 0; passed < ms; passed += 1_000) {
    desk.book(plain, rows);
    desk.pass(1_000, 200);
  }
  desk.book(plain, rows);
}

function buy(desk: CoreDesk, limit: string | null) {
  const quoted = desk.quote({
    amount: sh("20"),
    limit: limit === null ? null : priceOf(limit),
    timeInForce: limit === null ? null : "gtc",
  });
  return quoted.ok ? "yes" : quoted.error.code;
}

function sell(desk: CoreDesk, limit: string) {
  const quoted = desk.quote({ side: "sell", amount: sh("10"), limit: priceOf(limit) });
  return quoted.ok ? "yes" : quoted.error.code;
}

/** Holds 100 shares of the plain market, so that sales are judged by their price. */
function holding(): CoreDesk {
  const desk = openCoreDesk();
  const order = desk.place({ amount: sh("100"), limit: priceOf("0.52") });
  const fill = fillOf(order, "t", 100_000_000, { status: "confirmed" });
  desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
  const report = reportOf(order, "matched", 100_000_000);
  desk.run({ kind: "account", event: { kind: "order.reported", order: report } });
  return desk;
}

describe("over a period (RTS 6 Art. 15, V24)", () => {
  test("ten small moves, each within the collar of an order, are refused where they add up", () => {
    const desk = openCoreDesk();
    const answers: string[] = [];
    for (let i = 0; i < 10; i++) {
      const ask = 52 + 3 * i;
      stand(desk, at(ask - 4, ask), 3_000);
      // Three ticks beyond the best ask: far inside the collar of ten.
      answers.push(buy(desk, `0.${ask + 3}`));
    }
    expect(answers).toEqual([
      ...Array.from({ length: 6 }, () => "yes"),
      ...Array.from({ length: 4 }, () => "price_collar_period"),
    ]);
  });

  test("and a sale that follows a falling price is refused where it adds up", () => {
    const desk = holding();
    const answers: string[] = [];
    for (let i = 0; i < 7; i++) {
      const bid = 48 - 3 * i;
      stand(desk, at(bid, bid + 4), 3_000);
      answers.push(sell(desk, `0.${bid - 3}`));
    }
    // The last one would take 0.30 - 0.03 while 0.48 was bid within the minute.
    expect(answers).toEqual([...Array.from({ length: 6 }, () => "yes"), "price_collar_period"]);
  });

  test.each([
    [52 + cents, "yes"],
    [52 + cents + 1, "price_collar_period"],
  ])("a book that asked 52 and now asks %d: %s", (ask, answer) => {
    const desk = openCoreDesk();
    stand(desk, plainRows, 3_000);
    desk.book(plain, at(ask - 4, ask));
    expect(buy(desk, `0.${ask}`)).toBe(answer);
  });

  test("a jump from 50 to 5 stops purchases and sales alike, until it has stood for the period", () => {
    const desk = holding();
    stand(desk, at(49, 51), 5_000);
    expect(sell(desk, "0.49")).toBe("yes");
    desk.book(plain, at(4, 6));
    expect(sell(desk, "0.04")).toBe("price_collar_period");
    expect(buy(desk, "0.06")).toBe("price_collar_period");
    expect(buy(desk, null)).toBe("price_collar_period");
    stand(desk, at(4, 6), periodMs - 5_000);
    expect(buy(desk, "0.06")).toBe("price_collar_period");
    stand(desk, at(4, 6), 8_000);
    expect(sell(desk, "0.04")).toBe("yes");
    expect(buy(desk, "0.06")).toBe("yes");
  });

  test("resting far on the safe side of the book is no chase", () => {
    const desk = holding();
    stand(desk, plainRows, 3_000);
    expect(buy(desk, "0.10")).toBe("yes");
    expect(sell(desk, "0.95")).toBe("yes");
  });

  test("the other outcome is judged by the mirrored prices", () => {
    const desk = openCoreDesk();
    stand(desk, at(48, 52), 3_000);
    desk.book(plain, at(20, 24));
    const quoted = desk.quote({ outcome: 1, amount: sh("10"), limit: priceOf("0.80") });
    expect(quoted).toMatchObject({
      error: { code: "price_collar_period", limit: 7_200, wanted: 8_000 },
    });
  });

  test("a confirmation is judged anew", () => {
    const desk = openCoreDesk();
    stand(desk, plainRows, 3_000);
    const { nonce } = desk.card({ side: "buy", amount: sh("10"), limit: priceOf("0.40") });
    desk.book(plain, at(80, 84));
    expect(desk.confirm(nonce)).toMatchObject({ denial: { code: "price_collar_period" } });
  });
});

describe("a book that is no measure", () => {
  test("crossed by a snapshot, or for the moment of half a group of frames: nothing is priced on it", () => {
    const desk = openCoreDesk();
    desk.book(plain, at(55, 52));
    expect(buy(desk, "0.52")).toBe("book_stale");
    desk.book(plain, plainRows);
    const change = {
      side: "buy",
      price: priceOf("0.55"),
      size: sharesOf("10"),
      hash: null,
    } as const;
    const [{ tokenId }] = plain.outcomes;
    const best = { bestBid: undefined, bestAsk: undefined };
    const { conditionId } = plain;
    const changes = [{ ...change, ...best, tokenId }];
    const timestamp = String(desk.nowMs);
    desk.run({ kind: "market", event: { kind: "book.delta", conditionId, timestamp, changes } });
    expect(desk.state.live.books.get(conditionId)?.status).toBe("live");
    expect(desk.quote({ amount: sh("20"), limit: priceOf("0.52") })).toMatchObject({
      error: { code: "book_stale", subject: "crossed" },
    });
    expect(sell(desk, "0.55")).toBe("book_stale");
  });

  test.each([
    ["0.58", "yes"],
    ["0.59", "price_collar"],
  ])("nobody asks: a buy at %s is judged by the bids: %s", (limit, answer) => {
    const desk = openCoreDesk();
    desk.book(plain, { bids: plainRows.bids, asks: [] });
    expect(buy(desk, limit)).toBe(answer);
  });

  test("nobody at all: a price is judged by the last while, and without one there is none", () => {
    const market = marketOf(31);
    const desk = openCoreDesk();
    desk.list(market, { bids: [], asks: [] });
    const quote = (limit: string) => {
      const { conditionId } = market;
      const quoted = desk.quote({ conditionId, amount: sh("10"), limit: priceOf(limit) });
      return quoted.ok ? "yes" : quoted.error.code;
    };
    expect(quote("0.50")).toBe("book_empty");
    desk.book(market, plainRows);
    desk.pass(200);
    desk.book(market, { bids: [], asks: [] });
    expect(quote("0.72")).toBe("yes");
    expect(quote("0.73")).toBe("price_collar_period");
  });
});

describe("the trail of prices", () => {
  test("keeps one sample a twentieth of the period and forgets what is older than it", () => {
    const trail = createPriceTrail();
    for (let ms = 0; ms <= 200_000; ms += 100) {
      const bid = priceOf(ms < 100_000 ? "0.20" : "0.40");
      keepPrices(trail, { bid, ask: null }, ms, 60_000);
    }
    expect(trail.samples).toHaveLength(21);
    expect(pricesMet(trail, 0, "sell", 200_000 - 60_000)).toEqual({
      lowest: 4_000,
      highest: 4_000,
    });
    expect(pricesMet(trail, 0, "buy", 0)).toBeNull();
    expect(pricesMet(trail, 1, "buy", 0)).toEqual({ lowest: 6_000, highest: 6_000 });
    expect(pricesMet(trail, 1, "sell", 0)).toBeNull();
  });
});

describe("a book that prices are judged by", () => {
  function verdict(change: (book: MarketBook) => void, gate: boolean): string {
    const desk = openCoreDesk();
    const book = desk.state.live.books.get(plain.conditionId);
    if (book === undefined) throw new TypeError("no book");
    const atMs = book.frameAtMs + bookMaxAgeMs;
    change(book);
    return checkBookState(book, testSettings(), atMs, gate)?.code ?? "yes";
  }

  type Row = readonly [
    what: string,
    change: (book: MarketBook) => void,
    card: string,
    order: string,
  ];
  const rows: readonly Row[] = [
    ["is as old as it may be", () => undefined, "yes", "yes"],
    ["is older: a card, no order", (book) => void book.frameAtMs--, "yes", "book_stale"],
    [
      "is older, and was compared since",
      (book) => {
        book.confirmedAtMs = book.frameAtMs--;
      },
      "yes",
      "yes",
    ],
    [
      "waits for a fresh one",
      (book) => {
        book.status = "stale";
      },
      "book_stale",
      "book_stale",
    ],
  ];
  test.each(rows)("%s", (_, change, card, order) => {
    expect([verdict(change, false), verdict(change, true)]).toEqual([card, order]);
  });
});
