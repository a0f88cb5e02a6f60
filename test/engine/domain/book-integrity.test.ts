import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { contradictsItself, isEarlier } from "../../../src/engine/domain/book-checks.ts";
import {
  checkClaims,
  checkQuietBook,
  createMarketBook,
  hasOpenClaims,
} from "../../../src/engine/domain/market-book.ts";
import type { BookDelta, LevelChange } from "../../../src/engine/domain/market-event.ts";
import { mirrorPrice, price, shares } from "../../../src/engine/domain/numbers.ts";
import { levelsOf } from "../../../src/engine/domain/order-book.ts";
import { apply, delta, hashWith, liveBook, no, snapshot, yes } from "../support/frames.ts";
import { plainHasher } from "../support/hasher.ts";
import { priceOf, sharesOf } from "../support/levels.ts";

const bid = { side: "buy", at: "0.46", size: sharesOf("10") } as const;
const bid2 = { side: "buy", at: "0.45", size: sharesOf("20") } as const;

/** The same change as the venue says it of the other token. */
function mirrorOf(change: LevelChange): LevelChange {
  return {
    ...change,
    tokenId: no,
    side: change.side === "buy" ? "sell" : "buy",
    price: mirrorPrice(change.price),
    bestBid: change.bestAsk == null ? change.bestAsk : mirrorPrice(change.bestAsk),
    bestAsk: change.bestBid == null ? change.bestBid : mirrorPrice(change.bestBid),
  };
}

/** Both tokens' entries of one change, the second one altered. */
function pair(timestamp: string, wrong: Partial<LevelChange> = {}): BookDelta {
  const bests = { bestBid: priceOf("0.48"), bestAsk: priceOf("0.52") };
  const frame = delta(timestamp, bid, { hash: null, ...bests });
  const [change] = frame.changes;
  if (change === undefined) throw new TypeError("one change expected");
  return { ...frame, changes: [change, { ...mirrorOf(change), ...wrong }] };
}

describe("YES and NO are one book seen twice", () => {
  test("entries that mirror each other are believed", () => {
    const book = liveBook();
    expect(apply(book, pair("1100"))).toBeNull();
    expect(checkClaims(book, plainHasher)).toBeNull();
  });

  test.each([
    ["another size", { size: sharesOf("11") }],
    ["another best bid", { bestBid: priceOf("0.47") }],
    ["another best ask", { bestAsk: priceOf("0.53") }],
    ["a side that is empty", { bestAsk: null }],
  ])("%s for NO is a contradiction, and nothing of it is applied", (_, wrong) => {
    const book = liveBook();
    const before = levelsOf(book.ladder, 0, "buy");
    expect(apply(book, pair("1100", wrong))).toBe("mirror_mismatch");
    expect(levelsOf(book.ladder, 0, "buy")).toEqual(before);
    expect(book.health.resyncs).toEqual({ mirror_mismatch: 1 });
  });

  test("in a message of many changes the last word on a level counts", () => {
    const tokens = [yes, no] as const;
    const at = (tokenId: string, size: string): LevelChange => {
      const change = { ...pair("1").changes[0], size: sharesOf(size) } as LevelChange;
      return tokenId === yes ? change : mirrorOf(change);
    };
    expect(contradictsItself(tokens, [at(yes, "1"), at(no, "1"), at(yes, "2"), at(no, "2")])).toBe(
      false,
    );
    expect(contradictsItself(tokens, [at(yes, "1"), at(no, "1"), at(yes, "2"), at(no, "3")])).toBe(
      true,
    );
    // One token alone, or two different levels, say nothing twice.
    expect(contradictsItself(tokens, [at(yes, "1"), at(yes, "2")])).toBe(false);
    const elsewhere = { ...at(no, "7"), price: priceOf("0.6") };
    expect(contradictsItself(tokens, [at(yes, "1"), elsewhere])).toBe(false);
  });
});

describe("the tick's grid", () => {
  test("a level off it shows a missed tick change; removing an old one does not", () => {
    const book = liveBook();
    const off = { side: "buy", at: "0.465", size: sharesOf("1") } as const;
    expect(apply(book, delta("1100", { ...off, size: shares(0) }, { hash: null }))).toBeNull();
    expect(apply(book, delta("1101", off, { hash: null }))).toBe("off_tick");
  });

  test("each tick change begins an epoch, by its message or by a snapshot", () => {
    const book = liveBook();
    const message = { kind: "tick-size.changed", tokenId: yes, timestamp: "1100" } as const;
    apply(book, { ...message, conditionId: book.conditionId, tickSize: price(10) });
    expect(book.health.tickEpoch).toBe(1);
    apply(book, snapshot({ timestamp: "1200", tickSize: price(10) }));
    expect(book.health.tickEpoch).toBe(1);
    apply(book, snapshot({ timestamp: "1300", tickSize: price(100) }));
    expect(book.health.tickEpoch).toBe(2);
  });
});

