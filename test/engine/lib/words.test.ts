import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WordIndex } from "../../../src/engine/lib/word-index.ts";
import { typosBetween, wordsOf } from "../../../src/engine/lib/words.ts";

describe("words of a text", () => {
  test.each([
    ["Will Bitcoin hit $150k?", ["will", "bitcoin", "hit", "150k"]],
    ["Ballon d'Or 2026", ["ballon", "dor", "2026"]],
    ["Kylian Mbappé — Größe", ["kylian", "mbappe", "große"]],
    ["Ψήφος 2027", ["ψηφος", "2027"]],
    ["  ?!  ", []],
  ])("%s", (text, words) => {
    expect(wordsOf(text)).toEqual(words);
  });
});

describe("typing errors", () => {
  test.each([
    ["trump", "trump", 0],
    ["trupm", "trump", 1],
    ["trmp", "trump", 1],
    ["bitcion", "bitcoin", 1],
    ["electoin", "election", 1],
    ["cat", "dog", 3],
  ])("%s for %s: %d", (a, b, typos) => {
    expect(typosBetween(a, b, 5)).toBe(typos);
    expect(typosBetween(b, a, 5)).toBe(typos);
    expect(typosBetween(a, b, 0)).toBe(typos === 0 ? 0 : 1);
  });
});

describe("the index", () => {
  const word = fc.stringMatching(/^[abc]{1,3}$/);
  const step = fc.record({ document: fc.nat(15), words: fc.array(word, { maxLength: 4 }) });

  test("always finds what a search through all documents finds, whatever came and went", () => {
    fc.assert(
      fc.property(fc.array(step), word, (steps, wanted) => {
        const index = new WordIndex();
        const all = new Map<number, Set<string>>();
        for (const { document, words } of steps) {
          index.remove(document, all.get(document) ?? []);
          all.set(document, new Set(words));
          index.add(document, new Set(words));
          // Asked for meanwhile, so that newer words have to be merged in later.
          index.visitLonger(wanted, () => undefined);
        }
        const having = (fits: (one: string) => boolean) =>
          [...all].filter(([, words]) => [...words].some(fits)).map(([document]) => document);
        const longer = new Set<number>();
        index.visitLonger(wanted, (documents) => documents.forEach((one) => longer.add(one)));
        expect(new Set(index.documentsOf(wanted))).toEqual(
          new Set(having((one) => one === wanted)),
        );
        expect(longer).toEqual(new Set(having((one) => one.startsWith(wanted) && one !== wanted)));
        expect(index.wordCount).toBe(new Set([...all.values()].flatMap((set) => [...set])).size);
      }),
    );
  });

  test("among thousands of words finds what a walk through all of them finds", () => {
    const draw = numbers(7);
    const wordAt = () => Array.from({ length: 2 + draw(6) }, () => "abcdefgh"[draw(8)]).join("");
    const all = Array.from({ length: 900 }, () => new Set(Array.from({ length: 8 }, wordAt)));
    const index = new WordIndex();
    all.forEach((words, document) => {
      index.add(document, words);
      if (document % 100 === 50) index.visitLonger("a", () => undefined);
      // Every seventh goes, and every second of these comes back.
      if (document % 7 === 0) index.remove(document, words);
      if (document % 14 === 0) index.add(document, words);
    });
    const known = new Map<string, number>();
    all.forEach((words, document) => {
      if (document % 7 === 0 && document % 14 !== 0) return;
      for (const word of words) known.set(word, (known.get(word) ?? 0) + 1);
    });
    expect(index.wordCount).toBe(known.size);
    expect(known.size).toBeGreaterThan(4_000);
    const meant = (mistyped: string): string | null => {
      const most = mistyped.length <= 4 ? 1 : 2;
      const near = [...known].flatMap(([word, count]) => {
        const typos = typosBetween(mistyped, word, most);
        return typos > most ? [] : [{ word, count, typos }];
      });
      near.sort((a, b) => a.typos - b.typos || b.count - a.count || (a.word < b.word ? -1 : 1));
      return near[0]?.word ?? null;
    };
    for (let i = 0; i < 60; i++) {
      const mistyped = wordAt() + (i % 3 === 0 ? "zz" : "");
      if (mistyped.length > 2) expect(index.nearest(mistyped)).toBe(meant(mistyped));
      const beginning = mistyped.slice(0, 2);
      let found = 0;
      index.visitLonger(beginning, (documents) => (found += documents.length));
      const longer = [...known].filter(
        ([word]) => word.startsWith(beginning) && word !== beginning,
      );
      expect(found).toBe(longer.reduce((sum, [, count]) => sum + count, 0));
    }
  });

  test("of equally near words the more common one is meant; short ones are not guessed", () => {
    const index = new WordIndex();
    index.add(1, ["trump", "tramp", "to"]);
    index.add(2, ["trump"]);
    expect(index.nearest("trunp")).toBe("trump");
    expect(index.nearest("tp")).toBeNull();
    expect(index.nearest("zzzzzz")).toBeNull();
  });
});

/** Whole numbers below a bound, the same at every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
