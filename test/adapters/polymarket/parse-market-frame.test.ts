import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { maxLevels, parseBook } from "../../../src/adapters/polymarket/parse-book.ts";
import {
  parseMarketFrame,
  parseMarketValue,
} from "../../../src/adapters/polymarket/parse-market-frame.ts";
import { scaledOf } from "../../../src/adapters/polymarket/wire.ts";
import { parseDecimal } from "../../../src/engine/lib/decimal.ts";
import { recordedJson, recordedNames, recordedText, skipped } from "./recorded-data.ts";

const market = `0x${"ab".repeat(32)}`;
const token = "98363508340521183245318514190141507723903436429495480957027693706491694401465";
const other = "75879263676589080764642307318779959876010671548499848551489954130914348794263";
const hash = "7005f7acfd8d9aff5d27ee9d2b1a113bc3a6f00a";

const head = { market, asset_id: token, timestamp: "1784574617346" };
const book = {
  event_type: "book",
  ...head,
  hash,
  bids: [{ price: "0.01", size: "505" }],
  asks: [{ price: "0.99", size: "23619.51" }],
  tick_size: "0.01",
  last_trade_price: "0.620",
};
const change = { asset_id: token, price: "0.5", size: "0", side: "BUY", hash };
const delta = {
  event_type: "price_change",
  market,
  timestamp: "1784574617346",
  price_changes: [
    { ...change, best_bid: "0", best_ask: "1" },
    { ...change, asset_id: other, side: "sell", best_bid: "0.45", best_ask: "0.55" },
  ],
};

const read = (value: unknown) => parseMarketFrame(JSON.stringify(value));
const reasons = (value: unknown) => read(value).refused.map((one) => one.reason);

const parsedBook = {
  kind: "book.snapshot",
  conditionId: market,
  tokenId: token,
  timestamp: "1784574617346",
  hash,
  bids: [{ price: 100, size: 505_000_000 }],
  asks: [{ price: 9_900, size: 23_619_510_000 }],
  tickSize: 100,
  minOrderSize: null,
  negRisk: null,
  lastTradePrice: "0.620",
  source: "stream",
};

describe("framing", () => {
  test.each([
    ["an object", book],
    ["an array", [book]],
    ["nested arrays", [[[book]]]],
    ["a wrapped data", { type: "market", data: book }],
    ["a channel envelope", { channel: "market", data: [book] }],
    ["a payload", { topic: "clob_market", type: "agg_orderbook", payload: book }],
    [
      "an envelope that names the event",
      { event_type: "book", data: { ...book, event_type: undefined } },
    ],
    ["a book without event_type", { ...book, event_type: undefined }],
  ])("%s", (_what, frame) => {
    expect(read(frame)).toEqual({ events: [parsedBook], refused: [] });
  });

  test.each(["", "  ", "PONG", "pong", "NO NEW ASSETS", '{"message":"no new assets to add"}'])(
    "%j is no message and no fault",
    (text) => expect(parseMarketFrame(text)).toEqual({ events: [], refused: [] }),
  );

  test.each([
    ["{", "not_json"],
    ["INVALID OPERATION", "not_json"],
    [`${"long ".repeat(50)} NO NEW ASSETS`, "not_json"],
    ["null", "bad_shape"],
    ["17", "bad_shape"],
    ['{"gameId":19439,"score":"1-0"}', "foreign"],
    ['{"event_type":"heartbeat"}', "unknown_event"],
    ['{"event_type":"constructor"}', "unknown_event"],
    ['{"event_type":"__proto__"}', "unknown_event"],
    ['{"type":"__proto__","data":{"a":1}}', "foreign"],
    [`${"[".repeat(100_000)}${"]".repeat(100_000)}`, "too_deep"],
    [`[${"0,".repeat(20_000)}0]`, "too_many"],
    [`"${"x".repeat(9_000_000)}"`, "too_large"],
  ])("%.40s is refused as %s", (text, reason) => {
    const frame = parseMarketFrame(text);
    expect(frame.events).toEqual([]);
    expect(frame.refused.map((one) => one.reason)).toEqual([reason]);
  });

  test("one bad message of a frame does not take the others with it", () => {
    const frame = read([book, { ...book, timestamp: "soon" }, delta]);
    expect(frame.events.map((event) => event.kind)).toEqual(["book.snapshot", "book.delta"]);
    expect(frame.refused).toEqual([{ reason: "bad_timestamp", conditionId: market }]);
  });
});

