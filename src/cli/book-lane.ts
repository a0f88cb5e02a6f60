import type { BlockView } from "../adapters/tape/block-view.ts";
import { hashBytes } from "../adapters/tape/segment-format.ts";
import { rememberGroup } from "../engine/domain/book-health.ts";
import type { OutcomeIndex } from "../engine/domain/market.ts";
import { claimOf, type MarketBook } from "../engine/domain/market-book.ts";
import { type Price, priceOne } from "../engine/domain/numbers.ts";
import { isCrossed } from "../engine/domain/order-book.ts";

/** As many closed groups as a book remembers. */
const groupsKept = 16;

/** What `#open` holds of each outcome's claim: whether there is one, its best prices (0 for an empty side, -1 when nothing is said), its hash. */
const open = { isClaimed: 0, bid: 1, ask: 2, hash: 3 } as const;
const openNumbers = 4;
/** Instead of a place in the block's hashes: the claim has none, or the lane has copied it. */
const hashless = -1;
const copied = -2;

/**
 * A book's open group and its newest closed ones in numbers, for a replay that makes no texts of them. Between `load`
 * and `settle` the lane has the newer word on them, and the book on everything else. Hashes stay in their block until it
 * ends: of all that a busy market brings, sixteen are ever looked at again.
 */
export class BookLane {
  readonly book: MarketBook;
  /** Venue milliseconds of the newest change applied, and of the open group. */
  timestampMs = 0;
  #isLoaded = false;
  #view: BlockView | null = null;
  readonly #open = new Int32Array(2 * openNumbers);
  readonly #hash = [Buffer.alloc(hashBytes), Buffer.alloc(hashBytes)] as const;
  readonly #closedMs = new Float64Array(groupsKept);
  readonly #closedHash = new Int32Array(groupsKept);
  readonly #closedHashes = Buffer.alloc(groupsKept * hashBytes);
  #closed = 0;
  /** A group of this moment was closed already. */
  #lastClosedMs = Number.NaN;

  constructor(book: MarketBook) {
    this.book = book;
  }

  /** What follows is of this block. */
  enter(view: BlockView): void {
    this.#view = view;
  }

