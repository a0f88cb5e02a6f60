import { hashBytes } from "../adapters/tape/segment-format.ts";
import { rememberGroup } from "../engine/domain/book-health.ts";
import { claimOf, type MarketBook } from "../engine/domain/market-book.ts";
import { type Price, priceOne } from "../engine/domain/numbers.ts";
import { isCrossed, type OrderBook } from "../engine/domain/order-book.ts";
import { HashPool } from "./hash-pool.ts";

/** As many closed groups as a book remembers. */
const groupsKept = 16;
/** What `#claims` holds of each outcome's claim; best prices as outcome 0 sees them, -1 when nothing is said. */
const claim = { bid: 0, ask: 1, hash: 2 } as const;
const claimNumbers = 4;
/** Instead of the number of a hash. */
export const noHash = -1;

/**
 * Open groups of many books and the newest closed ones in numbers, for a replay that makes no texts of them. A lane is a
 * book by its place. Between `load` and `settle` the lane has the newer word on what is kept here, and the book on
 * everything else. All lanes stand in the same arrays: a frame meets another book than the frame before it.
 */
export class BookLanes {
  readonly books: readonly MarketBook[];
  readonly ladders: readonly OrderBook[];
  readonly isLoaded: Uint8Array;
  readonly tickSizes: Int32Array;
  /** Venue milliseconds of the newest change applied, and of the open group. */
  readonly timestampsMs: Float64Array;
  /** Local time of the last frame played, and how many were played since loading. */
  readonly framesAtMs: Float64Array;
  readonly framesPlayed: Int32Array;
  /** Bit 1: outcome 0 has an open claim; bit 2: outcome 1. */
  readonly #open: Uint8Array;
  readonly #claims: Int32Array;
  readonly #closed: Int32Array;
  readonly #closedMs: Float64Array;
  /** Hashes of both outcomes. */
  readonly #closedHashes: Int32Array;
  /** A group of this moment was closed before the lane was loaded. */
  readonly #closedBeforeMs: Float64Array;
  readonly #heldBytes: number;
  #pool = new HashPool();

  /** `heldBytes`: hashes of blocks that are over take as much memory at most. */
  constructor(books: readonly MarketBook[], heldBytes: number) {
    const { length } = books;
    this.books = books;
    this.ladders = books.map(({ ladder }) => ladder);
    this.isLoaded = new Uint8Array(length);
    this.tickSizes = new Int32Array(length);
    this.timestampsMs = new Float64Array(length);
    this.framesAtMs = new Float64Array(length);
    this.framesPlayed = new Int32Array(length);
    this.#open = new Uint8Array(length);
    this.#claims = new Int32Array(length * 2 * claimNumbers);
    this.#closed = new Int32Array(length);
    this.#closedMs = new Float64Array(length * groupsKept);
    this.#closedHashes = new Int32Array(length * groupsKept * 2);
    this.#closedBeforeMs = new Float64Array(length);
    this.#heldBytes = heldBytes;
  }