describe("price_change", () => {
  test("the current shape: both tokens, side in either case, empty sides", () => {
    expect(read(delta).events).toEqual([
      {
        kind: "book.delta",
        conditionId: market,
        timestamp: "1784574617346",
        changes: [
          {
            tokenId: token,
            side: "buy",
            price: 5_000,
            size: 0,
            hash,
            bestBid: null,
            bestAsk: null,
          },
          {
            tokenId: other,
            side: "sell",
            price: 5_000,
            size: 0,
            hash,
            bestBid: 4_500,
            bestAsk: 5_500,
          },
        ],
      },
    ]);
  });

  const old = { tokenId: token, side: "buy", price: 5_000, size: 7_000_000, hash };
  test.each([
    ["changes[]", { ...head, hash, changes: [{ price: "0.5", side: "BUY", size: "7" }] }],
    [
      "a single change",
      { ...head, hash, event_type: "price_change", price: "0.5", side: "BUY", size: "7" },
    ],
  ])("the old shape with %s says nothing about best prices", (_what, frame) => {
    const [event] = read(frame).events;
    expect(event).toMatchObject({ kind: "book.delta", changes: [old] });
    expect(event).toMatchObject({ changes: [{ bestBid: undefined, bestAsk: undefined }] });
  });

  test.each([
    ["no change", { price_changes: [] }, "bad_shape"],
    ["a price of 0", { price_changes: [{ ...change, price: "0" }] }, "bad_price"],
    ["a price of 1", { price_changes: [{ ...change, price: "1" }] }, "bad_price"],
    [
      "a price off the finest grid",
      { price_changes: [{ ...change, price: "0.50001" }] },
      "bad_price",
    ],
    ["a price with an exponent", { price_changes: [{ ...change, price: "5e-1" }] }, "bad_price"],
    ["a negative size", { price_changes: [{ ...change, size: "-1" }] }, "bad_size"],
    ["a size of 10^10 shares", { price_changes: [{ ...change, size: "10000000000" }] }, "bad_size"],
    ["a size with 7 decimals", { price_changes: [{ ...change, size: "1.0000001" }] }, "bad_size"],
    ["other digits", { price_changes: [{ ...change, size: "١" }] }, "bad_size"],
    ["an unknown side", { price_changes: [{ ...change, side: "HOLD" }] }, "bad_side"],
    ["a short hash", { price_changes: [{ ...change, hash: "ff" }] }, "bad_hash"],
    ["a token that is a number", { price_changes: [{ ...change, asset_id: 123 }] }, "bad_token"],
    ["a market that is no id", { market: "0x1" }, "bad_market"],
    ["a time that is a date", { timestamp: "2026-11-21" }, "bad_timestamp"],
    ["a best bid that is no price", { price_changes: [{ ...change, best_bid: "x" }] }, "bad_price"],
  ])("%s refuses the whole message", (_what, part, reason) => {
    expect(reasons({ ...delta, ...part })).toEqual([reason]);
    expect(read({ ...delta, ...part }).events).toEqual([]);
  });
});

describe("numbers where strings are expected", () => {
  test("are taken when nothing can have been lost", () => {
    const frame = read({
      ...book,
      timestamp: 1784574617346,
      bids: [{ price: 0.01, size: 505 }],
      asks: [{ price: 0.99, size: 23619.51 }],
      tick_size: 0.01,
    });
    expect(frame.events).toEqual([parsedBook]);
  });

  test.each([
    ["a size beyond 2^53", { bids: [{ price: "0.1", size: 2 ** 60 }] }, "bad_size"],
    [
      "more digits than a double holds",
      { bids: [{ price: "0.1", size: Number("12345678901.234567") }] },
      "bad_size",
    ],
    ["an exponent", { bids: [{ price: 1e-7, size: "1" }] }, "bad_price"],
    ["a token id", { asset_id: 2 ** 66 }, "bad_token"],
    ["a fraction of a millisecond", { timestamp: 1784574617346.5 }, "bad_timestamp"],
    ["a negative time", { timestamp: -1 }, "bad_timestamp"],
  ])("%s is refused", (_what, part, reason) => {
    expect(reasons({ ...book, ...part })).toEqual([reason]);
  });
});

describe("the other events", () => {
  test.each([
    [
      { event_type: "last_trade_price", ...head, price: "0.61", size: "216.216215", side: "SELL" },
      { kind: "trade.printed", price: 6_100, size: 216_216_215, takerSide: "sell" },
    ],
    [
      { event_type: "tick_size_change", ...head, old_tick_size: "0.01", new_tick_size: "0.001" },
      { kind: "tick-size.changed", tickSize: 10 },
    ],
    [
      { event_type: "best_bid_ask", ...head, best_bid: "0", best_ask: "0.51", spread: "0.03" },
      { kind: "quote.printed", bestBid: null, bestAsk: 5_100 },
    ],
    [
      { event_type: "new_market", ...head, condition_id: market, slug: "a-slug" },
      { kind: "market.opened", conditionId: market, slug: "a-slug" },
    ],
    [
      { event_type: "market_resolved", ...head, winning_asset_id: token },
      { kind: "market.resolved", winningTokenId: token },
    ],
  ])("%j", (frame, event) => {
    expect(read(frame).events).toMatchObject([event]);
  });

  test("a tick outside the known set is refused: nothing could be signed on it", () => {
    expect(reasons({ event_type: "tick_size_change", ...head, new_tick_size: "0.02" })).toEqual([
      "bad_tick",
    ]);
  });

  test("31-byte condition ids of version v2 are padded right", () => {
    const [event] = read({ ...book, market: `0x${"cd".repeat(31)}` }).events;
    expect(event).toMatchObject({ conditionId: `0x${"cd".repeat(31)}00` });
  });

  test("a book with more levels than prices exist is refused", () => {
    const bids = Array.from({ length: maxLevels + 1 }, () => ({ price: "0.1", size: "1" }));
    expect(reasons({ ...book, bids })).toEqual(["too_many"]);
  });
});

