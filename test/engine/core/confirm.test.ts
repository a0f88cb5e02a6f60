import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TradeRequest } from "../../../src/engine/api/requests.ts";
import {
  walkBuyShares,
  walkBuyUsd,
  walkSellShares,
} from "../../../src/engine/domain/depth-walk.ts";
import { type Price, shares, usd } from "../../../src/engine/domain/numbers.ts";
import type { PreparedOrder } from "../../../src/engine/domain/order.ts";
import { freeShares } from "../../../src/engine/state/exposure.ts";
import { type CoreDesk, openCoreDesk, trader } from "../support/core-desk.ts";
import { holds } from "../support/holds.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { type BookRows, plain, taxed } from "../support/markets.ts";
import { refold } from "../support/refold.ts";
import { dollars, testSettings } from "../support/settings.ts";
import { fillOf, reportOf } from "../support/venue-reports.ts";

const { cardTtlMs } = testSettings();
const refused = (code: string) => ({ kind: "refused", denial: { code } });

describe("a confirmation (P5)", () => {
  test("makes one plan of exactly the shown order, in one step with its reservation and its evidence", () => {
    const desk = openCoreDesk();
    const card = desk.card({ conditionId: taxed.conditionId });
    const seq = desk.facts.length;
    const outcome = desk.confirm(card.nonce);
    expect(outcome).toMatchObject({ kind: "accepted", orders: [{ limit: card.limit }] });
    const facts = desk.facts.slice(seq).map(({ fact }) => fact);
    expect(facts.map((fact) => fact.kind)).toEqual(["card.closed", "plan.approved"]);
    const approved = facts[1];
    if (approved?.kind !== "plan.approved") throw new TypeError("no plan");
    expect(approved.orders[0]?.draft).toMatchObject({ spend: card.money, limit: card.limit });
    expect(approved.orders[0]).toMatchObject({ userId: 7, chatId: 7, strategy: "manual" });
    expect(approved.evidence[0]).toMatchObject({ levels: [[5_200, card.shares]], ageMs: 0 });
    expect(approved.configHash).toHaveLength(64);
  });

  test("works once; the same command again gets the same outcome and no second order", () => {
    const desk = openCoreDesk();
    const { nonce } = desk.card({});
    const first = desk.confirm(nonce, trader, "tg:1");
    expect(desk.confirm(nonce, trader, "tg:2")).toEqual(refused("card_used"));
    expect(desk.confirm(nonce, trader, "tg:1")).toEqual(first);
    expect(desk.drain().filter((effect) => effect.kind === "order.post")).toHaveLength(1);
    expect(desk.state.orders.size).toBe(1);
  });

  test("two presses that were both signed before either was committed make one order", () => {
    const desk = openCoreDesk();
    const { nonce } = desk.card({});
    const first = desk.sign(nonce);
    const second = desk.sign(nonce).map((order) => ({ ...order, orderHash: "0x2" }));
    expect([first.length, second.length]).toEqual([1, 1]);
    const press = (commandId: string, signed: readonly PreparedOrder[]) =>
      desk.request("confirm", { do: "confirm", actor: trader, commandId, nonce, signed }).value;
    expect(press("tg:1", first)).toMatchObject({ kind: "accepted" });
    expect(press("tg:2", second)).toEqual(refused("card_used"));
    expect(desk.state.orders.size).toBe(1);
  });

  test("with too few signed orders makes none, and the card stays good", () => {
    const desk = openCoreDesk();
    const { nonce } = desk.card({});
    const request = { do: "confirm", actor: trader, commandId: "tg:1", nonce, signed: [] } as const;
    expect(desk.request("confirm", request).value).toEqual(refused("busy"));
    expect(desk.state.orders.size).toBe(0);
    expect(desk.confirm(nonce).kind).toBe("accepted");
  });

  test.each([
    ["another user in the same chat", { userId: 8, chatId: 7 }],
    ["the same user in another chat", { userId: 7, chatId: 8 }],
  ])("is refused for %s, and the card stays good", (_, actor) => {
    const desk = openCoreDesk();
    const { nonce } = desk.card({});
    expect(desk.confirm(nonce, actor)).toEqual(refused("card_not_yours"));
    expect(desk.confirm(nonce).kind).toBe("accepted");
  });

  test.each([
    [cardTtlMs - 1, "accepted"],
    [cardTtlMs, "refused"],
  ])("after %d ms it is %s", (age, kind) => {
    const desk = openCoreDesk();
    const { nonce } = desk.card({});
    desk.nowMs += age;
    desk.book(plain, { bids: [["0.48", "1000"]], asks: [["0.52", "500"]] });
    const outcome = desk.confirm(nonce);
    expect(outcome.kind).toBe(kind);
    if (kind === "refused") expect(outcome).toEqual(refused("card_expired"));
  });

  test("one that was shown by a clock that was ahead is closed by the start with the right one", () => {
    const ahead = openCoreDesk();
    const { nonce } = ahead.card({});
    const desk = refold(ahead);
    desk.nowMs -= 3_600_000;
    desk.run({ kind: "run.start" });
    expect(desk.state.cards.get(nonce)).toMatchObject({ state: "expired" });
  });

  test("one that was shown just before a restart stays open", () => {
    const before = openCoreDesk();
    const { nonce } = before.card({});
    const desk = refold(before);
    desk.run({ kind: "run.start" });
    expect(desk.state.cards.get(nonce)).toMatchObject({ state: "open" });
  });

  test("a clock that goes back does not make an expired card good again", () => {
    const desk = openCoreDesk();
    const { nonce } = desk.card({});
    desk.pass(cardTtlMs);
    desk.nowMs -= cardTtlMs;
    expect(desk.confirm(nonce)).toEqual(refused("card_expired"));
  });

  test("an unknown or discarded card is refused; only its owner can discard it", () => {
    const desk = openCoreDesk();
    const { nonce } = desk.card({});
    expect(desk.confirm("0".repeat(32))).toEqual(refused("card_unknown"));
    const other = { userId: 8, chatId: 8 };
    desk.request("none", { do: "discard", actor: other, nonce });
    expect(desk.state.cards.get(nonce)?.state).toBe("open");
    desk.request("none", { do: "discard", actor: trader, nonce });
    expect(desk.confirm(nonce)).toEqual(refused("card_expired"));
  });

  test.each([5_000, 5_001])("a book of %d ms is refused beyond five seconds (P6)", (age) => {
    const desk = openCoreDesk();
    const { nonce } = desk.card({});
    desk.nowMs += age;
    const outcome = desk.confirm(nonce);
    if (age <= 5_000) expect(outcome.kind).toBe("accepted");
    else expect(outcome).toMatchObject(refused("book_stale"));
  });

  test("a lost link makes every book of it unbelieved at once (P6)", () => {
    const desk = openCoreDesk();
    const { nonce } = desk.card({});
    const event = {
      kind: "link.lost",
      feed: "market",
      conditionIds: [plain.conditionId],
      detail: "",
    } as const;
    desk.run({ kind: "market", event });
    expect(desk.confirm(nonce)).toMatchObject(refused("book_stale"));
    expect(desk.quote({})).toMatchObject({ ok: false, error: { code: "book_stale" } });
  });

  test("the price moved: nothing is sent, a new card with a new nonce, the old one is dead", () => {
    const desk = openCoreDesk();
    const card = desk.card({});
    desk.nowMs += 1_000;
    desk.book(plain, { bids: [["0.5", "100"]], asks: [["0.56", "500"]] });
    const outcome = desk.confirm(card.nonce);
    if (outcome.kind !== "requoted") throw new TypeError(JSON.stringify(outcome));
    expect(outcome.card.nonce).not.toBe(card.nonce);
    expect(outcome.card.worst).toBe(5_600);
    expect(desk.drain()).toEqual([]);
    expect(desk.confirm(card.nonce)).toEqual(refused("card_expired"));
    desk.nowMs += 500;
    expect(desk.confirm(outcome.card.nonce).kind).toBe("accepted");
  });

  test("a tick that changed makes a new card, on the new grid", () => {
    const desk = openCoreDesk();
    const card = desk.card({});
    const change = {
      conditionId: plain.conditionId,
      tokenId: "11",
      timestamp: "9",
      tickSize: 10 as Price,
    };
    desk.run({ kind: "market", event: { kind: "tick-size.changed", ...change } });
    desk.book({ ...plain, tickSize: 10 as Price }, { bids: [], asks: [["0.521", "500"]] });
    const outcome = desk.confirm(card.nonce);
    expect(outcome).toMatchObject({ kind: "requoted", card: { tickSize: 10 } });
  });
});

