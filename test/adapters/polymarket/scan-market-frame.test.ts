import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MarketFrameReader } from "../../../src/adapters/polymarket/scan-market-frame.ts";
import { TextBytes } from "../../../src/adapters/polymarket/text-bytes.ts";
import { tickSizes } from "../../../src/engine/domain/market.ts";
import { parseDecimal } from "../../../src/engine/lib/decimal.ts";
import type { WatchedMarket } from "../../../src/engine/ports/market-data.ts";
import { holds } from "../../engine/support/holds.ts";
import { frameText, message, ordinaryFrame, watched } from "./market-frames.ts";
import { expectSame, readerOf } from "./read-both-ways.ts";

describe("scanned numbers", () => {
  const text = new TextBytes(64);
  const scanned = (written: string, decimals: number) => {
    text.load(Buffer.from(`${written}"`));
    return text.decimal(0, decimals);
  };

  test("equal the decimal parser's, or are left to it", () => {
    const any = fc.oneof(
      fc.string().filter((written) => !written.includes('"')),
      fc.stringMatching(/^[0-9]{0,18}[.]?[0-9]{0,9}$/),
      fc.stringMatching(/^0{0,3}[0-9]{1,15}([.][0-9]{1,6})?$/),
      fc.double().map(String),
    );
    holds(
      fc.property(any, fc.constantFrom(4, 6), (written, decimals) => {
        const value = scanned(written, decimals);
        if (value >= 0) expect(value).toBe(parseDecimal(written, decimals));
      }),
      5_000,
    );
  });

  test("are read for every shortest text of a price and of a size", () => {
    for (const tick of tickSizes) {
      for (let at: number = tick; at < 10_000; at += tick) {
        expect(scanned(String(at / 10_000), 4)).toBe(at);
        expect(text.isShortest).toBe(true);
      }
    }
    holds(
      fc.property(fc.integer({ min: 1, max: 21_006_065_123_457 }), (size) => {
        const written = (size / 1_000_000).toFixed(6).replace(/\.?0+$/, "");
        expect(scanned(written, 6)).toBe(size);
        expect(text.isShortest).toBe(true);
      }),
      2_000,
    );
  });

  test.each(["0.50", "00.5", "01", "1.0", "5."])("%s is not the shortest text", (written) => {
    expect(scanned(written, 6)).toBeGreaterThan(0);
    expect(text.isShortest).toBe(false);
  });

  test.each(["", ".", ".5", "1e3", "+1", "-1", "1 ", "0.0000001", "9007199254.740992"])(
    "%j is left to the simple path",
    (written) => expect(scanned(written, 6)).toBe(-1),
  );
});

