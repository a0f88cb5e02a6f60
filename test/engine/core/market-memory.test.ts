import { describe, expect, test } from "vitest";
import { keptMarkets } from "../../../src/engine/state/engine-state.ts";
import { type CoreDesk, openCoreDesk } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { group, marketOf, plain, runners } from "../support/markets.ts";
import { dollars } from "../support/settings.ts";
import { fillOf, foreign } from "../support/venue-reports.ts";

const { conditionId } = plain;
const resting = {
  limit: priceOf("0.40"),
  amount: { unit: "shares", value: sharesOf("20") },
} as const;

/** So many markets that somebody searched for and nobody uses. */
function readMany(desk: CoreDesk, count = keptMarkets + 1): void {
  const markets = Array.from({ length: count }, (_, i) => marketOf(100_000 + i));
  desk.run({ kind: "catalog.read", answer: { markets, groups: [] } });
}

/** What makes a market one that must not be forgotten. */
const uses: readonly (readonly [string, (desk: CoreDesk) => void])[] = [
  ["an open order", (desk) => void desk.place(resting)],
  ["an open card", (desk) => void desk.card(resting)],
  [
    "shares",
    (desk) => {
      const order = desk.place({ amount: { unit: "usd", value: dollars(10) } });
      const fill = fillOf(order, "f", sharesOf("10"), { status: "confirmed" });
      desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
    },
  ],
  [
    "an order of somebody else",
    (desk) => {
      const { order } = foreign(1, "buy", sharesOf("5"));
      desk.run({ kind: "account", event: { kind: "order.reported", order } });
    },
  ],
  [
    "an end that Gamma has not confirmed",
    (desk) => {
      const event = { kind: "market.resolved", conditionId, winningTokenId: "11" } as const;
      desk.run({ kind: "market", event: { ...event, timestamp: "1" } });
    },
  ],
];

describe("when too many markets are known", () => {
  test("the oldest that nothing refers to are forgotten, with their tokens, down to nine tenths", () => {
    const desk = openCoreDesk();
    readMany(desk);
    const { markets, tokens } = desk.state;
    expect(markets.size).toBe(keptMarkets * 0.9);
    expect(tokens.size).toBe(2 * markets.size);
    expect(markets.has(marketOf(100_000).conditionId)).toBe(false);
    expect(markets.has(marketOf(100_000 + keptMarkets).conditionId)).toBe(true);
    // Its book is followed.
    expect(markets.has(conditionId)).toBe(true);
  });

  test("nothing is forgotten before", () => {
    const desk = openCoreDesk();
    const known = desk.state.markets.size;
    readMany(desk, keptMarkets - known);
    expect(desk.state.markets.size).toBe(keptMarkets);
  });

  test.each(uses)("never a market with %s, followed or not", (_, use) => {
    const desk = openCoreDesk();
    use(desk);
    desk.run({ kind: "books.dropped", conditionIds: [conditionId] });
    readMany(desk);
    expect(desk.state.markets.has(conditionId)).toBe(true);
    expect(desk.state.tokens.has(plain.outcomes[1].tokenId)).toBe(true);
  });

  test("a market that nothing refers to any more is forgotten, and its group with it", () => {
    const desk = openCoreDesk();
    desk.run({ kind: "catalog.read", answer: { markets: runners, groups: [group] } });
    desk.run({ kind: "books.dropped", conditionIds: [conditionId] });
    readMany(desk);
    expect(desk.state.markets.has(conditionId)).toBe(false);
    expect(desk.state.groups.has(group.groupId)).toBe(false);
  });
});

test("a book that is left takes its price trail along", () => {
  const desk = openCoreDesk();
  desk.pass(1_000);
  expect(desk.state.live.trails.has(conditionId)).toBe(true);
  desk.run({ kind: "books.dropped", conditionIds: [conditionId] });
  expect(desk.state.live.trails.has(conditionId)).toBe(false);
  expect(desk.quote({})).toMatchObject({ ok: false, error: { code: "book_stale" } });
});
