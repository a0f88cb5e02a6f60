import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseTrade } from "../../../src/adapters/polymarket/parse-account.ts";
import { mirrorPrice, type Price, shares } from "../../../src/engine/domain/numbers.ts";
import type { Order } from "../../../src/engine/domain/order.ts";
import { type CoreDesk, openCoreDesk } from "../support/core-desk.ts";
import { holds } from "../support/holds.ts";
import { plain } from "../support/markets.ts";
import { testSettings } from "../support/settings.ts";

const self = { apiKey: "our-key", funder: "0xabcd000000000000000000000000000000000001" };
const [yes, no] = plain.outcomes;
const settings = testSettings({ risk: { duplicateWindowMs: 0 } });
const cents = (at: number) => String(at / 100);

/** A buyer of YES at 0.50 met some of our resting orders: sales of YES or, mirrored, buys of NO. */
type Story = {
  readonly parts: readonly { readonly hundredths: number; readonly foreign: boolean }[];
  readonly spellings: readonly number[];
};

const story: fc.Arbitrary<Story> = fc.record({
  parts: fc.array(
    fc.record({ hundredths: fc.integer({ min: 1, max: 900 }), foreign: fc.boolean() }),
    { minLength: 1, maxLength: 4 },
  ),
  spellings: fc.array(fc.nat({ max: 1_000_000 }), { minLength: 4, maxLength: 14 }),
});

/** Buys of NO at 0.50 that rest: each part of the trade fills one of them. */
function restingBuys(desk: CoreDesk, count: number): Order[] {
  return Array.from({ length: count }, () => {
    desk.nowMs += 1;
    return desk.place({
      outcome: 1,
      limit: 4_700 as Price,
      amount: { unit: "shares", value: shares(10_000_000) },
    });
  });
}

const statuses = ["MATCHED", "MINED", "RETRYING", "MINED"];

/** The trade as one of its many messages writes it: stream or list, any status before the last, any hash, any order. */
function message(told: Story, orders: readonly Order[], spelling: number, last: boolean): object {
  const rest = spelling % 2 === 0;
  const word = last ? "CONFIRMED" : (statuses[spelling % statuses.length] ?? "");
  const size = told.parts.reduce((sum, part) => sum + part.hundredths, 0);
  const makers = told.parts.map((part, i) => ({
    order_id: part.foreign ? `0x${"d".repeat(63)}${i}` : (orders[i]?.orderHash ?? ""),
    owner: part.foreign ? "somebody" : "our-key",
    maker_address: part.foreign ? "0x02" : self.funder,
    matched_amount: cents(part.hundredths),
    price: cents(mirrorPrice(5_300 as Price) / 100),
    asset_id: no.tokenId,
    side: "BUY",
  }));
  const fields: Record<string, unknown> = {
    id: "trade-1",
    taker_order_id: `0x${"c".repeat(64)}`,
    market: plain.conditionId,
    asset_id: yes.tokenId,
    side: "BUY",
    size: cents(size),
    price: "0.53",
    status: rest ? `TRADE_STATUS_${word}` : word,
    owner: "somebody",
    maker_address: "0x02",
    trader_side: "MAKER",
    // Before CONFIRMED the hash can be replaced, or be empty; one hash can carry several trades.
    transaction_hash: spelling % 3 === 0 ? "" : `0x${spelling.toString(16)}`,
    ...(rest ? { match_time: "1800000000" } : { matchtime: "1800000000000" }),
    maker_orders: spelling % 5 === 0 ? [...makers].reverse() : makers,
  };
  const keys = Object.keys(fields);
  const turn = spelling % keys.length;
  const turned = [...keys.slice(turn), ...keys.slice(0, turn)];
  return Object.fromEntries(turned.map((key) => [key, fields[key]]));
}

function hear(desk: CoreDesk, trade: object): void {
  const fields = JSON.parse(JSON.stringify(trade)) as Record<string, unknown>;
  const fills = parseTrade(fields, self);
  if (!fills.ok) return;
  for (const fill of fills.value) {
    desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
  }
}

describe("one trade with several of our orders, told in any spelling, order and number (V13, V15, V16)", () => {
  test("is one fill for each of our orders, on the mirrored token, counted once, and confirmed once", () => {
    const seen = { several: 0, foreign: 0 };
    holds(
      fc.property(story, (told) => {
        const desk = openCoreDesk(settings);
        const orders = restingBuys(desk, told.parts.length);
        const { cash } = desk.state;
        for (const spelling of told.spellings) hear(desk, message(told, orders, spelling, false));
        const ours = told.parts.flatMap((part, i) =>
          part.foreign ? [] : [[part, orders[i]] as const],
        );
        const sum = ours.reduce((all, [part]) => all + part.hundredths * 10_000, 0);
        const position = () => desk.state.positions.get(no.tokenId);
        expect(position()?.provisionalBought ?? 0).toBe(sum);
        hear(desk, message(told, orders, told.spellings[0] ?? 0, true));
        for (const spelling of told.spellings) hear(desk, message(told, orders, spelling, false));
        expect(position()?.confirmed ?? 0).toBe(sum);
        expect(position()?.provisionalBought ?? 0).toBe(0);
        expect(desk.state.positions.has(yes.tokenId)).toBe(false);
        expect(desk.state.fills.size).toBe(ours.length);
        for (const [part, order] of ours) {
          expect(desk.order(order?.clientOid ?? "").filled).toBe(part.hundredths * 10_000);
        }
        // A maker pays no fee: each part costs its own size at its own price.
        const paid = ours.reduce((all, [part]) => all + part.hundredths * 4_700, 0);
        expect(desk.state.cash).toBe((cash ?? 0) - paid);
        if (ours.length > 1) seen.several++;
        if (ours.length < told.parts.length) seen.foreign++;
      }),
      150,
    );
    expect(Math.min(seen.several, seen.foreign)).toBeGreaterThan(20);
  });

  test("several trades in one transaction are several fills of one order", () => {
    const desk = openCoreDesk(settings);
    const orders = restingBuys(desk, 1);
    const told: Story = { parts: [{ hundredths: 300, foreign: false }], spellings: [] };
    const trade = message(told, orders, 1, false);
    for (const id of ["trade-1", "trade-2", "trade-1", "trade-3", "trade-2"]) {
      hear(desk, { ...trade, id, transaction_hash: "0x1" });
    }
    expect(desk.state.positions.get(no.tokenId)?.provisionalBought).toBe(9_000_000);
    expect(desk.state.fills.size).toBe(3);
  });
});
