import { canonicalControl } from "./control-state.ts";
import type { EngineState } from "./engine-state.ts";

/**
 * Canonical text of everything that the ledger builds, for a digest: equal after a fold of the same facts, on any
 * machine. Catalog memory, books and links are not part of it.
 */
export function canonicalState(state: EngineState): string {
  return JSON.stringify({
    seq: state.seq,
    killed: state.killed,
    halt: state.halt,
    resumeCodes: state.resumeCodes,
    control: canonicalControl(state.control),
    cash: state.cash,
    venueShares: [...state.venueShares.entries()],
    corrections: [...state.corrections.entries()],
    venueCash: state.venueCash,
    day: state.day,
    ruleEdits: [...state.ruleEdits.entries()],
    orders: [...state.orders.values()],
    plans: [...state.plans.values()],
    replacements: [...state.replacements.values()],
    fills: [...state.fills.values()],
    external: [
      [...state.externalOrders.values()],
      state.externalFills,
      [...state.forgotten.entries()],
    ],
    positions: [...state.positions.values()],
    actions: [...state.actions.values()],
    claims: [...state.claims.values()],
    cards: [...state.cards.entries()],
    commands: [...state.commands.values()],
    answered: [...state.answered.entries()],
    outbox: [...state.outbox.values()],
    sent: [...state.sent.entries()],
    notices: [...state.notices.entries()],
    toldUpTo: state.toldUpTo,
  });
}
