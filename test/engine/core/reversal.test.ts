import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FillReport } from "../../../src/engine/domain/fill.ts";
import type { Order } from "../../../src/engine/domain/order.ts";
import { exposureOf, freeShares } from "../../../src/engine/state/exposure.ts";
import { type CoreDesk, openCoreDesk } from "../support/core-desk.ts";
import { holds } from "../support/holds.ts";
import { gridPrice, priceOf, sharesOf } from "../support/levels.ts";
import { taxed } from "../support/markets.ts";
import { dollars } from "../support/settings.ts";
import { fillOf, reportOf } from "../support/venue-reports.ts";

const buy = {
  conditionId: taxed.conditionId,
  limit: priceOf("0.52"),
  amount: { unit: "shares", value: sharesOf("100") },
} as const;
const sale = { ...buy, side: "sell", limit: priceOf("0.48") } as const;

function reported(desk: CoreDesk, fill: FillReport): void {
  desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
}

function ended(desk: CoreDesk, order: Order, matched: number): void {
  const report = reportOf(order, "matched", matched);
  desk.run({ kind: "account", event: { kind: "order.reported", order: report } });
}

/** Money and shares as they are counted. */
function books(desk: CoreDesk) {
  const { cash, positions } = desk.state;
  const { total, locked } = exposureOf(desk.state);
  return { cash, positions: [...positions.values()], total, locked };
}

/** A desk that holds 100 confirmed shares of the taxed market, bought at 0.52. */
function holding(): CoreDesk {
  const desk = openCoreDesk();
  const order = desk.place(buy);
  reported(desk, fillOf(order, "first", 100_000_000, { status: "confirmed" }));
  ended(desk, order, 100_000_000);
  // Beyond the window in which the same order again is a slip of the thumb.
  desk.nowMs += 2_000;
  return desk;
}

describe("MATCHED, then FAILED (V12)", () => {
  test("a buy: cash and position come back to the micro-dollar, and the order's figures with them", () => {
    const desk = holding();
    const before = books(desk);
    const order = desk.place({ ...buy, amount: { unit: "shares", value: sharesOf("50") } });
    const fill = fillOf(order, "doomed", 50_000_000);
    reported(desk, fill);
    ended(desk, order, 50_000_000);
    expect(desk.order(order.clientOid).status).toBe("filled");
    expect(books(desk).cash).toBe((before.cash ?? 0) - 26_000_000 - 499_200);
    reported(desk, { ...fill, status: "failed" });
    expect(books(desk)).toEqual(before);
    const reversed = desk.order(order.clientOid);
    expect(reversed).toMatchObject({ status: "filled", filled: 0, filledUsd: 0, feesUsd: 0 });
    expect(desk.notices().at(-1)).toMatchObject({ kind: "fill.reversed", size: 50_000_000 });
  });

  test("a sale: the shares come back at what they had cost, and the profit is undone", () => {
    const desk = holding();
    const before = books(desk);
    const order = desk.place({ ...sale, amount: { unit: "shares", value: sharesOf("40") } });
    const fill = fillOf(order, "doomed", 40_000_000);
    reported(desk, fill);
    ended(desk, order, 40_000_000);
    expect(freeShares(desk.state, "21")).toBe(60_000_000);
    reported(desk, { ...fill, status: "failed" });
    expect(books(desk)).toEqual(before);
    expect(freeShares(desk.state, "21")).toBe(100_000_000);
  });

  test("a void that comes before its fill is kept: a late MATCHED cannot revive it (V14)", () => {
    const desk = openCoreDesk();
    const order = desk.place(buy);
    const before = books(desk);
    const fill = fillOf(order, "void", 100_000_000);
    reported(desk, { ...fill, status: "failed" });
    reported(desk, fill);
    expect(books(desk)).toEqual(before);
    expect(desk.order(order.clientOid).filled).toBe(0);
  });

  test("a void part does not keep the order open for ever: what the venue counted has arrived", () => {
    const desk = openCoreDesk();
    const order = desk.place(buy);
    ended(desk, order, 100_000_000);
    reported(desk, fillOf(order, "good", 60_000_000));
    expect(desk.order(order.clientOid).status).toBe("partially_filled");
    reported(desk, fillOf(order, "void", 40_000_000, { status: "failed" }));
    expect(desk.order(order.clientOid)).toMatchObject({ status: "canceled", filled: 60_000_000 });
    expect(exposureOf(desk.state).locked).toBe(0);
  });

  test("RETRYING is provisional still: the same trade under a new hash counts once (V13)", () => {
    const desk = openCoreDesk();
    const order = desk.place(buy);
    const fill = fillOf(order, "again", 100_000_000);
    for (const status of ["provisional", "provisional", "confirmed", "provisional"] as const) {
      reported(desk, { ...fill, status });
    }
    expect(desk.state.positions.get("21")).toMatchObject({
      confirmed: 100_000_000,
      provisionalBought: 0,
    });
  });
});

