import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Market } from "../../../src/engine/domain/market.ts";
import { wordsOf } from "../../../src/engine/lib/words.ts";
import type { ListedMarket } from "../../../src/engine/protocol/venue-report.ts";
import { MarketDirectory } from "../../../src/engine/runtime/market-directory.ts";
import { marketOf } from "../support/markets.ts";

function listed(n: number, over: Partial<Market> = {}, rest: Partial<ListedMarket> = {}) {
  const market: Market = { ...marketOf(n), groupItemTitle: "", groupTitle: null, ...over };
  return {
    market,
    eventSlug: `event-${n}`,
    tags: [],
    liquidityUsd: 0,
    bid: null,
    ask: null,
    ...rest,
  };
}

function directoryOf(...all: ListedMarket[]): MarketDirectory {
  const directory = new MarketDirectory(10_000);
  directory.put(all, [], 1);
  return directory;
}

const slugs = (markets: readonly Market[]) => markets.map((market) => market.slug);

describe("a search", () => {
  const fed = { question: "Fed cuts rates in December?", slug: "fed-cuts-december", volumeUsd: 10 };

  test("finds by every word, by beginnings, without accents and order of words", () => {
    const directory = directoryOf(
      listed(1, fed),
      listed(2, { question: "Will Mbappé score?", slug: "mbappe-scores", volumeUsd: 20 }),
    );
    for (const query of ["fed december", "DECEMBER fed", "cut dec", "fed-cuts-december"]) {
      expect(slugs(directory.search(query, 5).markets)).toEqual(["fed-cuts-december"]);
    }
    expect(slugs(directory.search("mbappe", 5).markets)).toEqual(["mbappe-scores"]);
    expect(directory.search("fed mbappe", 5)).toEqual({ markets: [], didYouMean: null });
    expect(directory.search("?!", 5)).toEqual({ markets: [], didYouMean: null });
  });

  test("the exact slug stands first, then the words in a row, then whole words, then volume", () => {
    const directory = directoryOf(
      listed(1, { question: "Rates: will the Fed cut?", slug: "a", volumeUsd: 900 }),
      listed(2, { question: "Fed rates, higher?", slug: "b", volumeUsd: 5 }),
      listed(3, { question: "Fedora ratesheet?", slug: "c", volumeUsd: 5_000 }),
      listed(4, { question: "Something else", slug: "fed-rates", volumeUsd: 1 }),
      listed(5, { question: "Rates and the Fed", slug: "d", volumeUsd: 800 }),
    );
    expect(slugs(directory.search("fed rates", 9).markets)).toEqual([
      "fed-rates",
      "b",
      "a",
      "d",
      "c",
    ]);
    expect(slugs(directory.search("fed rates", 2).markets)).toEqual(["fed-rates", "b"]);
  });

  test("a slug of any length is the exact one", () => {
    const long = Array.from({ length: 20 }, (_, i) => `word${i}`);
    const directory = directoryOf(
      listed(1, { question: long.join(" "), slug: `${long.join("-")}-again`, volumeUsd: 9 }),
      listed(2, { question: "A", slug: long.join("-"), volumeUsd: 1 }),
    );
    expect(slugs(directory.search(long.join("-"), 2).markets)[0]).toBe(long.join("-"));
  });

  test("equal ones are ordered by liquidity, then by the nearer end, then by name", () => {
    const same = { question: "Storm?", volumeUsd: 7 };
    const directory = directoryOf(
      listed(1, { ...same, slug: "d", endAtMs: null }),
      listed(2, { ...same, slug: "c", endAtMs: 2_000 }),
      listed(3, { ...same, slug: "b", endAtMs: 1_000 }),
      listed(4, { ...same, slug: "a", endAtMs: null }),
      listed(5, { ...same, slug: "e", endAtMs: null }, { liquidityUsd: 1 }),
      listed(6, { ...same, slug: "f", endAtMs: 1, tradable: false }, { liquidityUsd: 9 }),
    );
    expect(slugs(directory.search("storm", 9).markets)).toEqual(["e", "b", "c", "a", "d", "f"]);
  });

  test("a mistyped word is not guessed: the right one is offered", () => {
    const directory = directoryOf(listed(1, fed), listed(2, { question: "Fed chair?" }));
    expect(directory.search("fed decmber", 5)).toEqual({
      markets: [],
      didYouMean: "fed december",
    });
    expect(directory.search("fde decmber", 5).didYouMean).toBe("fed december");
    expect(directory.search("fed zzzzzzz", 5).didYouMean).toBeNull();
  });

  test("a tag finds its markets, alone and among words", () => {
    const crypto = { tags: ["crypto", "up-or-down"] };
    const directory = directoryOf(
      listed(1, { question: "Bitcoin?", slug: "btc", volumeUsd: 1 }, crypto),
      listed(2, { question: "Crypto bill passes?", slug: "bill", volumeUsd: 0 }),
      listed(3, { question: "Bitcoin in a bill?", slug: "both", volumeUsd: 2 }),
    );
    expect(slugs(directory.byTag("Crypto", 5))).toEqual(["btc"]);
    expect(slugs(directory.search("crypto bitcoin", 5).markets)).toEqual(["btc"]);
    // The word itself counts for more than the tag.
    expect(slugs(directory.search("crypto", 5).markets)).toEqual(["bill", "btc"]);
  });
});

