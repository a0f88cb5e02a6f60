import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { WorldError } from "../../../../src/adapters/paper-venue/world/errors.ts";
import {
  parseTape,
  type TapeFrame,
} from "../../../../src/adapters/paper-venue/world/tape-frames.ts";
import {
  createTapeWorld,
  tapeSchedule,
} from "../../../../src/adapters/paper-venue/world/tape-world.ts";
import { recordedDataDir, saySkipped } from "./recorded-data.ts";
import { RecordingExchange } from "./recording-exchange.ts";

const NOW_MS = Date.UTC(2026, 10, 21, 12, 0, 0);
const FED = "0x8bf1c1536ecb1c08fe13c6b71e8ab1f58bf3461c4cb79f5f1679f869a06aef86";
const dir = recordedDataDir();
if (dir === null) saySkipped(4);

type Level = { readonly price: string; readonly size: string };

function play(file: string, speed = 1) {
  const exchange = new RecordingExchange();
  const world = createTapeWorld({
    exchange,
    source: file,
    dataDir: dir,
    speed,
    nowMs: () => NOW_MS,
  });
  return { exchange, world };
}

function withTape<T>(content: string, run: (file: string) => T): T {
  const root = mkdtempSync(join(tmpdir(), "pitboss-tape-"));
  const file = join(root, "tape.jsonl");
  writeFileSync(file, content);
  try {
    return run(file);
  } finally {
    rmSync(root, { recursive: true });
  }
}

describe.skipIf(dir === null)("recorded tapes", () => {
  const ws = join(dir ?? "", "ws");

  test("the Fed frames end in the recorded later book exactly", () => {
    const file = join(ws, "fed-decision-2026-07-20.frames.json");
    const frames = JSON.parse(readFileSync(file, "utf8")) as unknown[];
    const later = frames.find(
      (frame) => (frame as { event_type?: string }).event_type === "book",
    ) as { readonly bids: Level[]; readonly asks: Level[] };
    const { exchange, world } = play(file);
    expect(exchange.market(FED)?.spec.negRisk).toBe(true);
    expect(exchange.market(FED)?.spec.question).toContain("no titles");
    const opening = exchange.book(FED);
    world.start();
    world.stop();
    // Everything up to the later book, by the clock: it stands 31 s after the first delta.
    const at = frames.indexOf(later);
    const schedule = tapeSchedule(parseTape(readFileSync(file, "utf8")).frames, 1);
    world.advance(NOW_MS + (schedule[at - 1] ?? 0));
    expect(exchange.book(FED)).not.toEqual(opening);
    const byDeltas = exchange.book(FED);
    world.advance(NOW_MS + (schedule[at] ?? 0));
    expect(exchange.book(FED)).toEqual({ bids: later.bids, asks: later.asks });
    expect(byDeltas).toEqual({ bids: later.bids, asks: later.asks });
    world.advance(NOW_MS + 3_600_000);
    expect(exchange.market(FED)?.lastTradePrice).toBe("0.925");
    const end = exchange.book(FED);
    // The deltas after the book, applied by hand.
    expect(end.bids.find(({ price }) => price === "0.91")?.size).toBe("33658.76");
    expect(end.bids.find(({ price }) => price === "0.904")?.size).toBe("1084.23");
    expect(end.asks.find(({ price }) => price === "0.95")?.size).toBe("27656");
  });

  test("titles come from the data folder's Gamma objects when it has them", () => {
    const id = "0x30f729ef18553d8956bfd7ae7a1e96dbad07e2476160239b23ec10e6cdc5f01b";
    const text = readFileSync(join(dir ?? "", "books", `${id}.json`), "utf8");
    const taped = JSON.stringify({ event_type: "book", ...(JSON.parse(text) as object) });
    withTape(`${taped}\n`, (file) => {
      const { exchange, world } = play(file);
      expect(exchange.market(id)?.spec).toMatchObject({
        slug: "will-rodri-win-the-2026-ballon-dor",
        feeRate: "0.05",
      });
      expect(world.summary).not.toContain("without a recorded title");
    });
  });

  test("every event type is played or left out, none stops the tape", () => {
    const { exchange, world } = play(join(ws, "all-event-types-2026-05.jsonl"));
    expect(world.summary).toMatch(/other messages left out/);
    world.advance(NOW_MS);
    world.advance(NOW_MS + 86_400_000);
    const market = exchange.markets()[0];
    expect(market?.tickSize).toBe("0.001");
    expect(exchange.calls.some((call) => call.startsWith("trade "))).toBe(true);
  });

  test("hash vectors with `kind` instead of event_type play too", () => {
    const { exchange, world } = play(join(ws, "book-hash-vectors-2026-09.json"));
    world.advance(NOW_MS);
    world.advance(NOW_MS + 60_000);
    expect(exchange.markets().length).toBeGreaterThan(0);
  });
});

const book = (over: object = {}) => ({
  event_type: "book",
  market: "0xaa",
  asset_id: "1",
  timestamp: "1000",
  tick_size: "0.01",
  bids: [{ price: "0.4", size: "10" }],
  asks: [
    { price: "0.6", size: "10" },
    { price: "0.5", size: "20" },
  ],
  last_trade_price: "",
  ...over,
});

