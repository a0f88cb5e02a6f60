import type { WordIndex } from "../lib/word-index.ts";

/** Room of one query between the numbers of two others: more words than a query has. */
const step = 16;
const highest = 2_000_000_000;

/** Finds the documents that have every word of a query in time that the documents of those words take, without a set. */
export class MatchMarks {
  /** `#base` + how many words of the running query the document has. Anything lower is of an earlier query. */
  #counts = new Int32Array(1_024);
  #wholes = new Uint8Array(1_024);
  #base = 0;

  /** How many of the words the document has whole; for one that the newest `allOf` found. */
  wholeIn(document: number): number {
    return this.#wholes[document] ?? 0;
  }

  /** Documents that have every word. `tagMark` before a word makes the tag of that name. */
  allOf(index: WordIndex, words: readonly string[], tagMark: string): readonly number[] {
    this.#base += step;
    if (this.#base > highest) {
      this.#counts.fill(0);
      this.#base = step;
    }
    let found: number[] = [];
    words.forEach((word, k) => {
      found = [];
      // The whole word goes first, so that a document that has both counts as having it whole.
      this.#mark(index.documentsOf(word), { k, whole: 1, found });
      this.#mark(index.documentsOf(tagMark + word), { k, whole: 0, found });
      index.visitLonger(word, (documents) => this.#mark(documents, { k, whole: 0, found }));
    });
    return found;
  }

  #mark(
    documents: readonly number[],
    { k, whole, found }: { readonly k: number; readonly whole: number; readonly found: number[] },
  ): void {
    for (const document of documents) {
      if (document >= this.#counts.length) this.#grow(document);
      const count = this.#counts[document] ?? 0;
      const isNext = k === 0 ? count <= this.#base : count === this.#base + k;
      if (!isNext) continue;
      this.#counts[document] = this.#base + k + 1;
      this.#wholes[document] = (k === 0 ? 0 : (this.#wholes[document] ?? 0)) + whole;
      found.push(document);
    }
  }

  #grow(document: number): void {
    const size = Math.max(document + 1, this.#counts.length * 2);
    const counts = new Int32Array(size);
    counts.set(this.#counts);
    const wholes = new Uint8Array(size);
    wholes.set(this.#wholes);
    this.#counts = counts;
    this.#wholes = wholes;
  }
}
