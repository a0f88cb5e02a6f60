import type { Fill } from "../domain/fill.ts";
import { usd } from "../domain/numbers.ts";
import { assert, unreachable } from "../lib/assert.ts";
import { enterFill } from "./apply-fill.ts";
import { bookLateFee, countDay, dayProfitOf } from "./apply-position.ts";
import { type EngineState, keptExternalFills } from "./engine-state.ts";
import type { Fact } from "./fact.ts";
import { forgetFill, keepFill } from "./kept-orders.ts";

type ExternalFact = Extract<
  Fact,
  {
    readonly kind:
      | "external.order"
      | "external.closed"
      | "external.cancel"
      | "external.fill"
      | "external.learned";
  }
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
    case "external.learned":
      learnFill(state, fact, atMs);
      return;
    default:
      unreachable(fact);
  }
}

/** Puts a fill where it belongs, and books the fee that was not known when it came. */
function learnFill(
  state: EngineState,
  fact: Extract<Fact, { readonly kind: "external.learned" }>,
  atMs: number,
): void {
  const before = state.fills.get(fact.fillId);
  assert(before?.unread === true, "a fill is learned once");
  const { conditionId, outcome, fee } = fact;
  const { unread: _, ...rest } = before;
  const fill: Fill = { ...rest, conditionId, outcome, fee };
  keepFill(state, fill);
  const position = state.positions.get(fill.tokenId);
  if (position !== undefined) {
    state.positions.set(fill.tokenId, { ...position, conditionId, outcome });
  }
  if (fill.status === "failed") return;
  bookLateFee(state, fill);
  if (fill.side === "sell") countDay(state, atMs, 0, dayProfitOf(fill) - dayProfitOf(before));
  if (state.cash !== null) state.cash = usd(state.cash - fee);
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
