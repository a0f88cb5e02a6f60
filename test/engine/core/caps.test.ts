import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { costCeil } from "../../../src/engine/domain/numbers.ts";
import { notionalOf } from "../../../src/engine/risk/reserve.ts";
import {
  exposureOf,
  freeCash,
  openOrders,
  reservedUsd,
} from "../../../src/engine/state/exposure.ts";
import { type CoreDesk, openCoreDesk } from "../support/core-desk.ts";
import { anyRun, quietRun } from "../support/happenings.ts";
import { holds } from "../support/holds.ts";
import { happen } from "../support/random-run.ts";
import { dollars, testSettings } from "../support/settings.ts";

const caps = {
  maxNotionalPerOrderUsd: dollars(25),
  maxExposurePerOutcomeUsd: dollars(40),
  maxExposurePerMarketUsd: dollars(55),
  maxExposureTotalUsd: dollars(80),
  duplicateWindowMs: 0,
};
const settings = testSettings({ risk: caps });

/**
 * Each fill's cost is rounded up by less than a micro-dollar. A fill below its limit that fails puts its shares back at
 * the limit, and an order that is booked after it was given up counts again: the venue caused both and we did not.
 * Nothing else may stand above a cap.
 */
function expectWithinCaps(desk: CoreDesk): void {
  const { total, byToken, byMarket, locked } = exposureOf(desk.state);
  let rounding = desk.state.fills.size;
  for (const fill of desk.state.fills.values()) {
    const order = desk.state.orders.get(desk.state.oidByHash.get(fill.orderHash) ?? "");
    if (fill.status !== "failed" || fill.side !== "buy" || order === undefined) continue;
    rounding += costCeil(order.draft.limit, fill.size) - fill.money;
  }
  for (const { fact } of desk.facts) {
    if (fact.kind === "order.reopened") rounding += notionalOf(desk.order(fact.clientOid).draft);
  }
  expect(total).toBeLessThanOrEqual(caps.maxExposureTotalUsd + rounding);
  for (const usd of byToken.values()) {
    expect(usd).toBeLessThanOrEqual(caps.maxExposurePerOutcomeUsd + rounding);
  }
  for (const usd of byMarket.values()) {
    expect(usd).toBeLessThanOrEqual(caps.maxExposurePerMarketUsd + rounding);
  }
  const open = openOrders(desk.state);
  expect(locked).toBe(open.reduce((sum, order) => sum + reservedUsd(order), 0));
  expect(freeCash(desk.state)).toBeGreaterThanOrEqual(0);
}

describe("over any run of confirmations, answers, fills, reversals and waits (P3)", () => {
  test("exposure never passes a cap, with everything in flight and unknown counted", () => {
    const seen = { cap: 0, unknown: 0, filled: 0 };
    holds(
      // A failed sale brings exposure back from outside, which is no action of ours.
      quietRunProperty((desk, one) => {
        happen(desk, one, { salesFail: false });
        expectWithinCaps(desk);
        const { total } = exposureOf(desk.state);
        if (total > caps.maxExposureTotalUsd * 0.8) seen.cap++;
        if (openOrders(desk.state).some((order) => order.status === "unknown")) seen.unknown++;
        if (desk.state.fills.size > 0) seen.filled++;
      }),
      150,
    );
    // Worth something only where the caps were reached while things were unknown.
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(100);
  });

  test("a reservation is released only by a fill, a refusal, the venue's word or a finished quarantine", () => {
    holds(
      quietRunProperty((desk, one) => {
        const before = new Map(openOrders(desk.state).map((order) => [order.clientOid, order]));
        const seq = desk.facts.length;
        happen(desk, one, { salesFail: false });
        const facts = desk.facts.slice(seq).map(({ fact }) => fact);
        for (const [oid, was] of before) {
          if (was.draft.side === "sell") continue;
          const released = reservedUsd(was) - reservedUsd(desk.order(oid));
          if (released <= 0) continue;
          const why = facts.some(
            (fact) =>
              (fact.kind === "order.closed" && fact.clientOid === oid) ||
              (fact.kind === "fill.recorded" && fact.clientOid === oid),
          );
          expect(why).toBe(true);
        }
        for (const fact of facts) {
          if (fact.kind !== "order.closed" || fact.reason !== "not_found_after_quarantine")
            continue;
          const { quarantineCleanReads } = settings.waits;
          expect(desk.order(fact.clientOid).cleanAbsences).toBeGreaterThanOrEqual(
            quarantineCleanReads,
          );
        }
      }),
      100,
    );
  });
});