describe("both ways read the same", () => {
  test("ordinary frames, which are all scanned", () => {
    const reader = readerOf(watched);
    holds(
      fc.property(ordinaryFrame, (text) => expectSame(reader, Buffer.from(text))),
      500,
    );
    expect(reader).toMatchObject({ scanned: 500, parsed: 0 });
  });

  test("frames of every kind with good and bad values", () => {
    const reader = readerOf(watched);
    holds(
      fc.property(frameText, (text) => expectSame(reader, Buffer.from(text))),
      3_000,
    );
    expect(reader.scanned).toBeGreaterThan(500);
    expect(reader.parsed).toBeGreaterThan(500);
  });

  test("members in another order, twice, escaped, unknown, with spaces, or in nested arrays", () => {
    const reader = readerOf(watched);
    const twist = fc.constantFrom(
      (text: string) => text,
      (text: string) => `[${text}]`,
      (text: string) => `[[${text}]]`,
      (text: string) => JSON.stringify(JSON.parse(text), null, 1),
      (text: string) => text.replace("{", '{"extra":{"a":[1,2]},'),
      (text: string) => text.replace("{", '{"data":"x",'),
      (text: string) => text.replace('"market"', '"mark\\u0065t"'),
      (text: string) => text.replace('"0.', '"\\u0030.'),
      (text: string) => text.replace("{", '{"market":"0x1",'),
      (text: string) => text.replace(/}(?!.*})/, ',"timestamp":"1"}'),
      (text: string) => text.replace(/}(?!.*})/, ',"event_type":"book"}'),
      (text: string) => text.replace('"size":"', '"size":"7","size":"'),
      (text: string) => text.replace('"price":"', '"price":1e-1,"prise":"'),
      (text: string) => text.replace(/"(size|price)":"([^"]*)"/, '"$1":$2'),
      (text: string) => `${text} `,
      (text: string) => `${text},`,
      (text: string) => `${text}${text}`,
    );
    const shuffled = message.chain((one) =>
      fc
        .shuffledSubarray(Object.entries(one), { minLength: Object.keys(one).length })
        .map((entries) => JSON.stringify(Object.fromEntries(entries))),
    );
    holds(
      fc.property(fc.oneof(shuffled, ordinaryFrame), twist, (text, twisted) =>
        expectSame(reader, Buffer.from(twisted(text))),
      ),
      3_000,
    );
    expect(reader.scanned).toBeGreaterThan(200);
  });

  test("frames with any byte changed, cut, inserted or taken out", () => {
    const reader = readerOf(watched);
    const place = fc.integer({ min: 0, max: 9_999 });
    const byte = fc.oneof(
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }) },
      { weight: 1, arbitrary: fc.constantFrom(...Buffer.from('."{}[],:\\')) },
      { weight: 2, arbitrary: fc.constantFrom(...Buffer.from("0123456789abcdef")) },
    );
    const how = fc.constantFrom("flip", "set", "cut", "insert", "remove", "repeat");
    holds(
      fc.property(
        fc.oneof(ordinaryFrame, frameText),
        place,
        byte,
        how,
        (text, part, value, what) => {
          const frame = Buffer.from(text);
          const at = Math.floor((part * frame.length) / 10_000);
          const before = frame.subarray(0, at);
          const after = frame.subarray(at);
          if (what === "flip") frame[at] = (frame[at] ?? 0) ^ (1 << (value % 8));
          else if (what === "set") frame[at] = value;
          const mangled = {
            flip: frame,
            set: frame,
            cut: before,
            insert: Buffer.concat([before, Buffer.of(value), after]),
            remove: Buffer.concat([before, after.subarray(1)]),
            repeat: Buffer.concat([before, after.subarray(0, value), after]),
          }[what];
          expectSame(reader, mangled);
        },
      ),
      6_000,
    );
    expect(reader.scanned).toBeGreaterThan(100);
  });

  test("arbitrary JSON, text and depth", () => {
    const reader = readerOf(watched);
    holds(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) =>
        expectSame(reader, Buffer.from(text)),
      ),
      1_000,
    );
    for (const text of [
      "",
      "PONG",
      "{}",
      "[]",
      "[{}]",
      `${"[".repeat(50_000)}${"]".repeat(50_000)}`,
      `[${"0,".repeat(20_000)}0]`,
    ]) {
      expectSame(reader, Buffer.from(text));
    }
  });

  test("a text ends where it ends, whatever a longer one left behind it", () => {
    const text = new TextBytes(64);
    text.load(Buffer.from('12345"'));
    expect(text.decimal(0, 4)).toBe(123_450_000);
    text.load(Buffer.from("12"));
    expect(text.decimal(0, 4)).toBe(-1);
    expect(text.plainText(0)).toBeNull();
  });

  test("a short frame after a long one does not read what the long one left", () => {
    const reader = readerOf(watched);
    const [whole = ""] = fc.sample(ordinaryFrame, { seed: 1, numRuns: 1 });
    for (let length = whole.length; length > 0; length -= 7) {
      expectSame(reader, Buffer.from(whole));
      expectSame(reader, Buffer.from(whole.slice(0, length)));
    }
  });

  test("a frame larger than the buffer so far", () => {
    const reader = readerOf(watched);
    const bids = Array.from({ length: 9_999 }, (_, i) => ({
      price: String((i + 1) / 10_000),
      size: "1.5",
    }));
    const [market] = watched;
    const head = { market: market?.conditionId, asset_id: market?.tokenIds[0], timestamp: "1" };
    const frame = { ...head, hash: "", bids, asks: [], event_type: "book" };
    expectSame(reader, Buffer.from(JSON.stringify(frame)));
    expect(reader.scanned).toBe(1);
    bids.push({ price: "0.5", size: "1" });
    expectSame(reader, Buffer.from(JSON.stringify(frame)));
    expect(reader.parsed).toBe(1);
  });
});

