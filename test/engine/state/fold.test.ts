import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalState } from "../../../src/engine/state/digest.ts";
import type { EngineState, LedgerState } from "../../../src/engine/state/engine-state.ts";
import { CoreDesk, openCoreDesk } from "../support/core-desk.ts";
import { anyRun } from "../support/happenings.ts";
import { holds } from "../support/holds.ts";
import { happen } from "../support/random-run.ts";
import { foldedState, refold } from "../support/refold.ts";
import { testSettings } from "../support/settings.ts";

const settings = testSettings({ risk: { duplicateWindowMs: 0 } });

/** Everything that the ledger builds except the catalog's memory, which the digest leaves out too. */
function wholeLedgerState(state: LedgerState) {
  const maps = ["oidByHash", "planByCommand", "buttons", "told"] as const;
  return {
    canonical: canonicalState(state as EngineState),
    ...Object.fromEntries(maps.map((name) => [name, [...state[name].entries()]])),
    closedOrders: state.closedOrders,
    ready: state.ready,
    killReported: state.killReported,
    resume: state.resume,
    lastNoticeId: state.lastNoticeId,
    atMs: state.atMs,
    startedAtMs: state.startedAtMs,
  };
}

/** A second desk with the folded ledger and the same memory of the outside world. */
function twin(desk: CoreDesk): CoreDesk {
  const again = refold(desk);
  for (const name of ["markets", "groups", "tokens"] as const) {
    again.state[name].clear();
    for (const [key, value] of desk.state[name]) {
      (again.state[name] as Map<string, unknown>).set(key, value);
    }
  }
  Object.assign(again.state, { live: structuredClone(desk.state.live) });
  return again;
}

describe("folding the encoded facts (P9)", () => {
  test("gives the state byte for byte, after any run and at any point of it", () => {
    let facts = 0;
    holds(
      fc.property(anyRun, fc.nat({ max: 60 }), (run, stopAt) => {
        const desk = openCoreDesk(settings);
        for (const one of run.slice(0, stopAt)) happen(desk, one);
        expect(canonicalState(foldedState(desk))).toBe(canonicalState(desk.state));
        for (const one of run.slice(stopAt)) happen(desk, one);
        expect(wholeLedgerState(foldedState(desk))).toEqual(wholeLedgerState(desk.state));
        facts += desk.facts.length;
      }),
      80,
    );
    expect(facts).toBeGreaterThan(5_000);
  });

  test("the next inputs decide the same from the folded state as from the lived one", () => {
    holds(
      fc.property(anyRun, anyRun, (before, after) => {
        const desk = openCoreDesk(settings);
        for (const one of before) happen(desk, one);
        const again = twin(desk);
        const from = desk.facts.length;
        desk.drain();
        // Ids come from recorded chance: both desks are given the same from here on.
        const lived = new CoreDesk(settings, desk.state);
        lived.nowMs = desk.nowMs;
        for (const one of after) {
          happen(lived, one);
          happen(again, one);
        }
        expect(from).toBeGreaterThan(0);
        expect(again.facts).toEqual(lived.facts);
        expect(again.effects).toEqual(lived.effects);
        expect(canonicalState(again.state)).toBe(canonicalState(lived.state));
      }),
      40,
    );
  });

  test("the same inputs give the same facts and effects twice", () => {
    holds(
      fc.property(anyRun, (run) => {
        const [first, second] = [openCoreDesk(settings), openCoreDesk(settings)];
        for (const one of run) {
          happen(first, one);
          happen(second, one);
        }
        expect(JSON.stringify(second.facts)).toBe(JSON.stringify(first.facts));
        expect(second.effects).toEqual(first.effects);
      }),
      40,
    );
  });

  test("facts are plain data: nothing is lost on the way through text", () => {
    holds(
      fc.property(anyRun, (run) => {
        const desk = openCoreDesk(settings);
        for (const one of run) happen(desk, one);
        for (const { fact } of desk.facts) expect(JSON.parse(JSON.stringify(fact))).toEqual(fact);
      }),
      30,
    );
  });
});
