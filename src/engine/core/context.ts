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
  if (aboutOrders.has(effect.kind)) countRequest(context);
}

/** Requests that the limit on new orders counts. */
const aboutOrders: ReadonlySet<Effect["kind"]> = new Set([
  "order.post",
  "order.query",
  "order.cancel",
  "orders.cancel-all",
]);

/** Keeps the times of the newest requests, as many as the limit needs to know of. */
function countRequest({ state, settings, atMs }: StepContext): void {
  const { requestedAtMs } = state.live;
  requestedAtMs.push(atMs);
  const { messageRateMax, messageRateWindowMs } = settings.risk;
  const sinceMs = atMs - messageRateWindowMs;
  let past = Math.max(0, requestedAtMs.length - messageRateMax);
  while (past < requestedAtMs.length && (requestedAtMs[past] ?? atMs) <= sinceMs) past++;
  if (past > 0) requestedAtMs.splice(0, past);
}
