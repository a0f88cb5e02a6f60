import { createHash } from "node:crypto";
import { createHasher } from "../adapters/polymarket/hasher.ts";
import type { ResyncReason } from "../engine/domain/book-health.ts";
import {
  applyMarketEvent,
  checkClaims,
  type MarketBook,
  markStale,
} from "../engine/domain/market-book.ts";
import type { BookSnapshot, MarketEvent } from "../engine/domain/market-event.ts";
import { formatPrice, formatShares, type Price } from "../engine/domain/numbers.ts";
import {
  applySnapshot,
  bestPrice,
  createOrderBook,
  levelsOf,
} from "../engine/domain/order-book.ts";
import type { TapeStep } from "./frame-files.ts";

const hasher = createHasher();

/** What a replay found. Two replays of the same tape give the same object, on any machine. */
export type ReplayReport = {
  readonly frames: number;
  readonly dropped: number;
  /** Places where the recording itself says that rows are missing, and how many. */
  readonly gaps: number;
  readonly lostRows: number;
  readonly events: Readonly<Record<string, number>>;
  readonly refused: Readonly<Record<string, number>>;
  readonly hashesVerified: number;
  /** Contradictions between the frames and the book, by reason. */
  readonly integrityFailures: Readonly<Record<string, number>>;
  /** Books that were not believed and came right with the next snapshot. */
  readonly resynced: number;
  /** Snapshots that found a live book with other levels. */
  readonly snapshotsDiffered: number;
  readonly snapshotsAgreed: number;
  readonly books: readonly ReplayedBook[];
  /** SHA-256 over all final books. */
  readonly digest: string;
};

export type ReplayedBook = {
  readonly conditionId: string;
  readonly tokenId: string;
  readonly status: string;
  readonly bid: string | null;
  readonly ask: string | null;
  readonly levels: number;
  readonly framesApplied: number;
};

/** Reasons that say that frames were lost or wrong; a tick change and a lost link are ordinary. */
const failureReasons: ReadonlySet<ResyncReason> = new Set<ResyncReason>([
  "no_snapshot",
  "hash_mismatch",
  "best_price_mismatch",
  "mirror_mismatch",
  "crossed",
  "off_tick",
  "out_of_order",
]);

type Tally = Map<string, number>;

function count(tally: Tally, name: string, by = 1): void {
  tally.set(name, (tally.get(name) ?? 0) + by);
}

