import type { ConditionId } from "../domain/market.ts";
import type { RuleEdit } from "../domain/rule-edit.ts";
import type { EngineState, LedgerState } from "./engine-state.ts";
import type { Fact } from "./fact.ts";

type RuleFact = Extract<Fact, { readonly kind: "market.rules-edited" | "market.rules-accepted" }>;

export function applyRuleFact(state: EngineState, fact: RuleFact, atMs: number): void {
  if (fact.kind === "market.rules-edited") {
    const { conditionId, from, to } = fact;
    // Behind the older ones, which are forgotten first.
    state.ruleEdits.delete(conditionId);
    state.ruleEdits.set(conditionId, { from, to, atMs, acceptedBy: null });
    return;
  }
  const edit = state.ruleEdits.get(fact.conditionId);
  if (edit === undefined || edit.to !== fact.ruleHash) return;
  state.ruleEdits.set(fact.conditionId, { ...edit, acceptedBy: fact.byUserId });
}

/** True when the rules were edited at or after that moment: what was decided before stands on other terms. */
export function editedSince(
  state: LedgerState,
  conditionId: ConditionId,
  sinceMs: number,
): boolean {
  const edit = state.ruleEdits.get(conditionId);
  return edit !== undefined && edit.atMs >= sinceMs;
}

/** The edit that nobody has accepted yet, or null. */
export function openEdit(state: LedgerState, conditionId: ConditionId): RuleEdit | null {
  const edit = state.ruleEdits.get(conditionId);
  return edit === undefined || edit.acceptedBy !== null ? null : edit;
}
