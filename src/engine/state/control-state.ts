import type { DegradedSource, ReducingReason } from "../domain/reasons.ts";

/**
 * What the venue takes: everything, nothing while its engine restarts, only post-only orders (and cancels) after that,
 * only cancels, nothing at all.
 */
export type VenueMode = "normal" | "restarting" | "post_only" | "cancel_only" | "disabled";

export type VenueState = {
  readonly mode: VenueMode;
  /** When it was seen; 0 while nothing was. */
  readonly sinceMs: number;
  /** When the mode is assumed to be over; null while normal. */
  readonly untilMs: number | null;
  /** How often in a row trading was found switched off; the wait before the next try grows with it. */
  readonly tries: number;
};

/** Evidence that is counted: sends without an answer in a row, the venue's refusals, late answers. */
export type Breaker = "failures" | "refusals" | "slow_acks";

/** Controls on new risk beyond kill and halt. Built by facts, so that a restart changes none of them. */
export type ControlState = {
  /** Causes in force as the last step saw them, and since when they are these; empty while new risk is taken. */
  reducing: { readonly causes: readonly ReducingReason[]; readonly sinceMs: number };
  /** What other parts reported and did not withdraw. */
  readonly degraded: Map<DegradedSource, { readonly detail: string; readonly atMs: number }>;
  /** True once the venue said that it takes only closing orders of this account. */
  closedOnly: boolean;
  venue: VenueState;
  /** When each piece of evidence that still counts was seen, oldest first. */
  breakers: Readonly<Record<Breaker, readonly number[]>>;
  /** Strategies that were applied too often in a row, each on one side ("dutch buy"); a resume lets them go on. */
  readonly locks: Map<string, { readonly executions: number; readonly atMs: number }>;
};

export const quietBreakers: ControlState["breakers"] = {
  failures: [],
  refusals: [],
  slow_acks: [],
};

export function createControl(): ControlState {
  return {
    reducing: { causes: [], sinceMs: 0 },
    degraded: new Map(),
    closedOnly: false,
    venue: { mode: "normal", sinceMs: 0, untilMs: null, tries: 0 },
    breakers: quietBreakers,
    locks: new Map(),
  };
}

/** Plain data of the controls, for the digest. */
export function canonicalControl(control: ControlState): unknown {
  return {
    ...control,
    degraded: [...control.degraded.entries()],
    locks: [...control.locks.entries()],
  };
}
