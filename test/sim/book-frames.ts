import {
  applyMarketEvent,
  createMarketBook,
  currentHash,
} from "../../src/engine/domain/market-book.ts";
import type { BookDelta, BookSnapshot, LevelChange } from "../../src/engine/domain/market-event.ts";
import type { Price, Shares } from "../../src/engine/domain/numbers.ts";
import type { Level } from "../../src/engine/domain/order-book.ts";
import { plainHasher } from "../engine/support/hasher.ts";
import type { BookLevel, SimBook } from "./exchange.ts";

/** A book at one moment, with the hash that the venue gives it. */
export type BookPicture = {
  readonly book: SimBook;
  readonly timestamp: string;
  readonly tick: number;
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
  readonly hash: string | null;
};

/** Takes a picture of a book as it stands. */
export function pictureOf(book: SimBook): BookPicture {
  const timestamp = String(book.changedAtMs);
  const levels = (side: readonly BookLevel[]): Level[] =>
    side.map((level) => ({ price: level.price as Price, size: level.size as Shares }));
  const bare = {
    book,
    timestamp,
    tick: book.tick,
    bids: levels(book.bids),
    asks: levels(book.asks),
  };
  return { ...bare, hash: hashOf(bare) };
}

/** The hash is made by the engine's own function: the form of the text is proved elsewhere, on recordings. */
function hashOf(picture: Omit<BookPicture, "hash">): string | null {
  if (picture.bids.length + picture.asks.length === 0) return null;
  const { market } = picture.book;
  const scratch = createMarketBook({
    conditionId: market.conditionId,
    tokenIds: [market.outcomes[0].tokenId, market.outcomes[1].tokenId],
    tickSize: picture.tick as Price,
    minOrderSize: market.minOrderSize,
    negRisk: market.negRisk,
  });
  applyMarketEvent(scratch, snapshotOf({ ...picture, hash: null }, "rest"), 0, plainHasher);
  return currentHash(scratch, 0, picture.timestamp, plainHasher);
}

export function snapshotOf(picture: BookPicture, source: BookSnapshot["source"]): BookSnapshot {
  const { market } = picture.book;
  return {
    kind: "book.snapshot",
    conditionId: market.conditionId,
    tokenId: market.outcomes[0].tokenId,
    timestamp: picture.timestamp,
    hash: picture.hash,
    bids: picture.bids,
    asks: picture.asks,
    tickSize: picture.tick as Price,
    minOrderSize: market.minOrderSize,
    negRisk: market.negRisk,
    lastTradePrice: "",
    source,
  };
}

/** What changed between two moments; every change carries the hash and the best prices after the last one. */
export function deltaBetween(before: BookPicture, now: BookPicture): BookDelta {
  const { market } = now.book;
  const bestBid = best(now.bids, Math.max);
  const bestAsk = best(now.asks, Math.min);
  const changes: LevelChange[] = [];
  for (const side of ["buy", "sell"] as const) {
    const was = sizes(side === "buy" ? before.bids : before.asks);
    const is = sizes(side === "buy" ? now.bids : now.asks);
    for (const price of new Set([...was.keys(), ...is.keys()])) {
      const size = is.get(price) ?? 0;
      if (size === was.get(price)) continue;
      changes.push({
        tokenId: market.outcomes[0].tokenId,
        side,
        price: price as Price,
        size: size as Shares,
        hash: now.hash,
        bestBid,
        bestAsk,
      });
    }
  }
  return {
    kind: "book.delta",
    conditionId: market.conditionId,
    timestamp: now.timestamp,
    changes,
  };
}

function sizes(levels: readonly Level[]): Map<number, number> {
  return new Map(levels.map((level) => [level.price, level.size]));
}

function best(levels: readonly Level[], of: (...prices: number[]) => number): Price | null {
  return levels.length === 0 ? null : (of(...levels.map((level) => level.price)) as Price);
}
