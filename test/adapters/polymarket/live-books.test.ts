import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Polymarket } from "../../../src/adapters/polymarket/create-polymarket.ts";
import {
  applyMarketEvent,
  checkClaims,
  createMarketBook,
  type MarketBook,
} from "../../../src/engine/domain/market-book.ts";
import { openPaperDesk, type PaperDesk, until } from "./paper-desk.ts";

let desk: PaperDesk;
let polymarket: Polymarket;
let books: Map<string, MarketBook>;
let reasons: string[];
let epochs: number[];
let trades: number;

/** What the engine does with the feed, in short: books, verification, resync. */
async function follow(): Promise<void> {
  const found = await polymarket.catalog.openMarkets(60);
  if (!found.ok) throw new TypeError(found.error);
  books = new Map(
    found.value.markets
      .filter((market) => market.tradable)
      .map((market) => [
        market.conditionId,
        createMarketBook({
          ...market,
          tokenIds: [market.outcomes[0].tokenId, market.outcomes[1].tokenId],
        }),
      ]),
  );
  const contradicted = (book: MarketBook, reason: string) => {
    reasons.push(reason);
    polymarket.marketData.resync(book.conditionId);
  };
  polymarket.marketData.start((events) => {
    for (const event of events) {
      if (event.kind === "link.up") epochs.push(event.epoch);
      else if (event.kind === "link.lost") {
        for (const id of event.conditionIds) {
          const book = books.get(id);
          if (book !== undefined) book.status = "waiting";
        }
      } else {
        if (event.kind === "trade.printed") trades++;
        const book = books.get(event.conditionId);
        if (book === undefined) continue;
        const reason = applyMarketEvent(book, event, Date.now(), polymarket.hasher);
        if (reason !== null) contradicted(book, reason);
      }
    }
    // The quiet that closes a group: everything of one socket read has been applied.
    for (const book of books.values()) {
      const reason = checkClaims(book, polymarket.hasher);
      if (reason !== null) contradicted(book, reason);
    }
  });
  polymarket.marketData.watch([...books.values()]);
}

beforeEach(async () => {
  desk = await openPaperDesk({ still: false, pace: 100 });
  polymarket = desk.connect({ feedTimings: { backOffFirstMs: 20 } });
  reasons = [];
  epochs = [];
  trades = 0;
  await follow();
  desk.world.start();
});
afterEach(async () => desk.close());

const applied = () => [...books.values()].reduce((sum, book) => sum + book.framesApplied, 0);
const verified = () => [...books.values()].reduce((sum, book) => sum + book.hashesVerified, 0);
const allLive = () => ([...books.values()].every((book) => book.status === "live") ? true : null);

describe("books kept from the paper venue's stream", () => {
  test("thousands of changes in 40 markets: every hash and best price verifies, no resync", async () => {
    await until("live books", allLive);
    await until("2,000 frames and trades", () => (applied() > 2_000 && trades > 5 ? true : null));
    // The world may change a tick meanwhile; that is no integrity failure.
    expect(reasons.filter((reason) => reason !== "tick_changed")).toEqual([]);
    expect(books.size).toBeGreaterThan(39);
    expect(verified()).toBeGreaterThan(1_000);
    expect(polymarket.marketData.counters().framesInvalid).toBe(0);
  });

  test("lost frames are noticed by the hash and repaired by a resync", async () => {
    await until("live books", allLive);
    await until("some frames", () => (applied() > 200 ? true : null));
    await desk.fault("ws-skip", { n: 5 });
    // The world may change a tick meanwhile; that is no integrity failure.
    const contradictions = () => reasons.filter((reason) => reason !== "tick_changed");
    await until("a contradiction", () => contradictions()[0]);
    await until("live books", allLive);
    for (const reason of contradictions())
      expect(reason).toMatch(/hash_mismatch|best_price_mismatch|crossed/);
    const now = applied();
    await until("more frames", () => (applied() > now + 200 ? true : null));
    await until("live books", allLive);
  });

  test("a dropped connection begins a new epoch with fresh books", async () => {
    await until("live books", allLive);
    await desk.fault("ws-drop", { channel: "market" });
    await until("the next epoch", () => (epochs.length >= 2 ? true : null));
    await until("live books", allLive);
    expect(epochs).toEqual([1, 2]);
  });
});
