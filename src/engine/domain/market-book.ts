import {
  bestAgrees,
  type Claim,
  contradictsItself,
  createClaim,
  isBehind,
  isEarlier,
  isOffTick,
  outcomeOf,
} from "./book-checks.ts";
import {
  type BookHasher,
  type BookHashFrame,
  bookHashText,
  lastTradeCandidates,
  lastTradeText,
} from "./book-hash.ts";
import {
  type BookHealth,
  createBookHealth,
  createRecentGroups,
  isRepeated,
  noteMissed,
  type RecentGroups,
  type ResyncReason,
  rememberGroup,
} from "./book-health.ts";
import type { ConditionId, OutcomeIndex, TokenId } from "./market.ts";
import type { BookDelta, BookSnapshot, MarketEvent, QuotePrinted } from "./market-event.ts";
import type { Price, Shares } from "./numbers.ts";
import {
  applyRows,
  applySnapshot,
  changeTick,
  createOrderBook,
  isCrossed,
  type OrderBook,
  setLevel,
} from "./order-book.ts";

/** Live: may be traded on. Waiting: no snapshot of this epoch yet. Stale: contradicted, a resync is under way. */
export type BookStatus = "waiting" | "live" | "stale";

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
  /** Every n-th group's hash is checked; 1 checks each. Best prices are compared always. */
  readonly hashEvery: number;
  /** False while hashes fail everywhere (their format changed): they are counted and believed no more. */
  hashTrusted: boolean;
  /** Market-wide, three decimals, "" when never traded. */
  lastTradePrice: string;
  /** Venue milliseconds of the newest change applied. */
  timestamp: string;
  /** Local time of the last frame of this epoch. */
  frameAtMs: number;
  /** Local time of the last REST read whose book equalled ours. */
  confirmedAtMs: number;
  /**
   * Claims of the open group, which is of `timestamp`, by outcome; checked when a frame of another group arrives or the
   * feed goes quiet. The same two objects for ever: new ones for each frame of ten thousand books would outlive their youth.
   */
  readonly yesClaim: Claim;
  readonly noClaim: Claim;
  /** Best prices that the venue printed last; the book has to agree once the feed is quiet. */
  quote: QuotePrinted | null;
  /** Venue milliseconds of the last snapshot: changes before it are part of it. */
  snapshotTimestamp: string;
  readonly recentGroups: RecentGroups;
  readonly health: BookHealth;
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
  readonly hashEvery?: number;
};

/** What applying an event found: null when all is well, otherwise why the book needs a fresh snapshot. */
export type ApplyOutcome = ResyncReason | null;

export function createMarketBook(spec: MarketBookSpec): MarketBook {
  // Written out and in this order: what every frame needs stands in the object itself, side by side.
  return {
    conditionId: spec.conditionId,
    tokenIds: spec.tokenIds,
    ladder: createOrderBook(spec.tickSize),
    yesClaim: createClaim(),
    noClaim: createClaim(),
    status: "waiting",
    timestamp: "0",
    tickSize: spec.tickSize,
    frameAtMs: 0,
    framesApplied: 0,
    quote: null,
    recentGroups: createRecentGroups(),
    hashTrusted: true,
    hashEvery: spec.hashEvery ?? 1,
    hashes: spec.hashes ?? "one",
    hashesVerified: 0,
    lastTradePrice: "",
    minOrderSize: spec.minOrderSize,
    negRisk: spec.negRisk,
    health: createBookHealth(),
    resyncReason: null,
    confirmedAtMs: 0,
    snapshotTimestamp: "",
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
      beginTick(book, event.tickSize);
      return markStale(book, "tick_changed");
    case "change.unread":
      book.health.invalid++;
      return book.status === "live" ? markStale(book, "frame_refused") : null;
    case "quote.printed":
      book.frameAtMs = atMs;
      if (outcomeOf(book.tokenIds, event.tokenId) !== null) book.quote = event;
      return null;
    default:
      return null;
  }
}

