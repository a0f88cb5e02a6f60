import type { WatchedMarket } from "../../engine/ports/market-data.ts";
import { TextBytes, unread } from "./text-bytes.ts";
import { conditionIdOf, tokenIdOf } from "./wire.ts";

const wordBytes = 8;
const conditionIdBytes = 66;
/** The first "0x" is the same everywhere; the eight digits behind it tell nearly all markets apart. */
const hashedFrom = 2;
const minTokenBytes = 8;
const maxTokenBytes = 80;
const minSlots = 64;
const quote = 0x22;

/** Words of one market: its id, the two token ids, their lengths. Four cache lines that are read in a row. */
const wordsPerMarket = 32;
const tokenWords = [9, 19] as const;
const lengthWords = [29, 30] as const;

/**
 * Markets that frames may speak of, each with a dense number, found by the bytes of their ids: the text that the engine
 * holds already comes back, so that no frame makes a string of 78 digits and comparisons are by pointer. Every byte is
 * compared: two ids that differ anywhere are two ids.
 */
export class KnownMarkets {
  readonly #known = new Map<string, WatchedMarket>();
  /** Market id and token ids of each market. */
  #texts: string[] = [];
  /** The bytes of each id as 64-bit words; the last one ends with the id and may overlap the one before. */
  #words = new Float64Array((minSlots / 2) * wordsPerMarket);
  /** Open addressing over the hash of the id: number of the market + 1, 0 for an empty slot. Half full at most. */
  #table = new Int32Array(minSlots);
  readonly #scratch = new TextBytes(maxTokenBytes);

  /** Ids in another form than the engine's would be met where the simple way refuses or rewrites them: left to it. */
  add(market: WatchedMarket): void {
    const { conditionId, tokenIds } = market;
    if (this.#known.has(conditionId) || conditionIdOf(conditionId) !== conditionId) return;
    if (conditionId.length !== conditionIdBytes || !tokenIds.every(isOrdinary)) return;
    this.#known.set(conditionId, market);
    if (this.#known.size * 2 > this.#table.length) this.#rebuild(this.#table.length * 2);
    else this.#place(market);
  }

  remove(conditionIds: readonly string[]): void {
    let removed = false;
    for (const conditionId of conditionIds) {
      if (this.#known.delete(conditionId)) removed = true;
    }
    if (removed) this.#rebuild(this.#table.length);
  }

  /** Number of the market whose id is written at this place, `bytes.end` behind its quote; unread when none is known. */
  find(bytes: TextBytes, at: number): number {
    const table = this.#table;
    const last = table.length - 1;
    for (let slot = hashAt(bytes, at) & last; ; slot = (slot + 1) & last) {
      const market = (table[slot] ?? 0) - 1;
      if (market < 0) return unread;
      if (this.#isAt(market * wordsPerMarket, conditionIdBytes, bytes, at)) return market;
    }
  }

  /** Which token of the market is written at this place, `bytes.end` behind its quote; unread for any other. */
  token(market: number, bytes: TextBytes, at: number): 0 | 1 | typeof unread {
    const base = market * wordsPerMarket;
    const words = this.#words;
    if (this.#isAt(base + tokenWords[0], words[base + lengthWords[0]] ?? 0, bytes, at)) return 0;
    if (this.#isAt(base + tokenWords[1], words[base + lengthWords[1]] ?? 0, bytes, at)) return 1;
    return unread;
  }

  conditionId(market: number): string {
    return this.#texts[3 * market] ?? "";
  }

  tokenId(market: number, outcome: 0 | 1): string {
    return this.#texts[3 * market + 1 + outcome] ?? "";
  }

  #isAt(from: number, length: number, bytes: TextBytes, at: number): boolean {
    const words = this.#words;
    const tail = length - wordBytes;
    let word = from;
    for (let offset = 0; offset < tail; offset += wordBytes) {
      if (words[word++] !== bytes.word(at + offset)) return false;
    }
    bytes.end = at + length + 1;
    return words[word] === bytes.word(at + tail) && bytes.byte(at + length) === quote;
  }

  #rebuild(slots: number): void {
    this.#texts = [];
    this.#words = new Float64Array((slots / 2) * wordsPerMarket);
    this.#table = new Int32Array(slots);
    for (const market of this.#known.values()) this.#place(market);
  }

  #place({ conditionId, tokenIds }: WatchedMarket): void {
    const market = this.#texts.length / 3;
    this.#texts.push(conditionId, ...tokenIds);
    const base = market * wordsPerMarket;
    for (const outcome of [0, 1] as const) {
      this.#write(base + tokenWords[outcome], tokenIds[outcome]);
      this.#words[base + lengthWords[outcome]] = tokenIds[outcome].length;
    }
    this.#write(base, conditionId);
    const last = this.#table.length - 1;
    let slot = hashAt(this.#scratch, 0) & last;
    while (this.#table[slot] !== 0) slot = (slot + 1) & last;
    this.#table[slot] = market + 1;
  }

  #write(from: number, text: string): void {
    const bytes = this.#scratch;
    bytes.load(Buffer.from(text, "latin1"));
    const tail = text.length - wordBytes;
    let word = from;
    for (let offset = 0; offset < tail; offset += wordBytes) {
      this.#words[word++] = bytes.word(offset);
    }
    this.#words[word] = bytes.word(tail);
  }
}

function isOrdinary(tokenId: string): boolean {
  const { length } = tokenId;
  return length >= minTokenBytes && length <= maxTokenBytes && tokenIdOf(tokenId) === tokenId;
}

function hashAt(bytes: TextBytes, at: number): number {
  const mixed =
    Math.imul(bytes.half(at + hashedFrom), 0x9e3779b1) ^
    Math.imul(bytes.half(at + hashedFrom + 4), 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}
