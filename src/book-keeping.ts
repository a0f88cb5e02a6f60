import { bookMessage } from "./engine/domain/book-message.ts";
import type { MarketBook } from "./engine/domain/market-book.ts";
import type { Hasher } from "./engine/ports/hasher.ts";
import type { Clock } from "./engine/ports/system.ts";

/** Books of one turn: a fraction of a millisecond, so that trading does not wait for them. */
const booksPerTurn = 8;
/** With more than this waiting for the disk, the tape is left to catch up. */
const waitingBytesMax = 4 * 1024 * 1024;
const catchUpMs = 50;

export type BookKeepingParts = {
  readonly books: () => Iterable<MarketBook>;
  readonly hasher: Hasher;
  readonly clock: Clock;
  readonly waitingBytes: () => number;
  readonly keep: (atMs: number, message: string) => void;
};

/**
 * Writes every live book onto the tape once a gap has ended, a few a turn: a replay that stopped believing its books at the
 * gap has them again, without a question to the venue.
 */
export class BookKeeping {
  readonly #parts: BookKeepingParts;
  #left: Iterator<MarketBook> | null = null;
  #scheduled = false;
  #kept = 0;

  constructor(parts: BookKeepingParts) {
    this.#parts = parts;
  }

  /** Books written in this run. */
  get kept(): number {
    return this.#kept;
  }

  /** A gap ended. One that ends while books are written makes all of them be written again. */
  start(): void {
    this.#left = this.#parts.books()[Symbol.iterator]();
    this.#soon(0);
  }

  /** Not in the turn of a frame: its events are applied when it ends, and a book must not be older than the tape. */
  #soon(delayMs: number): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#parts.clock.after(delayMs, () => {
      this.#scheduled = false;
      this.#turn();
    });
  }

  #turn(): void {
    const { clock, hasher, keep, waitingBytes } = this.#parts;
    const left = this.#left;
    if (left === null) return;
    if (waitingBytes() > waitingBytesMax) {
      this.#soon(catchUpMs);
      return;
    }
    for (let i = 0; i < booksPerTurn; i++) {
      const next = left.next();
      if (next.done === true) {
        this.#left = null;
        return;
      }
      if (next.value.status !== "live") continue;
      keep(clock.nowMs(), bookMessage(next.value, hasher));
      this.#kept++;
    }
    this.#soon(0);
  }
}
