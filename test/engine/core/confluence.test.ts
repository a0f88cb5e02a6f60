import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EngineInput } from "../../../src/engine/core/input.ts";
import type { FillReport } from "../../../src/engine/domain/fill.ts";
import type { Order } from "../../../src/engine/domain/order.ts";
import { exposureOf } from "../../../src/engine/state/exposure.ts";
import { type CoreDesk, openCoreDesk } from "../support/core-desk.ts";
import { holds } from "../support/holds.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { taxed } from "../support/markets.ts";
import { fillOf, reportOf } from "../support/venue-reports.ts";

/** What the venue will say about one buy of 100 shares: its trades and how it ends. */
type Story = {
  readonly parts: readonly {
    readonly size: number;
    readonly fails: boolean;
    readonly maker: boolean;
  }[];
  /** Whole order matched, or canceled after its parts. */
  readonly ends: "matched" | "ended" | "live";
};

const story: fc.Arbitrary<Story> = fc
  .record({
    sizes: fc.array(fc.integer({ min: 1, max: 2_500 }), { minLength: 1, maxLength: 4 }),
    fails: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
    makers: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
    ends: fc.constantFrom("matched" as const, "ended" as const, "live" as const),
  })
  .map(({ sizes, fails, makers, ends }) => ({
    parts: sizes.map((size, i) => ({
      size: size * 10_000,
      fails: fails[i] === true,
      maker: makers[i] === true,
    })),
    ends,
  }));

/** Every report that the story can cause on the stream and by reads, each of them true when it is made. */
function reportsOf(order: Order, told: Story): EngineInput[] {
  const fills = told.parts.flatMap((part, i): FillReport[] => {
    const matched = fillOf(order, `t${i}`, part.size, { isMaker: part.maker });
    return [matched, { ...matched, status: part.fails ? "failed" : "confirmed" }];
  });
  const matched = told.parts.reduce((sum, part) => sum + part.size, 0);
  const last = reportOf(order, told.ends, matched);
  const { clientOid } = order;
  const stream = (fill: FillReport): EngineInput => ({
    kind: "account",
    event: { kind: "fill.reported", fill },
  });
  return [
    ...fills.map(stream),
    { kind: "account", event: { kind: "order.reported", order: last } },
    { kind: "post.finished", clientOid, outcome: { kind: "accepted", state: "live" } },
    ...fills.map(
      (fill): EngineInput => ({
        kind: "query.finished",
        clientOid,
        outcome: { kind: "found", order: last },
        fills: [fill],
      }),
    ),
    {
      kind: "account.read",
      purpose: "periodic",
      report: { openOrders: [last], fills, balance: null },
    },
  ];
}

/** A random order of the reports with some of them again, then each once more, as a venue that repeats itself. */
function shuffled(reports: readonly EngineInput[]): fc.Arbitrary<EngineInput[]> {
  const again = fc.array(fc.constantFrom(...reports), { maxLength: reports.length });
  return again.chain((more) => {
    const all = [...reports, ...more];
    return fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length });
  });
}

function placed(): { readonly desk: CoreDesk; readonly order: Order } {
  const desk = openCoreDesk();
  const order = desk.place({
    conditionId: taxed.conditionId,
    limit: priceOf("0.50"),
    amount: { unit: "shares", value: sharesOf("100") },
  });
  return { desk, order };
}

/** Everything that must not depend on the order of arrival. */
function outcomeOf(desk: CoreDesk, oid: string) {
  const { status, filled, filledUsd, feesUsd } = desk.order(oid);
  const { total, locked } = exposureOf(desk.state);
  const fills = [...desk.state.fills.values()].map((fill) => [fill.fillId, fill.status] as const);
  return {
    order: { status, filled, filledUsd, feesUsd },
    cash: desk.state.cash,
    // A position that a voided fill opened is empty, and as good as none.
    positions: [...desk.state.positions.values()].filter(
      (one) => one.confirmed + one.provisionalBought + one.cost + one.realizedUsd !== 0,
    ),
    fills: fills.sort(([a], [b]) => (a < b ? -1 : 1)),
    total,
    locked,
  };
}

function inOrder(told: Story) {
  const { desk, order } = placed();
  for (const report of reportsOf(order, told)) desk.run(report);
  return outcomeOf(desk, order.clientOid);
}

describe("any order and any repetition of the same reports (E1, E2, E5, V14, V15)", () => {
  test("ends in the same orders, fills, positions, cash and exposure", () => {
    const seen = { failed: 0, partial: 0, closed: 0 };
    holds(
      fc.property(
        story.chain((told) =>
          fc.tuple(fc.constant(told), shuffled(reportsOf(placed().order, told))),
        ),
        ([told, reports]) => {
          const expected = inOrder(told);
          const { desk, order } = placed();
          for (const report of reports) desk.run(report);
          expect(outcomeOf(desk, order.clientOid)).toEqual(expected);
          if (told.parts.some((part) => part.fails)) seen.failed++;
          if (expected.order.status === "partially_filled") seen.partial++;
          if (expected.order.status === "canceled") seen.closed++;
        },
      ),
      400,
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(30);
  });

  test("counts each share once: what is held is the sum of the trades that stand (P2)", () => {
    holds(
      fc.property(
        story.chain((told) =>
          fc.tuple(fc.constant(told), shuffled(reportsOf(placed().order, told))),
        ),
        ([told, reports]) => {
          const { desk } = placed();
          for (const report of reports) desk.run(report);
          const standing = told.parts.filter((part) => !part.fails);
          const sum = standing.reduce((all, part) => all + part.size, 0);
          expect(desk.state.positions.get("21")?.confirmed ?? 0).toBe(sum);
          expect(desk.state.positions.get("21")?.provisionalBought ?? 0).toBe(0);
        },
      ),
      200,
    );
  });

  test("one trade that fills two of our orders is two fills (V16)", () => {
    const { desk, order } = placed();
    desk.nowMs += 2_000;
    const second = desk.place({
      conditionId: taxed.conditionId,
      limit: priceOf("0.50"),
      amount: { unit: "shares", value: sharesOf("50") },
    });
    for (const each of [order, second, order, second]) {
      const fill = fillOf(each, "shared", 10_000_000);
      desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
    }
    expect(desk.state.positions.get("21")?.provisionalBought).toBe(20_000_000);
  });

  test("a fill or an order of somebody else touches none of ours (V29)", () => {
    const { desk, order } = placed();
    const foreign = { ...order, orderHash: `0x${"9".repeat(64)}` };
    const fill = fillOf(foreign, "x", 10_000_000);
    desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
    desk.read("periodic", { orders: [reportOf(foreign, "live")], fills: [fill] });
    expect(desk.order(order.clientOid)).toEqual(order);
    expect(desk.state.externalOrders.size).toBe(1);
  });
});
