import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Fill } from "../../../src/engine/domain/fill.ts";
import { usd } from "../../../src/engine/domain/numbers.ts";
import { isOpen, type Order } from "../../../src/engine/domain/order.ts";
import { applyFact } from "../../../src/engine/state/apply-fact.ts";
import type { LedgerState } from "../../../src/engine/state/engine-state.ts";
import { createState, keptClosedOrders } from "../../../src/engine/state/engine-state.ts";
import { openOrders } from "../../../src/engine/state/exposure.ts";
import {
  countPlacedSince,
  fillsOf,
  ordersSince,
  provisionalFills,
} from "../../../src/engine/state/kept-orders.ts";
import { openCoreDesk } from "../support/core-desk.ts";
import { anyRun } from "../support/happenings.ts";
import { holds } from "../support/holds.ts";
import { happen } from "../support/random-run.ts";
import { foldedState } from "../support/refold.ts";
import { testSettings } from "../support/settings.ts";
import { fillOf } from "../support/venue-reports.ts";

const settings = testSettings({ risk: { duplicateWindowMs: 0 } });

/** The index counted anew from the orders and fills themselves. */
function recount(state: LedgerState) {
  const orders = [...state.orders.values()];
  const fills = [...state.fills.values()];
  const netShares: Record<string, number> = {};
  for (const { strategy, draft, filled } of orders) {
    const key = `${strategy} ${draft.tokenId}`;
    netShares[key] = (netShares[key] ?? 0) + (draft.side === "buy" ? filled : 0 - filled);
  }
  return {
    open: orders.filter(isOpen).map((order) => order.clientOid),
    placed: orders.map((order) => order.clientOid),
    provisional: fills.filter((fill) => fill.status === "provisional").map((one) => one.fillId),
    fillsByHash: orders.map(({ orderHash }) =>
      fills.filter((fill) => fill.orderHash === orderHash).map((fill) => fill.fillId),
    ),
    netShares: Object.fromEntries(Object.entries(netShares).filter(([, net]) => net !== 0)),
  };
}

function indexed(state: LedgerState): ReturnType<typeof recount> {
  const { index } = state;
  return {
    open: openOrders(state).map((order) => order.clientOid),
    placed: index.placed.map((one) => one.clientOid).filter((oid) => state.orders.has(oid)),
    provisional: provisionalFills(state).map((fill) => fill.fillId),
    fillsByHash: [...state.orders.values()].map(({ orderHash }) =>
      fillsOf(state, orderHash).map((fill) => fill.fillId),
    ),
    netShares: Object.fromEntries(
      [...index.netShares].flatMap(([strategy, byToken]) =>
        [...byToken].map(([tokenId, net]) => [`${strategy} ${tokenId}`, net]),
      ),
    ),
  };
}

const times = fc.array(fc.nat({ max: 50 }));
const anyTimes = fc.oneof(
  times,
  times.map((some) => [...some].sort((a, b) => a - b)),
);

describe("the index says what the orders and fills say", () => {
  test("after any run, lived or folded", () => {
    let fills = 0;
    let closed = 0;
    holds(
      fc.property(anyRun, (run) => {
        const desk = openCoreDesk(settings);
        for (const one of run) happen(desk, one);
        const wanted = recount(desk.state);
        // Orders leave and enter the open ones by correction too: as a set, their sequence may differ.
        expect(new Set(indexed(desk.state).open)).toEqual(new Set(wanted.open));
        expect({ ...indexed(desk.state), open: [] }).toEqual({ ...wanted, open: [] });
        expect(indexed(foldedState(desk))).toEqual(indexed(desk.state));
        fills += desk.state.fills.size;
        closed += desk.state.closedOrders.length;
      }),
      120,
    );
    expect(fills).toBeGreaterThan(200);
    expect(closed).toBeGreaterThan(200);
  });

  test("orders after a time are those made after it, newest first, also when the clock was set back", () => {
    holds(
      fc.property(anyTimes, fc.nat({ max: 50 }), (times, afterMs) => {
        const state = createState();
        const [template] = ordersOf(1);
        for (const [i, createdAtMs] of times.entries()) {
          approve(state, { ...(template as Order), ...idsOf(i), createdAtMs });
        }
        const wanted = [...state.orders.values()]
          .filter((order) => order.createdAtMs > afterMs)
          .map((order) => order.clientOid)
          .reverse();
        expect(ordersSince(state, afterMs).map((order) => order.clientOid)).toEqual(wanted);
        expect(countPlacedSince(state, afterMs)).toBeGreaterThanOrEqual(wanted.length);
        const isRising = times.every((at, i) => i === 0 || at >= (times[i - 1] ?? 0));
        if (isRising) expect(countPlacedSince(state, afterMs)).toBe(wanted.length);
      }),
      200,
    );
  });
});

function idsOf(i: number) {
  return {
    clientOid: `oid-${i}`,
    planId: `plan-${i}`,
    commandId: `command-${i}`,
    orderHash: `0x${i.toString(16).padStart(64, "0")}`,
  };
}

/** Orders as a desk makes them, with ids of their own. */
function ordersOf(count: number): Order[] {
  const order = openCoreDesk(settings).place({});
  return Array.from({ length: count }, (_, i) => ({ ...order, ...idsOf(i) }));
}

type State = ReturnType<typeof createState>;

function approve(state: State, order: Order): void {
  const plan = {
    planId: order.planId,
    kind: "trade",
    title: "",
    nonce: order.planId,
    commandId: order.commandId,
    userId: order.userId,
    chatId: order.chatId,
    clientOids: [order.clientOid],
    atMs: order.createdAtMs,
  } as const;
  const orders = [order];
  const versions = { configHash: "", codeVersion: "" };
  applyFact(state, { kind: "plan.approved", plan, orders, evidence: [], ...versions }, 0);
}

test("forgetting old orders takes them and their fills out of everything, except what they bought", () => {
  const more = 300;
  const each = 1_000_000;
  const state = createState();
  state.cash = usd(0);
  const orders = ordersOf(keptClosedOrders + more);
  for (const [i, order] of orders.entries()) {
    approve(state, order);
    const fill: Fill = {
      ...fillOf(order, `trade-${i}`, each),
      fillId: `fill-${i}`,
      conditionId: order.draft.conditionId,
      outcome: order.draft.outcome,
      fee: usd(0),
      costOfSold: usd(0),
    };
    applyFact(state, { kind: "fill.recorded", fill, clientOid: order.clientOid }, 0);
    // The first one stays open, so that it is older than all that are forgotten.
    if (i === 0) continue;
    const end = { status: "filled", reason: null, detail: "" } as const;
    applyFact(state, { kind: "order.closed", clientOid: order.clientOid, ...end }, 0);
  }
  expect(state.orders.size).toBe(keptClosedOrders + 1);
  const { netShares, ...rest } = recount(state);
  const { netShares: kept, ...found } = indexed(state);
  expect(found).toEqual(rest);
  expect(state.index.fillIdsByHash.size).toBe(state.orders.size);
  expect(state.index.placed.length).toBeLessThanOrEqual(2 * state.orders.size + 64);
  // What is held counts for its strategy, however long ago it was bought.
  expect(Object.values(kept)).toEqual([each * orders.length]);
  expect(Object.values(netShares)).toEqual([each * state.orders.size]);
});
