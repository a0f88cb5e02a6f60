import { assert } from "../lib/assert.ts";
import type { EngineState } from "./engine-state.ts";
import type { Fact } from "./fact.ts";

type ReplaceFact = Extract<Fact, { readonly kind: "replace.started" | "replace.ended" }>;

/** Price changes under way; one that ended leaves its order or nothing. */
export function applyReplaceFact(state: EngineState, fact: ReplaceFact): void {
  if (fact.kind === "replace.ended") {
    state.replacements.delete(fact.replaceId);
    return;
  }
  const { replaceId } = fact.replacement;
  assert(!state.replacements.has(replaceId), "a card changes a price once");
  state.replacements.set(replaceId, fact.replacement);
}
