import { formatPrice, formatShares, type Price, priceOne, type Shares } from "./numbers.ts";

/*
 * Sizes of both sides of a book by slot (price / step), in pages of 32 slots that exist only where levels have been:
 * a book of 140 levels takes two kilobytes instead of sixteen, and ten thousand books stay in reach of the caches.
 * A page is one number whose bits say which slots hold a level, then the 32 sizes.
 */
const slotBits = 5;
const pageSlots = 1 << slotBits;
const slotMask = pageSlots - 1;
const pageNumbers = pageSlots + 1;
const firstPages = 4;

export type Ladder = {
  /**
   * First where the page of each 32 slots starts, 0 for none: of all bids, then of all asks. Then the pages. Sizes are
   * micro-shares in doubles, exact to 9 billion shares. One array, because each further object is a cache miss.
   */
  cells: Float64Array;
  /** Numbers before the first page. */
  readonly headCells: number;
  /** Numbers in use. */
  usedCells: number;
  /** JSON of the levels of each page as the book hash writes them, seen from outcome 0; "" when it is to be written anew. */
  texts: string[] | null;
  /** The same seen from outcome 1. */
  mirrorTexts: string[] | null;
  /** The same of whole sides as a snapshot of one outcome brought it, until a level of the side changes. */
  given: { readonly outcome: 0 | 1; bids: string | null; asks: string | null } | null;
};

/** A ladder of slots 0 .. top. */
export function createLadder(top: number): Ladder {
  const headCells = 2 * ((top >>> slotBits) + 1);
  return {
    cells: new Float64Array(headCells + firstPages * pageNumbers),
    headCells,
    usedCells: headCells,
    texts: null,
    mirrorTexts: null,
    given: null,
  };
}

export function clearLadder(ladder: Ladder): void {
  ladder.cells.fill(0, 0, ladder.usedCells);
  ladder.usedCells = ladder.headCells;
  ladder.texts = null;
  ladder.mirrorTexts = null;
  ladder.given = null;
}

/** Which of the first cells says where a slot's page starts. */
function headCell(ladder: Ladder, isBid: boolean, slot: number): number {
  return (slot >>> slotBits) + (isBid ? 0 : ladder.headCells >>> 1);
}

/** Sets the size at a slot; 0 empties it. */
export function setSlot(ladder: Ladder, isBid: boolean, slot: number, size: number): void {
  const head = headCell(ladder, isBid, slot);
  let page = ladder.cells[head] ?? 0;
  if (page === 0) {
    if (size === 0) return;
    page = addPage(ladder, head);
  }
  const { cells, texts, mirrorTexts } = ladder;
  const bit = 1 << (slot & slotMask);
  const filled = cells[page] ?? 0;
  cells[page] = (size === 0 ? filled & ~bit : filled | bit) >>> 0;
  cells[page + 1 + (slot & slotMask)] = size;
  if (texts !== null) texts[head] = "";
  if (mirrorTexts !== null) mirrorTexts[head] = "";
  if (ladder.given === null) return;
  if (isBid) ladder.given.bids = null;
  else ladder.given.asks = null;
}

function addPage(ladder: Ladder, head: number): number {
  const page = ladder.usedCells;
  ladder.usedCells += pageNumbers;
  if (ladder.usedCells > ladder.cells.length) {
    const pages = ladder.cells.length - ladder.headCells;
    const wider = new Float64Array(ladder.headCells + 2 * pages);
    wider.set(ladder.cells);
    ladder.cells = wider;
  }
  ladder.cells[head] = page;
  return page;
}

/** Size at a slot, 0 when it is empty. */
export function sizeAt(ladder: Ladder, isBid: boolean, slot: number): number {
  const page = ladder.cells[headCell(ladder, isBid, slot)] ?? 0;
  return page === 0 ? 0 : (ladder.cells[page + 1 + (slot & slotMask)] ?? 0);
}

