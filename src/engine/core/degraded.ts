import { type MarketBook, markStale } from "../domain/market-book.ts";
import type { DegradedCause } from "../domain/reasons.ts";
import { readAccount } from "./account.ts";
import { emit, type StepContext } from "./context.ts";
import { resync, withMoney } from "./links.ts";
import { raise } from "./notices.ts";

/** Enters or leaves (null) a degraded state; traders are told once of each. */
function degrade(context: StepContext, cause: DegradedCause, detail: string | null): void {
  const { degraded } = context.state.live;
  const known = degraded.get(cause);
  if (detail === null) {
    if (known === undefined) return;
    degraded.delete(cause);
    raise(context, null, { kind: "degraded.over", cause, afterMs: context.atMs - known.sinceMs });
    return;
  }
  degraded.set(cause, { sinceMs: known?.sinceMs ?? context.atMs, detail });
  if (known === undefined) raise(context, null, { kind: "degraded", cause, detail });
}

/** The venue's clock less ours, or null when it should be known and could not be read. */
export function clockMeasured(context: StepContext, offsetMs: number | null): void {
  const { clockWarnMs, clockMaxMs } = context.settings.risk;
  if (offsetMs === null) {
    degrade(context, "clock", "the clock jumped and the venue's time could not be read");
    return;
  }
  context.state.live.clockOffsetMs = offsetMs;
  const byMs = Math.abs(offsetMs);
  const detail = `the clock is ${byMs} ms ${offsetMs > 0 ? "behind" : "ahead of"} the venue's`;
  degrade(context, "clock", byMs > clockMaxMs ? detail : null);
  degrade(context, "clock_warn", byMs > clockWarnMs && byMs <= clockMaxMs ? detail : null);
}

/**
 * The process did not run for a while, or its clock jumped: everything it believes of the outside is old. Books wait
 * for a snapshot, cards end, and nothing is traded before the account was read again.
 */
export function timeJumped(context: StepContext, detail: string): void {
  const { state } = context;
  degrade(context, "stalled", detail);
  // Requests take turns at the venue: what money is in comes before what somebody looked at.
  const money = withMoney(state);
  const isFirst = (book: MarketBook) => Number(money.has(book.conditionId));
  const books = [...state.live.books.values()].sort((a, b) => isFirst(b) - isFirst(a));
  for (const book of books) {
    if (book.status === "waiting") continue;
    markStale(book, "stalled");
    resync(context, book.conditionId, "stalled");
  }
  for (const [nonce, card] of state.cards.entries()) {
    if (card.state === "open") emit(context, { kind: "card.closed", nonce, state: "expired" });
  }
  readAccount(context, "stall");
}

/** Book hashes fail everywhere, or (null) fit again. */
export function hashesChanged(context: StepContext, detail: string | null): void {
  degrade(context, "book_hash", detail);
}

/** The venue's dead-man switch: while its beats fail, and when they work again, orders may be gone. */
export function heartbeatChanged(context: StepContext, detail: string | null): void {
  const was = context.state.live.degraded.has("heartbeat");
  degrade(context, "heartbeat", detail);
  const is = context.state.live.degraded.has("heartbeat");
  if (was !== is && context.state.ready) readAccount(context, "link");
}