describe("what comes and goes", () => {
  test("an edited text is found by its new words and no more by its old ones; rules are compared", () => {
    const directory = directoryOf(listed(1, { question: "Old words?", ruleHash: "h1" }));
    const renewed = listed(1, { question: "New words?", ruleHash: "h2" });
    const change = { conditionId: renewed.market.conditionId, from: "h1", to: "h2" };
    expect(directory.put([renewed], [], 2)).toEqual([change]);
    expect(directory.put([renewed], [], 2)).toEqual([]);
    expect(directory.search("old", 5).markets).toEqual([]);
    expect(directory.search("new words", 5).markets).toEqual([renewed.market]);
    expect(directory.size).toBe(1);
  });

  test("figures that change all the time change only the order", () => {
    const first = listed(1, { question: "Storm one?", slug: "one", volumeUsd: 1 });
    const directory = directoryOf(
      first,
      listed(2, { question: "Storm?", slug: "two", volumeUsd: 2 }),
    );
    expect(slugs(directory.search("storm", 5).markets)).toEqual(["two", "one"]);
    directory.put([{ ...first, market: { ...first.market, volumeUsd: 3 } }], [], 1);
    expect(directory.search("storm", 5).markets[0]).toMatchObject({ slug: "one", volumeUsd: 3 });
  });

  test("what a crawl did not see is gone, its group with its last market", () => {
    const directory = new MarketDirectory(10);
    const groupOf = (groupId: string, conditionIds: string[]) => {
      const base = { groupId, slug: groupId, title: "", negRisk: true, augmented: false };
      return { ...base, conditionIds };
    };
    const [a, b] = [listed(1, { groupId: "g" }), listed(2, { groupId: "h" })];
    const groups = [groupOf("g", [a.market.conditionId]), groupOf("h", [b.market.conditionId])];
    directory.put([a, b], groups, 1);
    directory.put([b], [], 2);
    expect(directory.sweep(2)).toBe(1);
    expect([directory.get(a.market.conditionId), directory.bySlug(a.market.slug)]).toEqual([
      null,
      null,
    ]);
    expect(directory.groupsOf([a.market, b.market])).toEqual([groups[1]]);
    directory.drop(b.market.conditionId);
    expect([directory.size, directory.wordCount]).toEqual([0, 0]);
  });

  test("a full directory takes no more and counts what it left out (P11)", () => {
    const directory = new MarketDirectory(2);
    directory.put([listed(1), listed(2), listed(3)], [], 1);
    expect([directory.size, directory.leftOut]).toEqual([2, 1]);
    directory.put([listed(2, { question: "Renewed?" })], [], 1);
    expect(directory.search("renewed", 5).markets).toHaveLength(1);
  });
});

