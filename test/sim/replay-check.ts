import type { Envelope, Reply } from "../../src/engine/core/input.ts";
import { step } from "../../src/engine/core/step.ts";
import type { LogRecord } from "../../src/engine/ports/durable-log.ts";
import type { Effect } from "../../src/engine/protocol/effect.ts";
import type { EngineSettings } from "../../src/engine/protocol/settings.ts";
import { applyFact } from "../../src/engine/state/apply-fact.ts";
import { canonicalState } from "../../src/engine/state/digest.ts";
import { createState } from "../../src/engine/state/engine-state.ts";
import { plainHasher } from "../engine/support/hasher.ts";
import type { Judge } from "./judge.ts";
import { factOf } from "./sim-log.ts";

/** One input of a life, with the reply that its step gave; null when the process died before it could. */
export type RecordedStep = { envelope: Envelope; reply: Reply | null };

export type RecordedLife = {
  /** The ledger as the life found it. */
  readonly before: readonly LogRecord[];
  readonly steps: readonly RecordedStep[];
  /** Every effect that the life carried out; those whose rows were not durable yet are missing. */
  readonly effects: readonly Effect[];
  /** The rows that the life handed to its log. */
  readonly bodies: readonly string[];
  /** Canonical text of the state that it ended in. */
  readonly state: string;
  /** After its disk failed a life hands over no rows any more. */
  readonly diskFailed: boolean;
};

/** Runs the recorded inputs of a life through `step` again: the same decisions and the same state must come of them. */
export function judgeReplay(judge: Judge, settings: EngineSettings, life: RecordedLife): void {
  const state = createState();
  for (const record of life.before) {
    applyFact(state, factOf(record), record.atMs);
  }
  let row = 0;
  const decided = new Map<string, number>();
  for (const { envelope, reply } of life.steps) {
    const again = step(state, settings, plainHasher, envelope);
    for (const effect of again.effects) count(decided, effect, 1);
    for (const fact of again.facts) {
      const body = JSON.stringify(fact);
      const recorded = life.bodies[row++];
      if (body !== recorded && !(life.diskFailed && recorded === undefined)) {
        judge.violate("P9", `row ${row} of a life was ${recorded}, replayed it is ${body}`);
        return;
      }
    }
    if (
      envelope.input.kind === "request" &&
      reply !== null &&
      JSON.stringify(reply) !== JSON.stringify(again.reply)
    ) {
      judge.violate("P9", `another reply to ${envelope.input.request.do} on replay`);
      return;
    }
  }
  for (const effect of life.effects) count(decided, effect, -1);
  for (const [effect, left] of decided) {
    judge.must(left >= 0, "P9", () => `a replay does not decide ${effect}`);
  }
  judge.must(row >= life.bodies.length, "P9", () => "a replay decides less than the life did");
  judge.must(
    canonicalState(state) === life.state,
    "P9",
    () => "a replayed life ends in another state",
  );
}

function count(effects: Map<string, number>, effect: Effect, by: 1 | -1): void {
  const key = JSON.stringify(effect);
  effects.set(key, (effects.get(key) ?? 0) + by);
}
