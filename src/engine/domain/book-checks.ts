import type { BookHealth } from "./book-health.ts";
import type { OutcomeIndex, TokenId } from "./market.ts";
import type { BookSnapshot, LevelChange } from "./market-event.ts";
import { type Price, priceOne } from "./numbers.ts";
import { bestPrice, type OrderBook } from "./order-book.ts";

type TokenPair = readonly [TokenId, TokenId];

/** Which outcome a token is, null when it is another market's. */
export function outcomeOf(tokenIds: TokenPair, tokenId: TokenId): OutcomeIndex | null {
  if (tokenId === tokenIds[0]) return 0;
  return tokenId === tokenIds[1] ? 1 : null;
}

/** The same price on the other outcome; an empty side stays one. */
function mirrored(best: Price | null): Price | null {
  return best === null ? null : ((priceOne - best) as Price);
}

/**
 * True when one message says two different things about the market's one book: every change comes for YES and, at
 * 1 - p on the other side, for NO (polymarket-market-data 2.4). A message about one token alone contradicts nothing.
 */
export function contradictsItself(tokenIds: TokenPair, changes: readonly LevelChange[]): boolean {
  let yes: LevelChange | null = null;
  let no: LevelChange | null = null;
  for (const change of changes) {
    const outcome = outcomeOf(tokenIds, change.tokenId);
    if (outcome === 0) yes = change;
    else if (outcome === 1) no = change;
  }
  if (yes === null || no === null) return false;
  return (
    !bestsMirror(yes, no) || (changes.length === 2 ? !agree(yes, no) : !allAgree(tokenIds, changes))
  );
}

/** True when a level appears off the grid of the tick; removing what an older tick left behind is no sign of that. */
export function isOffTick(tickSize: Price, changes: readonly LevelChange[]): boolean {
  return changes.some((change) => change.size > 0 && change.price % tickSize !== 0);
}

/** Every entry carries the final best prices, so the last one of each token is enough. */
function bestsMirror(yes: LevelChange, no: LevelChange): boolean {
  const { bestBid, bestAsk } = yes;
  if (bestBid !== undefined && no.bestAsk !== undefined && bestBid !== mirrored(no.bestAsk)) {
    return false;
  }
  return bestAsk === undefined || no.bestBid === undefined || bestAsk === mirrored(no.bestBid);
}

/** Two entries agree unless they speak of one level and name two sizes. */
function agree(yes: LevelChange, no: LevelChange): boolean {
  return yes.side === no.side || yes.price !== priceOne - no.price || yes.size === no.size;
}

/** The last word on each level has to be the same for both tokens; a level may be named by one of them only. */
function allAgree(tokenIds: TokenPair, changes: readonly LevelChange[]): boolean {
  const words = [new Map<number, number>(), new Map<number, number>()] as const;
  for (const { tokenId, side, price, size } of changes) {
    const outcome = outcomeOf(tokenIds, tokenId);
    if (outcome === null) continue;
    const own = outcome === 0 ? price : priceOne - price;
    const isBid = (side === "buy") === (outcome === 0);
    words[outcome].set(isBid ? own : -own, size);
  }
  for (const [level, size] of words[0]) {
    const other = words[1].get(level);
    if (other !== undefined && other !== size) return false;
  }
  return true;
}

/**
 * True for a REST read that is older than what the stream has said: it was on its way when a change came that was not
 * applied, because the book was not believed, or it came out of a cache. On the stream snapshots and changes are in order.
 */
export function isBehind(
  book: { readonly timestamp: string; readonly health: Pick<BookHealth, "missedMs"> },
  { source, timestamp }: BookSnapshot,
): boolean {
  const heardMs = Math.max(Number(book.timestamp), book.health.missedMs);
  return source === "rest" && Number(timestamp) < heardMs;
}

/** What the last frame of a (timestamp, hash) group states about one token's book; void while it is not open. */
export type Claim = {
  isOpen: boolean;
  hash: string | null;
  bestBid: Price | null | undefined;
  bestAsk: Price | null | undefined;
};

export function createClaim(): Claim {
  return { isOpen: false, hash: null, bestBid: null, bestAsk: null };
}

/** True when the best prices are those that a frame named; what it did not name cannot contradict. */
export function bestAgrees(
  book: OrderBook,
  outcome: OutcomeIndex,
  named: Pick<Claim, "bestBid" | "bestAsk">,
): boolean {
  const { bestBid, bestAsk } = named;
  return (
    (bestBid === undefined || bestBid === bestPrice(book, outcome, "buy")) &&
    (bestAsk === undefined || bestAsk === bestPrice(book, outcome, "sell"))
  );
}

/** True when a venue time is before another one. Both are whole milliseconds as text, nearly always equally long. */
export function isEarlier(timestamp: string, other: string): boolean {
  if (timestamp.length === other.length) return timestamp < other;
  return Number(timestamp) < Number(other);
}