  /** The block ends: what may be needed later is copied out of it. */
  leave(): void {
    const view = this.#view;
    this.#view = null;
    if (!this.#isLoaded || view === null) return;
    const from = (hash: number) => hash * hashBytes;
    for (const outcome of [0, 1] as const) {
      const at = outcome * openNumbers + open.hash;
      const hash = this.#open[at] ?? hashless;
      if (hash < 0) continue;
      view.hashes.copy(this.#hash[outcome], 0, from(hash), from(hash + 1));
      this.#open[at] = copied;
    }
    for (let at = 0; at < Math.min(this.#closed, groupsKept); at++) {
      const hash = this.#closedHash[at] ?? copied;
      if (hash < 0) continue;
      view.hashes.copy(this.#closedHashes, from(at), from(hash), from(hash + 1));
      this.#closedHash[at] = copied;
    }
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
      const claim = claimOf(book, outcome);
      const at = outcome * openNumbers;
      this.#open[at + open.isClaimed] = claim.isOpen ? 1 : 0;
      if (!claim.isOpen) continue;
      this.#open[at + open.bid] = claim.bestBid === undefined ? -1 : (claim.bestBid ?? 0);
      this.#open[at + open.ask] = claim.bestAsk === undefined ? -1 : (claim.bestAsk ?? 0);
      this.#open[at + open.hash] = claim.hash === null ? hashless : copied;
      if (claim.hash !== null) this.#hash[outcome].write(claim.hash, "hex");
    }
  }

  /** Gives the book everything that is kept beside it. */
  settle(): void {
    if (!this.#isLoaded) return;
    const { book } = this;
    const view = this.#view;
    this.leave();
    this.#view = view;
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
      const at = outcome * openNumbers;
      const isHashed = this.#open[at + open.hash] === copied;
      const hash = isHashed ? this.#hash[outcome].toString("hex") : null;
      const bestBid = shown(this.#open[at + open.bid] ?? 0);
      const bestAsk = shown(this.#open[at + open.ask] ?? 0);
      const isOpen = this.#open[at + open.isClaimed] === 1;
      Object.assign(claimOf(book, outcome), { isOpen, hash, bestBid, bestAsk });
    }
  }

  /** True when a change of this moment surely belongs to the open group or to a newer one. */
  isInOrder(timestampMs: number): boolean {
    if (timestampMs > this.timestampMs) return true;
    const isOpen =
      this.#open[open.isClaimed] === 1 || this.#open[openNumbers + open.isClaimed] === 1;
    return timestampMs === this.timestampMs && isOpen && this.#lastClosedMs !== timestampMs;
  }

  /** True when the change has the hash of its outcome's open claim, or there is none. `hashAt` -1: no hash. */
  isSameGroup(outcome: OutcomeIndex, view: BlockView, hashAt: number): boolean {
    const at = outcome * openNumbers;
    if (this.#open[at + open.isClaimed] === 0) return true;
    const hash = this.#open[at + open.hash] ?? hashless;
    if (hashAt < 0 || hash === hashless) return hashAt < 0 && hash === hashless;
    const [own, from] =
      hash === copied ? [this.#hash[outcome], 0] : [view.hashes, hash * hashBytes];
    const to = hashAt * hashBytes;
    return own.compare(view.hashes, to, to + hashBytes, from, from + hashBytes) === 0;
  }

  /** Opens or renews a claim. Prices as the columns have them; `hashAt` -1: no hash. */
  claim(outcome: OutcomeIndex, bestBid: number, bestAsk: number, hashAt: number): void {
    const at = outcome * openNumbers;
    this.#open[at + open.isClaimed] = 1;
    this.#open[at + open.bid] = bestBid === priceOne ? 0 : bestBid;
    this.#open[at + open.ask] = bestAsk === priceOne ? 0 : bestAsk;
    this.#open[at + open.hash] = hashAt;
  }

  /** True when the open group is in agreement with the book, as `checkClaims` has it. */
  isRight(): boolean {
    const { ladder } = this.book;
    const yesBid = ladder.bestBid * ladder.step;
    const noBid = ladder.bestAsk === ladder.top ? 0 : priceOne - ladder.bestAsk * ladder.step;
    return (
      this.#agrees(0, yesBid, noBid === 0 ? 0 : priceOne - noBid) &&
      this.#agrees(1, noBid, yesBid === 0 ? 0 : priceOne - yesBid) &&
      !isCrossed(ladder)
    );
  }

  #agrees(outcome: OutcomeIndex, bid: number, ask: number): boolean {
    const at = outcome * openNumbers;
    if (this.#open[at + open.isClaimed] === 0) return true;
    const claimedBid = this.#open[at + open.bid] ?? 0;
    const claimedAsk = this.#open[at + open.ask] ?? 0;
    return (claimedBid < 0 || claimedBid === bid) && (claimedAsk < 0 || claimedAsk === ask);
  }

  /** Closes the open group, which is right. */
  close(): void {
    for (let at = 0; at < 2 * openNumbers; at += openNumbers) {
      if (this.#open[at + open.isClaimed] === 0) continue;
      this.#open[at + open.isClaimed] = 0;
      const hash = this.#open[at + open.hash] ?? hashless;
      if (hash === hashless) continue;
      const place = this.#closed++ % groupsKept;
      this.#closedMs[place] = this.timestampMs;
      this.#lastClosedMs = this.timestampMs;
      this.#closedHash[place] = hash;
      if (hash !== copied) continue;
      const outcome = at === 0 ? 0 : 1;
      this.#hash[outcome].copy(this.#closedHashes, place * hashBytes);
    }
  }
}
