// kill -9 of the real service at K0 to K17, each with the kinds of orders in turn; longer runs are `npm run kill`.
import { describe, expect, test } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { createState } from "../../src/engine/state/engine-state.ts";
import type { Fact } from "../../src/engine/state/fact.ts";
import { desk } from "../config/support.ts";
import { cyclesPerDesk, type Draw, drawOf, orderKinds } from "./draw.ts";
import { type Evidence, judge } from "./judge.ts";
import { runKills } from "./run.ts";
import { scaledFaultMs, scaledOverrides, scaledSettleMs } from "./scaled-waits.ts";

const cycles = 36;
const allMs = 480_000;

test("36 crashes at all 18 points: one order per intent, every trade once, every command answered", {
  timeout: allMs,
}, async () => {
  const violations: string[] = [];
  const totals = await runKills(
    { cycles, from: 0, timeScale: 100, seed: 1, workers: 2 },
    ({ draw, violation, repeat, transcript }) => {
      if (violation === null) return;
      violations.push(`${draw.point} ${draw.order}: ${violation}\n${repeat}\n${transcript}`);
    },
  );
  expect(violations.join("\n\n")).toBe("");
  expect(totals).toMatchObject({ cycles, points: 18, violations: 0 });
  expect(totals.restarts).toBeGreaterThanOrEqual(cycles);
  expect(totals.orders).toBeGreaterThanOrEqual(cycles / 2);
});

describe("the draw", () => {
  test("216 cycles meet every point with every kind of order, at the point and after it", () => {
    const name = ({ point, order, afterMs }: Draw) => `${point} ${order} ${afterMs === 0}`;
    const met = new Set(Array.from({ length: 216 }, (_, cycle) => name(drawOf(7, cycle))));
    expect(met.size).toBe(18 * orderKinds.length * 2);
  });

  test("a desk's life meets every point once; the same seed draws the same", () => {
    const first = Array.from({ length: cyclesPerDesk }, (_, cycle) => drawOf(3, cycle));
    expect(new Set(first.map(({ point }) => point)).size).toBe(18);
    expect(Array.from({ length: cyclesPerDesk }, (_, cycle) => drawOf(3, cycle))).toEqual(first);
    expect(Array.from({ length: cyclesPerDesk }, (_, cycle) => drawOf(4, cycle))).not.toEqual(
      first,
    );
  });
});

describe("the time scale", () => {
  const waitsAt = (timeScale: number) => {
    const keys = scaledOverrides(timeScale).flatMap(
      (one) => /^venue_waits\.(.+)$/u.exec(one)?.[1] ?? [],
    );
    return loadConfig(desk(`[venue_waits]\n${keys.join("\n")}\n`)).venueWaits;
  };

  /** Limits keep a length in real milliseconds; whoever adds a key decides which of both it is. */
  const limits = {
    postTimeoutMs: 600,
    readTimeoutMs: 600,
    connectTimeoutMs: 600,
    orderDeadlineMs: 900,
    ledgerCommitMaxMs: 600,
    feedLostAfterMs: 1200,
  };

  test("divides the protocol's waits and leaves time limits their length", () => {
    const production = Object.entries(loadConfig(desk("")).venueWaits);
    const divided = production.map(([key, value]) => {
      if (key in limits) return [key, limits[key as keyof typeof limits]];
      if (typeof value !== "number") return [key, value.map((ms) => Math.ceil(ms / 100))];
      return [key, key.endsWith("Ms") ? Math.ceil(value / 100) : value];
    });
    expect(waitsAt(100)).toEqual({ ...Object.fromEntries(divided), timeScale: 100 });
    expect(waitsAt(100)).toMatchObject({
      quarantineMs: 900,
      killWindowMs: 600,
      reconcileIntervalMs: 150,
    });
  });

  test("of 1 is production's: the venue settles in seconds, a fault lasts as long as it says", () => {
    expect(scaledSettleMs(1)).toBe(2_000);
    expect(scaledSettleMs(100)).toBe(20);
    expect(scaledFaultMs(1, 30_000)).toBe(30_000);
    expect(scaledFaultMs(100, 30_000)).toBe(300);
  });
});

describe("the judge", () => {
  const fill = { tradeId: "t1", orderHash: "0x1", size: 5_000_000 };
  const order = { clientOid: "a", orderHash: "0x1", body: "{}" };
  const good = {
    facts: [
      { kind: "command.received", command: { commandId: "tg:1" } },
      { kind: "plan.approved", plan: { nonce: "n" }, orders: [order] },
      { kind: "fill.recorded", fill },
      { kind: "command.answered", commandId: "tg:1" },
    ],
    venueOrders: ["0x1"],
    posts: [{ body: "{}", atMs: 0 }],
    cash: 1_000,
    updatesSent: 1,
    end: { orderHash: "0x1", clientOid: "a", status: "filled", filled: 5_000_000 },
  };

  const evidenceOf = (change: Partial<typeof good>): Evidence => {
    const { facts, venueOrders, posts, cash, updatesSent, end } = { ...good, ...change };
    const state = { ...createState(), ready: true, cash: 1_000 as never };
    Object.assign(state, { orders: new Map([["a", end]]) });
    const settled = { tradeId: "t1", orderId: "0x1", size: 5_000_000n, status: "CONFIRMED" };
    const orders = venueOrders.map((id) => ({
      id,
      tokenId: "7",
      status: "MATCHED",
      matched: 5_000_000n,
    }));
    return {
      ledger: {
        state,
        facts: facts.map((fact, atMs) => ({ atMs, fact: fact as unknown as Fact })),
      },
      venue: { orders, fills: [settled], cash: BigInt(cash), shares: new Map() },
      updatesSent,
      updatesPending: 0,
      requests: posts.map((post) => ({ method: "POST", path: "/order", ...post })),
    };
  };

  test("finds nothing where both sides agree", () => {
    expect(judge(evidenceOf({}))).toEqual([]);
  });

  const killed = { kind: "trading.killed" };
  test.each([
    ["an answer given twice", "P7", { facts: [...good.facts, ...good.facts.slice(3)] }],
    ["a command without an answer", "P7", { facts: good.facts.slice(0, 3) }],
    ["an update that was lost", "P7", { updatesSent: 2 }],
    ["a card with two plans", "P1", { facts: [...good.facts, ...good.facts.slice(1, 2)] }],
    ["an order that nobody approved", "P1", { venueOrders: ["0x1", "0x2"] }],
    ["a body that was not committed", "P1", { posts: [{ body: "{ }", atMs: 0 }] }],
    ["a fill booked twice", "P2", { facts: [...good.facts, ...good.facts.slice(2, 3)] }],
    [
      "a fill not booked",
      "P2",
      { facts: good.facts.filter(({ kind }) => kind !== "fill.recorded") },
    ],
    ["a traded order that counts as refused", "P2", { end: { ...good.end, status: "rejected" } }],
    ["a fill that an order does not count", "P2", { end: { ...good.end, filled: 1 } }],
    ["a micro-dollar that is missing", "P10", { cash: 999 }],
    [
      "an order posted after a kill",
      "P4",
      { facts: [...good.facts, killed] as typeof good.facts, posts: [{ body: "{}", atMs: 100 }] },
    ],
  ] as const)("finds %s", (_what, property, change) => {
    const faults = judge(evidenceOf(change as unknown as Partial<typeof good>));
    expect(faults.length).toBeGreaterThan(0);
    for (const fault of faults)
      expect(fault.startsWith(property) || fault.startsWith("P4")).toBe(true);
  });
});
