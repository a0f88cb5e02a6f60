import type { DegradedSource, ReducingReason } from "../domain/reasons.ts";

/** Controls on new risk beyond kill and halt. Built by facts, so that a restart changes none of them. */
export type ControlState = {
  /** Causes in force as the last step saw them, and since when they are these; empty while new risk is taken. */
  reducing: { readonly causes: readonly ReducingReason[]; readonly sinceMs: number };
  /** What other parts reported and did not withdraw. */
  readonly degraded: Map<DegradedSource, { readonly detail: string; readonly atMs: number }>;
  /** True once the venue said that it takes only closing orders of this account. */
  closedOnly: boolean;
};

export function createControl(): ControlState {
  return {
    reducing: { causes: [], sinceMs: 0 },
    degraded: new Map(),
    closedOnly: false,
  };
}

/** Plain data of the controls, for the digest. */
export function canonicalControl(control: ControlState): unknown {
  return { ...control, degraded: [...control.degraded.entries()] };
}
