import { assert, unreachable } from "../lib/assert.ts";
import { correctPosition, settlePositions } from "./apply-position.ts";
import type { EngineState } from "./engine-state.ts";
import type { Fact } from "./fact.ts";

type AccountFact = Extract<
  Fact,
  {
    readonly kind: "market.settled" | "shares.reported" | "position.corrected" | "cash.reported";
  }
>;

/** What the venue says of cash and shares beside our own bookkeeping. */
export function applyAccountFact(state: EngineState, fact: AccountFact, atMs: number): void {
  switch (fact.kind) {
    case "market.settled":
      settlePositions(state, fact.conditionId, fact.winningTokenId, atMs);
      return;
    case "shares.reported":
      if (fact.shares === null) state.venueShares.delete(fact.tokenId);
      else state.venueShares.set(fact.tokenId, fact.shares);
      return;
    case "position.corrected":
      assert(!state.corrections.has(fact.correctionId), "a correction is applied once");
      state.corrections.set(fact.correctionId, true);
      correctPosition(state, fact.tokenId, fact.shares, atMs);
      return;
    case "cash.reported":
      state.venueCash = fact.cash;
      if (fact.rebase || state.cash === null) state.cash = fact.cash;
      return;
    default:
      unreachable(fact);
  }
}
