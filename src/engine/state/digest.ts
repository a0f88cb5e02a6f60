import { bestPrice } from "../domain/order-book.ts";
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

/** A part of the books, in their order. */
export type BookWindow = readonly [from: number, count: number];

/**
 * Canonical text of what a run keeps beside the ledger and decides with: books by their state and best prices, connections,
 * waits. Two runs that were given the same inputs have the same one at every step. With a window the other books are left
 * out of it.
 */
export function canonicalLive(
  { live, seq }: EngineState,
  [from, count]: BookWindow = [0, live.books.size],
): string {
  const books = [...live.books.values()]
    .slice(from, from + count)
    .map((book) => [
      book.conditionId,
      book.status,
      book.timestamp,
      book.frameAtMs,
      book.confirmedAtMs,
      book.framesApplied,
      book.resyncs,
      book.tickSize,
      bestPrice(book.ladder, 0, "buy"),
      bestPrice(book.ladder, 0, "sell"),
    ]);
  return JSON.stringify({
    seq,
    nowMs: live.nowMs,
    books,
    changedBooks: [...live.changedBooks],
    links: live.links,
    watches: [...live.watches],
    actionWatches: [...live.actionWatches],
    reconcile: [live.nextReconcileAtMs, live.reconciling, live.reconcileFailures],
    fills: [live.fillsReadToMs, live.fillsAskedAtMs, live.fillsWindowMs],
    kill: [live.nextKillSweepAtMs, live.killCleanSnapshots, live.killFirstCleanAtMs],
    heard: [...live.heard],
    degraded: [...live.degraded],
    requestedAtMs: live.requestedAtMs,
    clock: [live.clockOffsetMs, live.clockSetAtMs],
    framesApplied: live.framesApplied,
    resyncs: [...live.resyncs],
    resyncsAsked: live.resyncsAsked,
    hashes: live.hashes,
  });
}
