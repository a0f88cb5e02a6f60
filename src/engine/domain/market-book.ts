import { type BookHashFrame, bookHashText, lastTradeCandidates } from "./book-hash.ts";
import type { ConditionId, OutcomeIndex, TokenId } from "./market.ts";
import type { BookDelta, BookSnapshot, LevelChange, MarketEvent } from "./market-event.ts";
import type { Price, Shares } from "./numbers.ts";
import {
  applySnapshot,
  bestPrice,
  changeTick,
  createOrderBook,
  isCrossed,
  type OrderBook,
  setLevel,
} from "./order-book.ts";

/** The two hash functions that book verification needs; see ports/hasher. */
export type BookHasher = {
  /** Lower-case hex of the SHA-1 of UTF-8 text. */
  readonly sha1Hex: (text: string) => string;
  /**
   * Finds the first candidate whose `prefix + candidate + suffix` has this SHA-1, or null. One hash state of the
   * prefix is shared, which makes a thousand candidates on a deep book cost milliseconds.
   */
  readonly sha1Search: (
    prefix: string,
    candidates: readonly string[],
    suffix: string,
    wantedHex: string,
  ) => string | null;
};

/** Why a book is not believed and a fresh snapshot is asked for. A closed set: it labels a counter. */
export type ResyncReason =
  | "no_snapshot"
  | "hash_mismatch"
  | "best_price_mismatch"
  | "crossed"
  | "tick_changed"
  | "link_lost";

/** Live: may be traded on. Waiting: no snapshot of this epoch yet. Stale: contradicted, a resync is under way. */
export type BookStatus = "waiting" | "live" | "stale";

/** Expectation that the last frame of a (timestamp, hash) group states about one token's book. */
type Claim = {
  readonly timestamp: string;
  hash: string | null;
  bestBid: Price | null | undefined;
  bestAsk: Price | null | undefined;
};

/** The book of one market with everything needed to verify it. Changed only by the functions of this file. */
export type MarketBook = {
  readonly conditionId: ConditionId;
  readonly tokenIds: readonly [TokenId, TokenId];
  readonly ladder: OrderBook;
  status: BookStatus;
  resyncReason: ResyncReason | null;
  tickSize: Price;
  minOrderSize: Shares;
  negRisk: boolean;
  readonly hashes: "one" | "each";
  /** Market-wide, three decimals, "" when never traded. */
  lastTradePrice: string;
  /** Venue milliseconds of the newest change applied. */
  timestamp: string;
  /** Local time of the last frame of this epoch. */
  frameAtMs: number;
  /** Local time of the last REST read whose book equalled ours. */
  confirmedAtMs: number;
  /** Claims of the open group per outcome; checked when a frame of another group arrives or the feed goes quiet. */
  readonly claims: [Claim | null, Claim | null];
  framesApplied: number;
  hashesVerified: number;
  resyncs: number;
};

export type MarketBookSpec = {
  readonly conditionId: ConditionId;
  readonly tokenIds: readonly [TokenId, TokenId];
  readonly tickSize: Price;
  readonly minOrderSize: Shares;
  readonly negRisk: boolean;
  /**
   * Both outcomes are one ladder, so one hash a group proves it: the default. "each" recomputes the other outcome's
   * hash too, for recordings that are verified as evidence.
   */
  readonly hashes?: "one" | "each";
};

/** What applying an event found: null when all is well, otherwise why the book needs a fresh snapshot. */
export type ApplyOutcome = ResyncReason | null;

export function createMarketBook(spec: MarketBookSpec): MarketBook {
  return {
    ...spec,
    hashes: spec.hashes ?? "one",
    ladder: createOrderBook(spec.tickSize),
    status: "waiting",
    resyncReason: null,
    lastTradePrice: "",
    timestamp: "0",
    frameAtMs: 0,
    confirmedAtMs: 0,
    claims: [null, null],
    framesApplied: 0,
    hashesVerified: 0,
    resyncs: 0,
  };
}