  /** The number of a block's first hash. */
  enter(hashes: Buffer): number {
    if (this.#pool.bytes > this.#heldBytes) this.#gather();
    return this.#pool.add(hashes);
  }

  /** False when the book is not live: then its own rules have the word. */
  load(lane: number): boolean {
    const book = this.books[lane];
    if (book === undefined || book.status !== "live") return false;
    this.isLoaded[lane] = 1;
    this.tickSizes[lane] = book.tickSize;
    this.framesPlayed[lane] = 0;
    this.framesAtMs[lane] = book.frameAtMs;
    this.#closed[lane] = 0;
    const timestampMs = Number(book.timestamp);
    this.timestampsMs[lane] = timestampMs;
    const wasClosed = book.recentGroups.keys.includes(book.timestamp);
    this.#closedBeforeMs[lane] = wasClosed ? timestampMs : Number.NaN;
    let open = 0;
    for (const outcome of [0, 1] as const) {
      const { isOpen, hash, bestBid, bestAsk } = claimOf(book, outcome);
      if (!isOpen) continue;
      open |= 1 << outcome;
      const bid = outcome === 0 ? (bestBid ?? 0) : priceOne - (bestAsk ?? priceOne);
      const ask = outcome === 0 ? (bestAsk ?? priceOne) : priceOne - (bestBid ?? 0);
      const at = (2 * lane + outcome) * claimNumbers;
      const [ownBid, ownAsk] = outcome === 0 ? [bestBid, bestAsk] : [bestAsk, bestBid];
      this.#claims[at + claim.bid] = ownBid === undefined ? -1 : bid;
      this.#claims[at + claim.ask] = ownAsk === undefined ? -1 : ask;
      this.#claims[at + claim.hash] =
        hash === null ? noHash : this.#pool.add(Buffer.from(hash, "hex"));
    }
    this.#open[lane] = open;
    return true;
  }

  /** Gives the book everything that is kept beside it. */
  settle(lane: number): void {
    const book = this.books[lane];
    if (book === undefined || this.isLoaded[lane] !== 1) return;
    this.isLoaded[lane] = 0;
    book.timestamp = String(this.timestampsMs[lane]);
    book.frameAtMs = this.framesAtMs[lane] ?? 0;
    book.framesApplied += this.framesPlayed[lane] ?? 0;
    const closed = this.#closed[lane] ?? 0;
    for (let i = Math.max(0, closed - groupsKept); i < closed; i++) {
      const at = lane * groupsKept + (i % groupsKept);
      for (const outcome of [0, 1]) {
        const hash = this.#hashText(this.#closedHashes[2 * at + outcome] ?? noHash);
        if (hash !== null) rememberGroup(book.recentGroups, String(this.#closedMs[at]), hash);
      }
    }
    for (const outcome of [0, 1] as const) {
      const at = (2 * lane + outcome) * claimNumbers;
      const bid = this.#claims[at + claim.bid] ?? -1;
      const ask = this.#claims[at + claim.ask] ?? -1;
      const isOpen = ((this.#open[lane] ?? 0) & (1 << outcome)) !== 0;
      const hash = isOpen ? this.#hashText(this.#claims[at + claim.hash] ?? noHash) : null;
      const own = (best: number, none: number) => {
        if (best < 0) return undefined;
        if (best === none) return null;
        return (outcome === 0 ? best : priceOne - best) as Price;
      };
      const [ownBid, ownAsk] = [own(bid, 0), own(ask, priceOne)];
      const [bestBid, bestAsk] = outcome === 0 ? [ownBid, ownAsk] : [ownAsk, ownBid];
      Object.assign(claimOf(book, outcome), { isOpen, hash, bestBid, bestAsk });
    }
  }

  /** Closes the open group if it is in agreement with the book, as `checkClaims` has it; false if it is not. */
  closeRight(lane: number, ladder: OrderBook): boolean {
    if (!this.#isRight(lane, ladder)) return false;
    this.#close(lane);
    return true;
  }

  #isRight(lane: number, ladder: OrderBook): boolean {
    const open = this.#open[lane] ?? 0;
    const bid = ladder.bestBid * ladder.step;
    const ask = ladder.bestAsk * ladder.step;
    const at = lane * 2 * claimNumbers;
    return (
      ((open & 1) === 0 || this.#agrees(at, bid, ask)) &&
      ((open & 2) === 0 || this.#agrees(at + claimNumbers, bid, ask)) &&
      !isCrossed(ladder)
    );
  }

  #agrees(at: number, bid: number, ask: number): boolean {
    const claimedBid = this.#claims[at + claim.bid] ?? -1;
    const claimedAsk = this.#claims[at + claim.ask] ?? -1;
    return (claimedBid < 0 || claimedBid === bid) && (claimedAsk < 0 || claimedAsk === ask);
  }

  #close(lane: number): void {
    const open = this.#open[lane] ?? 0;
    const at = lane * 2 * claimNumbers + claim.hash;
    const first = (open & 1) === 0 ? noHash : (this.#claims[at] ?? noHash);
    const second = (open & 2) === 0 ? noHash : (this.#claims[at + claimNumbers] ?? noHash);
    this.#open[lane] = 0;
    if (first === noHash && second === noHash) return;
    const closed = this.#closed[lane] ?? 0;
    const place = lane * groupsKept + (closed % groupsKept);
    this.#closed[lane] = closed + 1;
    this.#closedMs[place] = this.timestampsMs[lane] ?? 0;
    this.#closedHashes[2 * place] = first;
    this.#closedHashes[2 * place + 1] = second;
  }

  /** Opens or renews a claim. Best prices as outcome 0 sees them, 0 and a dollar for empty sides. */
  claim(lane: number, outcome: number, bid: number, ask: number, hash: number): void {
    const at = (2 * lane + outcome) * claimNumbers;
    this.#claims[at + claim.bid] = bid;
    this.#claims[at + claim.ask] = ask;
    this.#claims[at + claim.hash] = hash;
    this.#open[lane] = (this.#open[lane] ?? 0) | (1 << outcome);
  }

  /** True when there is an open group, and surely none of its moment was closed before. */
  isOpen(lane: number): boolean {
    if (this.#open[lane] === 0) return false;
    const closed = this.#closed[lane] ?? 0;
    const lastMs =
      closed === 0
        ? this.#closedBeforeMs[lane]
        : this.#closedMs[lane * groupsKept + ((closed - 1) % groupsKept)];
    return lastMs !== this.timestampsMs[lane];
  }

  /** True when the change has the hash of its outcome's open claim, or there is none. */
  isSameGroup(lane: number, outcome: number, hash: number): boolean {
    if (((this.#open[lane] ?? 0) & (1 << outcome)) === 0) return true;
    const own = this.#claims[(2 * lane + outcome) * claimNumbers + claim.hash] ?? noHash;
    if (own === noHash || hash === noHash) return own === hash;
    return this.#pool.hash(own).equals(this.#pool.hash(hash));
  }

  #hashText(hash: number): string | null {
    return hash === noHash ? null : this.#pool.hash(hash).toString("hex");
  }

  /** Copies the hashes that lanes still hold out of their blocks, which can then be forgotten. */
  #gather(): void {
    const held = Buffer.alloc(this.books.length * (groupsKept + 1) * 2 * hashBytes);
    let count = 0;
    const keep = (hash: number): number => {
      if (hash === noHash) return noHash;
      this.#pool.hash(hash).copy(held, count * hashBytes);
      return count++;
    };
    for (let lane = 0; lane < this.books.length; lane++) {
      if (this.isLoaded[lane] === 0) continue;
      const open = this.#open[lane] ?? 0;
      for (const outcome of [0, 1]) {
        const at = (2 * lane + outcome) * claimNumbers + claim.hash;
        if ((open & (1 << outcome)) !== 0) this.#claims[at] = keep(this.#claims[at] ?? noHash);
      }
      const from = lane * groupsKept * 2;
      const to = from + 2 * Math.min(this.#closed[lane] ?? 0, groupsKept);
      for (let at = from; at < to; at++) {
        this.#closedHashes[at] = keep(this.#closedHashes[at] ?? noHash);
      }
    }
    this.#pool = new HashPool();
    this.#pool.add(held.subarray(0, count * hashBytes));
  }
}
