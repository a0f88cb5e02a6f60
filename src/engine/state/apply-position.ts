import { costOfShares, type Fill, type Position } from "../domain/fill.ts";
import { addShares, type Shares, shares, subShares, type Usd, usd } from "../domain/numbers.ts";
import { assert } from "../lib/assert.ts";
import type { EngineState } from "./engine-state.ts";

export function emptyPosition(fill: Pick<Fill, "tokenId" | "conditionId" | "outcome">): Position {
  return {
    tokenId: fill.tokenId,
    conditionId: fill.conditionId,
    outcome: fill.outcome,
    confirmed: 0 as Shares,
    provisionalBought: 0 as Shares,
    provisionalSold: 0 as Shares,
    cost: 0 as Usd,
    realizedUsd: 0 as Usd,
    external: 0,
    unexplained: 0 as Shares,
    owed: 0,
    corrections: 0,
  };
}

/**
 * Sets a position to the shares that the venue says. What is gone takes its part of the cost along, without profit or loss,
 * because nobody knows what became of it, unless a sale that is reported later explains it; what is more cannot be sold.
 */
export function correctPosition(
  state: EngineState,
  tokenId: string,
  there: Shares,
  atMs: number,
): void {
  const position = state.positions.get(tokenId);
  if (position === undefined) return;
  const mine = Math.max(0, position.confirmed - position.provisionalSold);
  const gone = shares(Math.max(0, mine - there));
  const goneCost = costOfShares(position, gone);
  const before = position.gone ?? { size: 0 as Shares, cost: 0 as Usd };
  state.positions.set(tokenId, {
    ...position,
    confirmed: shares(mine - gone),
    provisionalSold: 0 as Shares,
    owed: 0,
    cost: usd(position.cost - goneCost),
    unexplained: shares(Math.max(0, there - mine)),
    corrections: position.corrections + 1,
    gone: { size: addShares(before.size, gone), cost: usd(before.cost + goneCost), atMs },
  });
  state.venueShares.delete(tokenId);
}

/** Adds a fill to its position, at what it cost. One that is confirmed already is both at once. */
export function bookFill(state: EngineState, fill: Fill): void {
  const held = state.positions.get(fill.tokenId) ?? emptyPosition(fill);
  const booked = addFill({ ...held, external: held.external + externalOf(fill) }, fill);
  const { tokenId, status } = fill;
  state.positions.set(tokenId, status === "confirmed" ? confirmInPosition(booked, fill) : booked);
}

function addFill(before: Position, fill: Fill): Position {
  if (fill.absorbed === true) return explainGone(before, fill);
  if (fill.side === "buy") {
    return {
      ...before,
      provisionalBought: addShares(before.provisionalBought, fill.size),
      cost: usd(before.cost + fill.money + fill.fee),
    };
  }
  return {
    ...before,
    provisionalSold: addShares(before.provisionalSold, fill.size),
    cost: usd(before.cost - fill.costOfSold),
    realizedUsd: usd(before.realizedUsd + profitOf(fill)),
  };
}

/** A fee that became known after its fill: part of what the shares cost, or of what a sale made. */
export function bookLateFee(state: EngineState, { tokenId, side, fee }: Fill): void {
  const position = state.positions.get(tokenId);
  assert(position !== undefined, "a fill has a position");
  const { confirmed, provisionalBought, provisionalSold, cost, realizedUsd } = position;
  const isHeld = side === "buy" && confirmed + provisionalBought - provisionalSold > 0;
  const booked = isHeld ? { cost: usd(cost + fee) } : { realizedUsd: usd(realizedUsd - fee) };
  state.positions.set(tokenId, { ...position, ...booked });
}

/** A sale whose shares a correction has taken off already: only its profit is news. */
function explainGone(position: Position, fill: Fill): Position {
  const { gone } = position;
  assert(gone !== undefined && gone.size >= fill.size, "a sale explains what is gone");
  const size = subShares(gone.size, fill.size);
  return {
    ...position,
    realizedUsd: usd(position.realizedUsd + profitOf(fill)),
    gone: { ...gone, size, cost: usd(gone.cost - fill.costOfSold) },
  };
}

