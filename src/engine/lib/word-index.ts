import { typosBetween } from "./words.ts";

/** Words that are compared for a suggestion at most; a vocabulary beyond that is not searched to its end. */
const maxCompared = 200_000;
const shortWord = 4;
/** Newer words are merged into the others when there are so many, and one for this many older ones. */
const freshLeast = 1_024;
const freshPart = 16;

/** Which documents (small integers that the owner gives and takes back) hold which words, by word and by beginning. */
export class WordIndex {
  readonly #documents = new Map<string, number[]>();
  /** Known words in order, and the newer ones in an order of their own until they are many. Some may be gone. */
  #sorted = new SortedWords([]);
  #fresh: string[] = [];
  #sortedFresh: SortedWords | null = null;

  get wordCount(): number {
    return this.#documents.size;
  }

  /** `words` of one document, each once. */
  add(document: number, words: Iterable<string>): void {
    for (const word of words) {
      const list = this.#documents.get(word);
      if (list !== undefined) list.push(document);
      else {
        this.#documents.set(word, [document]);
        this.#fresh.push(word);
        this.#sortedFresh = null;
      }
    }
    // Here and not in a search: whoever adds thousands of documents has the time.
    if (this.#fresh.length > freshLeast + this.#sorted.words.length / freshPart) this.#merge();
  }

  /** With exactly the words that it was added with. */
  remove(document: number, words: Iterable<string>): void {
    for (const word of words) {
      const list = this.#documents.get(word);
      const at = list?.indexOf(document) ?? -1;
      if (list === undefined || at < 0) continue;
      const last = list.pop();
      if (last !== undefined && at < list.length) list[at] = last;
      if (list.length === 0) this.#documents.delete(word);
    }
  }

  /** Documents with this word, in no order. */
  documentsOf(word: string): readonly number[] {
    return this.#documents.get(word) ?? [];
  }

  /** Calls `visit` with the documents of every word that begins so and is longer. */
  visitLonger(beginning: string, visit: (documents: readonly number[]) => void): void {
    for (const { words } of this.#parts()) {
      for (let i = firstFrom(words, beginning); i < words.length; i++) {
        const word = words[i] ?? "";
        if (!word.startsWith(beginning)) break;
        const documents = word === beginning ? undefined : this.#documents.get(word);
        if (documents !== undefined) visit(documents);
      }
    }
  }

  /**
   * The known word that a mistyped one stands for most likely: fewest typos, then the most common, then the first; null
   * for none.
   */
  nearest(mistyped: string): string | null {
    const most = mistyped.length <= shortWord ? 1 : 2;
    if (mistyped.length < shortWord - 1) return null;
    let best: { readonly word: string; readonly typos: number; readonly count: number } | null =
      null;
    for (const part of this.#parts()) {
      for (const word of part.alike(mistyped, most)) {
        const bound = best?.typos ?? most;
        const typos = typosBetween(mistyped, word, bound);
        const count = this.#documents.get(word)?.length ?? 0;
        if (typos > bound || count === 0) continue;
        const isBetter =
          best === null ||
          typos < best.typos ||
          count > best.count ||
          (count === best.count && word < best.word);
        if (isBetter) best = { word, typos, count };
      }
    }
    return best?.word ?? null;
  }

  #parts(): readonly SortedWords[] {
    this.#sortedFresh ??= new SortedWords(this.#distinctFresh());
    return [this.#sorted, this.#sortedFresh];
  }

  #merge(): void {
    const known = this.#sorted.words.filter((word) => this.#documents.has(word));
    this.#sorted = new SortedWords(merged(known, this.#distinctFresh()));
    this.#fresh = [];
    this.#sortedFresh = null;
  }

  /** In order and each once. A word that had gone and came back may stand among the older ones too: that is where it stays. */
  #distinctFresh(): string[] {
    const { words } = this.#sorted;
    const isNew = (word: string) => words[firstFrom(words, word)] !== word;
    return [...new Set(this.#fresh)].filter(isNew).sort();
  }
}

/** Words in order, and what rules most of them out as a typing error's origin without comparing letters one by one. */
class SortedWords {
  readonly words: readonly string[];
  #letters: Int32Array | null = null;

  constructor(words: readonly string[]) {
    this.words = words;
  }

  /** Words that may be `typos` away: as long as that allows, with as few other letters. */
  *alike(mistyped: string, typos: number): Generator<string> {
    const { words } = this;
    this.#letters ??= Int32Array.from(words.slice(0, maxCompared), lettersOf);
    const wanted = lettersOf(mistyped);
    for (let i = 0; i < this.#letters.length; i++) {
      const letters = this.#letters[i] ?? 0;
      // A typing error brings one strange letter at most, or leaves one out, or both.
      if (bitCount(letters & ~wanted) > typos || bitCount(wanted & ~letters) > typos) continue;
      const word = words[i] ?? "";
      if (Math.abs(word.length - mistyped.length) <= typos) yield word;
    }
  }
}

/** Which letters a word has, in 32 classes. */
function lettersOf(word: string): number {
  let letters = 0;
  for (let i = 0; i < word.length; i++) letters |= 1 << (word.charCodeAt(i) & 31);
  return letters;
}

function bitCount(bits: number): number {
  const pairs = bits - ((bits >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

function merged(a: readonly string[], b: readonly string[]): string[] {
  const all: string[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const x = a[i];
    const y = b[j];
    if (y === undefined || (x !== undefined && x <= y)) {
      all.push(x ?? "");
      i++;
      if (x === y) j++;
    } else {
      all.push(y);
      j++;
    }
  }
  return all;
}

/** Index of the first word that is not before `beginning`. */
function firstFrom(words: readonly string[], beginning: string): number {
  let low = 0;
  let high = words.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((words[middle] ?? "") < beginning) low = middle + 1;
    else high = middle;
  }
  return low;
}