type Move = {
  readonly side: "buy" | "sell";
  readonly size: number;
  readonly at: ReturnType<typeof priceOf>;
  readonly ending: "confirmed" | "failed" | "provisional";
};

const move: fc.Arbitrary<Move> = fc.record({
  side: fc.constantFrom("buy", "sell"),
  size: fc.integer({ min: 500, max: 4_000 }).map((hundredths) => hundredths * 10_000),
  at: gridPrice(100),
  ending: fc.constantFrom("confirmed", "failed", "provisional"),
});

/** One order with one fill at any price; a move that the desk refuses changes nothing. */
function carryOut(desk: CoreDesk, one: Move, n: number): FillReport | null {
  desk.nowMs += 2_000;
  const limit = one.side === "buy" ? priceOf("0.52") : priceOf("0.48");
  const amount = { unit: "shares", value: one.size as ReturnType<typeof sharesOf> } as const;
  const quoted = desk.quote({ ...buy, side: one.side, limit, amount });
  if (!quoted.ok) return null;
  desk.book(taxed, { bids: [["0.48", "1000"]], asks: [["0.52", "1000"]] });
  const outcome = desk.confirm(quoted.value.nonce);
  if (outcome.kind !== "accepted") return null;
  const order = desk.order(outcome.orders[0]?.clientOid ?? "");
  // Prices better than the limit are what the venue gives, worse ones it may not.
  const better = one.side === "buy" ? Math.min(one.at, limit) : Math.max(one.at, limit);
  const fill = fillOf(order, `t${n}`, one.size, { at: better as typeof limit });
  reported(desk, fill);
  ended(desk, order, one.size);
  return fill;
}

describe("over any run of buys, sales and reversals", () => {
  test("every micro-dollar that left the cash is in a position's cost or in its realized loss", () => {
    let reversed = 0;
    holds(
      fc.property(fc.array(move, { minLength: 1, maxLength: 10 }), (moves) => {
        const desk = holding();
        const start = dollars(1_000);
        moves.forEach((one, n) => {
          const fill = carryOut(desk, one, n);
          if (fill === null || one.ending === "provisional") return;
          reported(desk, { ...fill, status: one.ending });
          if (one.ending === "failed") reversed++;
        });
        let invested = 0;
        for (const position of desk.state.positions.values()) {
          invested += position.cost - position.realizedUsd;
          expect(position.cost).toBeGreaterThanOrEqual(0);
        }
        expect(start - (desk.state.cash ?? 0)).toBe(invested);
      }),
      150,
    );
    expect(reversed).toBeGreaterThan(100);
  });

  test("a failed fill leaves the books as if it had never been, wherever it stood in the run", () => {
    let compared = 0;
    holds(
      fc.property(fc.array(move, { maxLength: 5 }), move, (moves, doomed) => {
        const desk = holding();
        moves.forEach((one, n) => {
          const fill = carryOut(desk, one, n);
          if (fill !== null && one.ending !== "provisional") {
            reported(desk, { ...fill, status: one.ending });
          }
        });
        desk.nowMs += 2_000;
        const before = books(desk);
        const fill = carryOut(desk, doomed, 99);
        if (fill === null) return;
        compared++;
        expect(books(desk)).not.toEqual(before);
        reported(desk, { ...fill, status: "failed" });
        expect(books(desk)).toEqual(before);
      }),
      150,
    );
    expect(compared).toBeGreaterThan(80);
  });
});
