import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BlockBuilder } from "../../../src/adapters/tape/block-builder.ts";
import { BlockView } from "../../../src/adapters/tape/block-view.ts";
import { changeFlag } from "../../../src/adapters/tape/delta-layout.ts";
import { segmentHeadBytes } from "../../../src/adapters/tape/segment-format.ts";
import { recordedJson, skipped } from "../polymarket/recorded-data.ts";
import { frameOf, marketOf, startMs } from "./frames.ts";
import { recordFrames, scratchFolder, textsOf } from "./support.ts";

/** Packs the frames into one block and reads them back. */
function packed(
  texts: readonly string[],
  atMs: (i: number) => number = (i) => startMs + i,
): BlockView {
  const builder = new BlockBuilder(1);
  for (const [i, text] of texts.entries()) {
    const bytes = Buffer.from(`xx${text}yy`);
    builder.addFrame(atMs(i), bytes, 2, bytes.length - 2);
  }
  const { head, bytes } = builder.build();
  return new BlockView(head, Buffer.concat(bytes.slice(1)));
}

const textsIn = (view: BlockView) =>
  [...view.rows()].map((row) => (row.kind === "frame" ? row.text : "note"));

const hex = fc.stringMatching(/^[0-9a-f]{40}$/);
const usually = <T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 40, arbitrary: usual }, { weight: 1, arbitrary: odd });
const price = usually(
  fc.integer({ min: 0, max: 10_000 }).map((at) => String(at / 10_000)),
  fc.constantFrom("0.10", "00.1", ".5", "0.", "1.5", "0.12345", "1e-3", "2", "-0.1", ""),
);
const size = usually(
  fc.oneof(
    fc.integer({ min: 0, max: 4_000_000_000 }).map((hundredths) => String(hundredths / 100)),
    fc.integer({ min: 100, max: 2_000_000_000 }).map((micro) => String(micro / 1_000_000)),
    fc.constantFrom("9007199254.740991", "21000000.000001", "42949672.96", "42949672.95"),
  ),
  fc.constantFrom("007", "1.50", "1.", "9007199254.740992", "9007199255", "0.0000001", "1e9"),
);
const entry = (n: number) =>
  fc.record({
    asset_id: usually(fc.constantFrom(...marketOf(n).tokens), fc.constantFrom("12", "third-token")),
    price,
    size,
    side: usually(fc.constantFrom("BUY", "SELL"), fc.constant("buy")),
    hash: usually(fc.oneof(hex, fc.constant("")), fc.constantFrom("ABC", "0".repeat(41))),
    best_bid: price,
    best_ask: price,
  });
type Entry = ReturnType<typeof entry> extends fc.Arbitrary<infer T> ? T : never;
/** What the venue says about the other token: the same, mirrored; now and then one value of it is another. */
const mirrorOf = (n: number, own: Entry) => {
  const mirrored = (text: string) => String(Math.round(10_000 - Number(text) * 10_000) / 10_000);
  const [yes, no] = marketOf(n).tokens;
  const mirror = {
    asset_id: own.asset_id === yes ? no : yes,
    price: mirrored(own.price),
    size: own.size,
    side: own.side === "BUY" ? "SELL" : "BUY",
    hash: own.hash === "" ? "" : "9f".repeat(20),
    best_bid: mirrored(own.best_ask),
    best_ask: mirrored(own.best_bid),
  };
  return fc
    .tuple(
      fc.option(fc.constantFrom(...(Object.keys(mirror) as (keyof typeof mirror)[]))),
      entry(n),
    )
    .map(([odd, other]) => (odd === null ? mirror : { ...mirror, [odd]: other[odd] }));
};
const entries = (n: number) =>
  entry(n).chain((own) =>
    fc.oneof(
      fc.constant([own]),
      mirrorOf(n, own).map((mirror) => [own, mirror]),
    ),
  );
const change = fc.integer({ min: 0, max: 6 }).chain((n) =>
  fc.record({
    market: fc.constant(marketOf(n).conditionId),
    price_changes: fc.array(entries(n), { minLength: 0, maxLength: 4 }).map((all) => all.flat()),
    timestamp: usually(
      fc.integer({ min: startMs - 5_000_000_000, max: startMs + 5_000_000_000 }).map(String),
      fc.constantFrom("0", "01", "", "99999999999999999"),
    ),
    event_type: fc.constant("price_change"),
  }),
);
/** A frame in the venue's layout, or one that is off by a few bytes. */
const frame = fc.oneof(
  change.map((value) => JSON.stringify(value)),
  fc
    .tuple(change, fc.nat(), fc.string({ maxLength: 3 }), fc.nat(3))
    .map(([value, at, text, cut]) => {
      const whole = JSON.stringify(value);
      const place = at % (whole.length + 1);
      return whole.slice(0, place) + text + whole.slice(place + cut);
    }),
  fc.string({ unit: "binary" }).map((text) => text.toWellFormed()),
);

