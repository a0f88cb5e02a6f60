import type { ResyncReason } from "../domain/book-health.ts";
import type { ConditionId } from "../domain/market.ts";
import { type MarketBook, markStale } from "../domain/market-book.ts";
import type { EngineState } from "../state/engine-state.ts";
import { openOrders } from "../state/exposure.ts";
import { ask, type StepContext } from "./context.ts";
import { raise } from "./notices.ts";
import { markChanged } from "./wake-up.ts";

/** A connection works again; traders who were told of its loss are told of its return when none is away any more. */
export function linkUp(context: StepContext, feed: "market" | "user", away = 0): void {
  const link = context.state.live.links[feed];
  if (away > 0) return;
  link.up = true;
  if (link.told && link.lostAtMs !== null) {
    raise(context, null, { kind: "feed.back", feed, afterMs: context.atMs - link.lostAtMs });
  }
  link.told = false;
  link.lostAtMs = null;
}

export function linkLost(context: StepContext, feed: "market" | "user"): void {
  const link = context.state.live.links[feed];
  if (link.up || link.lostAtMs === null) link.lostAtMs = context.atMs;
  link.up = false;
}

/** Books carried by a lost connection are not believed until their next snapshot. */
export function loseBooks(
  context: StepContext,
  conditionIds: readonly ConditionId[],
  reason: ResyncReason,
): void {
  for (const conditionId of conditionIds) {
    const book = context.state.live.books.get(conditionId);
    if (book === undefined || book.status === "waiting") continue;
    markStale(book, reason);
    countResync(context, book, reason);
    markChanged(context, conditionId);
  }
}

/** Notices when the last book with money in it stops being believed. One that never came is no loss. */
export function watchBooks(context: StepContext): void {
  const { state, atMs } = context;
  let isWatched = false;
  let isBelieved = false;
  for (const conditionId of withMoney(state)) {
    const book = state.live.books.get(conditionId);
    if (book === undefined || book.framesApplied === 0) continue;
    if (state.markets.get(conditionId)?.tradable !== true) continue;
    isWatched = true;
    if (book.status === "live") isBelieved = true;
  }
  if (isBelieved || !isWatched) state.live.booksStaleSinceMs = null;
  else state.live.booksStaleSinceMs ??= atMs;
}

/** Markets with shares or open orders of ours. */
export function withMoney(state: EngineState): Set<ConditionId> {
  const ids = new Set<ConditionId>();
  for (const order of openOrders(state)) ids.add(order.draft.conditionId);
  for (const position of state.positions.values()) {
    const held = position.confirmed + position.provisionalBought - position.provisionalSold;
    if (held > 0) ids.add(position.conditionId);
  }
  return ids;
}

/** Tells of a loss that lasted longer than a moment. */
export function tellLostLinks(context: StepContext): void {
  for (const feed of ["market", "user"] as const) {
    const link = context.state.live.links[feed];
    if (link.up || link.told || link.lostAtMs === null) continue;
    if (context.atMs - link.lostAtMs < context.settings.waits.feedLostAfterMs) continue;
    link.told = true;
    raise(context, null, { kind: "feed.lost", feed, sinceMs: link.lostAtMs });
  }
}

/** Asks for a fresh snapshot and counts why. */
export function resync(context: StepContext, conditionId: ConditionId, reason: ResyncReason): void {
  const { live } = context.state;
  countResync(context, live.books.get(conditionId), reason);
  ask(context, { kind: "book.resync", conditionId, reason, resyncId: `r${++live.resyncsAsked}` });
}

/** Counts why a book is replaced by a fresh one, and since when it is not believed. */
export function countResync(
  { state: { live }, atMs }: StepContext,
  book: MarketBook | undefined,
  reason: ResyncReason,
): void {
  live.resyncs.set(reason, (live.resyncs.get(reason) ?? 0) + 1);
  if (book !== undefined && book.status !== "live") book.health.staleSinceMs ??= atMs;
}
