import { assert, unreachable } from "../lib/assert.ts";
import { enterFill } from "./apply-fill.ts";
import { type EngineState, keptExternalFills } from "./engine-state.ts";
import type { Fact } from "./fact.ts";
import { forgetFill } from "./kept-orders.ts";

type ExternalFact = Extract<
  Fact,
  { readonly kind: "external.order" | "external.closed" | "external.cancel" | "external.fill" }
>;

/** What others do on our account. */
export function applyExternalFact(state: EngineState, fact: ExternalFact, atMs: number): void {
  switch (fact.kind) {
    case "external.order":
      state.externalOrders.set(fact.order.orderHash, fact.order);
      return;
    case "external.closed":
      state.externalOrders.delete(fact.orderHash);
      return;
    case "external.cancel":
      return;
    case "external.fill":
      assert(fact.fill.external === true, "a fill of somebody else says so");
      enterFill(state, fact.fill, atMs);
      state.externalFills.push(fact.fill.fillId);
      forgetOld(state);
      return;
    default:
      unreachable(fact);
  }
}

/** Old fills that are settled leave the memory, but not their names: reported again they must not count twice. */
function forgetOld(state: EngineState): void {
  while (state.externalFills.length > keptExternalFills) {
    const oldest = state.externalFills[0] ?? "";
    if (state.fills.get(oldest)?.status === "provisional") return;
    state.externalFills.shift();
    forgetFill(state, oldest);
    state.forgotten.set(oldest, true);
  }
}
