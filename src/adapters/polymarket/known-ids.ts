import { TextBytes } from "./text-bytes.ts";

const wordBytes = 8;
/** 78 digits of a token id; a condition id has 66 characters. */
const maxIdBytes = 80;
const wordsPerId = maxIdBytes / wordBytes;
/** Ids start with "0x" or with random digits: the eight bytes from here tell nearly all of them apart. */
const hashedFrom = 2;
const minIdBytes = hashedFrom + wordBytes;
const minSlots = 64;
const quote = 0x22;

/**
 * Ids that frames may speak of, each with a dense number, found by their bytes: the text that the engine holds already
 * comes back, so that no frame makes a string of 78 digits and comparisons are by pointer. Every byte is compared: two
 * ids that differ anywhere are two ids.
 */
export class KnownIds {
  readonly #known = new Set<string>();
  #texts: string[] = [];
  /** The bytes of each id as 64-bit words; the last one ends with the id and may overlap the one before. */
  #words = new Float64Array(minSlots * wordsPerId);
  /** Open addressing over the hash of the first bytes: number of the id + 1, 0 for an empty slot. Half full at most. */
  #table = new Int32Array(minSlots);
  readonly #scratch = new TextBytes(maxIdBytes);

  /** Ids of another length than the venue's are left out: they are read the slow way. */
  add(text: string): void {
    if (text.length < minIdBytes || text.length > maxIdBytes || this.#known.has(text)) return;
    this.#known.add(text);
    if (this.#known.size * 2 > this.#table.length) this.#rebuild(this.#table.length * 2);
    else this.#place(text);
  }

  remove(texts: readonly string[]): void {
    for (const text of texts) this.#known.delete(text);
    this.#rebuild(this.#table.length);
  }

  /** The id that is written at this place of a frame, with a quote behind it; null for one that is not known. */
  find(bytes: TextBytes, at: number): string | null {
    const table = this.#table;
    const last = table.length - 1;
    for (let slot = hashAt(bytes, at) & last; ; slot = (slot + 1) & last) {
      const id = (table[slot] ?? 0) - 1;
      if (id < 0) return null;
      const text = this.#texts[id] ?? "";
      if (this.#isWritten(id, text.length, bytes, at)) return text;
    }
  }

  #isWritten(id: number, length: number, bytes: TextBytes, at: number): boolean {
    const words = this.#words;
    let word = id * wordsPerId;
    const tail = length - wordBytes;
    for (let offset = 0; offset < tail; offset += wordBytes) {
      if (words[word++] !== bytes.word(at + offset)) return false;
    }
    return words[word] === bytes.word(at + tail) && bytes.byte(at + length) === quote;
  }

  #rebuild(slots: number): void {
    this.#texts = [];
    this.#words = new Float64Array((slots / 2) * wordsPerId);
    this.#table = new Int32Array(slots);
    for (const text of this.#known) this.#place(text);
  }

  #place(text: string): void {
    const id = this.#texts.push(text) - 1;
    const bytes = this.#scratch;
    bytes.load(Buffer.from(text, "latin1"));
    let word = id * wordsPerId;
    const tail = text.length - wordBytes;
    for (let offset = 0; offset < tail; offset += wordBytes)
      this.#words[word++] = bytes.word(offset);
    this.#words[word] = bytes.word(tail);
    const last = this.#table.length - 1;
    let slot = hashAt(bytes, 0) & last;
    while (this.#table[slot] !== 0) slot = (slot + 1) & last;
    this.#table[slot] = id + 1;
  }
}

function hashAt(bytes: TextBytes, at: number): number {
  const mixed =
    Math.imul(bytes.half(at + hashedFrom), 0x9e3779b1) ^
    Math.imul(bytes.half(at + hashedFrom + 4), 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}