describe("frames that come again or too late", () => {
  const first = hashWith("1100", [bid]);
  const second = hashWith("1100", [bid, bid2]);
  const third = hashWith("1200", [bid, bid2]);

  test("a frame of a closed group of the same moment is not applied twice", () => {
    const book = liveBook();
    apply(book, delta("1100", bid, { hash: first }));
    apply(book, delta("1100", { ...bid, size: sharesOf("3") }, { hash: second }));
    apply(book, delta("1100", bid, { hash: first }));
    expect(book.health.repeated).toBe(1);
    expect(levelsOf(book.ladder, 0, "buy").at(-1)?.size).toBe(3_000_000);
  });

  test("an old frame that was said before is a repetition, another one has lost its place", () => {
    const book = liveBook();
    apply(book, delta("1100", bid, { hash: first }));
    apply(book, delta("1200", bid2, { hash: third }));
    expect(apply(book, delta("1100", bid, { hash: first }))).toBeNull();
    expect(book.health.repeated).toBe(1);
    expect(apply(book, delta("1150", bid2, { hash: "1".repeat(40) }))).toBe("out_of_order");
  });

  test("what a snapshot overtook is part of it", () => {
    const book = liveBook();
    apply(book, snapshot({ timestamp: "1500" }));
    expect(apply(book, delta("1400", bid, { hash: first }))).toBeNull();
    expect(book.health.outdated).toBe(1);
    expect(book.status).toBe("live");
  });
});

describe("a printed quote", () => {
  const quote = {
    kind: "quote.printed",
    conditionId: liveBook().conditionId,
    tokenId: yes,
    timestamp: "1100",
    bestBid: priceOf("0.48"),
    bestAsk: priceOf("0.52"),
  } as const;

  test("has to be true once the feed is quiet, seen from either token", () => {
    const book = liveBook();
    apply(book, quote);
    expect(checkQuietBook(book, plainHasher)).toBeNull();
    const mirrored = { bestBid: priceOf("0.48"), bestAsk: priceOf("0.52"), tokenId: no };
    apply(book, { ...quote, ...mirrored });
    expect(checkQuietBook(book, plainHasher)).toBeNull();
    apply(book, { ...quote, bestBid: priceOf("0.47") });
    expect(checkQuietBook(book, plainHasher)).toBe("best_price_mismatch");
  });

  test("of a moment before the newest change says nothing", () => {
    const book = liveBook();
    apply(book, { ...quote, bestBid: priceOf("0.4") });
    apply(book, delta("1200", bid, { hash: null }));
    expect(checkQuietBook(book, plainHasher)).toBeNull();
  });
});

describe("hashes", () => {
  test("every n-th group is checked when the book is told so, and the rest is counted", () => {
    const { conditionId, tokenIds, tickSize, minOrderSize, negRisk } = liveBook();
    const spec = { conditionId, tokenIds, tickSize, minOrderSize, negRisk, hashEvery: 4 };
    const book = createMarketBook(spec);
    apply(book, snapshot());
    for (let i = 0; i < 40; i++) {
      const at = String(1100 + i);
      const level = { ...bid, size: sharesOf(String(i + 1)) };
      expect(apply(book, delta(at, level, { hash: hashWith(at, [level]) }))).toBeNull();
    }
    expect(checkClaims(book, plainHasher)).toBeNull();
    expect(book.hashesVerified).toBe(10);
    expect(book.health.hashesSkipped).toBe(30);
  });

  test("that are not trusted are counted and stop nothing; best prices still do", () => {
    const book = liveBook();
    book.hashTrusted = false;
    expect(apply(book, snapshot({ timestamp: "1200", hash: "0".repeat(40) }))).toBeNull();
    expect(book.health).toMatchObject({ hashesFailed: 1, badSnapshots: 1 });
    const claims = { hash: "0".repeat(40), bestBid: priceOf("0.48") };
    apply(book, delta("1300", bid, claims));
    expect(checkClaims(book, plainHasher)).toBeNull();
    apply(book, delta("1400", bid2, { ...claims, bestBid: priceOf("0.49") }));
    expect(checkClaims(book, plainHasher)).toBe("best_price_mismatch");
  });
});

test("a message that cannot be read makes the book doubtful at once", () => {
  const book = liveBook();
  expect(apply(book, { kind: "change.unread", conditionId: book.conditionId })).toBe(
    "frame_refused",
  );
  expect(apply(book, { kind: "change.unread", conditionId: book.conditionId })).toBeNull();
  expect(book.health).toMatchObject({ invalid: 2, resyncs: { frame_refused: 1 } });
});

test("venue times are compared as the numbers that they are", () => {
  const time = fc.oneof(
    fc.nat(120),
    fc.integer({ min: 1_779_999_999_990, max: 1_780_000_000_010 }),
  );
  fc.assert(
    fc.property(time, time, (a, b) => {
      expect(isEarlier(String(a), String(b))).toBe(a < b);
    }),
  );
});

test.each([
  ["yes", (change: LevelChange) => change],
  ["no", mirrorOf],
] as const)("a snapshot overtakes what was claimed about the token %s", (_, about) => {
  const book = liveBook();
  const said = delta("1200", bid, { hash: "0".repeat(40), bestBid: priceOf("0.48") });
  apply(book, { ...said, changes: said.changes.map(about) });
  expect(hasOpenClaims(book)).toBe(true);
  apply(book, snapshot({ timestamp: "1300", hash: null }));
  expect(hasOpenClaims(book)).toBe(false);
});
