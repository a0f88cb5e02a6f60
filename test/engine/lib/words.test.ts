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

  test("of equally near words the more common one is meant; short ones are not guessed", () => {
    const index = new WordIndex();
    index.add(1, ["trump", "tramp", "to"]);
    index.add(2, ["trump"]);
    expect(index.nearest("trunp")).toBe("trump");
    expect(index.nearest("tp")).toBeNull();
    expect(index.nearest("zzzzzz")).toBeNull();
  });
});
