import { createHasher } from "../adapters/polymarket/hasher.ts";
import {
  createMarketBook,
  type MarketBook,
  type MarketBookSpec,
  verifyHash,
} from "../engine/domain/market-book.ts";
import type { BookSnapshot, MarketEvent } from "../engine/domain/market-event.ts";
import type { Price, Shares } from "../engine/domain/numbers.ts";
import { applySnapshot } from "../engine/domain/order-book.ts";

/** What a frame of a market can leave unsaid: every book that we hold has 5 shares. */
const usualMinOrderSize = 5_000_000 as Shares;
const usualTick = 100 as Price;
const hasher = createHasher();

export type TapeMarkets = {
  readonly books: ReadonlyMap<string, MarketBook>;
  /** Condition ids whose `neg_risk` was found by trying both on the first book, with the value that fitted. */
  readonly guessedNegRisk: ReadonlyMap<string, boolean>;
};

/** Empty books for all markets of a tape, with what the tape says about them anywhere. */
export function marketsOfTape(
  events: Iterable<MarketEvent>,
  negRiskOverride: boolean | null,
): TapeMarkets {
  const tokens = new Map<string, Set<string>>();
  const firstBooks = new Map<string, BookSnapshot>();
  for (const event of events) {
    const known = tokens.get(event.conditionId) ?? new Set<string>();
    if (event.kind === "book.delta") for (const change of event.changes) known.add(change.tokenId);
    else if ("tokenId" in event) known.add(event.tokenId);
    else continue;
    tokens.set(event.conditionId, known);
    if (event.kind === "book.snapshot" && event.hash !== null) {
      if (!firstBooks.has(event.conditionId)) firstBooks.set(event.conditionId, event);
    }
  }
  const books = new Map<string, MarketBook>();
  const guessed = new Map<string, boolean>();
  for (const [conditionId, ids] of tokens) {
    const [first = "", second = ""] = ids;
    const book = firstBooks.get(conditionId);
    const spec: MarketBookSpec = {
      conditionId,
      tokenIds: [first, second],
      tickSize: book?.tickSize ?? usualTick,
      minOrderSize: book?.minOrderSize ?? usualMinOrderSize,
      negRisk: negRiskOverride ?? book?.negRisk ?? false,
    };
    const found = negRiskOverride === null && book?.negRisk == null ? fitNegRisk(spec, book) : null;
    if (found !== null) guessed.set(conditionId, found);
    books.set(
      conditionId,
      createMarketBook({ ...spec, negRisk: found ?? spec.negRisk, hashes: "each" }),
    );
  }
  return { books, guessedNegRisk: guessed };
}

/** Whichever value makes the first book's hash come out; null when none does. */
function fitNegRisk(spec: MarketBookSpec, snapshot: BookSnapshot | undefined): boolean | null {
  if (snapshot === undefined || snapshot.hash === null) return null;
  for (const negRisk of [false, true]) {
    const book = createMarketBook({ ...spec, negRisk, hashes: "each" });
    const outcome = snapshot.tokenId === spec.tokenIds[0] ? 0 : 1;
    book.lastTradePrice = snapshot.lastTradePrice ?? "";
    applySnapshot(book.ladder, outcome, snapshot.bids, snapshot.asks);
    if (verifyHash(book, outcome, snapshot.timestamp, snapshot.hash, hasher)) return negRisk;
  }
  return null;
}
