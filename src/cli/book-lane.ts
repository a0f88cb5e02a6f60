import type { BlockView } from "../adapters/tape/block-view.ts";
import { hashBytes } from "../adapters/tape/segment-format.ts";
import { rememberGroup } from "../engine/domain/book-health.ts";
import type { OutcomeIndex } from "../engine/domain/market.ts";
import type { MarketBook } from "../engine/domain/market-book.ts";
import { type Price, priceOne } from "../engine/domain/numbers.ts";
import { bestPrice, isCrossed } from "../engine/domain/order-book.ts";

/** As many closed groups as a book remembers. */
const groupsKept = 16;

/**
 * A book's open group and its newest closed ones in numbers, for a replay that makes no texts of them. Between `load`
 * and `settle` the lane has the newer word on them, and the book on everything else.
 */
export class BookLane {
  readonly book: MarketBook;
  #isLoaded = false;
  /** Venue milliseconds of the newest change applied, and of the open group. */
  timestampMs = 0;
  readonly isClaimed: [boolean, boolean] = [false, false];
  /** 0 for an empty side, -1 when nothing is said. */
  readonly bestBid: [number, number] = [0, 0];
  readonly bestAsk: [number, number] = [0, 0];
  readonly #isHashed: [boolean, boolean] = [false, false];
  readonly #hash = [Buffer.alloc(hashBytes), Buffer.alloc(hashBytes)] as const;
  readonly #closedHashes = Buffer.alloc(groupsKept * hashBytes);
  readonly #closedMs = new Float64Array(groupsKept);
  #closed = 0;
  /** A group of this moment was closed already. */
  #lastClosedMs = Number.NaN;

  constructor(book: MarketBook) {
    this.book = book;
  }

  load(): void {
    if (this.#isLoaded) return;
    const { book } = this;
    this.#isLoaded = true;
    this.#closed = 0;
    this.timestampMs = Number(book.timestamp);
    this.#lastClosedMs = book.recentGroups.keys.includes(book.timestamp)
      ? this.timestampMs
      : Number.NaN;
    for (const outcome of [0, 1] as const) {
      const claim = book.claims[outcome];
      this.isClaimed[outcome] = claim !== null;
      if (claim === null) continue;
      this.bestBid[outcome] = claim.bestBid === undefined ? -1 : (claim.bestBid ?? 0);
      this.bestAsk[outcome] = claim.bestAsk === undefined ? -1 : (claim.bestAsk ?? 0);
      this.#isHashed[outcome] = claim.hash !== null;
      if (claim.hash !== null) this.#hash[outcome].write(claim.hash, "hex");
    }
  }

  /** Gives the book everything that is kept beside it. */
  settle(): void {
    if (!this.#isLoaded) return;
    const { book } = this;
    this.#isLoaded = false;
    const timestamp = String(this.timestampMs);
    book.timestamp = timestamp;
    for (let i = Math.max(0, this.#closed - groupsKept); i < this.#closed; i++) {
      const at = i % groupsKept;
      const hash = this.#closedHashes.toString("hex", at * hashBytes, (at + 1) * hashBytes);
      rememberGroup(book.recentGroups, String(this.#closedMs[at]), hash);
    }
    const shown = (at: number) => (at < 0 ? undefined : at === 0 ? null : (at as Price));
    for (const outcome of [0, 1] as const) {
      const hash = this.#isHashed[outcome] ? this.#hash[outcome].toString("hex") : null;
      const [bestBid, bestAsk] = [shown(this.bestBid[outcome]), shown(this.bestAsk[outcome])];
      book.claims[outcome] = this.isClaimed[outcome] ? { timestamp, hash, bestBid, bestAsk } : null;
    }
  }

  /** True when a change of this moment surely belongs to the open group or to a newer one. */
  isInOrder(timestampMs: number): boolean {
    if (timestampMs > this.timestampMs) return true;
    const isOpen = this.isClaimed[0] || this.isClaimed[1];
    return timestampMs === this.timestampMs && isOpen && this.#lastClosedMs !== timestampMs;
  }

  /** True when the change has the hash of its outcome's open claim, or there is none. `hashAt` -1: no hash. */
  isSameGroup(outcome: OutcomeIndex, view: BlockView, hashAt: number): boolean {
    if (!this.isClaimed[outcome]) return true;
    if (hashAt < 0 || !this.#isHashed[outcome]) return hashAt < 0 && !this.#isHashed[outcome];
    const own = this.#hash[outcome];
    for (let i = 0; i < hashBytes; i++) {
      if (own[i] !== view.hashes[hashAt * hashBytes + i]) return false;
    }
    return true;
  }

  /** Opens or renews a claim. Prices as the columns have them. */
  claim(outcome: OutcomeIndex, view: BlockView, change: number, hashAt: number): void {
    this.isClaimed[outcome] = true;
    this.bestBid[outcome] = (view.bestBids[change] ?? 0) % priceOne;
    this.bestAsk[outcome] = (view.bestAsks[change] ?? 0) % priceOne;
    this.#isHashed[outcome] = hashAt >= 0;
    if (hashAt < 0) return;
    const own = this.#hash[outcome];
    const from = hashAt * hashBytes;
    for (let i = 0; i < hashBytes; i++) own[i] = view.hashes[from + i] ?? 0;
  }

  /** True when the open group is in agreement with the book, as `checkClaims` has it. */
  isRight(): boolean {
    const { ladder } = this.book;
    for (const outcome of [0, 1] as const) {
      if (!this.isClaimed[outcome]) continue;
      const bid = this.bestBid[outcome];
      const ask = this.bestAsk[outcome];
      if (bid >= 0 && bid !== (bestPrice(ladder, outcome, "buy") ?? 0)) return false;
      if (ask >= 0 && ask !== (bestPrice(ladder, outcome, "sell") ?? 0)) return false;
    }
    return !isCrossed(ladder);
  }

  /** Closes the open group, which is right. */
  close(): void {
    for (const outcome of [0, 1] as const) {
      if (!this.isClaimed[outcome]) continue;
      this.isClaimed[outcome] = false;
      if (!this.#isHashed[outcome]) continue;
      const at = this.#closed++ % groupsKept;
      this.#closedMs[at] = this.timestampMs;
      this.#lastClosedMs = this.timestampMs;
      const own = this.#hash[outcome];
      for (let i = 0; i < hashBytes; i++) this.#closedHashes[at * hashBytes + i] = own[i] ?? 0;
    }
  }
}
