import { unreachable } from "../lib/assert.ts";
import { quietBreakers } from "./control-state.ts";
import type { EngineState } from "./engine-state.ts";
import type { Fact } from "./fact.ts";

type ControlFact = Extract<
  Fact,
  {
    readonly kind:
      | "reducing.changed"
      | "desk.degraded"
      | "account.closed-only"
      | "venue.mode"
      | "breaker.counted"
      | "breaker.cleared"
      | "strategy.locked";
  }
>;

/** Controls on new risk beyond kill and halt. */
export function applyControlFact(state: EngineState, fact: ControlFact, atMs: number): void {
  const { control } = state;
  switch (fact.kind) {
    case "reducing.changed":
      control.reducing = { causes: fact.causes, sinceMs: atMs };
      return;
    case "desk.degraded":
      if (fact.detail === null) control.degraded.delete(fact.source);
      else control.degraded.set(fact.source, { detail: fact.detail, atMs });
      return;
    case "account.closed-only":
      control.closedOnly = true;
      return;
    case "venue.mode":
      control.venue = {
        mode: fact.mode,
        sinceMs: atMs,
        untilMs: fact.untilMs,
        tries: fact.tries,
      };
      return;
    case "breaker.counted": {
      const kept = control.breakers[fact.breaker].filter((seenMs) => seenMs > fact.sinceMs);
      control.breakers = { ...control.breakers, [fact.breaker]: [...kept, atMs] };
      return;
    }
    case "breaker.cleared":
      control.breakers = { ...control.breakers, [fact.breaker]: [] };
      return;
    case "strategy.locked":
      control.locks.set(fact.lock, { executions: fact.executions, atMs });
      return;
    default:
      unreachable(fact);
  }
}

/** A person looked and trades again: what only a person ends, ends here. */
export function resumeControl(state: EngineState): void {
  state.control.closedOnly = false;
  state.control.breakers = quietBreakers;
  state.control.locks.clear();
  state.control.degraded.delete("geoblock");
  state.control.degraded.delete("outbound");
}
