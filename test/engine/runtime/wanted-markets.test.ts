import { describe, expect, test } from "vitest";
import type { FillReport } from "../../../src/engine/domain/fill.ts";
import type { ConditionId } from "../../../src/engine/domain/market.ts";
import {
  marketsWithMoney,
  type Scan,
  wantedMarkets,
} from "../../../src/engine/runtime/wanted-markets.ts";
import { openCoreDesk } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { marketOf, plain, taxed } from "../support/markets.ts";
import { fillOf, foreign } from "../support/venue-reports.ts";

const look = (n: number) => marketOf(n).conditionId;

function desk() {
  const one = openCoreDesk();
  const wanted = (
    over: {
      looks?: [ConditionId, number][];
      strategies?: ConditionId[];
      scan?: Scan;
      max?: number;
    } = {},
  ) =>
    wantedMarkets({
      state: one.state,
      nowMs: one.nowMs,
      strategies: over.strategies ?? [],
      looks: new Map(over.looks),
      scan: over.scan ?? null,
      lookTtlMs: 1_000,
      max: over.max ?? 100,
    });
  return { desk: one, wanted };
}

describe("what has to be followed", () => {
  test("is nothing for a desk that holds nothing, however many markets it knows", () => {
    expect(desk().wanted()).toEqual({ markets: [], leftOut: 0 });
  });

  test("is a market with an open order, a card or shares, for its most important reason", () => {
    const { desk: one, wanted } = desk();
    one.card({ conditionId: taxed.conditionId });
    expect(wanted().markets).toEqual([{ conditionId: taxed.conditionId, why: "card" }]);
    const order = one.place({ limit: priceOf("0.52"), timeInForce: "fak" });
    expect(wanted().markets[0]).toEqual({ conditionId: plain.conditionId, why: "order" });
    const fill = fillOf(order, "f", 10_000_000);
    one.run({ kind: "account", event: { kind: "fill.reported", fill } });
    expect(wanted().markets[0]).toEqual({ conditionId: plain.conditionId, why: "position" });
    one.pass(one.settings.cardTtlMs);
    expect(wanted().markets.map(({ why }) => why)).toEqual(["position"]);
  });

  test("money is out of a market once its last sale is confirmed, not while it may come back", () => {
    const { desk: one } = desk();
    const heard = (fill: FillReport) =>
      one.run({ kind: "account", event: { kind: "fill.reported", fill } });
    const size = sharesOf("20");
    const sold = foreign(2, "sell", size).fill;
    heard({ ...foreign(1, "buy", size).fill, status: "confirmed" });
    heard(sold);
    expect([...marketsWithMoney(one.state)]).toEqual([[plain.conditionId, "position"]]);
    heard({ ...sold, status: "confirmed" });
    expect([...marketsWithMoney(one.state)]).toEqual([]);
  });

  test("is a market of a strategy, and one that a person looked at until the look is old", () => {
    const { desk: one, wanted } = desk();
    const [a, b, c, s] = [look(31), look(32), look(33), look(34)];
    const looks: [ConditionId, number][] = [
      [a, one.nowMs - 1_000],
      [b, one.nowMs - 900],
      [c, one.nowMs],
    ];
    expect(wanted({ looks, strategies: [s] }).markets).toEqual([
      { conditionId: s, why: "strategy" },
      { conditionId: c, why: "look" },
      { conditionId: b, why: "look" },
    ]);
  });

  test("is the last scan for sets, behind everything else, until it is old", () => {
    const { desk: one, wanted } = desk();
    const [a, b] = [look(51), look(52)];
    const looks: [ConditionId, number][] = [[b, one.nowMs]];
    const scan = { conditionIds: [a, b], atMs: one.nowMs - 999 };
    expect(wanted({ looks, scan }).markets).toEqual([
      { conditionId: b, why: "look" },
      { conditionId: a, why: "scan" },
    ]);
    expect(wanted({ looks, scan, max: 1 })).toMatchObject({
      leftOut: 1,
      markets: [{ why: "look" }],
    });
    expect(wanted({ scan: { ...scan, atMs: one.nowMs - 1_000 } }).markets).toEqual([]);
  });

  test("is a market that the stream called resolved, until Gamma said so", () => {
    const { desk: one, wanted } = desk();
    const { conditionId } = plain;
    const event = { kind: "market.resolved", conditionId, winningTokenId: "11" } as const;
    one.run({ kind: "market", event: { ...event, timestamp: "1" } });
    expect(wanted().markets).toEqual([{ conditionId, why: "resolution" }]);
    one.resolve(plain, 0);
    expect(wanted().markets).toEqual([]);
  });

  test("is bounded; what has money in it is never left out (P11)", () => {
    const { desk: one, wanted } = desk();
    for (const market of [plain, taxed]) {
      one.place({ conditionId: market.conditionId, limit: priceOf("0.30"), timeInForce: "gtc" });
    }
    const looks = [41, 42, 43].map((n): [ConditionId, number] => [look(n), one.nowMs]);
    expect(wanted({ looks, max: 4 })).toMatchObject({ leftOut: 1 });
    expect(wanted({ looks, max: 1 })).toEqual({
      markets: [
        { conditionId: plain.conditionId, why: "order" },
        { conditionId: taxed.conditionId, why: "order" },
      ],
      leftOut: 3,
    });
  });
});