function applyBookSnapshot(
  book: MarketBook,
  event: BookSnapshot,
  atMs: number,
  hasher: BookHasher,
): ApplyOutcome {
  const outcome = outcomeOf(book.tokenIds, event.tokenId);
  if (outcome === null) return null;
  // A snapshot older than what is applied already is the echo of an earlier subscription.
  if (book.status === "live" && isEarlier(event.timestamp, book.timestamp)) {
    book.health.outdated++;
    return null;
  }
  if (isBehind(book, event)) return markStale(book, "no_snapshot");
  // A claim that the snapshot overtakes was either right or is repaired by the snapshot itself.
  if (event.tickSize !== null && event.tickSize !== book.tickSize) beginTick(book, event.tickSize);
  if (event.minOrderSize !== null) book.minOrderSize = event.minOrderSize;
  if (event.negRisk !== null) book.negRisk = event.negRisk;
  if (event.lastTradePrice !== null) book.lastTradePrice = event.lastTradePrice;
  if (event.rows === undefined) applySnapshot(book.ladder, outcome, event.bids, event.asks);
  else applyRows(book.ladder, outcome, event.rows);
  dropClaims(book);
  book.snapshotTimestamp = event.timestamp;
  book.timestamp = event.timestamp;
  book.frameAtMs = atMs;
  book.framesApplied++;
  book.health.missedMs = 0;
  if (isCrossed(book.ladder)) return markStale(book, "crossed");
  // Without the search a hash over an unknown last trade price proves nothing either way.
  const isTelling = book.hashTrusted || event.lastTradePrice !== null;
  if (event.hash !== null && isTelling) {
    const fits = verifyHash(book, outcome, event.timestamp, event.hash, hasher);
    book.health.badSnapshots = fits ? 0 : book.health.badSnapshots + 1;
    if (!fits && book.hashTrusted) return markStale(book, "hash_mismatch");
  }
  revive(book, atMs);
  return null;
}

function revive(book: MarketBook, atMs: number): void {
  const { health } = book;
  if (health.staleSinceMs !== null) health.lastResyncMs = atMs - health.staleSinceMs;
  health.staleSinceMs = null;
  book.status = "live";
  book.resyncReason = null;
}

/** Levels and prices of the old tick are void; the ladder keeps them until the snapshot that is asked for. */
function beginTick(book: MarketBook, tickSize: Price): void {
  book.tickSize = tickSize;
  book.health.tickEpoch++;
  changeTick(book.ladder, tickSize);
}

function applyBookDelta(
  book: MarketBook,
  event: BookDelta,
  atMs: number,
  hasher: BookHasher,
): ApplyOutcome {
  if (book.status !== "live") noteMissed(book.health, event);
  if (book.status === "waiting") return markStale(book, "no_snapshot");
  if (book.status === "stale") return null;
  if (isEarlier(event.timestamp, book.timestamp)) return applyLate(book, event);
  if (event.timestamp === book.timestamp && isRepeated(book.recentGroups, event)) {
    book.health.repeated++;
    return null;
  }
  const before = closeGroups(book, event, hasher);
  if (before !== null) return before;
  if (contradictsItself(book.tokenIds, event.changes)) return markStale(book, "mirror_mismatch");
  if (isOffTick(book.tickSize, event.changes)) return markStale(book, "off_tick");
  for (const change of event.changes) {
    const outcome = outcomeOf(book.tokenIds, change.tokenId);
    if (outcome === null) continue;
    setLevel(book.ladder, outcome, change.side, change.price, change.size);
    const claim = claimOf(book, outcome);
    claim.isOpen = true;
    claim.hash = change.hash;
    claim.bestBid = change.bestBid;
    claim.bestAsk = change.bestAsk;
  }
  book.timestamp = event.timestamp;
  book.frameAtMs = atMs;
  book.framesApplied++;
  return null;
}

/** A change of the past: said before, part of the last snapshot, or it lost its place in the stream. */
function applyLate(book: MarketBook, event: BookDelta): ApplyOutcome {
  if (isRepeated(book.recentGroups, event)) book.health.repeated++;
  else if (isEarlier(event.timestamp, book.snapshotTimestamp)) book.health.outdated++;
  else return markStale(book, "out_of_order");
  return null;
}

