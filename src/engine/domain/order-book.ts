import { assert } from "../lib/assert.ts";
import {
  clearLadder,
  createLadder,
  filledAbove,
  filledBelow,
  type Ladder,
  setSlot,
  sideText,
  sizeAt,
} from "./ladder.ts";
import { type OutcomeIndex, type Side, tickSizes } from "./market.ts";
import type { SnapshotRows } from "./market-event.ts";
import { type Price, priceOne, type Shares } from "./numbers.ts";

/**
 * The one order book of a market, seen on outcome 0. Outcome 1 is its exact mirror: a bid for it at p is an ask of
 * outcome 0 at 1 - p (polymarket-market-data 2.4). A ladder indexed by price / step.
 */
export type OrderBook = Ladder & {
  /** Price units between two ladder slots; the tick, or finer when a level lies off the tick's grid. */
  step: number;
  /** Highest slot: slots 1 .. top - 1 hold levels. */
  top: number;
  /** Slot of the best bid, 0 when there is none. */
  bestBid: number;
  /** Slot of the best ask, `top` when there is none. */
  bestAsk: number;
};

/** One level of one outcome's book. `size` is the new total; 0 removes the level. */
export type Level = { readonly price: Price; readonly size: Shares };

export function createOrderBook(tickSize: Price): OrderBook {
  return emptyBook(tickSize);
}

function emptyBook(step: number): OrderBook {
  const top = priceOne / step;
  assert(Number.isInteger(top), "a ladder step divides one dollar");
  const { cells, headCells, usedCells, texts, mirrorTexts, given } = createLadder(top);
  // Written out, so that all stands in the object itself and what every change needs comes first.
  return {
    cells,
    headCells,
    step,
    top,
    bestBid: 0,
    bestAsk: top,
    texts,
    mirrorTexts,
    given,
    usedCells,
  };
}

/** Empties the book and makes its grid hold all of these prices. */
function restart(book: OrderBook, step: number): void {
  if (step !== book.step) {
    Object.assign(book, emptyBook(step));
    return;
  }
  clearLadder(book);
  book.bestBid = 0;
  book.bestAsk = book.top;
}

/** Replaces everything with a snapshot of one outcome's book. */
export function applySnapshot(
  book: OrderBook,
  outcome: OutcomeIndex,
  bids: readonly Level[],
  asks: readonly Level[],
): void {
  restart(book, finestStep(book.step, bids, asks));
  for (const level of bids) setLevel(book, outcome, "buy", level.price, level.size);
  for (const level of asks) setLevel(book, outcome, "sell", level.price, level.size);
}

/** The same from rows. */
export function applyRows(book: OrderBook, outcome: OutcomeIndex, rows: SnapshotRows): void {
  const { values, bidCount, text } = rows;
  const bids = { outcome, values, from: 0, to: 2 * bidCount };
  const asks = { outcome, values, from: 2 * bidCount, to: values.length };
  restart(book, book.step);
  if (!applySide(book, outcome === 0, bids) || !applySide(book, outcome === 1, asks)) {
    restart(book, stepOf(book.step, values));
    applySide(book, outcome === 0, bids);
    applySide(book, outcome === 1, asks);
  }
  if (text === null) return;
  // A bid for outcome 1 stands in the ladder as an ask.
  book.given =
    outcome === 0
      ? { outcome, bids: text.bids, asks: text.asks }
      : { outcome, bids: text.asks, asks: text.bids };
}

function stepOf(tick: number, values: Float64Array): number {
  return stepFor(tick, (step) => {
    for (let i = 0; i < values.length; i += 2) if ((values[i] ?? 0) % step !== 0) return false;
    return true;
  });
}

type SideRows = {
  readonly outcome: OutcomeIndex;
  readonly values: Float64Array;
  readonly from: number;
  readonly to: number;
};

/** Adds levels of one outcome (price, size, price, size) to one side of a book; false at one that lies off its grid. */
function applySide(book: OrderBook, isBid: boolean, part: SideRows): boolean {
  const { outcome, values, from, to } = part;
  const { step } = book;
  let best = isBid ? book.bestBid : book.bestAsk;
  for (let i = from; i < to; i += 2) {
    const at = (values[i] ?? 0) | 0;
    const size = values[i + 1] ?? 0;
    const own = outcome === 0 ? at : priceOne - at;
    const slot = (own / step) | 0;
    if (slot * step !== own) return false;
    setSlot(book, isBid, slot, size);
    if (size > 0) {
      if (isBid ? slot > best : slot < best) best = slot;
    } else if (slot === best) {
      // A price that came before and is taken back.
      best = isBid ? filledBelow(book, true, slot) : filledAbove(book, false, slot, book.top);
    }
  }
  if (isBid) book.bestBid = best;
  else book.bestAsk = best;
  return true;
}

