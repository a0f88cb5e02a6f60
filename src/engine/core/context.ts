import type { Hasher } from "../ports/hasher.ts";
import type { Effect } from "../protocol/effect.ts";
import type { EngineSettings } from "../protocol/settings.ts";
import { applyFact } from "../state/apply-fact.ts";
import type { EngineState } from "../state/engine-state.ts";
import type { Fact } from "../state/fact.ts";

/** One step in the making: the state it works on and what it has decided so far. */
export type StepContext = {
  readonly state: EngineState;
  readonly settings: EngineSettings;
  readonly hasher: Hasher;
  readonly atMs: number;
  /** Recorded chance of this input; ids are derived from it. */
  readonly entropy: string;
  readonly facts: Fact[];
  readonly effects: Effect[];
};

/** Records a fact and applies it at once, so that the rest of the step sees it. */
export function emit(context: StepContext, fact: Fact): void {
  applyFact(context.state, fact, context.atMs);
  context.facts.push(fact);
}

export function ask(context: StepContext, effect: Effect): void {
  context.effects.push(effect);
}
