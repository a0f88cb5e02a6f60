import { describe, expect, test } from "vitest";
import { ageMs, checkClaims, markStale } from "../../../src/engine/domain/market-book.ts";
import { price, type Shares } from "../../../src/engine/domain/numbers.ts";
import { levelsOf } from "../../../src/engine/domain/order-book.ts";
import { apply, delta, hashWith, liveBook, no, snapshot, yes } from "../support/frames.ts";
import { plainHasher } from "../support/hasher.ts";
import { levels, priceOf, sharesOf } from "../support/levels.ts";

const bid = { side: "buy", at: "0.46", size: sharesOf("10") } as const;
const bid2 = { side: "buy", at: "0.45", size: sharesOf("20") } as const;
const bid3 = { side: "buy", at: "0.44", size: sharesOf("30") } as const;

describe("a group of frames", () => {
  test("is checked only after its last frame: each carries the final hash", () => {
    const hash = hashWith("1100", [bid, bid2, bid3]);
    const book = liveBook();
    for (const level of [bid, bid2, bid3]) {
      expect(apply(book, delta("1100", level, { hash }))).toBeNull();
      expect(book.status).toBe("live");
    }
    expect(book.hashesVerified).toBe(0);
    expect(checkClaims(book, plainHasher)).toBeNull();
    expect(book.hashesVerified).toBe(1);
  });

  test("is closed by the first frame of another group, before that one is applied", () => {
    const first = hashWith("1100", [bid, bid2]);
    const second = hashWith("1200", [bid, bid2, bid3]);
    const book = liveBook();
    apply(book, delta("1100", bid, { hash: first }));
    apply(book, delta("1100", bid2, { hash: first }));
    expect(apply(book, delta("1200", bid3, { hash: second }))).toBeNull();
    expect(book.hashesVerified).toBe(1);
    expect(checkClaims(book, plainHasher)).toBeNull();
    expect(book.hashesVerified).toBe(2);
  });

  test("that misses a frame is a hash mismatch, and its book is not believed", () => {
    const hash = hashWith("1100", [bid, bid2]);
    const book = liveBook();
    apply(book, delta("1100", bid, { hash }));
    expect(checkClaims(book, plainHasher)).toBe("hash_mismatch");
    expect(book.status).toBe("stale");
    expect(ageMs(book, 2_000)).toBe(Number.POSITIVE_INFINITY);
    // Nothing but a snapshot repairs it.
    expect(apply(book, delta("1100", bid2, { hash }))).toBeNull();
    expect(book.status).toBe("stale");
    expect(apply(book, snapshot({ timestamp: "1300" }))).toBeNull();
    expect(book.status).toBe("live");
  });

  test("that misses the best level is a best-price mismatch", () => {
    const book = liveBook();
    const claims = { hash: null, bestBid: priceOf("0.49"), bestAsk: priceOf("0.52") };
    apply(book, delta("1100", bid, claims));
    expect(checkClaims(book, plainHasher)).toBe("best_price_mismatch");
  });

  test("an empty side is a claim, and no claim is none", () => {
    const book = liveBook();
    apply(book, snapshot({ timestamp: "1050", bids: [] }));
    const none = 0 as Shares;
    apply(
      book,
      delta("1100", { side: "buy", at: "0.2", size: none }, { hash: null, bestBid: null }),
    );
    expect(checkClaims(book, plainHasher)).toBeNull();
    apply(book, delta("1200", { side: "sell", at: "0.6", size: none }, { hash: null }));
    expect(checkClaims(book, plainHasher)).toBeNull();
    apply(book, delta("1300", bid, { hash: null, bestBid: null }));
    expect(checkClaims(book, plainHasher)).toBe("best_price_mismatch");
  });

  test("of one token is closed by a later frame that speaks of the other token alone", () => {
    const first = hashWith("1100", [bid]);
    const book = liveBook();
    apply(book, delta("1100", bid, { hash: first }));
    const [change] = delta("1200", bid2, { hash: null }).changes;
    if (change === undefined) throw new TypeError("no change");
    const mirrored = { ...change, tokenId: no, side: "sell" as const, price: priceOf("0.55") };
    const hash = hashWith("1200", [bid, bid2], { outcome: 1 });
    const event = { ...delta("1200", bid2, { hash: null }), changes: [{ ...mirrored, hash }] };
    expect(apply(book, event)).toBeNull();
    expect(checkClaims(book, plainHasher)).toBeNull();
    expect(book.hashesVerified).toBe(2);
  });
});