/** The highest filled slot below this one, 0 when there is none. */
export function filledBelow(ladder: Ladder, isBid: boolean, slot: number): number {
  const lowest = headCell(ladder, isBid, 0);
  let head = headCell(ladder, isBid, slot);
  let wanted = (1 << (slot & slotMask)) - 1;
  for (; head >= lowest; head--, wanted = -1) {
    const page = ladder.cells[head] ?? 0;
    if (page === 0) continue;
    const filled = (ladder.cells[page] ?? 0) & wanted;
    if (filled !== 0) return ((head - lowest) << slotBits) + 31 - Math.clz32(filled);
  }
  return 0;
}

/** The lowest filled slot above this one, `top` when there is none. */
export function filledAbove(ladder: Ladder, isBid: boolean, slot: number, top: number): number {
  const lowest = headCell(ladder, isBid, 0);
  const highest = headCell(ladder, isBid, top);
  let head = headCell(ladder, isBid, slot);
  // Shifted twice: by 32 at once would be by nothing.
  let wanted = (-1 << (slot & slotMask)) << 1;
  for (; head <= highest; head++, wanted = -1) {
    const page = ladder.cells[head] ?? 0;
    if (page === 0) continue;
    const filled = (ladder.cells[page] ?? 0) & wanted;
    if (filled !== 0) return ((head - lowest) << slotBits) + 31 - Math.clz32(filled & -filled);
  }
  return top;
}

/**
 * The JSON of one side's levels in the order of the book hash: bids from the lowest slot up, asks from the highest down.
 * Pages in which nothing changed keep their text.
 */
export function sideText(ladder: Ladder, isBid: boolean, step: number, outcome: 0 | 1): string {
  const { given } = ladder;
  const known = given?.outcome === outcome ? (isBid ? given.bids : given.asks) : null;
  if (known !== null) return known;
  const texts = textsOf(ladder, outcome);
  const half = ladder.headCells >>> 1;
  const parts: string[] = [];
  for (let i = 0; i < half; i++) {
    const place = isBid ? i : half - 1 - i;
    const head = isBid ? place : half + place;
    const page = ladder.cells[head] ?? 0;
    if (page === 0 || ladder.cells[page] === 0) continue;
    let text = texts[head] ?? "";
    if (text === "") {
      const first = (place << slotBits) * step;
      text =
        outcome === 0
          ? pageText(ladder.cells, page, isBid, first, step)
          : pageText(ladder.cells, page, isBid, priceOne - first, -step);
      texts[head] = text;
    }
    parts.push(text);
  }
  return parts.join(",");
}

function textsOf(ladder: Ladder, outcome: 0 | 1): string[] {
  const empty = () => Array.from({ length: ladder.headCells }, () => "");
  return outcome === 0 ? (ladder.texts ??= empty()) : (ladder.mirrorTexts ??= empty());
}

/** The levels of a page whose slots have the prices first, first + move, first + 2 * move ... */
function pageText(
  cells: Float64Array,
  page: number,
  isBid: boolean,
  first: number,
  move: number,
): string {
  let filled = cells[page] ?? 0;
  const levels: string[] = [];
  while (filled !== 0) {
    const place = 31 - Math.clz32(isBid ? filled & -filled : filled);
    filled &= ~(1 << place);
    levels.push(levelText(first + place * move, cells[page + 1 + place] ?? 0));
  }
  return levels.join(",");
}

/** What comes before the size of a level, by price; the same for all books. */
const levelStarts: string[] = Array.from({ length: priceOne }, () => "");
const hundredth = 10_000;
const whole = 1_000_000;
const hundredths: readonly string[] = Array.from({ length: whole / hundredth }, (_, i) =>
  formatShares((i * hundredth) as Shares).slice(1),
);

function levelText(at: number, size: number): string {
  let start = levelStarts[at] ?? "";
  if (start === "") {
    start = `{"price":"${formatPrice(at as Price)}","size":"`;
    levelStarts[at] = start;
  }
  const fraction = size % whole;
  // Most sizes have two decimals at most.
  const text =
    fraction % hundredth === 0
      ? `${(size - fraction) / whole}${hundredths[fraction / hundredth] ?? ""}`
      : formatShares(size as Shares);
  return `${start}${text}"}`;
}
