import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { markStale } from "../../../src/engine/domain/market-book.ts";
import type { BookSnapshot } from "../../../src/engine/domain/market-event.ts";
import { levelsOf } from "../../../src/engine/domain/order-book.ts";
import { apply, delta, liveBook, snapshot } from "../support/frames.ts";
import { levels, sharesOf } from "../support/levels.ts";

const change = (timestamp: string) =>
  delta(timestamp, { side: "buy", at: "0.46", size: sharesOf("9") }, { hash: null });
const restAt = (timestamp: string) => snapshot({ timestamp, source: "rest" });

describe("a REST read that was on its way", () => {
  test("does not bring back what was before a change that was not applied meanwhile", () => {
    const book = liveBook();
    markStale(book, "hash_mismatch");
    expect(apply(book, change("1200"))).toBeNull();
    expect(apply(book, restAt("1100"))).toBe("no_snapshot");
    expect(book.status).toBe("stale");
    expect(apply(book, restAt("1200"))).toBeNull();
    expect(book.status).toBe("live");
  });

  test("out of a cache is older than what was applied before the doubt", () => {
    const book = liveBook();
    apply(book, change("1300"));
    markStale(book, "link_lost");
    expect(apply(book, restAt("1250"))).toBe("no_snapshot");
    expect(apply(book, snapshot({ timestamp: "1250" }))).toBeNull();
    expect(book.status).toBe("live");
  });

  test("a book that never had a snapshot takes the first one that has what it heard", () => {
    const book = liveBook();
    markStale(book, "link_lost");
    expect(apply(book, change("1100"))).toBe("no_snapshot");
    expect(apply(book, restAt("1099"))).toBe("no_snapshot");
    expect(apply(book, restAt("1100"))).toBeNull();
  });
});

type Step =
  | { readonly do: "change"; readonly price: number; readonly size: number }
  | { readonly do: "doubt" }
  | { readonly do: "read" }
  | { readonly do: "answer" }
  | { readonly do: "resubscribe" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("change" as const),
      price: fc.integer({ min: 30, max: 46 }),
      size: fc.integer({ min: 0, max: 50 }),
    }),
  },
  fc.constant({ do: "doubt" } as const),
  fc.constant({ do: "read" } as const),
  fc.constant({ do: "answer" } as const),
  fc.constant({ do: "resubscribe" } as const),
);

test("whatever is read, late or doubted: a book that is believed is the venue's as it is now", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const book = liveBook();
      const bids = new Map([
        ["0.47", "200"],
        ["0.48", "100"],
      ]);
      let nowMs = 1_000;
      const reads: BookSnapshot[] = [];
      const venueBook = (source: "stream" | "rest") =>
        snapshot({ source, timestamp: String(nowMs), bids: levels(...bids) });
      for (const one of steps) {
        if (one.do === "change") {
          nowMs++;
          const at = `0.${one.price}`;
          bids.delete(at);
          if (one.size > 0) bids.set(at, String(one.size));
          const level = { side: "buy", at, size: sharesOf(String(one.size)) } as const;
          apply(book, delta(String(nowMs), level, { hash: null }));
        } else if (one.do === "doubt") markStale(book, "hash_mismatch");
        else if (one.do === "read") reads.push(venueBook("rest"));
        else if (one.do === "resubscribe") apply(book, venueBook("stream"));
        else {
          const answer = reads.shift();
          if (answer !== undefined) apply(book, answer);
        }
        if (book.status !== "live") continue;
        const theirs = [...bids].map(([at, size]) => levels([at, size])[0]);
        const ours = levelsOf(book.ladder, 0, "buy");
        expect(new Set(ours)).toEqual(new Set(theirs));
      }
    }),
    { numRuns: 400, seed: 20_261_122 },
  );
});
