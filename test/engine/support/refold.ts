import { applyFact } from "../../../src/engine/state/apply-fact.ts";
import { createState, type EngineState } from "../../../src/engine/state/engine-state.ts";
import type { Fact } from "../../../src/engine/state/fact.ts";
import { CoreDesk } from "./core-desk.ts";

/** State built from a desk's facts alone, through the text that a ledger keeps. */
export function foldedState(desk: CoreDesk): EngineState {
  const state = createState();
  for (const { fact, atMs } of desk.facts) {
    applyFact(state, JSON.parse(JSON.stringify(fact)) as Fact, atMs);
  }
  return state;
}

/** The desk after a restart: only what its facts say, at the same time of day. */
export function refold(desk: CoreDesk): CoreDesk {
  const again = new CoreDesk(desk.settings, foldedState(desk));
  again.nowMs = desk.nowMs;
  return again;
}
