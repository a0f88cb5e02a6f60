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
import { marketsOfTape } from "./tape-markets.ts";

const hasher = createHasher();

/** What a replay found. Two replays of the same tape give the same object. */
export type ReplayReport = {
  readonly frames: number;
  readonly dropped: number;
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

function count(tally: Tally, name: string): void {
  tally.set(name, (tally.get(name) ?? 0) + 1);
}

function sorted(tally: Tally): Readonly<Record<string, number>> {
  return Object.fromEntries([...tally].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Plays a tape into books as the engine does. `drop` leaves out the n-th frame (from 1), to show that it is noticed. */
export function replayBooks(steps: readonly TapeStep[], drop: number | null): ReplayReport {
  const replay = new Replay(steps, drop);
  return replay.run();
}

class Replay {
  readonly #steps: readonly TapeStep[];
  readonly #drop: number | null;
  readonly #books: ReadonlyMap<string, MarketBook>;
  readonly #events: Tally = new Map();
  readonly #refused: Tally = new Map();
  readonly #failures: Tally = new Map();
  #resynced = 0;
  #agreed = 0;
  #differed = 0;

  constructor(steps: readonly TapeStep[], drop: number | null) {
    this.#steps = steps;
    this.#drop = drop;
    // The markets are known beforehand, as a service knows them from the catalog: also from a frame that is dropped.
    this.#books = marketsOfTape(
      steps.flatMap((step) => step.frame?.events ?? []),
      null,
    ).books;
  }

  run(): ReplayReport {
    let frames = 0;
    let dropped = 0;
    for (const [i, step] of this.#steps.entries()) {
      const atMs = step.atMs ?? i;
      if (step.link === "lost")
        for (const book of this.#books.values()) markStale(book, "link_lost");
      if (step.frame === null) continue;
      frames++;
      if (frames === this.#drop) {
        dropped++;
        continue;
      }
      for (const { reason } of step.frame.refused) count(this.#refused, reason);
      for (const event of step.frame.events) this.#apply(event, atMs);
    }
    for (const book of this.#books.values()) this.#noted(checkClaims(book, hasher));
    return this.#report(frames, dropped);
  }

  #apply(event: MarketEvent, atMs: number): void {
    count(this.#events, event.kind);
    const book = this.#books.get(event.conditionId);
    if (book === undefined) return;
    if (event.kind === "book.snapshot") this.#compare(book, event);
    const wasStale = book.status === "stale";
    this.#noted(applyMarketEvent(book, event, atMs, hasher));
    if (wasStale && book.status === "live") this.#resynced++;
  }

  #noted(reason: ResyncReason | null): void {
    if (reason !== null && failureReasons.has(reason)) count(this.#failures, reason);
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

  #report(frames: number, dropped: number): ReplayReport {
    const books = [...this.#books.values()].sort((a, b) =>
      a.conditionId < b.conditionId ? -1 : 1,
    );
    const digest = createHash("sha256");
    for (const book of books) digest.update(`${bookText(book)}\n`);
    return {
      frames,
      dropped,
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