function quietRunProperty(check: (desk: CoreDesk, one: Parameters<typeof happen>[1]) => void) {
  return fc.property(quietRun, (run) => {
    const desk = openCoreDesk(settings);
    for (const one of run) check(desk, one);
  });
}

/** Orders of which anything was heard that could mean that the venue has them. */
function touched(desk: CoreDesk): Set<string> {
  const heard = new Set<string>();
  for (const { fact } of desk.facts) {
    const news = ["order.acked", "order.unknown", "order.reported", "fill.recorded"];
    if ("clientOid" in fact && news.includes(fact.kind)) heard.add(fact.clientOid);
  }
  return heard;
}

describe("over any run with kills, resumes and restarts", () => {
  test("an order is posted at most once for its approval and thrice more, never after a cancel or a kill (P1, P4)", () => {
    let posts = 0;
    let replaced = 0;
    holds(
      fc.property(anyRun, (run) => {
        const desk = openCoreDesk(settings);
        const sends = new Map<string, number>();
        for (const one of run) {
          desk.drain();
          happen(desk, one);
          for (const effect of desk.drain()) {
            if (effect.kind !== "order.post") continue;
            posts++;
            const order = desk.order(effect.clientOid);
            expect(desk.state.killed).toBeNull();
            expect(order.cancelAskedAtMs).toBeNull();
            expect(order.status).toBe("in_flight");
            expect(touched(desk).has(order.clientOid)).toBe(false);
            expect(desk.state.live.nowMs).toBeLessThan(order.deadlineMs);
            sends.set(order.clientOid, (sends.get(order.clientOid) ?? 0) + 1);
          }
        }
        for (const count of sends.values()) expect(count).toBeLessThanOrEqual(4);
        // One order for each card that was used, under one hash; a price change makes one or none.
        const used = [...desk.state.cards.values()].filter((card) => card.state === "used");
        const trades = used.filter((card) => card.kind === "trade").length;
        const moved = desk.facts.filter(
          ({ fact }) => fact.kind === "replace.ended" && fact.planId !== null,
        ).length;
        expect(desk.state.orders.size).toBe(trades + moved);
        expect(trades + moved).toBeLessThanOrEqual(used.length);
        expect(desk.state.oidByHash.size).toBe(trades + moved);
        replaced += moved;
      }),
      150,
    );
    expect(posts).toBeGreaterThan(300);
    expect(replaced).toBeGreaterThan(5);
  });

  test("an order that has ended stays ended, whatever is reported of it later (P13)", () => {
    let late = 0;
    holds(
      fc.property(anyRun, (run) => {
        const desk = openCoreDesk(settings);
        const ended = new Map<string, string>();
        for (const one of run) {
          const seq = desk.facts.length;
          happen(desk, one, { salesFail: true, fillsAfterEnd: true });
          for (const { fact } of desk.facts.slice(seq)) {
            if (fact.kind === "fill.recorded" && ended.has(fact.clientOid)) late++;
            // Closed once: not opened and closed again within a step either.
            if (fact.kind === "order.closed") expect(ended.has(fact.clientOid)).toBe(false);
            // The one explicit correction: the venue holds an order that was believed away.
            if (fact.kind === "order.reopened") ended.delete(fact.clientOid);
            if (fact.kind === "order.closed") ended.set(fact.clientOid, fact.status);
          }
          for (const [oid, status] of ended) expect(desk.order(oid).status).toBe(status);
        }
      }),
      100,
    );
    expect(late).toBeGreaterThan(30);
  });

  test("after a kill nothing new exists until a person resumed", () => {
    holds(
      fc.property(anyRun, (run) => {
        const desk = openCoreDesk(settings);
        for (const one of run) {
          const wasKilled = desk.state.killed !== null;
          const orders = desk.state.orders.size;
          happen(desk, one);
          if (wasKilled && one.do !== "resume") {
            expect(desk.state.killed).not.toBeNull();
            expect(desk.state.orders.size).toBe(orders);
          }
        }
      }),
      150,
    );
  });
});