describe("tapes of our own", () => {
  test("old changes[], single old changes, wrapped and nested frames are understood", () => {
    const lines = [
      JSON.stringify({ channel: "market", data: [[book()]] }),
      "PONG",
      JSON.stringify({
        event_type: "price_change",
        market: "0xaa",
        asset_id: "1",
        timestamp: "2000",
        changes: [{ price: "0.41", side: "buy", size: "3" }],
      }),
      JSON.stringify(
        JSON.stringify({
          event_type: "price_change",
          market: "0xaa",
          asset_id: "2",
          timestamp: "2500",
          price: "0.58",
          side: "BUY",
          size: "4",
        }),
      ),
      JSON.stringify({ event_type: "price_change", market: "0xaa", timestamp: "x", changes: [7] }),
    ].join("\n");
    withTape(lines, (file) => {
      const { exchange, world } = play(file);
      world.advance(NOW_MS);
      world.advance(NOW_MS + 10_000);
      expect(world.summary).toContain("2 other messages left out");
      expect(exchange.book("0xaa")).toEqual({
        bids: [
          { price: "0.4", size: "10" },
          { price: "0.41", size: "3" },
        ],
        asks: [
          { price: "0.6", size: "10" },
          { price: "0.5", size: "20" },
          { price: "0.42", size: "4" },
        ],
      });
    });
  });

  test("a trade is published and leaves the recorded levels, on either token", () => {
    const change = (price: string, size: string, side: string, at: string) =>
      JSON.stringify({
        event_type: "price_change",
        market: "0xaa",
        timestamp: at,
        price_changes: [{ asset_id: "1", price, size, side }],
      });
    const trade = (asset: string, price: string, side: string, at: string) =>
      JSON.stringify({
        event_type: "last_trade_price",
        market: "0xaa",
        asset_id: asset,
        price,
        size: "5.5",
        side,
        timestamp: at,
      });
    const lines = [
      JSON.stringify(book()),
      change("0.5", "14.5", "SELL", "1100"),
      trade("1", "0.5", "BUY", "1200"),
      change("0.4", "0", "BUY", "1300"),
      trade("2", "0.6", "BUY", "1400"),
    ].join("\n");
    withTape(lines, (file) => {
      const { exchange, world } = play(file);
      world.advance(NOW_MS);
      world.advance(NOW_MS + 150);
      expect(exchange.market("0xaa")?.lastTradePrice).toBe("0.500");
      world.advance(NOW_MS + 1000);
      expect(exchange.market("0xaa")?.lastTradePrice).toBe("0.400");
      expect(exchange.book("0xaa")).toEqual({
        bids: [],
        asks: [
          { price: "0.6", size: "10" },
          { price: "0.5", size: "14.5" },
        ],
      });
    });
  });

  test("a trade behind better levels still leaves every recorded level as it was", () => {
    const trade = {
      event_type: "last_trade_price",
      market: "0xaa",
      asset_id: "1",
      price: "0.6",
      size: "7",
      side: "BUY",
      timestamp: "1200",
    };
    withTape([JSON.stringify(book()), JSON.stringify(trade)].join("\n"), (file) => {
      const { exchange, world } = play(file);
      world.advance(NOW_MS);
      world.advance(NOW_MS + 1000);
      expect(exchange.calls.some((call) => call.startsWith("trade "))).toBe(true);
      expect(exchange.book("0xaa")).toEqual({ bids: book().bids, asks: book().asks });
    });
  });

  test("a held market stands still and catches up at its next change", () => {
    const set = (price: string, at: string) =>
      JSON.stringify({
        event_type: "price_change",
        market: "0xaa",
        timestamp: at,
        price_changes: [{ asset_id: "1", price, size: "9", side: "BUY" }],
      });
    withTape(
      [JSON.stringify(book()), set("0.42", "1100"), set("0.43", "1200")].join("\n"),
      (file) => {
        const { exchange, world } = play(file);
        exchange.hold("0xaa", true);
        world.advance(NOW_MS);
        expect(exchange.market("0xaa")?.bestBid).toBe("0.4");
        exchange.hold("0xaa", false);
        world.advance(NOW_MS + 100);
        expect(exchange.book("0xaa").bids.map(({ price }) => price)).toEqual([
          "0.4",
          "0.42",
          "0.43",
        ]);
      },
    );
  });

  test("spacing is kept, divided by the speed and capped at 5 s", () => {
    const frame = (atMs: number | null): TapeFrame => ({ atMs, events: [] });
    const frames = [frame(null), frame(1_000), frame(1_400), frame(61_400), frame(61_000)];
    expect(tapeSchedule(frames, 1)).toEqual([0, 0, 400, 5_400, 5_400]);
    expect(tapeSchedule(frames, 4)).toEqual([0, 0, 100, 1_350, 1_350]);
  });

  test("a tape without a book and a missing file are refused", () => {
    expect(() => parseTape("nothing here\n")).toThrow(WorldError);
    expect(() => play("/nonexistent/tape.json")).toThrow(/cannot read the tape/);
  });
});
