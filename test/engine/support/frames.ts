import { parseBook } from "../../../src/adapters/polymarket/parse-book.ts";
import { parseMarketValue } from "../../../src/adapters/polymarket/parse-market-frame.ts";
import type { OutcomeIndex } from "../../../src/engine/domain/market.ts";
import {
  applyMarketEvent,
  createMarketBook,
  currentHash,
  type MarketBook,
} from "../../../src/engine/domain/market-book.ts";
import type {
  BookDelta,
  BookSnapshot,
  MarketEvent,
} from "../../../src/engine/domain/market-event.ts";
import { type Price, price, type Shares, shares } from "../../../src/engine/domain/numbers.ts";
import { plainHasher } from "./hasher.ts";
import { levels, priceOf } from "./levels.ts";

/** Every event of a recorded array of frames, in order. */
export function eventsOf(frames: unknown): MarketEvent[] {
  return [...parseMarketValue(frames).events];
}

/** One REST or stream book as recorded; null for a book without a market (an empty stub). */
export function recordedBook(value: unknown): BookSnapshot | null {
  const read = parseBook(value as Record<string, unknown>, "rest");
  return read.ok ? read.value : null;
}

/** A book for a market of which one token is known; the other gets a name of its own. */
export function bookFor(first: BookSnapshot, negRisk: boolean, other = "2"): MarketBook {
  return createMarketBook({
    conditionId: first.conditionId,
    tokenIds: [first.tokenId, other],
    tickSize: first.tickSize ?? price(10),
    minOrderSize: first.minOrderSize ?? shares(5_000_000),
    negRisk: first.negRisk ?? negRisk,
    hashes: "each",
  });
}

export const yes = "1111";
export const no = "2222";
const conditionId = `0x${"ab".repeat(32)}`;

/** A small live book on a tick of a cent: 0.47 x 200, 0.48 x 100 | 0.52 x 50, 0.53 x 100. */
export function liveBook(): MarketBook {
  const book = createMarketBook({
    conditionId,
    tokenIds: [yes, no],
    tickSize: price(100),
    minOrderSize: shares(5_000_000),
    negRisk: false,
  });
  applyMarketEvent(book, snapshot({ timestamp: "1000" }), 1_000, plainHasher);
  return book;
}

export function snapshot(over: Partial<BookSnapshot> = {}): BookSnapshot {
  return {
    kind: "book.snapshot",
    conditionId,
    tokenId: yes,
    timestamp: "1000",
    hash: null,
    bids: levels(["0.47", "200"], ["0.48", "100"]),
    asks: levels(["0.53", "100"], ["0.52", "50"]),
    tickSize: price(100),
    minOrderSize: shares(5_000_000),
    negRisk: false,
    lastTradePrice: "0.500",
    source: "stream",
    ...over,
  };
}

/** One frame with one level of YES and, as the venue sends it, the same level mirrored for NO. */
export function delta(
  timestamp: string,
  level: { readonly side: "buy" | "sell"; readonly at: string; readonly size: Shares },
  claims: {
    readonly hash: string | null;
    readonly bestBid?: Price | null;
    readonly bestAsk?: Price | null;
  },
): BookDelta {
  const change = {
    tokenId: yes,
    side: level.side,
    price: priceOf(level.at),
    size: level.size,
    hash: claims.hash,
    bestBid: claims.bestBid,
    bestAsk: claims.bestAsk,
  };
  return { kind: "book.delta", conditionId, timestamp, changes: [change] };
}

/** Hash that the venue would state for a book that had these levels as well. */
export function hashWith(
  timestamp: string,
  extra: readonly { readonly side: "buy" | "sell"; readonly at: string; readonly size: Shares }[],
  options: { readonly outcome?: OutcomeIndex; readonly lastTradePrice?: string } = {},
): string {
  const book = liveBook();
  for (const level of extra) {
    applyMarketEvent(book, delta(timestamp, level, { hash: null }), 1_000, plainHasher);
  }
  book.lastTradePrice = options.lastTradePrice ?? book.lastTradePrice;
  return currentHash(book, options.outcome ?? 0, timestamp, plainHasher);
}

export function apply(book: MarketBook, event: MarketEvent, atMs = 2_000) {
  return applyMarketEvent(book, event, atMs, plainHasher);
}
