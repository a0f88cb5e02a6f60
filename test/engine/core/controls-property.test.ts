import fc from "fast-check";
import { expect, test } from "vitest";
import type { ReducingReason } from "../../../src/engine/domain/reasons.ts";
import { reducingCauses } from "../../../src/engine/risk/reducing.ts";
import { openCoreDesk } from "../support/core-desk.ts";
import { anyRun } from "../support/happenings.ts";
import { holds } from "../support/holds.ts";
import { happen } from "../support/random-run.ts";
import { foldedState } from "../support/refold.ts";
import { dollars, testSettings } from "../support/settings.ts";

/** Limits that are reached: the day's loss, caps that outside trades pass, breakers and throttles. */
const settings = testSettings({
  risk: {
    maxNotionalPerOrderUsd: dollars(40),
    maxExposurePerOutcomeUsd: dollars(60),
    maxExposureTotalUsd: dollars(120),
    maxDailyLossUsd: dollars(2),
    breakerFailuresInRow: 2,
    repeatMaxExecutions: 2,
    repeatWindowMs: 3_600_000,
    duplicateWindowMs: 0,
  },
});

test("over any run: no order is made against a kill, a halt, a cause or a lock that the ledger has by then", () => {
  const seen = { orders: 0, causes: 0, locks: 0, halts: 0 };
  holds(
    fc.property(anyRun, (run) => {
      const desk = openCoreDesk(settings);
      for (const [i, one] of run.entries()) {
        // Now and then another part of the desk asks for no new risk.
        const detail = i % 7 === 3 ? "deaf" : i % 7 === 5 ? null : undefined;
        if (detail !== undefined) {
          desk.request("none", { do: "degrade", source: "telegram", detail });
        }
        happen(desk, one);
      }
      let stopped = false;
      let causes: readonly ReducingReason[] = [];
      const locks = new Set<string>();
      for (const { fact } of desk.facts) {
        switch (fact.kind) {
          case "trading.killed":
          case "trading.halted":
            stopped = true;
            seen.halts++;
            break;
          case "trading.resumed":
            stopped = false;
            locks.clear();
            break;
          case "reducing.changed":
            causes = fact.causes;
            seen.causes++;
            break;
          case "strategy.locked":
            locks.add(fact.lock);
            seen.locks++;
            break;
          case "plan.approved":
            expect(stopped).toBe(false);
            for (const { draft, strategy } of fact.orders) {
              seen.orders++;
              if (draft.side === "buy") expect(causes).toEqual([]);
              expect(locks).not.toContain(`${strategy} ${draft.side}`);
            }
            break;
          default:
        }
      }
    }),
    200,
  );
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(20);
});

test("over any run: after each step the kept causes are those that hold, and a fold of the ledger has them too", () => {
  holds(
    fc.property(anyRun, (run) => {
      const desk = openCoreDesk(settings);
      const { control, live } = desk.state;
      for (const one of run) {
        happen(desk, one);
        if (!desk.state.ready) continue;
        expect(control.reducing.causes).toEqual(reducingCauses(desk.state, settings, live.nowMs));
      }
      expect(foldedState(desk).control).toEqual(control);
    }),
    150,
  );
});
