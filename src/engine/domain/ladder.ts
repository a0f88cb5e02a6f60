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
  /** Number of the page of 32 slots, 0 for none: first of all bids, then of all asks. */
  readonly pageOf: Uint16Array;
  /** Pages by number less one. Sizes are micro-shares in doubles, exact to 9 billion shares. */
  pages: Float64Array;
  pageCount: number;
  /** JSON of the levels of each page as the book hash writes them, by outcome; "" when it has to be written anew. */
  readonly texts: [string[] | null, string[] | null];
  /** The same of whole sides as a snapshot of one outcome brought it, until a level of the side changes. */
  given: { readonly outcome: 0 | 1; bids: string | null; asks: string | null } | null;
};

/** A ladder of slots 0 .. top. */
export function createLadder(top: number): Ladder {
  return {
    pageOf: new Uint16Array(2 * ((top >>> slotBits) + 1)),
    pages: new Float64Array(firstPages * pageNumbers),
    pageCount: 0,
    texts: [null, null],
    given: null,
  };
}

export function clearLadder(ladder: Ladder): void {
  ladder.pageOf.fill(0);
  ladder.pages.fill(0, 0, ladder.pageCount * pageNumbers);
  ladder.pageCount = 0;
  ladder.texts[0] = null;
  ladder.texts[1] = null;
  ladder.given = null;
}

/** Where a slot's page stands in `pageOf`. */
function pageIndex(ladder: Ladder, isBid: boolean, slot: number): number {
  return (slot >>> slotBits) + (isBid ? 0 : ladder.pageOf.length >>> 1);
}

/** Sets the size at a slot; 0 empties it. */
export function setSlot(ladder: Ladder, isBid: boolean, slot: number, size: number): void {
  const index = pageIndex(ladder, isBid, slot);
  let page = ladder.pageOf[index] ?? 0;
  if (page === 0) {
    if (size === 0) return;
    page = addPage(ladder, index);
  }
  const { pages, texts } = ladder;
  const base = (page - 1) * pageNumbers;
  const bit = 1 << (slot & slotMask);
  const filled = pages[base] ?? 0;
  pages[base] = (size === 0 ? filled & ~bit : filled | bit) >>> 0;
  pages[base + 1 + (slot & slotMask)] = size;
  if (texts[0] !== null) texts[0][page] = "";
  if (texts[1] !== null) texts[1][page] = "";
  if (ladder.given === null) return;
  if (isBid) ladder.given.bids = null;
  else ladder.given.asks = null;
}

function addPage(ladder: Ladder, index: number): number {
  const page = ++ladder.pageCount;
  if (page * pageNumbers > ladder.pages.length) {
    const wider = new Float64Array(2 * ladder.pages.length);
    wider.set(ladder.pages);
    ladder.pages = wider;
  }
  ladder.pageOf[index] = page;
  return page;
}

/** Size at a slot, 0 when it is empty. */
export function sizeAt(ladder: Ladder, isBid: boolean, slot: number): number {
  const page = ladder.pageOf[pageIndex(ladder, isBid, slot)] ?? 0;
  if (page === 0) return 0;
  return ladder.pages[(page - 1) * pageNumbers + 1 + (slot & slotMask)] ?? 0;
}

/** The highest filled slot below this one, 0 when there is none. */
export function filledBelow(ladder: Ladder, isBid: boolean, slot: number): number {
  const lowest = pageIndex(ladder, isBid, 0);
  let index = pageIndex(ladder, isBid, slot);
  let wanted = (1 << (slot & slotMask)) - 1;
  for (; index >= lowest; index--, wanted = -1) {
    const page = ladder.pageOf[index] ?? 0;
    if (page === 0) continue;
    const filled = (ladder.pages[(page - 1) * pageNumbers] ?? 0) & wanted;
    if (filled !== 0) return ((index - lowest) << slotBits) + 31 - Math.clz32(filled);
  }
  return 0;
}

/** The lowest filled slot above this one, `top` when there is none. */
export function filledAbove(ladder: Ladder, isBid: boolean, slot: number, top: number): number {
  const lowest = pageIndex(ladder, isBid, 0);
  const highest = pageIndex(ladder, isBid, top);
  let index = pageIndex(ladder, isBid, slot);
  // Shifted twice: by 32 at once would be by nothing.
  let wanted = (-1 << (slot & slotMask)) << 1;
  for (; index <= highest; index++, wanted = -1) {
    const page = ladder.pageOf[index] ?? 0;
    if (page === 0) continue;
    const filled = (ladder.pages[(page - 1) * pageNumbers] ?? 0) & wanted;
    if (filled !== 0) return ((index - lowest) << slotBits) + 31 - Math.clz32(filled & -filled);
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
  const half = ladder.pageOf.length >>> 1;
  const texts = (ladder.texts[outcome] ??= []);
  const parts: string[] = [];
  for (let i = 0; i < half; i++) {
    const index = isBid ? i : half - 1 - i;
    const page = ladder.pageOf[isBid ? index : half + index] ?? 0;
    if (page === 0 || ladder.pages[(page - 1) * pageNumbers] === 0) continue;
    let text = texts[page] ?? "";
    if (text === "") {
      const first = (index << slotBits) * step;
      text =
        outcome === 0
          ? pageText(ladder, page, isBid, first, step)
          : pageText(ladder, page, isBid, priceOne - first, -step);
      // Filled in order: a gap would turn the array into a dictionary.
      while (texts.length <= ladder.pageCount) texts.push("");
      texts[page] = text;
    }
    parts.push(text);
  }
  return parts.join(",");
}

/** The levels of a page whose slots have the prices first, first + move, first + 2 * move ... */
function pageText(
  ladder: Ladder,
  page: number,
  isBid: boolean,
  first: number,
  move: number,
): string {
  const base = (page - 1) * pageNumbers;
  let filled = ladder.pages[base] ?? 0;
  const levels: string[] = [];
  while (filled !== 0) {
    const place = 31 - Math.clz32(isBid ? filled & -filled : filled);
    filled &= ~(1 << place);
    levels.push(levelText(first + place * move, ladder.pages[base + 1 + place] ?? 0));
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