const row = (side: "bids" | "asks") =>
  fc.tuple(
    fc.integer({ min: side === "bids" ? 30 : 50, max: side === "bids" ? 49 : 60 }),
    fc.integer({ min: 1, max: 40_000 }),
  );
const rowsOf = (side: "bids" | "asks") =>
  fc
    .uniqueArray(row(side), { selector: ([at]) => at, minLength: 1, maxLength: 5 })
    .map((list) => list.map(([at, size]) => [String(at / 100), String(size / 100)] as const));
const book: fc.Arbitrary<BookRows> = fc.record({ bids: rowsOf("bids"), asks: rowsOf("asks") });
const request: fc.Arbitrary<Partial<TradeRequest>> = fc.oneof(
  fc.record({
    amount: fc
      .integer({ min: 100, max: 8_000 })
      .map((cents) => ({ unit: "usd" as const, value: usd(cents * 10_000) })),
    outcome: fc.constantFrom(0 as const, 1 as const),
  }),
  fc.record({
    side: fc.constantFrom("buy" as const, "sell" as const),
    amount: fc
      .integer({ min: 200, max: 9_000 })
      .map((size) => ({ unit: "shares" as const, value: shares(size * 10_000) })),
    limit: fc.option(
      fc.integer({ min: 40, max: 58 }).map((at) => priceOf(String(at / 100))),
      { nil: null },
    ),
  }),
);