function sorted(tally: Tally): Readonly<Record<string, number>> {
  return Object.fromEntries([...tally].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Plays the steps of a tape into books as the engine does, and counts what it sees. */
export class BookReplay {
  readonly books: ReadonlyMap<string, MarketBook>;
  /** False while the steps before the asked time are played: books change, nothing is counted. */
  counts = true;
  readonly #events: Tally = new Map();
  readonly #refused: Tally = new Map();
  readonly #failures: Tally = new Map();
  #frames = 0;
  #dropped = 0;
  #gaps = 0;
  #lostRows = 0;
  #resynced = 0;
  #agreed = 0;
  #differed = 0;

  /** `hashes` false: hashes tell repeated frames and groups apart, but the books' own are not compared with them. */
  constructor(books: ReadonlyMap<string, MarketBook>, hashes: boolean) {
    this.books = books;
    for (const book of books.values()) book.hashTrusted = hashes;
  }

  /** One step; `isDropped` leaves its frame out, to show that it is noticed. */
  step(step: TapeStep, atMs: number, isDropped = false): void {
    if (step.lostRows > 0) this.#gap(step.lostRows);
    if (step.link === "lost") this.#linkLost(step.lostMarkets);
    const { frame } = step;
    if (frame === null) return;
    if (this.counts) this.#frames++;
    if (isDropped) {
      this.#dropped++;
      return;
    }
    if (this.counts) for (const { reason } of frame.refused) count(this.#refused, reason);
    for (const event of frame.events) this.#apply(event, atMs);
  }

  /** Counts changes that were applied elsewhere (replay-columns). */
  deltasApplied(frames: number): void {
    if (!this.counts || frames === 0) return;
    this.#frames += frames;
    count(this.#events, "book.delta", frames);
  }

  noted(reason: ResyncReason | null): void {
    if (this.counts && reason !== null && failureReasons.has(reason)) count(this.#failures, reason);
  }

  /** Closes the groups of changes that are still open, then tells what was found. */
  report(): ReplayReport {
    const books = [...this.books.values()].sort((a, b) => (a.conditionId < b.conditionId ? -1 : 1));
    const digest = createHash("sha256");
    for (const book of books) {
      this.noted(checkClaims(book, hasher));
      digest.update(`${bookText(book)}\n`);
    }
    return {
      frames: this.#frames,
      dropped: this.#dropped,
      gaps: this.#gaps,
      lostRows: this.#lostRows,
      events: sorted(this.#events),
      refused: sorted(this.#refused),
      hashesVerified: books.reduce((sum, book) => sum + book.hashesVerified, 0),
      integrityFailures: sorted(this.#failures),
      resynced: this.#resynced,
      snapshotsAgreed: this.#agreed,
      snapshotsDiffered: this.#differed,
      books: books.map(replayed),
      digest: digest.digest("hex"),
    };
  }

  #linkLost(conditionIds: readonly string[] | null): void {
    for (const conditionId of conditionIds ?? this.books.keys()) {
      const book = this.books.get(conditionId);
      if (book !== undefined) markStale(book, "link_lost");
    }
  }

  #gap(lostRows: number): void {
    if (!this.counts) return;
    this.#gaps++;
    this.#lostRows += lostRows;
  }

  #apply(event: MarketEvent, atMs: number): void {
    const book = this.books.get(event.conditionId);
    if (this.counts) count(this.#events, event.kind);
    if (book === undefined) return;
    if (event.kind === "book.snapshot" && this.counts) this.#compare(book, event);
    const wasStale = book.status === "stale";
    this.noted(applyMarketEvent(book, event, atMs, hasher));
    if (this.counts && wasStale && book.status === "live") this.#resynced++;
  }

  /** A snapshot on top of a live book proves the changes before it, or shows that one was missing. */
  #compare(book: MarketBook, event: BookSnapshot): void {
    if (book.status !== "live" || Number(event.timestamp) < Number(book.timestamp)) return;
    const outcome = event.tokenId === book.tokenIds[0] ? 0 : 1;
    const wanted = createOrderBook(book.ladder.step as Price);
    applySnapshot(wanted, outcome, event.bids, event.asks);
    const same = (["buy", "sell"] as const).every(
      (side) =>
        JSON.stringify(levelsOf(wanted, 0, side)) ===
        JSON.stringify(levelsOf(book.ladder, 0, side)),
    );
    if (same) this.#agreed++;
    else this.#differed++;
  }
}

/** A book's whole content as one line of text. */
export function bookText(book: MarketBook): string {
  const side = (name: "buy" | "sell") =>
    levelsOf(book.ladder, 0, name).map(({ price, size }) => [
      formatPrice(price),
      formatShares(size),
    ]);
  return JSON.stringify({
    conditionId: book.conditionId,
    tokenId: book.tokenIds[0],
    status: book.status,
    timestamp: book.timestamp,
    tickSize: formatPrice(book.tickSize),
    lastTradePrice: book.lastTradePrice,
    bids: side("buy"),
    asks: side("sell"),
  });
}

function replayed(book: MarketBook): ReplayedBook {
  const bid = bestPrice(book.ladder, 0, "buy");
  const ask = bestPrice(book.ladder, 0, "sell");
  return {
    conditionId: book.conditionId,
    tokenId: book.tokenIds[0],
    status: book.status,
    bid: bid === null ? null : formatPrice(bid),
    ask: ask === null ? null : formatPrice(ask),
    levels: levelsOf(book.ladder, 0, "buy").length + levelsOf(book.ladder, 0, "sell").length,
    framesApplied: book.framesApplied,
  };
}
