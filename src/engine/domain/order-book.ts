import { assert } from "../lib/assert.ts";
import { type OutcomeIndex, type Side, tickSizes } from "./market.ts";
import { formatPrice, formatShares, type Price, priceOne, type Shares } from "./numbers.ts";

/**
 * The one order book of a market, seen on outcome 0. Outcome 1 is its exact mirror: a bid for it at p is an ask of
 * outcome 0 at 1 - p (polymarket-market-data 2.4). A flat ladder indexed by price / step; sizes are micro-shares in
 * doubles, exact to 9 billion shares.
 */
export type OrderBook = {
  /** Price units between two ladder slots; the tick, or finer when a level lies off the tick's grid. */
  step: number;
  /** Highest slot: slots 1 .. top - 1 hold levels. */
  top: number;
  bids: Float64Array;
  asks: Float64Array;
  /** JSON of each level as the book hash writes it, by outcome; null until a hash of that outcome is asked for. */
  bidTexts: LevelTexts;
  askTexts: LevelTexts;
  /** Slot of the best bid, 0 when there is none. */
  bestBid: number;
  /** Slot of the best ask, `top` when there is none. */
  bestAsk: number;
};

/** One text a slot, "" when it has to be written anew. */
type LevelTexts = [string[] | null, string[] | null];

/** One level of one outcome's book. `size` is the new total; 0 removes the level. */
export type Level = { readonly price: Price; readonly size: Shares };

export function createOrderBook(tickSize: Price): OrderBook {
  return emptyLadder(tickSize);
}

function emptyLadder(step: number): OrderBook {
  const top = priceOne / step;
  assert(Number.isInteger(top), "a ladder step divides one dollar");
  return {
    step,
    top,
    bids: new Float64Array(top + 1),
    asks: new Float64Array(top + 1),
    bidTexts: [null, null],
    askTexts: [null, null],
    bestBid: 0,
    bestAsk: top,
  };
}

/** Replaces everything with a snapshot of one outcome's book. */
export function applySnapshot(
  book: OrderBook,
  outcome: OutcomeIndex,
  bids: readonly Level[],
  asks: readonly Level[],
): void {
  const step = finestStep(book.step, bids, asks);
  if (step === book.step) {
    book.bids.fill(0);
    book.asks.fill(0);
    book.bidTexts = [null, null];
    book.askTexts = [null, null];
    book.bestBid = 0;
    book.bestAsk = book.top;
  } else {
    Object.assign(book, emptyLadder(step));
  }
  for (const level of bids) setLevel(book, outcome, "buy", level.price, level.size);
  for (const level of asks) setLevel(book, outcome, "sell", level.price, level.size);
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
  let slot = own / book.step;
  if (!Number.isInteger(slot)) {
    regrid(book, own);
    slot = own / book.step;
  }
  const isBid = (side === "buy") === (outcome === 0);
  if (isBid) {
    book.bids[slot] = size;
    forget(book.bidTexts, slot);
    if (size > 0 && slot > book.bestBid) book.bestBid = slot;
    else if (size === 0 && slot === book.bestBid) book.bestBid = nextBid(book, slot);
  } else {
    book.asks[slot] = size;
    forget(book.askTexts, slot);
    if (size > 0 && slot < book.bestAsk) book.bestAsk = slot;
    else if (size === 0 && slot === book.bestAsk) book.bestAsk = nextAsk(book, slot);
  }
}

function forget(texts: LevelTexts, slot: number): void {
  if (texts[0] !== null) texts[0][slot] = "";
  if (texts[1] !== null) texts[1][slot] = "";
}

/** Moves the ladder to another tick, keeping levels (they may lie off the new grid until the next snapshot). */
export function changeTick(book: OrderBook, tickSize: Price): void {
  const levels = { bids: levelsOf(book, 0, "buy"), asks: levelsOf(book, 0, "sell") };
  Object.assign(book, emptyLadder(finestStep(tickSize, levels.bids, levels.asks)));
  for (const level of levels.bids) setLevel(book, 0, "buy", level.price, level.size);
  for (const level of levels.asks) setLevel(book, 0, "sell", level.price, level.size);
}

function regrid(book: OrderBook, at: number): void {
  changeTick(book, finestStep(book.step, [{ price: at as Price, size: 0 as Shares }], []) as Price);
}

function finestStep(tick: number, bids: readonly Level[], asks: readonly Level[]): number {
  for (const step of tickSizes) {
    if (step > tick || tick % step !== 0) continue;
    const fits = (level: Level) => level.price % step === 0;
    if (bids.every(fits) && asks.every(fits)) return step;
  }
  return 1;
}

function nextBid(book: OrderBook, from: number): number {
  let slot = from - 1;
  while (slot > 0 && book.bids[slot] === 0) slot--;
  return slot;
}

function nextAsk(book: OrderBook, from: number): number {
  let slot = from + 1;
  while (slot < book.top && book.asks[slot] === 0) slot++;
  return slot;
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
  const sizes = isBid ? book.bids : book.asks;
  const move = isBid ? -1 : 1;
  for (let slot = isBid ? book.bestBid : book.bestAsk; slot > 0 && slot < book.top; slot += move) {
    const size = sizes[slot] ?? 0;
    if (size === 0) continue;
    const own = slot * book.step;
    if (!visit((outcome === 0 ? own : priceOne - own) as Price, size as Shares)) return;
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

/** The JSON of one side's levels, worst first, as the book hash wants it. Levels that did not change keep their text. */
export function levelsText(book: OrderBook, outcome: OutcomeIndex, side: Side): string {
  const isBid = (side === "buy") === (outcome === 0);
  const sizes = isBid ? book.bids : book.asks;
  const kept = isBid ? book.bidTexts : book.askTexts;
  const texts = (kept[outcome] ??= Array.from({ length: book.top + 1 }, () => ""));
  const move = isBid ? 1 : -1;
  const end = (isBid ? book.bestBid : book.bestAsk) + move;
  let text = "";
  for (let slot = isBid ? 1 : book.top - 1; slot !== end; slot += move) {
    const size = sizes[slot] ?? 0;
    if (size === 0) continue;
    let level = texts[slot] ?? "";
    if (level === "") {
      const own = slot * book.step;
      const at = formatPrice((outcome === 0 ? own : priceOne - own) as Price);
      level = `{"price":"${at}","size":"${formatShares(size as Shares)}"}`;
      texts[slot] = level;
    }
    text += text === "" ? level : `,${level}`;
  }
  return text;
}