/** A group ends when a frame with another timestamp, or another hash for the same token, arrives. */
function closeGroups(book: MarketBook, event: BookDelta, hasher: BookHasher): ApplyOutcome {
  // Both tokens are one book: a later frame of either one ends what the other one claimed.
  if (!book.yesClaim.isOpen && !book.noClaim.isOpen) return null;
  if (book.timestamp !== event.timestamp) return checkClaims(book, hasher);
  for (const change of event.changes) {
    const outcome = outcomeOf(book.tokenIds, change.tokenId);
    if (outcome === null) continue;
    const claim = claimOf(book, outcome);
    if (claim.isOpen && claim.hash !== change.hash) return checkClaims(book, hasher);
  }
  return null;
}

export function claimOf(book: MarketBook, outcome: OutcomeIndex): Claim {
  return outcome === 0 ? book.yesClaim : book.noClaim;
}

/** Verifies what the open group claims about the book, then forgets the claims. */
export function checkClaims(book: MarketBook, hasher: BookHasher): ApplyOutcome {
  const { timestamp } = book;
  let isProved = false;
  for (const outcome of [0, 1] as const) {
    const claim = claimOf(book, outcome);
    if (!claim.isOpen) continue;
    claim.isOpen = false;
    if (book.status !== "live") continue;
    if (!bestAgrees(book.ladder, outcome, claim)) return markStale(book, "best_price_mismatch");
    if (claim.hash === null) continue;
    rememberGroup(book.recentGroups, timestamp, claim.hash);
    if (isProved || !book.hashTrusted) continue;
    if (book.framesApplied % book.hashEvery !== 0) {
      book.health.hashesSkipped++;
      continue;
    }
    if (!verifyHash(book, outcome, timestamp, claim.hash, hasher)) {
      return markStale(book, isCrossed(book.ladder) ? "crossed" : "hash_mismatch");
    }
    isProved = book.hashes === "one";
  }
  if (book.status === "live" && isCrossed(book.ladder)) return markStale(book, "crossed");
  return null;
}

/** True while a frame has said something that is not compared with the book yet. */
export function hasOpenClaims(book: MarketBook): boolean {
  return book.yesClaim.isOpen || book.noClaim.isOpen || book.quote !== null;
}

/** Forgets what the venue said about a book that is no more. */
function dropClaims(book: MarketBook): void {
  book.yesClaim.isOpen = false;
  book.noClaim.isOpen = false;
  book.quote = null;
}

/**
 * `checkClaims` for a feed that went quiet: also compares the best prices that the venue printed. While frames come a
 * printed quote may be ahead of its change or behind it; when nothing comes any more it has to be true.
 */
export function checkQuietBook(book: MarketBook, hasher: BookHasher): ApplyOutcome {
  const reason = checkClaims(book, hasher);
  const { quote } = book;
  book.quote = null;
  if (reason !== null || quote === null || book.status !== "live") return reason;
  if (isEarlier(quote.timestamp, book.timestamp)) return null;
  const outcome = outcomeOf(book.tokenIds, quote.tokenId) ?? 0;
  return bestAgrees(book.ladder, outcome, quote) ? null : markStale(book, "best_price_mismatch");
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
  // Trying a thousand prices is worth it only while hashes mean something.
  const learnt = book.hashTrusted
    ? hasher.sha1Search(text.prefix, lastTradeCandidates, text.suffix, wantedHex)
    : null;
  if (learnt === null) {
    book.health.hashesFailed++;
    return false;
  }
  book.lastTradePrice = learnt;
  book.health.lastTradesLearnt++;
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

/** After these nothing comes before the snapshot of a new connection. */
const endsEpoch: ReadonlySet<ResyncReason> = new Set(["link_lost", "silent", "lagging"]);

export function markStale(book: MarketBook, reason: ResyncReason): ResyncReason {
  book.status = endsEpoch.has(reason) ? "waiting" : "stale";
  book.resyncReason = reason;
  dropClaims(book);
  book.resyncs++;
  book.health.resyncs[reason] = (book.health.resyncs[reason] ?? 0) + 1;
  return reason;
}

/** Milliseconds since the book was last known to be right; Infinity while it is not live. */
export function ageMs(book: MarketBook, nowMs: number): number {
  if (book.status !== "live") return Number.POSITIVE_INFINITY;
  return Math.max(0, nowMs - Math.max(book.frameAtMs, book.confirmedAtMs));
}