/** Sets the total size of one level of one outcome's book. Absolute, so applying it twice changes nothing. */
export function setLevel(
  book: OrderBook,
  outcome: OutcomeIndex,
  side: Side,
  at: Price,
  size: Shares,
): void {
  const own = outcome === 0 ? at : priceOne - at;
  let slot = (own / book.step) | 0;
  if (slot * book.step !== own) {
    regrid(book, own);
    slot = own / book.step;
  }
  setSlotLevel(book, (side === "buy") === (outcome === 0), slot, size);
}

/** The same by the slot of a level as outcome 0 sees it; 0 < slot < top. */
export function setSlotLevel(book: OrderBook, isBid: boolean, slot: number, size: number): void {
  setSlot(book, isBid, slot, size);
  if (isBid) {
    if (size > 0 && slot > book.bestBid) book.bestBid = slot;
    else if (size === 0 && slot === book.bestBid) {
      book.bestBid = filledBelow(book, true, slot);
    }
  } else if (size > 0 && slot < book.bestAsk) book.bestAsk = slot;
  else if (size === 0 && slot === book.bestAsk) {
    book.bestAsk = filledAbove(book, false, slot, book.top);
  }
}

/** Moves the ladder to another tick, keeping levels (they may lie off the new grid until the next snapshot). */
export function changeTick(book: OrderBook, tickSize: Price): void {
  const levels = { bids: levelsOf(book, 0, "buy"), asks: levelsOf(book, 0, "sell") };
  Object.assign(book, emptyBook(finestStep(tickSize, levels.bids, levels.asks)));
  for (const level of levels.bids) setLevel(book, 0, "buy", level.price, level.size);
  for (const level of levels.asks) setLevel(book, 0, "sell", level.price, level.size);
}

function regrid(book: OrderBook, at: number): void {
  changeTick(book, finestStep(book.step, [{ price: at as Price, size: 0 as Shares }], []) as Price);
}

function finestStep(tick: number, bids: readonly Level[], asks: readonly Level[]): number {
  return stepFor(tick, (step) => {
    const fits = (level: Level) => level.price % step === 0;
    return bids.every(fits) && asks.every(fits);
  });
}

/** The tick itself, or the coarsest one below it on whose grid everything lies. */
function stepFor(tick: number, fits: (step: number) => boolean): number {
  for (const step of tickSizes) {
    if (step <= tick && tick % step === 0 && fits(step)) return step;
  }
  return 1;
}

/** Best price of one side of one outcome's book, or null when that side is empty. */
export function bestPrice(book: OrderBook, outcome: OutcomeIndex, side: Side): Price | null {
  const wantsBid = (side === "buy") === (outcome === 0);
  const slot = wantsBid ? book.bestBid : book.bestAsk;
  if (slot === 0 || slot === book.top) return null;
  const own = slot * book.step;
  return (outcome === 0 ? own : priceOne - own) as Price;
}

/** A book whose best bid reaches its best ask is not believed: wait for the next snapshot. */
export function isCrossed(book: OrderBook): boolean {
  return book.bestBid > 0 && book.bestAsk < book.top && book.bestBid >= book.bestAsk;
}

/** Calls `visit` for each level of one side of one outcome's book, best first, until it returns false. */
export function visitLevels(
  book: OrderBook,
  outcome: OutcomeIndex,
  side: Side,
  visit: (at: Price, size: Shares) => boolean,
): void {
  const isBid = (side === "buy") === (outcome === 0);
  const { top } = book;
  let slot = isBid ? book.bestBid : book.bestAsk;
  while (slot > 0 && slot < top) {
    const own = slot * book.step;
    const size = sizeAt(book, isBid, slot) as Shares;
    if (!visit((outcome === 0 ? own : priceOne - own) as Price, size)) return;
    slot = isBid ? filledBelow(book, true, slot) : filledAbove(book, false, slot, top);
  }
}

/** All levels of one side of one outcome's book, best first. */
export function levelsOf(book: OrderBook, outcome: OutcomeIndex, side: Side): Level[] {
  const levels: Level[] = [];
  visitLevels(book, outcome, side, (at, size) => {
    levels.push({ price: at, size });
    return true;
  });
  return levels;
}

/** The JSON of one side's levels, worst first, as the book hash wants it. */
export function levelsText(book: OrderBook, outcome: OutcomeIndex, side: Side): string {
  const isBid = (side === "buy") === (outcome === 0);
  return sideText(book, isBid, book.step, outcome);
}