describe("ids", () => {
  const [first, second] = watched;
  const quote = (market: string | undefined, token: string | undefined) =>
    Buffer.from(
      JSON.stringify({
        market,
        asset_id: token,
        best_bid: "0.1",
        best_ask: "0.2",
        timestamp: "1",
        event_type: "best_bid_ask",
      }),
    );

  test("one late digit makes another id; what is forgotten is read the simple way", () => {
    const reader = new MarketFrameReader();
    if (first === undefined || second === undefined) throw new TypeError("two markets");
    const own = quote(first.conditionId, first.tokenIds[0]);
    const near = quote(second.conditionId, second.tokenIds[0]);
    reader.learn([first]);
    expectSame(reader, own);
    expectSame(reader, near);
    expect(reader).toMatchObject({ scanned: 1, parsed: 1 });
    reader.learn([second]);
    expectSame(reader, near);
    expect(reader).toMatchObject({ scanned: 2, parsed: 1 });
    reader.forget([first]);
    expectSame(reader, own);
    expectSame(reader, near);
    expect(reader).toMatchObject({ scanned: 3, parsed: 2 });
  });

  test("each of 30,000 ids is found as itself", () => {
    const reader = readerOf(watched);
    const hexOf = (text: string) => createHash("sha256").update(text).digest("hex");
    const tokenOf = (text: string) => BigInt(`0x${hexOf(text)}`).toString();
    const many: WatchedMarket[] = Array.from({ length: 10_000 }, (_, i) => ({
      conditionId: `0x${hexOf(`${i}`)}`,
      tokenIds: [tokenOf(`a${i}`), tokenOf(`b${i}`)],
    }));
    reader.learn(many);
    for (const { conditionId, tokenIds } of many) {
      const [event] = reader.read(quote(conditionId, tokenIds[1])).events;
      expect(event).toMatchObject({ conditionId, tokenId: tokenIds[1] });
    }
    expect(reader.scanned).toBe(10_000);
  });

  test("numbers that forgotten ids had are given anew, and each frame still means its own market", () => {
    const [token] = fc.sample(
      fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 39 })), {
        minLength: 400,
        maxLength: 400,
      }),
      { seed: 7, numRuns: 1 },
    );
    const all: WatchedMarket[] = Array.from({ length: 40 }, (_, i) => ({
      conditionId: `0x${createHash("sha256").update(`m${i}`).digest("hex")}`,
      tokenIds: [`${10_000_000 + i}`, `${20_000_000 + i}`],
    }));
    const reader = new MarketFrameReader();
    const known = new Set<WatchedMarket>();
    for (const [isLearnt, i] of token ?? []) {
      const market = all[i];
      if (market === undefined) continue;
      if (isLearnt) reader.learn([market]);
      else reader.forget([market]);
      if (isLearnt) known.add(market);
      else known.delete(market);
      // Frames of markets that were left go on for a while.
      const before = reader.scanned;
      for (const one of [market, ...known]) {
        const [event] = reader.read(quote(one.conditionId, one.tokenIds[0])).events;
        expect(event).toMatchObject({ conditionId: one.conditionId, tokenId: one.tokenIds[0] });
      }
      expect(reader.scanned - before).toBe(known.size + (isLearnt ? 1 : 0));
    }
  });

  test("a market id where a token id belongs is no token", () => {
    const reader = readerOf(watched);
    expectSame(reader, quote(first?.tokenIds[0], first?.tokenIds[0]));
    expectSame(reader, quote(first?.conditionId, first?.conditionId));
    expect(reader.scanned).toBe(0);
  });

  test("ids in a form that the engine never holds are not learnt", () => {
    const upper = `0x${"AB".repeat(32)}`;
    const reader = readerOf([
      { conditionId: upper, tokenIds: ["abcdefghijklmnop", "1".repeat(79)] },
    ]);
    expectSame(reader, quote(upper, "abcdefghijklmnop"));
    expect(reader.scanned).toBe(0);
  });
});