describe("beside a walk through all markets", () => {
  const pool = ["fed", "federal", "rate", "rates", "cut", "storm", "stormy", "2027"];
  const market = fc.record({
    n: fc.integer({ min: 1, max: 12 }),
    words: fc.array(fc.constantFrom(...pool), { minLength: 1, maxLength: 4 }),
    volumeUsd: fc.nat(3),
    liquidityUsd: fc.nat(2),
    tradable: fc.boolean(),
    tag: fc.constantFrom("fed", "weather"),
  });

  /** The same rules over the plain list, written again. */
  function walk(all: readonly ListedMarket[], query: string): string[] {
    const words = [...new Set(wordsOf(query))];
    const hits = all.flatMap(({ market: one, tags, liquidityUsd, eventSlug }) => {
      const own = wordsOf(`${one.question} ${one.slug}`);
      const has = (word: string) => own.some((w) => w.startsWith(word)) || tags.includes(word);
      if (!words.every(has)) return [];
      const phrase = wordsOf(query).join(" ");
      const isNamed = [one.slug, eventSlug].includes(phrase.replaceAll(" ", "-"));
      const inARow = ` ${own.join(" ")}`.includes(` ${phrase}`);
      const whole = words.filter((word) => own.includes(word)).length;
      const fit = whole + (isNamed ? 1_000 : inARow ? 100 : 0);
      return [
        { key: [-fit, one.tradable ? 0 : 1, -(one.volumeUsd ?? 0), -(liquidityUsd ?? 0)], one },
      ];
    });
    hits.sort((a, b) => {
      const at = a.key.findIndex((value, i) => value !== b.key[i]);
      if (at >= 0) return (a.key[at] ?? 0) - (b.key[at] ?? 0);
      return a.one.slug < b.one.slug ? -1 : 1;
    });
    return hits.map(({ one }) => one.slug);
  }

  test("the index gives the same markets in the same order, after any sequence of changes", () => {
    const query = fc.array(fc.constantFrom(...pool, "f", "ra", "sto"), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(fc.array(market), fc.array(query, { minLength: 1 }), (steps, queries) => {
        const directory = new MarketDirectory(1_000);
        const all = new Map<number, ListedMarket>();
        for (const { n, words, volumeUsd, liquidityUsd, tradable, tag } of steps) {
          const over = { question: words.join(" "), slug: `m${n}`, volumeUsd, tradable };
          const one = listed(n, { ...over, endAtMs: null }, { liquidityUsd, tags: [tag] });
          all.set(n, one);
          directory.put([one], [], 1);
        }
        for (const words of queries) {
          const text = words.join(" ");
          expect(slugs(directory.search(text, 100).markets)).toEqual(walk([...all.values()], text));
          const few = slugs(directory.search(text, 2).markets);
          expect(few).toEqual(walk([...all.values()], text).slice(0, 2));
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe("a market that was read by itself", () => {
  test("is renewed where it is listed, taken out when it is over, and never listed by that alone", () => {
    const first = listed(1, { question: "Storm?", ruleHash: "h1" });
    const directory = directoryOf(first);
    directory.renew(listed(1, { question: "Storm?", ruleHash: "h2" }));
    expect(directory.get(first.market.conditionId)?.ruleHash).toBe("h2");
    expect(directory.sweep(1)).toBe(0);
    directory.renew(listed(2));
    expect(directory.size).toBe(1);
    directory.renew(listed(1, { winner: 0 }));
    expect(directory.size).toBe(0);
  });
});

test("an event's markets stand in the order of its group, whatever was traded", () => {
  const of = (n: number, volumeUsd: number) =>
    listed(n, { groupId: "g", slug: `m${n}`, volumeUsd }, { eventSlug: "race" });
  const all = [of(1, 5), of(2, 9), of(3, 7)];
  const directory = new MarketDirectory(10);
  const conditionIds = [3, 1, 2].map((n) => marketOf(n).conditionId);
  const base = { groupId: "g", slug: "race", title: "", negRisk: true, augmented: false };
  directory.put(all, [{ ...base, conditionIds }], 1);
  expect(slugs(directory.byEvent("race", 9))).toEqual(["m3", "m1", "m2"]);
  expect(slugs(directory.byEvent("race", 2))).toEqual(["m3", "m1"]);
  expect(directory.byEvent("other", 9)).toEqual([]);
});
