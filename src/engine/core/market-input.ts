import type { Market, OutcomeIndex } from "../domain/market.ts";
import {
  applyMarketEvent,
  createMarketBook,
  currentHash,
  type MarketBook,
  verifyHash,
} from "../domain/market-book.ts";
import type { BookSnapshot, MarketEvent } from "../domain/market-event.ts";
import { usd } from "../domain/numbers.ts";
import { levelsOf } from "../domain/order-book.ts";
import type { ShareAmount } from "../domain/position-action.ts";
import type { FeedEvent } from "../ports/market-data.ts";
import type { CatalogAnswer } from "../protocol/venue-report.ts";
import { judge } from "./book-trust.ts";
import { ask, emit, type StepContext } from "./context.ts";
import { learnExternalFills } from "./external.ts";
import { countResync, linkLost, linkUp, loseBooks } from "./links.ts";
import { endMarket, forgetMarkets, setTickSize } from "./market-memory.ts";
import { raise } from "./notices.ts";
import { believedHash, noticeEdit } from "./rules.ts";

/** One frame of market data: only the book concerned changes, only it can stop. */
export function marketInput(context: StepContext, event: MarketEvent | FeedEvent): void {
  const { live } = context.state;
  if (event.kind === "link.up") {
    linkUp(context, "market", event.away);
    live.links.market.provedAtMs = context.atMs;
    return;
  }
  if (event.kind === "link.lost") {
    linkLost(context, "market");
    loseBooks(context, event.conditionIds, event.cause ?? "link_lost");
    return;
  }
  live.framesApplied++;
  live.links.market.lastFrameAtMs = context.atMs;
  if (event.kind === "market.resolved") resolutionHeard(context, event.conditionId);
  const book = live.books.get(event.conditionId);
  if (book === undefined) return;
  judge(context, book, applyMarketEvent(book, event, context.atMs, context.hasher));
  if (event.kind === "tick-size.changed" || event.kind === "book.snapshot") {
    setTickSize(context.state, event.conditionId, book.tickSize);
  }
}

/**
 * The stream calls a market resolved: it trades no more here, at once. Who won is believed only from Gamma, because
 * positions are settled by it for good and the stream neither repeats nor corrects itself.
 */
function resolutionHeard(context: StepContext, conditionId: string): void {
  const { state } = context;
  endMarket(state, conditionId);
  if (!state.markets.has(conditionId) || state.live.resolutions.has(conditionId)) return;
  state.live.resolutions.set(conditionId, context.atMs);
  ask(context, { kind: "market.read", conditionId });
}

function settleMarket(context: StepContext, conditionId: string, winningTokenId: string): void {
  const { state } = context;
  let held = 0;
  let paidUsd = 0;
  let costUsd = 0;
  for (const position of state.positions.values()) {
    if (position.conditionId !== conditionId) continue;
    const size = position.confirmed + position.provisionalBought - position.provisionalSold;
    held += size;
    costUsd += position.cost;
    if (position.tokenId === winningTokenId) paidUsd += Math.max(0, size);
  }
  if (held === 0) return;
  const market = state.markets.get(conditionId);
  const winner = market?.outcomes.find((one) => one.tokenId === winningTokenId)?.name ?? "?";
  openClaim(context, conditionId, winningTokenId);
  emit(context, { kind: "market.settled", conditionId, winningTokenId });
  raise(context, null, {
    kind: "market.settled",
    question: market?.question ?? conditionId,
    winner,
    paidUsd: usd(paidUsd),
    costUsd: usd(costUsd),
  });
}

/** What is confirmed of a settled market can be redeemed; the venue may have paid it already, so a look is asked for. */
function openClaim(context: StepContext, conditionId: string, winningTokenId: string): void {
  const legs: ShareAmount[] = [];
  let paysUsd = 0;
  for (const { tokenId, outcome, confirmed, ...rest } of context.state.positions.values()) {
    if (rest.conditionId !== conditionId || confirmed <= 0) continue;
    legs.push({ tokenId, conditionId, outcome, size: confirmed });
    if (tokenId === winningTokenId) paysUsd += confirmed;
  }
  if (legs.length === 0) return;
  const claim = { conditionId, winningTokenId, legs, paysUsd: usd(paysUsd), sinceMs: context.atMs };
  emit(context, { kind: "claim.opened", claim });
  ask(context, { kind: "claim.read", conditionId });
}

/** Books to keep from now on. Known ones stay as they are. */
export function booksWatched(context: StepContext, markets: readonly Market[]): void {
  for (const market of markets) {
    const { live } = context.state;
    if (live.books.has(market.conditionId)) continue;
    const book = createMarketBook({
      conditionId: market.conditionId,
      tokenIds: [market.outcomes[0].tokenId, market.outcomes[1].tokenId],
      tickSize: market.tickSize,
      minOrderSize: market.minOrderSize,
      negRisk: market.negRisk,
      hashEvery: context.settings.hashEvery,
    });
    book.hashTrusted = live.hashes.trusted;
    live.books.set(market.conditionId, book);
  }
}