/** Applies one event of this market. Call `checkClaims` when the feed has gone quiet, to close the last group. */
export function applyMarketEvent(
  book: MarketBook,
  event: MarketEvent,
  atMs: number,
  hasher: BookHasher,
): ApplyOutcome {
  switch (event.kind) {
    case "book.snapshot":
      return applyBookSnapshot(book, event, atMs, hasher);
    case "book.delta":
      return applyBookDelta(book, event, atMs, hasher);
    case "trade.printed": {
      // The message arrives after the book change; its price becomes member 10 of later hashes.
      const outcome = checkClaims(book, hasher);
      book.frameAtMs = atMs;
      book.lastTradePrice = lastTradeText(event.price);
      return outcome;
    }
    case "tick-size.changed":
      if (event.tickSize === book.tickSize) return null;
      book.tickSize = event.tickSize;
      changeTick(book.ladder, event.tickSize);
      return markStale(book, "tick_changed");
    case "quote.printed":
    case "market.opened":
    case "market.resolved":
      book.frameAtMs = atMs;
      return null;
    default:
      return null;
  }
}

/** Three decimals, as member 10 of the hash writes it. */
export function lastTradeText(at: Price): string {
  const thousandths = Math.round(at / 10);
  return `0.${String(thousandths).padStart(3, "0")}`;
}

function outcomeOf(book: MarketBook, tokenId: TokenId): OutcomeIndex | null {
  if (tokenId === book.tokenIds[0]) return 0;
  return tokenId === book.tokenIds[1] ? 1 : null;
}

function applyBookSnapshot(
  book: MarketBook,
  event: BookSnapshot,
  atMs: number,
  hasher: BookHasher,
): ApplyOutcome {
  const outcome = outcomeOf(book, event.tokenId);
  if (outcome === null) return null;
  // A snapshot older than what is applied already is the echo of an earlier subscription.
  if (book.status === "live" && Number(event.timestamp) < Number(book.timestamp)) return null;
  // A claim that the snapshot overtakes was either right or is repaired by the snapshot itself.
  if (event.tickSize !== null && event.tickSize !== book.tickSize) {
    book.tickSize = event.tickSize;
    changeTick(book.ladder, event.tickSize);
  }
  if (event.minOrderSize !== null) book.minOrderSize = event.minOrderSize;
  if (event.negRisk !== null) book.negRisk = event.negRisk;
  if (event.lastTradePrice !== null) book.lastTradePrice = event.lastTradePrice;
  applySnapshot(book.ladder, outcome, event.bids, event.asks);
  book.claims[0] = null;
  book.claims[1] = null;
  book.timestamp = event.timestamp;
  book.frameAtMs = atMs;
  book.framesApplied++;
  if (isCrossed(book.ladder)) return markStale(book, "crossed");
  if (event.hash !== null && !verifyHash(book, outcome, event.timestamp, event.hash, hasher)) {
    return markStale(book, "hash_mismatch");
  }
  book.status = "live";
  book.resyncReason = null;
  return null;
}

function applyBookDelta(
  book: MarketBook,
  event: BookDelta,
  atMs: number,
  hasher: BookHasher,
): ApplyOutcome {
  if (book.status === "waiting") return markStale(book, "no_snapshot");
  if (book.status === "stale") return null;
  if (Number(event.timestamp) < Number(book.timestamp)) return null;
  const before = closeGroups(book, event, hasher);
  if (before !== null) return before;
  for (const change of event.changes) {
    const outcome = outcomeOf(book, change.tokenId);
    if (outcome === null) continue;
    setLevel(book.ladder, outcome, change.side, change.price, change.size);
    book.claims[outcome] = {
      timestamp: event.timestamp,
      hash: change.hash,
      bestBid: change.bestBid,
      bestAsk: change.bestAsk,
    };
  }
  book.timestamp = event.timestamp;
  book.frameAtMs = atMs;
  book.framesApplied++;
  return null;
}

