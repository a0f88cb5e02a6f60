import { wordBytes } from "./packed-text.ts";

/** Markets that a block can number; frames of more are kept as texts. */
export const marketsMax = 65_535;
/** Characters of an id that is kept as one: a condition id has 66, a token id up to 78. */
export const idCharsMax = 96;
const idCharsMin = wordBytes;
const slotCount = 1 << 18;
const quote = 0x22;
const idWords = idCharsMax / wordBytes;
/** Of one market: three lengths and a spare, then condition id, token 0 and token 1. Flat, so that a look costs few cache lines. */
const lineWords = 4 + 3 * idWords + 4;
const linesAtFirst = 1_024;

/** The bytes in which ids are looked for, both ways to look at them from the same start. */
export type IdSource = { readonly bytes: Uint8Array; readonly view: DataView };

/** Finds markets by the bytes of their ids without making a text of them, and numbers them anew in each block. */
export class MarketTable {
  #slots = new Int32Array(slotCount);
  #lines = new Int32Array(linesAtFirst * lineWords);
  /** Number of the block that named a market last, and its place there. */
  #blocks = new Int32Array(linesAtFirst);
  #places = new Int32Array(linesAtFirst);
  #known = 0;
  #block = 1;
  /** Line of each place of the block. */
  readonly #ofBlock = new Uint16Array(marketsMax);
  #count = 0;

  startBlock(): void {
    this.#block++;
    this.#count = 0;
    // Markets come and go; a table that is full has forgotten nothing that a later block needs.
    if (this.#known < marketsMax) return;
    this.#slots.fill(0);
    this.#blocks.fill(0);
    this.#known = 0;
  }

  /** Place of the market with this id in this block, or -1 when it is no id or there is no room. */
  placeOf({ bytes, view }: IdSource, from: number, to: number): number {
    if (to - from < idCharsMin) return -1;
    const line = this.#find(bytes, view, from, to);
    if (line < 0) return -1;
    if (this.#blocks[line] !== this.#block) {
      this.#blocks[line] = this.#block;
      this.#places[line] = this.#count;
      this.#ofBlock[this.#count++] = line;
    }
    return this.#places[line] ?? -1;
  }

  /** Characters of the id of token 0 or 1; 0 while it is not known. */
  tokenLength(place: number, token: number): number {
    return this.#lines[(this.#ofBlock[place] ?? 0) * lineWords + 1 + token] ?? 0;
  }

  /** The token of this market that stands here with a quote behind it: 0 or 1, or -1 when none that is known does. */
  tokenAt(place: number, { bytes, view }: IdSource, at: number, end: number): number {
    const line = (this.#ofBlock[place] ?? 0) * lineWords;
    for (let token = 0; token < 2; token++) {
      const length = this.#lines[line + 1 + token] ?? 0;
      if (length === 0) return -1;
      if (at + length >= end || bytes[at + length] !== quote) continue;
      if (this.#isHere(line + 4 + (1 + token) * idWords, length, view, at)) return token;
    }
    return -1;
  }

  /** Notes a token that was not known; -1 when it is no id or the market has two already. */
  addToken(place: number, { view }: IdSource, from: number, to: number): number {
    const line = (this.#ofBlock[place] ?? 0) * lineWords;
    const token = this.#lines[line + 1] === 0 ? 0 : 1;
    if (to - from < idCharsMin || this.#lines[line + 1 + token] !== 0) return -1;
    this.#keep(line, 1 + token, { view, from, to });
    return token;
  }

  /** One line a market of the block: condition id and the tokens that were named, tabs between. */
  lines(): Buffer {
    const lines: string[] = [];
    for (let place = 0; place < this.#count; place++) {
      const line = (this.#ofBlock[place] ?? 0) * lineWords;
      const ids = [0, 1, 2].map((id) => this.#text(line, id)).filter((id) => id !== "");
      lines.push(ids.join("\t"));
    }
    return Buffer.from(lines.join("\n"), "latin1");
  }

  #text(line: number, id: number): string {
    const length = this.#lines[line + id] ?? 0;
    const bytes = Buffer.alloc(length);
    const from = line + 4 + id * idWords;
    for (let i = 0; i * wordBytes < length; i++) {
      const at = Math.min(i * wordBytes, length - wordBytes);
      bytes.writeInt32LE(this.#lines[from + i] ?? 0, at);
    }
    return bytes.toString("latin1");
  }

  #find(bytes: Uint8Array, view: DataView, from: number, to: number): number {
    let slot = hashOf(bytes, from, to) & (slotCount - 1);
    for (;;) {
      const at = this.#slots[slot] ?? 0;
      if (at === 0) break;
      const line = (at - 1) * lineWords;
      if (this.#lines[line] === to - from && this.#isHere(line + 4, to - from, view, from)) {
        return at - 1;
      }
      slot = (slot + 1) & (slotCount - 1);
    }
    if (this.#known === marketsMax) return -1;
    if ((this.#known + 1) * lineWords > this.#lines.length) this.#grow();
    const added = this.#known++;
    this.#lines.fill(0, added * lineWords, (added + 1) * lineWords);
    this.#keep(added * lineWords, 0, { view, from, to });
    this.#slots[slot] = added + 1;
    return added;
  }

  #keep(line: number, id: number, where: { view: DataView; from: number; to: number }): void {
    const { view, from, to } = where;
    const length = to - from;
    this.#lines[line + id] = length;
    for (let i = 0; i * wordBytes < length; i++) {
      const at = Math.min(i * wordBytes, length - wordBytes);
      this.#lines[line + 4 + id * idWords + i] = view.getInt32(from + at, true);
    }
  }

  /** The kept id, word by word; the last word ends with the id and may overlap the one before. */
  #isHere(kept: number, length: number, view: DataView, at: number): boolean {
    const lines = this.#lines;
    const last = at + length - wordBytes;
    let word = kept;
    for (; at < last; at += wordBytes, word++) {
      if (view.getInt32(at, true) !== lines[word]) return false;
    }
    return view.getInt32(last, true) === lines[word];
  }

  #grow(): void {
    const grown = (from: Int32Array): Int32Array<ArrayBuffer> => {
      const to = new Int32Array(2 * from.length);
      to.set(from);
      return to;
    };
    this.#lines = grown(this.#lines);
    this.#blocks = grown(this.#blocks);
    this.#places = grown(this.#places);
  }
}

/** Ids are digits of hashes: eight of them spread well. */
function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let at = Math.max(from, to - 8); at < to; at++) {
    hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  }
  return hash ^ (hash >>> 15);
}

/** A market of a block as its lines name it. */
export type BlockMarket = {
  readonly conditionId: string;
  readonly tokenIds: readonly string[];
};

export function marketsOfLines(bytes: Buffer): readonly BlockMarket[] {
  if (bytes.length === 0) return [];
  return bytes
    .toString("latin1")
    .split("\n")
    .map((line) => {
      const [conditionId = "", ...tokenIds] = line.split("\t");
      return { conditionId, tokenIds };
    });
}
