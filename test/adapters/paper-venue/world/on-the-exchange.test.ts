import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  createPaperVenue,
  type PaperVenue,
} from "../../../../src/adapters/paper-venue/http/create-paper-venue.ts";
import type { Exchange, Level } from "../../../../src/adapters/paper-venue/types.ts";
import { createDataWorld } from "../../../../src/adapters/paper-venue/world/data-world.ts";
import { createTapeWorld } from "../../../../src/adapters/paper-venue/world/tape-world.ts";
import { createUniverse } from "../../../../src/adapters/paper-venue/world/universe.ts";
import { recordedDataDir, saySkipped } from "./recorded-data.ts";
import { RecordingExchange } from "./recording-exchange.ts";

const START_MS = Date.UTC(2026, 10, 21, 12, 1, 0);
const dir = recordedDataDir();
if (dir === null) saySkipped(2);

let stateDir = "";
let nowMs = START_MS;
let venue: PaperVenue;
beforeEach(() => {
  nowMs = START_MS;
  stateDir = mkdtempSync(join(tmpdir(), "pitboss-world-"));
  venue = createPaperVenue({ stateDir, clock: () => nowMs });
});
afterEach(async () => {
  await venue.close();
  rmSync(stateDir, { recursive: true });
});

function bookOf(conditionId: string): { bids: readonly Level[]; asks: readonly Level[] } {
  const view = venue.state.markets.market(conditionId)?.book.view(0);
  return { bids: view?.bids ?? [], asks: view?.asks ?? [] };
}

describe("worlds on the real exchange", () => {
  test("ten minutes of order flow leave the exchange with exactly the crowd's books, never crossed", () => {
    const drive = (exchange: Exchange, check: () => void): void => {
      nowMs = START_MS;
      const world = createUniverse({
        exchange,
        seed: 4,
        pace: 3,
        still: false,
        nowMs: () => nowMs,
      });
      for (let at = 0; at <= 600_000; at += 500) {
        nowMs = START_MS + at;
        world.advance(nowMs);
        if (at % 10_000 === 0) check();
      }
    };
    drive(venue.exchange, () => {
      for (const { bestBid, bestAsk, spec } of venue.exchange.markets())
        expect(`${spec.slug} ${Number(bestBid ?? "0") < Number(bestAsk ?? "1")}`).toBe(
          `${spec.slug} true`,
        );
    });
    const reference = new RecordingExchange();
    drive(reference, () => {});
    let compared = 0;
    for (const { spec, acceptingOrders } of reference.markets()) {
      if (!acceptingOrders) continue;
      expect(bookOf(spec.conditionId)).toEqual(reference.book(spec.conditionId));
      compared++;
    }
    expect(compared).toBeGreaterThan(50);
  });

  test.skipIf(dir === null)("the Fed tape ends in the recorded later book, level by level", () => {
    const file = join(dir ?? "", "ws/fed-decision-2026-07-20.frames.json");
    type Frame = { event_type?: string; market?: string; bids: Level[]; asks: Level[] };
    const frames = JSON.parse(readFileSync(file, "utf8")) as Frame[];
    const at = frames.findIndex(({ event_type }) => event_type === "book");
    const later = frames[at];
    const world = createTapeWorld({
      exchange: venue.exchange,
      source: file,
      dataDir: null,
      speed: 1000,
      nowMs: () => nowMs,
    });
    world.advance(nowMs);
    // The later book is the last one on the tape: what follows it are deltas to other levels.
    const touched = new Set(
      frames.slice(at + 1).flatMap((frame) => {
        const list = (frame as { price_changes?: { price: string }[] }).price_changes ?? [];
        return list.flatMap(({ price }) => [price, String(Number((1 - Number(price)).toFixed(4)))]);
      }),
    );
    nowMs += 60_000;
    world.advance(nowMs);
    const untouched = (levels: readonly Level[]): Level[] =>
      levels.filter(({ price }) => !touched.has(price));
    const book = bookOf(later?.market ?? "");
    expect(untouched(book.bids)).toEqual(untouched(later?.bids ?? []));
    expect(untouched(book.asks)).toEqual(untouched(later?.asks ?? []));
    expect(untouched(book.asks).length).toBeGreaterThan(10);
    expect(venue.exchange.market(later?.market ?? "")?.lastTradePrice).toBe("0.925");
  });

  test.skipIf(dir === null)(
    "recorded books load level by level and a move shifts a held one",
    () => {
      const world = createDataWorld(venue.exchange, dir ?? "", nowMs);
      const reference = new RecordingExchange();
      createDataWorld(reference, dir ?? "", nowMs);
      for (const { spec } of reference.markets())
        expect(bookOf(spec.conditionId)).toEqual(reference.book(spec.conditionId));
      const id = "0x30f729ef18553d8956bfd7ae7a1e96dbad07e2476160239b23ec10e6cdc5f01b";
      venue.exchange.hold(id, true);
      venue.exchange.whileMoving(id, () => world.move(id, 2));
      expect(venue.exchange.market(id)).toMatchObject({ bestBid: "0.18", bestAsk: "0.19" });
    },
  );

  test("a window that ended while the venue was down is settled for whoever holds it", async () => {
    const options = { exchange: venue.exchange, seed: 1, pace: 0, still: true };
    createUniverse({ ...options, nowMs: () => nowMs });
    const window = venue.exchange.markets().find(({ spec }) => spec.slug.startsWith("btc-updown"));
    const up = window?.spec.outcomes[0].tokenId ?? "";
    await venue.close();
    nowMs += 3_600_000;
    venue = createPaperVenue({ stateDir, clock: () => nowMs });
    createUniverse({
      ...options,
      exchange: venue.exchange,
      nowMs: () => nowMs,
      heldTokens: new Set([up]),
    });
    const settled = venue.exchange.market(window?.spec.conditionId ?? "");
    expect(settled?.resolved).not.toBeNull();
    // The same seed and slug come to the same end as a venue that stayed up.
    const reference = new RecordingExchange();
    const world = createUniverse({ ...options, exchange: reference, nowMs: () => START_MS });
    world.advance(START_MS + 600_000);
    expect(reference.market(window?.spec.conditionId ?? "")?.resolved).toBe(settled?.resolved);
  });
});
