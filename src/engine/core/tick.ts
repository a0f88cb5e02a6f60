import { checkQuietBook, hasOpenClaims } from "../domain/market-book.ts";
import { openOrders } from "../state/exposure.ts";
import { readAccount } from "./account.ts";
import { tickActions } from "./action-progress.ts";
import { judge } from "./book-trust.ts";
import { emit, type StepContext } from "./context.ts";
import { tickKill } from "./kill.ts";
import { tellLostLinks, watchBooks } from "./links.ts";
import { keepTrails } from "./market-memory.ts";
import { tellOrder } from "./notices.ts";
import { lookIfDue, watchOf } from "./order-progress.ts";
import { tickVenueMode } from "./venue-mode.ts";

/** A group of frames whose last frame is this old is complete: nothing more of it will come. */
const groupQuietMs = 100;

/** What only the passing of time asks for: expiries, looks at orders, reconciliation, the kill's sweep. */
export function tick(context: StepContext): void {
  const { state, atMs } = context;
  expireCards(context);
  tickVenueMode(context);
  watchBooks(context);
  keepTrails(state, atMs, context.settings.risk.priceCollarPeriodMs);
  closeQuietGroups(context);
  for (const order of openOrders(state)) {
    // A post that is under way reports by itself; until then there is nothing to ask.
    if (order.status === "in_flight" && !state.live.watches.has(order.clientOid)) continue;
    if (order.status === "live" || order.status === "partially_filled") {
      // One that rests is told by the stream and the comparisons; one that a look-up did not find is looked for again.
      const settled = order.cancelAskedAtMs === null && !order.venueDone;
      if (settled && order.cleanAbsences === 0) continue;
    }
    watchOf(context, order.clientOid);
    lookIfDue(context, order.clientOid);
    if (order.status === "unknown") tellOrder(context, order.clientOid);
  }
  if (!state.live.reconciling && atMs >= state.live.nextReconcileAtMs) {
    readAccount(context, duePurpose(context));
  }
  tickActions(context);
  tickKill(context);
  tellLostLinks(context);
}

function duePurpose({ state }: StepContext): "start" | "stall" | "periodic" {
  if (!state.ready) return "start";
  return state.live.degraded.has("stalled") ? "stall" : "periodic";
}

function expireCards(context: StepContext): void {
  for (const [nonce, card] of context.state.cards.entries()) {
    if (card.state === "open" && context.atMs >= card.expiresAtMs) {
      emit(context, { kind: "card.closed", nonce, state: "expired" });
    }
  }
}

function closeQuietGroups(context: StepContext): void {
  for (const book of context.state.live.books.values()) {
    if (!hasOpenClaims(book)) continue;
    if (context.atMs - book.frameAtMs < groupQuietMs) continue;
    judge(context, book, checkQuietBook(book, context.hasher));
  }
}
