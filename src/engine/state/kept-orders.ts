import type { Fill } from "../domain/fill.ts";
import type { TokenId } from "../domain/market.ts";
import { isOpen, type Order } from "../domain/order.ts";
import type { LedgerState } from "./engine-state.ts";
import type { StateIndex } from "./state-index.ts";

/** Puts an order in, or in the place of what it was. */
export function keepOrder(state: LedgerState, order: Order): void {
  const { index } = state;
  const before = state.orders.get(order.clientOid);
  state.orders.set(order.clientOid, order);
  if (isOpen(order)) index.openOrderIds.add(order.clientOid);
  else index.openOrderIds.delete(order.clientOid);
  if (before === undefined) {
    const newestMs = Math.max(index.placed.at(-1)?.newestMs ?? 0, order.createdAtMs);
    index.placed.push({ clientOid: order.clientOid, newestMs });
  }
  const more = order.filled - (before?.filled ?? 0);
  if (more !== 0) addNetShares(index, order, order.draft.side === "buy" ? more : 0 - more);
}

function addNetShares(index: StateIndex, { strategy, draft }: Order, more: number): void {
  const own = index.netShares.get(strategy) ?? new Map<TokenId, number>();
  index.netShares.set(strategy, own);
  const net = (own.get(draft.tokenId) ?? 0) + more;
  if (net === 0) own.delete(draft.tokenId);
  else own.set(draft.tokenId, net);
}

/** Puts a fill in, or in the place of what it was. */
export function keepFill(state: LedgerState, fill: Fill): void {
  const { fillIdsByHash, provisionalFillIds } = state.index;
  if (!state.fills.has(fill.fillId)) {
    const ids = fillIdsByHash.get(fill.orderHash);
    if (ids === undefined) fillIdsByHash.set(fill.orderHash, [fill.fillId]);
    else ids.push(fill.fillId);
  }
  state.fills.set(fill.fillId, fill);
  if (fill.status === "provisional") provisionalFillIds.add(fill.fillId);
  else provisionalFillIds.delete(fill.fillId);
}

/** Takes a settled fill out that belongs to none of our orders. */
export function forgetFill(state: LedgerState, fillId: string): void {
  const { fillIdsByHash } = state.index;
  const hash = state.fills.get(fillId)?.orderHash ?? "";
  const left = (fillIdsByHash.get(hash) ?? []).filter((id) => id !== fillId);
  if (left.length > 0) fillIdsByHash.set(hash, left);
  else fillIdsByHash.delete(hash);
  state.fills.delete(fillId);
}

/** Takes a closed order and its fills out. What it bought stays in the net shares of its strategy. */
export function forgetOrder(state: LedgerState, order: Order): void {
  const { index } = state;
  state.orders.delete(order.clientOid);
  state.oidByHash.delete(order.orderHash);
  for (const fillId of index.fillIdsByHash.get(order.orderHash) ?? []) {
    state.fills.delete(fillId);
    index.provisionalFillIds.delete(fillId);
  }
  index.fillIdsByHash.delete(order.orderHash);
  // Now and then, not each time: the list may hold as many forgotten orders as kept ones.
  if (index.placed.length <= 2 * state.orders.size + 64) return;
  const kept = index.placed.filter(({ clientOid }) => state.orders.has(clientOid));
  index.placed.length = 0;
  for (const one of kept) index.placed.push(one);
}

/** Kept orders that were made after a time, newest first. */
export function ordersSince(state: LedgerState, afterMs: number): Order[] {
  const { placed } = state.index;
  const found: Order[] = [];
  for (let i = placed.length - 1; i >= 0; i--) {
    const one = placed[i];
    if (one === undefined || one.newestMs <= afterMs) break;
    const order = state.orders.get(one.clientOid);
    if (order !== undefined && order.createdAtMs > afterMs) found.push(order);
  }
  return found;
}

/**
 * How many orders were placed after a time. Where the clock was set back between two runs it counts rather too many; orders
 * that are forgotten by now may be missing.
 */
export function countPlacedSince(state: LedgerState, afterMs: number): number {
  const { placed } = state.index;
  let first = 0;
  let end = placed.length;
  // The times never fall: everything from the first newer one on counts.
  while (first < end) {
    const middle = (first + end) >>> 1;
    if ((placed[middle]?.newestMs ?? 0) > afterMs) end = middle;
    else first = middle + 1;
  }
  return placed.length - first;
}

/** All fills of one order, whatever became of them. */
export function fillsOf(state: LedgerState, orderHash: string): Fill[] {
  const ids = state.index.fillIdsByHash.get(orderHash) ?? [];
  return ids.flatMap((fillId) => state.fills.get(fillId) ?? []);
}

export function provisionalFills(state: LedgerState): Fill[] {
  return [...state.index.provisionalFillIds].flatMap((id) => state.fills.get(id) ?? []);
}