/** A desk that also holds 150 shares of Yes, so that it can sell. */
function holding(first: BookRows): CoreDesk {
  const desk = openCoreDesk(testSettings({ risk: { duplicateWindowMs: 0 } }));
  const order = desk.place({
    conditionId: taxed.conditionId,
    limit: priceOf("0.52"),
    amount: { unit: "shares", value: sharesOf("150") },
  });
  const fill = fillOf(order, "first", 150_000_000, { status: "confirmed" });
  desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
  const matched = reportOf(order, "matched", 150_000_000);
  desk.run({ kind: "account", event: { kind: "order.reported", order: matched } });
  desk.nowMs += 1_000;
  desk.book(taxed, first);
  return desk;
}

describe("over any drift of the book between card and press", () => {
  test("what is sent is never worse than what was shown: limit, total and shares (P5)", () => {
    const seen = { accepted: 0, requoted: 0 };
    holds(
      fc.property(request, book, book, (wanted, first, second) => {
        const desk = holding(first);
        const quoted = desk.quote({ conditionId: taxed.conditionId, ...wanted });
        if (!quoted.ok) return;
        const card = quoted.value;
        desk.nowMs += 1_000;
        desk.book(taxed, second);
        desk.drain();
        const outcome = desk.confirm(card.nonce);
        if (outcome.kind === "requoted") {
          seen.requoted++;
          expect(outcome.card.nonce).not.toBe(card.nonce);
          expect(desk.drain().some((effect) => effect.kind === "order.post")).toBe(false);
        }
        if (outcome.kind !== "accepted") return;
        seen.accepted++;
        const { draft } = desk.order(outcome.orders[0]?.clientOid ?? "");
        const ladder = desk.state.live.books.get(taxed.conditionId)?.ladder;
        if (ladder === undefined) throw new TypeError("no book");
        const within = { limit: draft.limit, fee: taxed.fee };
        const walk =
          draft.spend !== null
            ? walkBuyUsd(ladder, draft.outcome, draft.spend, within)
            : draft.side === "buy"
              ? walkBuyShares(ladder, draft.outcome, draft.size, within)
              : walkSellShares(ladder, draft.outcome, draft.size, within);
        expect(draft.limit).toBe(card.limit);
        expect(walk.shares).toBeGreaterThanOrEqual(Math.floor(card.matchesNow * 0.98));
        if (draft.side === "buy") {
          expect(walk.money + walk.fee).toBeLessThanOrEqual(card.maxSpend);
        } else expect(freeShares(desk.state, "21")).toBe(150_000_000 - draft.size);
      }),
      400,
    );
    expect(seen.accepted).toBeGreaterThan(60);
    expect(seen.requoted).toBeGreaterThan(60);
  });
});

describe("any amount that a person can type", () => {
  const unit = fc.constantFrom("usd" as const, "shares" as const, "part" as const);
  const value = fc.oneof(
    fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    fc.integer({ min: 0, max: 200_000_000 }),
    fc.constantFrom(0, 1, 9_999, 10_000, Number.MAX_SAFE_INTEGER),
  );
  test("gives a card or a reason, never a failure of the engine", () => {
    let cards = 0;
    holds(
      fc.property(
        unit,
        value,
        fc.constantFrom("buy" as const, "sell" as const),
        fc.option(fc.constantFrom(1, 100, 5_000, 5_200, 9_900, 9_999), { nil: null }),
        fc.constantFrom(null, "fak" as const, "fok" as const, "gtc" as const, "gtd" as const),
        (amountUnit, amount, side, limit, timeInForce) => {
          const desk = openCoreDesk();
          const quoted = desk.quote({
            amount: { unit: amountUnit, value: amount } as TradeRequest["amount"],
            side,
            limit: limit as Price | null,
            timeInForce,
            goodForMs: 3_600_000,
          });
          if (quoted.ok) cards++;
          else expect(quoted.error.code).toMatch(/^[a-z_]+$/);
        },
      ),
      600,
    );
    expect(cards).toBeGreaterThan(10);
    const huge = { unit: "usd", value: dollars(9_000_000_000) } as const;
    const desk = openCoreDesk();
    expect(desk.quote({ amount: huge, limit: priceOf("0.01") }).ok).toBe(false);
  });
});