describe("any input", () => {
  test("decimal text is read as the engine reads it", () => {
    const texts = fc.oneof(
      fc.string(),
      fc.stringMatching(/^[0-9]{0,18}[.]?[0-9]{0,9}$/),
      fc.double().map(String),
    );
    fc.assert(
      fc.property(texts, fc.constantFrom(2, 4, 6), (text, decimals) => {
        expect(scaledOf(text, decimals)).toBe(parseDecimal(text, decimals) ?? -1);
      }),
      { numRuns: 5_000 },
    );
  });

  test("arbitrary JSON and text never throw and leave Object.prototype alone", () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        const frame = parseMarketFrame(text);
        expect(Array.isArray(frame.events)).toBe(true);
      }),
      { numRuns: 3_000 },
    );
    parseMarketFrame('{"__proto__":{"event_type":"book"},"event_type":"book"}');
    parseMarketFrame('[{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}]');
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  test("real shapes with any member replaced never throw, and what is accepted is on the grid", () => {
    const junk = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom(null, undefined, "", "0.5", "-1", 2 ** 60),
    );
    const frames = fc.constantFrom<Record<string, unknown>>(book, delta, { ...delta, changes: 1 });
    fc.assert(
      fc.property(frames, fc.string(), junk, fc.nat(8), (frame, name, value, pick) => {
        const key = Object.keys(frame)[pick] ?? name;
        for (const event of read({ ...frame, [key]: value }).events) {
          if (event.kind !== "book.snapshot") continue;
          for (const level of [...event.bids, ...event.asks]) {
            expect(level.price > 0 && level.price < 10_000).toBe(true);
            expect(Number.isSafeInteger(level.size) && level.size >= 0).toBe(true);
          }
        }
      }),
      { numRuns: 3_000 },
    );
  });

  test("truncated and byte-flipped frames never throw", () => {
    const text = JSON.stringify([book, delta]);
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(255), fc.boolean(), (at, byte, cut) => {
        const mangled = cut
          ? text.slice(0, at)
          : `${text.slice(0, at)}${String.fromCharCode(byte)}${text.slice(at + 1)}`;
        parseMarketFrame(mangled);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe.skipIf(skipped(3))("recorded frames", () => {
  test("every event type of the recording is read, scores of another service are foreign", () => {
    const kinds = new Map<string, number>();
    let foreign = 0;
    for (const line of recordedText("ws/all-event-types-2026-05.jsonl").split("\n")) {
      if (line === "") continue;
      const frame = parseMarketFrame(line);
      foreign += frame.refused.filter((one) => one.reason === "foreign").length;
      expect(frame.refused.every((one) => one.reason === "foreign")).toBe(true);
      for (const { kind } of frame.events) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
    expect(foreign).toBe(2);
    expect(Object.fromEntries(kinds)).toEqual({
      "book.snapshot": 3,
      "book.delta": 3,
      "quote.printed": 2,
      "trade.printed": 2,
      "tick-size.changed": 1,
      "market.opened": 1,
      "market.resolved": 1,
    });
  });

  test("the 27 Fed frames: 2 books, 24 changes, 1 trade", () => {
    const frames = recordedJson("ws/fed-decision-2026-07-20.frames.json") as unknown[];
    const events = frames.flatMap((frame) => {
      const parsed = parseMarketValue(frame);
      expect(parsed.refused).toEqual([]);
      return parsed.events;
    });
    const count = (kind: string) => events.filter((event) => event.kind === kind).length;
    expect([count("book.snapshot"), count("book.delta"), count("trade.printed")]).toEqual([
      2, 24, 1,
    ]);
  });

  test("REST books are read, the empty stub of a closed market is refused", () => {
    let books = 0;
    for (const name of recordedNames("books")) {
      const parsed = parseBook(recordedJson(`books/${name}`) as Record<string, unknown>, "rest");
      if (parsed.ok) books++;
      else expect(parsed.error).toBe("bad_market");
      if (parsed.ok) expect(parsed.value.minOrderSize).toBe(5_000_000);
    }
    expect(books).toBe(15);
  });
});