export function confirmInPosition(position: Position, fill: Fill): Position {
  if (fill.absorbed === true) return position;
  if (fill.side === "buy") {
    // A fill that is confirmed after its market was settled has nothing left to move.
    if (position.provisionalBought < fill.size) return position;
    const provisionalBought = subShares(position.provisionalBought, fill.size);
    return gainShares({ ...position, provisionalBought }, fill.size);
  }
  if (position.provisionalSold < fill.size) return position;
  // A stranger can sell what is not confirmed here yet: the rest stays taken until those shares are.
  const covered = shares(Math.min(position.confirmed, fill.size));
  return {
    ...position,
    confirmed: subShares(position.confirmed, covered),
    provisionalSold: subShares(position.provisionalSold, covered),
    owed: (position.owed ?? 0) + fill.size - covered,
  };
}

/** Shares that are there for certain now; a confirmed sale that still waits for some takes them first. */
export function gainShares(position: Position, size: Shares): Position {
  const owed = shares(Math.min(position.owed ?? 0, size));
  return {
    ...position,
    confirmed: addShares(position.confirmed, subShares(size, owed)),
    provisionalSold: subShares(position.provisionalSold, owed),
    owed: (position.owed ?? 0) - owed,
  };
}

export function reverseInPosition(held: Position, fill: Fill): Position {
  const position = { ...held, external: held.external - externalOf(fill) };
  if (fill.absorbed === true) {
    // The shares come back by the next comparison, which reads them at the venue.
    return { ...position, realizedUsd: usd(position.realizedUsd - profitOf(fill)) };
  }
  const moved = fill.side === "buy" ? position.provisionalBought : position.provisionalSold;
  if (moved < fill.size) return position;
  if (fill.side === "buy") {
    const paid = fill.money + fill.fee;
    // A sale in between took part of this cost along in its average: what is missing is profit of that sale.
    const held = Math.min(paid, position.cost);
    return {
      ...position,
      provisionalBought: subShares(position.provisionalBought, fill.size),
      cost: usd(position.cost - held),
      realizedUsd: usd(position.realizedUsd + paid - held),
    };
  }
  // The sold shares never left: they come back at what they had cost, and the profit of the sale is undone.
  return {
    ...position,
    provisionalSold: subShares(position.provisionalSold, fill.size),
    cost: usd(position.cost + fill.costOfSold),
    realizedUsd: usd(position.realizedUsd - profitOf(fill)),
  };
}

function externalOf(fill: Fill): number {
  if (fill.external !== true) return 0;
  return fill.side === "buy" ? fill.size : 0 - fill.size;
}

/** Result of a sale for the day's loss: what a stranger sold may have cost anything, so it is never a profit. */
export function dayProfitOf(sale: Fill): number {
  return sale.external === true ? Math.min(0, profitOf(sale)) : profitOf(sale);
}

function profitOf(sale: Fill): number {
  return sale.money - sale.fee - sale.costOfSold;
}

/**
 * Ends the positions of a resolved market at their payoff. Cash is not touched: the venue (or a redemption) pays, and
 * the next quiet reading of the balance brings it in.
 */
export function settlePositions(
  state: EngineState,
  conditionId: string,
  winningTokenId: string,
  atMs: number,
): void {
  for (const position of state.positions.values()) {
    if (position.conditionId !== conditionId) continue;
    const held = position.confirmed + position.provisionalBought - position.provisionalSold;
    const paid = position.tokenId === winningTokenId ? Math.max(0, held) : 0;
    countDay(state, atMs, 0, paid - position.cost);
    state.positions.set(position.tokenId, {
      ...position,
      confirmed: 0 as Shares,
      provisionalBought: 0 as Shares,
      provisionalSold: 0 as Shares,
      cost: 0 as Usd,
      realizedUsd: usd(position.realizedUsd + paid - position.cost),
      external: 0,
      unexplained: 0 as Shares,
      owed: 0,
      gone: { size: 0 as Shares, cost: 0 as Usd, atMs },
    });
  }
}

const dayMs = 86_400_000;

/** Adds to the figures of the UTC day; the first fill of a new day starts them anew. */
export function countDay(state: EngineState, atMs: number, volume: number, realized: number): void {
  const startMs = atMs - (atMs % dayMs);
  const sameDay = state.day.startMs === startMs;
  const { volumeUsd, realizedUsd } = state.day;
  state.day = {
    startMs,
    volumeUsd: usd(Math.max(0, (sameDay ? volumeUsd : 0) + volume)),
    realizedUsd: usd((sameDay ? realizedUsd : 0) + realized),
  };
}