/** A group ends when a frame with another timestamp, or another hash for the same token, arrives. */
function closeGroups(book: MarketBook, event: BookDelta, hasher: BookHasher): ApplyOutcome {
  // Both tokens are one book: a later frame of either one ends what the other one claimed.
  if (book.claims.some((claim) => claim !== null && claim.timestamp !== event.timestamp)) {
    return checkClaims(book, hasher);
  }
  for (const change of event.changes) {
    const outcome = outcomeOf(book, change.tokenId);
    const claim = outcome === null ? null : book.claims[outcome];
    if (claim != null && !sameGroup(claim, event.timestamp, change)) {
      return checkClaims(book, hasher);
    }
  }
  return null;
}

function sameGroup(claim: Claim, timestamp: string, change: LevelChange): boolean {
  return claim.timestamp === timestamp && claim.hash === change.hash;
}

/** Verifies what the open group claims about the book, then forgets the claims. */
export function checkClaims(book: MarketBook, hasher: BookHasher): ApplyOutcome {
  let provedAt: string | null = null;
  for (const outcome of [0, 1] as const) {
    const claim = book.claims[outcome];
    if (claim === null) continue;
    book.claims[outcome] = null;
    if (book.status !== "live") continue;
    if (!bestAgrees(book, outcome, claim)) return markStale(book, "best_price_mismatch");
    if (claim.hash === null || claim.timestamp === provedAt) continue;
    if (!verifyHash(book, outcome, claim.timestamp, claim.hash, hasher)) {
      return markStale(book, isCrossed(book.ladder) ? "crossed" : "hash_mismatch");
    }
    if (book.hashes === "one") provedAt = claim.timestamp;
  }
  if (book.status === "live" && isCrossed(book.ladder)) return markStale(book, "crossed");
  return null;
}

function bestAgrees(book: MarketBook, outcome: OutcomeIndex, claim: Claim): boolean {
  const bid = bestPrice(book.ladder, outcome, "buy");
  const ask = bestPrice(book.ladder, outcome, "sell");
  return (
    (claim.bestBid === undefined || claim.bestBid === bid) &&
    (claim.bestAsk === undefined || claim.bestAsk === ask)
  );
}

/** True when the book has this hash now, learning the last trade price when only that differs. */
export function verifyHash(
  book: MarketBook,
  outcome: OutcomeIndex,
  timestamp: string,
  wantedHex: string,
  hasher: BookHasher,
): boolean {
  const text = bookHashText(book.ladder, outcome, hashFrame(book, outcome, timestamp));
  if (hasher.sha1Hex(`${text.prefix}${book.lastTradePrice}${text.suffix}`) === wantedHex) {
    book.hashesVerified++;
    return true;
  }
  const learnt = hasher.sha1Search(text.prefix, lastTradeCandidates, text.suffix, wantedHex);
  if (learnt === null) return false;
  book.lastTradePrice = learnt;
  book.hashesVerified++;
  return true;
}

/** Hash of one token's book as it stands, for comparison with a REST read or for evidence in the ledger. */
export function currentHash(
  book: MarketBook,
  outcome: OutcomeIndex,
  timestamp: string,
  hasher: BookHasher,
): string {
  const text = bookHashText(book.ladder, outcome, hashFrame(book, outcome, timestamp));
  return hasher.sha1Hex(`${text.prefix}${book.lastTradePrice}${text.suffix}`);
}

function hashFrame(book: MarketBook, outcome: OutcomeIndex, timestamp: string): BookHashFrame {
  return {
    conditionId: book.conditionId,
    tokenId: book.tokenIds[outcome],
    timestamp,
    minOrderSize: book.minOrderSize,
    tickSize: book.tickSize,
    negRisk: book.negRisk,
  };
}

export function markStale(book: MarketBook, reason: ResyncReason): ResyncReason {
  book.status = reason === "link_lost" ? "waiting" : "stale";
  book.resyncReason = reason;
  book.claims[0] = null;
  book.claims[1] = null;
  book.resyncs++;
  return reason;
}

/** Milliseconds since the book was last known to be right; Infinity while it is not live. */
export function ageMs(book: MarketBook, nowMs: number): number {
  if (book.status !== "live") return Number.POSITIVE_INFINITY;
  return Math.max(0, nowMs - Math.max(book.frameAtMs, book.confirmedAtMs));
}