/** A REST read of token 0's book: confirms ours when equal, replaces it when ours is not live or differs. */
export function bookRead(context: StepContext, conditionId: string, read: BookSnapshot): void {
  const book = context.state.live.books.get(conditionId);
  if (book === undefined) return;
  if (book.status === "live" && sameBook(context, book, read)) {
    book.confirmedAtMs = context.atMs;
    context.state.live.links.market.provedAtMs = context.atMs;
    return;
  }
  // The stream may be ahead of the read; an older read never replaces a live book. A different book of the same moment
  // does: the stream lost a frame.
  if (book.status === "live" && Number(read.timestamp) < Number(book.timestamp)) return;
  const wasLive = book.status === "live";
  judge(context, book, applyMarketEvent(book, read, context.atMs, context.hasher));
  setTickSize(context.state, conditionId, book.tickSize);
  if (wasLive) {
    book.resyncs++;
    book.health.resyncs.rest_mismatch = (book.health.resyncs.rest_mismatch ?? 0) + 1;
    countResync(context, book, "rest_mismatch");
  }
}

function sameBook(context: StepContext, book: MarketBook, read: BookSnapshot): boolean {
  if (read.hash === null) {
    // Only an empty book has no hash.
    const levels = read.bids.length + read.asks.length;
    const own = levelsOf(book.ladder, 0, "buy").length + levelsOf(book.ladder, 0, "sell").length;
    return levels === 0 && own === 0;
  }
  const outcome = read.tokenId === book.tokenIds[0] ? 0 : 1;
  if (!book.hashTrusted) {
    const isSame = sameLevels(book, outcome, read);
    if (isSame) weighRead(context, book, outcome, read.hash, read);
    return isSame;
  }
  return currentHash(book, outcome, read.timestamp, context.hasher) === read.hash;
}

/** An equal book shows whether hashes mean something again, also where the stream sends no fresh books. */
function weighRead(
  context: StepContext,
  book: MarketBook,
  outcome: OutcomeIndex,
  hash: string,
  { lastTradePrice, timestamp }: BookSnapshot,
): void {
  if (lastTradePrice === null) return;
  book.lastTradePrice = lastTradePrice;
  verifyHash(book, outcome, timestamp, hash, context.hasher);
  judge(context, book, null);
}

/** Without a hash that means something the levels themselves are compared. */
function sameLevels({ ladder }: MarketBook, outcome: OutcomeIndex, read: BookSnapshot): boolean {
  return (["buy", "sell"] as const).every((side) => {
    const theirs = new Map(
      (side === "buy" ? read.bids : read.asks).map((one) => [one.price, one.size]),
    );
    const ours = levelsOf(ladder, outcome, side);
    return ours.length === theirs.size && ours.every((one) => theirs.get(one.price) === one.size);
  });
}

/** Metadata of markets: kept in memory; what a card or plan relies on is written to the ledger by the card. */
export function catalogRead(context: StepContext, answer: CatalogAnswer): void {
  const { state } = context;
  for (const market of answer.markets) keepMarket(context, market);
  learnExternalFills(context);
  // A resolution that nobody heard, because the service was down, is heard here.
  for (const { conditionId, winner, outcomes } of answer.markets) {
    if (winner === undefined) continue;
    state.live.resolutions.delete(conditionId);
    settleMarket(context, conditionId, outcomes[winner].tokenId);
  }
  for (const group of answer.groups) state.groups.set(group.groupId, group);
  forgetMarkets(state);
}

/** Gamma may lag behind the stream by minutes; one that still calls the market open after this long is believed. */
const resolutionDoubtMs = 600_000;

function keepMarket(context: StepContext, read: Market): void {
  const { state, atMs } = context;
  const { conditionId } = read;
  const ruleHash = believedHash(context, read);
  const market: Market = { ...read, ...(ruleHash !== undefined && { ruleHash }) };
  const book = state.live.books.get(conditionId);
  const endedAtMs = state.live.resolutions.get(conditionId);
  if (endedAtMs !== undefined && market.tradable && atMs - endedAtMs >= resolutionDoubtMs) {
    state.live.resolutions.delete(conditionId);
  }
  noticeEdit(context, market);
  state.markets.set(conditionId, {
    ...market,
    // The stream's tick is newer than the catalog's cached one.
    tickSize: book?.status === "live" ? book.tickSize : market.tickSize,
    tradable: market.tradable && !state.live.resolutions.has(conditionId),
  });
  market.outcomes.forEach(({ tokenId }, index) => {
    state.tokens.set(tokenId, { conditionId, outcome: index === 0 ? 0 : 1 });
  });
}