describe("the last trade price", () => {
  test("is learnt from a hash that already uses it, before the message that says it", () => {
    const hash = hashWith("1100", [bid], { lastTradePrice: "0.368" });
    const book = liveBook();
    apply(book, delta("1100", bid, { hash }));
    expect(checkClaims(book, plainHasher)).toBeNull();
    expect(book.lastTradePrice).toBe("0.368");
    const next = hashWith("1200", [bid, bid2], { lastTradePrice: "0.368" });
    apply(book, delta("1200", bid2, { hash: next }));
    expect(checkClaims(book, plainHasher)).toBeNull();
  });

  test("is market-wide: a print of the other token is not complemented", () => {
    const book = liveBook();
    const print = { conditionId: book.conditionId, tokenId: no, timestamp: "1100" } as const;
    apply(book, {
      kind: "trade.printed",
      ...print,
      price: priceOf("0.62"),
      size: sharesOf("5"),
      takerSide: "buy",
    });
    expect(book.lastTradePrice).toBe("0.620");
  });
});

describe("order of arrival", () => {
  test("a delta before its snapshot asks for one", () => {
    const book = liveBook();
    markStale(book, "link_lost");
    expect(book.status).toBe("waiting");
    expect(apply(book, delta("1100", bid, { hash: null }))).toBe("no_snapshot");
  });

  test("a snapshot older than what is applied is the echo of an earlier subscription", () => {
    const book = liveBook();
    apply(book, delta("1100", bid, { hash: null }));
    apply(book, snapshot({ timestamp: "1050", bids: [] }));
    expect(levelsOf(book.ladder, 0, "buy")).toHaveLength(3);
    expect(book.timestamp).toBe("1100");
  });

  test("an old delta after a newer snapshot is not applied again", () => {
    const book = liveBook();
    apply(book, snapshot({ timestamp: "1200" }));
    apply(book, delta("1100", bid, { hash: null }));
    expect(levelsOf(book.ladder, 0, "buy")).toHaveLength(2);
  });

  test("a snapshot of the other token builds the same book", () => {
    const book = liveBook();
    const bids = levels(["0.47", "100"], ["0.48", "50"]);
    const asks = levels(["0.53", "200"], ["0.52", "100"]);
    apply(book, snapshot({ timestamp: "1200", tokenId: no, bids, asks }));
    expect(levelsOf(book.ladder, 0, "buy")).toEqual(levels(["0.48", "100"], ["0.47", "200"]));
    expect(levelsOf(book.ladder, 0, "sell")).toEqual(levels(["0.52", "50"], ["0.53", "100"]));
  });

  test("a foreign token changes nothing", () => {
    const book = liveBook();
    const event = delta("1100", { ...bid, at: "0.9" }, { hash: "f".repeat(40) });
    const changes = event.changes.map((change) => ({ ...change, tokenId: "9" }));
    apply(book, { ...event, changes });
    expect(checkClaims(book, plainHasher)).toBeNull();
    expect(levelsOf(book.ladder, 0, "buy")).toHaveLength(2);
  });
});

describe("contradictions stop the one book concerned", () => {
  test("crossed", () => {
    const book = liveBook();
    apply(book, delta("1100", { ...bid, at: "0.52" }, { hash: null }));
    expect(checkClaims(book, plainHasher)).toBe("crossed");
    expect(apply(book, snapshot({ timestamp: "1200", asks: levels(["0.4", "1"]) }))).toBe(
      "crossed",
    );
  });

  test("a tick change waits for a fresh snapshot, the same tick again does not", () => {
    const book = liveBook();
    const change = {
      kind: "tick-size.changed",
      conditionId: book.conditionId,
      tokenId: yes,
      timestamp: "1100",
    } as const;
    expect(apply(book, { ...change, tickSize: price(100) })).toBeNull();
    expect(apply(book, { ...change, tickSize: price(10) })).toBe("tick_changed");
    expect(book).toMatchObject({ status: "stale", tickSize: 10 });
    apply(book, snapshot({ timestamp: "1200", tickSize: null, bids: levels(["0.485", "5"]) }));
    expect(book.status).toBe("live");
  });

  test("a snapshot with a wrong hash is not believed", () => {
    const book = liveBook();
    expect(apply(book, snapshot({ timestamp: "1200", hash: "0".repeat(40) }))).toBe(
      "hash_mismatch",
    );
  });

  test("age counts from the last frame or the last equal REST read, whichever is later", () => {
    const book = liveBook();
    expect(ageMs(book, 4_000)).toBe(3_000);
    book.confirmedAtMs = 3_500;
    expect(ageMs(book, 4_000)).toBe(500);
    // A clock that went back makes nothing younger than now.
    expect(ageMs(book, 3_000)).toBe(0);
  });
});
