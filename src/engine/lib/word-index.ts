import { typosBetween } from "./words.ts";

/** Words that are compared for a suggestion at most; a vocabulary beyond that is not searched to its end. */
const maxCompared = 200_000;
const shortWord = 4;

/** Which documents (small integers that the owner gives and takes back) hold which words, by word and by beginning. */
export class WordIndex {
  readonly #documents = new Map<string, number[]>();
  /** Known words in order; newer ones are merged in when the order is next asked for. */
  #sorted: string[] = [];
  #fresh: string[] = [];

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
      }
    }
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
    const words = this.#inOrder();
    for (let i = firstFrom(words, beginning); i < words.length; i++) {
      const word = words[i] ?? "";
      if (!word.startsWith(beginning)) return;
      const documents = word === beginning ? undefined : this.#documents.get(word);
      if (documents !== undefined) visit(documents);
    }
  }

  /** The known word that a mistyped one stands for most likely: fewest typos, then the most common; null for none. */
  nearest(mistyped: string): string | null {
    const most = mistyped.length <= shortWord ? 1 : 2;
    if (mistyped.length < shortWord - 1) return null;
    let best: { readonly word: string; readonly typos: number; readonly count: number } | null =
      null;
    for (const word of this.#inOrder().slice(0, maxCompared)) {
      const bound = best?.typos ?? most;
      const typos = typosBetween(mistyped, word, bound);
      const count = this.#documents.get(word)?.length ?? 0;
      if (typos > bound || count === 0) continue;
      if (best === null || typos < best.typos || count > best.count) best = { word, typos, count };
    }
    return best?.word ?? null;
  }

  #inOrder(): readonly string[] {
    if (this.#fresh.length > 0) {
      // A word may have gone and come back meanwhile: it stands once.
      const fresh = [...new Set(this.#fresh)].sort();
      const known = this.#sorted.filter((word) => this.#documents.has(word));
      this.#sorted = merged(known, fresh);
      this.#fresh = [];
    }
    return this.#sorted;
  }
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