describe("a block", () => {
  test("gives every frame back as it came, whatever it was", () => {
    let deltas = 0;
    let texts = 0;
    let mirrors = 0;
    fc.assert(
      fc.property(fc.array(frame, { minLength: 15, maxLength: 30 }), (frames) => {
        const view = packed(frames);
        deltas += view.head.deltas;
        texts += view.head.texts;
        mirrors += view.head.mirrors;
        const flagged = view.flags.filter((flags) => (flags & changeFlag.mirrored) !== 0).length;
        expect(view.head.mirrors).toBe(flagged);
        expect(textsIn(view)).toEqual(frames);
      }),
      { numRuns: 200 },
    );
    // Both ways of keeping a frame were taken, or this says nothing about one of them.
    expect(deltas).toBeGreaterThan(50);
    expect(texts).toBeGreaterThan(50);
    expect(mirrors).toBeGreaterThan(50);
  });

  test("keeps what is said about both tokens once, of any size", () => {
    const big = frameOf(12).replaceAll(/"size":"[^"]*"/g, '"size":"9007199254.740991"');
    const frames = [frameOf(1), frameOf(2), frameOf(4), frameOf(11), big];
    const view = packed(frames);
    expect(textsIn(view)).toEqual(frames);
    expect(view.head).toMatchObject({ deltas: 5, changes: 5, mirrors: 5, hashes: 10, bigSizes: 1 });
  });

  test("keeps apart what differs for the two tokens in one value", () => {
    const whole = frameOf(1);
    for (const name of ["size", "price", "best_bid", "best_ask", "hash", "side", "asset_id"]) {
      // The first entry's value says something else.
      const own = new RegExp(`"${name}":"([^"]*)"`).exec(whole)?.[1] ?? "";
      const other =
        name === "hash"
          ? ""
          : name === "side"
            ? "SELL"
            : name === "asset_id"
              ? (marketOf(1).tokens[1] ?? "")
              : "0.77";
      const text = whole.replace(`"${name}":"${own}"`, `"${name}":"${other}"`);
      const view = packed([whole, text]);
      expect(textsIn(view), name).toEqual([whole, text]);
      expect(view.head, name).toMatchObject({ deltas: 2, changes: 3, mirrors: 1 });
    }
  });

  test("keeps empty frames, also where nothing else is kept as text", () => {
    const frames = ["", frameOf(1), ""];
    const view = packed(frames);
    expect(textsIn(view)).toEqual(frames);
    expect([...view.textFrames()].map(String)).toEqual(["", ""]);
  });

  test("keeps what the venue sends mostly as columns", () => {
    const frames = Array.from({ length: 1_000 }, (_, n) => frameOf(n));
    const view = packed(frames);
    expect(textsIn(view)).toEqual(frames);
    expect(view.head).toMatchObject({ rows: 1_000, frames: 1_000, deltas: 930, texts: 70 });
    expect(view.markets).toHaveLength(5);
    const stored = view.head.columnBytes + view.head.hashes * 20 + view.head.textBytes;
    expect(frames.join("").length / stored).toBeGreaterThan(6);
  });

  test("keeps times that jump, forwards and back", () => {
    const times = [startMs, startMs + 2_000_000_000, startMs, startMs - 7, startMs - 7];
    const view = packed(
      times.map(() => frameOf(1)),
      (i) => times[i] ?? 0,
    );
    expect([...view.rows()].map((row) => row.atMs)).toEqual(times);
    expect(view.head).toMatchObject({ firstAtMs: startMs - 7, lastAtMs: startMs + 2_000_000_000 });
  });

  test("numbers its rows on from the block before, and ends after a gap", () => {
    const builder = new BlockBuilder(10);
    builder.addNote(startMs, { note: "link", link: "up" });
    expect(builder.isFullFor(startMs)).toBe(false);
    builder.addNote(startMs, { note: "gap", reason: "overload", lost: 5, fromMs: startMs });
    expect(builder.isFullFor(startMs)).toBe(true);
    const { head } = builder.build();
    expect(head).toMatchObject({ firstSeq: 10, lastSeq: 15, rows: 2, gaps: 1, lostRows: 5 });
    builder.addNote(startMs, { note: "link", link: "lost" });
    expect(builder.build().head).toMatchObject({ firstSeq: 16, lastSeq: 16 });
  });
});

test("a segment of format 1, in which no change stands for two, is read; one of format 3 is refused", () => {
  const folder = join(scratchFolder(), "tape");
  // Said about one token alone: nothing that format 1 does not know.
  const alone = (n: number) => frameOf(n).replace(/(\[\{[^}]*\}),\{[^}]*\}/, "$1");
  recordFrames(folder, 50, 40, alone);
  const file = join(folder, "00000001.seg");
  const setVersion = (version: number) => {
    const bytes = readFileSync(file);
    bytes.writeUInt32LE(version, 12);
    bytes.writeUInt32LE(crc32(bytes.subarray(12, segmentHeadBytes)), 8);
    writeFileSync(file, bytes);
  };
  setVersion(1);
  expect(textsOf(folder)).toEqual(Array.from({ length: 50 }, (_, n) => alone(n)));
  setVersion(3);
  expect(() => textsOf(folder)).toThrow("format 3, this version reads 2");
});

describe.skipIf(skipped(1))("recorded frames", () => {
  test("are given back as they came; the venue's changes are kept as columns", () => {
    const values = recordedJson("ws/fed-decision-2026-07-20.frames.json") as unknown[];
    const texts = values.map((value) => JSON.stringify(value));
    const view = packed(texts);
    expect(textsIn(view)).toEqual(texts);
    expect(view.head).toMatchObject({ frames: 27, deltas: 24 });
  });
});
