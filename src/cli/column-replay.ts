import { MarketFrameReader } from "../adapters/polymarket/scan-market-frame.ts";
import { conditionIdOf, tokenIdOf } from "../adapters/polymarket/wire.ts";
import { rowKind } from "../adapters/tape/block-builder.ts";
import type { BlockCursor, BlockView } from "../adapters/tape/block-view.ts";
import { BookLanes } from "./book-lanes.ts";
import type { BookReplay } from "./book-replay.ts";
import { chosenStep, frameStep, stepOfRow, type TapeStep } from "./frame-files.ts";
import { type Place, PlainFrames, skip, slow } from "./plain-frames.ts";

/**
 * Plays packed changes from a tape's columns straight into books, without making texts and objects of them. It takes only
 * what is plainly right: a change in order, of a live book, on the tick, about which both tokens agree, after a group that
 * the book agrees with. Everything else goes the ordinary way through the parser and the book's own rules, so both give
 * the same books, counts and failures (a test compares them).
 */
export class ColumnReplay {
  readonly #replay: BookReplay;
  readonly #chosen: ReadonlySet<string> | null;
  readonly #lanes: BookLanes;
  readonly #laneOf = new Map<string, number>();
  readonly #reader = new MarketFrameReader();

  /** `chosen`: condition ids of the markets to play; null for all. `heldBytes`: see BookLanes. */
  constructor(replay: BookReplay, chosen: ReadonlySet<string> | null, heldBytes: number) {
    this.#replay = replay;
    this.#chosen = chosen;
    const books = [...replay.books.values()];
    for (const [lane, { conditionId }] of books.entries()) this.#laneOf.set(conditionId, lane);
    this.#lanes = new BookLanes(books, heldBytes);
    this.#reader.learn(books);
  }

  /** Plays a block; rows before `fromMs` without counting them, none after `toMs`. */
  block(view: BlockView, fromMs: number, toMs: number): void {
    const places = Int32Array.from(view.markets, (market) => this.#placeOf(market));
    const plain = new PlainFrames(view, this.#lanes, places);
    const replay = this.#replay;
    const cursor = view.cursor();
    const { rowKinds, rowSteps, deltaMarkets } = view;
    const rows = view.head.rows;
    while (cursor.row < rows) {
      const atMs = cursor.atMs + (rowSteps[cursor.row] ?? 0);
      if (atMs > toMs) break;
      if (!replay.counts && atMs >= fromMs) replay.counts = true;
      const kind = rowKinds[cursor.row];
      if (kind === rowKind.step) view.skipStep(cursor);
      else if (kind !== rowKind.delta) this.#row(view, cursor);
      else if (places[deltaMarkets[cursor.delta] ?? 0] === skip) view.skipDelta(cursor);
      else {
        // Frames that are not counted end before the first one that is.
        const played = plain.play(cursor, toMs, replay.counts ? null : fromMs);
        if (played > 0) replay.deltasApplied(played);
        else this.#row(view, cursor);
      }
    }
  }

  /** Gives the books everything that is kept beside them; to be called before they are looked at. */
  settle(): void {
    for (let lane = 0; lane < this.#lanes.books.length; lane++) this.#lanes.settle(lane);
  }

  #placeOf({ conditionId, tokenIds }: BlockView["markets"][number]): Place {
    if (this.#chosen !== null && !this.#chosen.has(conditionId)) return skip;
    const lane = this.#laneOf.get(conditionId) ?? -1;
    const own = this.#lanes.books[lane]?.tokenIds;
    const isPlain =
      conditionIdOf(conditionId) === conditionId && tokenIds.every((id) => tokenIdOf(id) === id);
    if (own === undefined || !isPlain) return slow;
    const first = tokenIds[0] === own[0] ? 0 : 1;
    return tokenIds.every((id, i) => id === own[first ^ i]) ? 2 * lane + first : slow;
  }

  #row(view: BlockView, cursor: BlockCursor): void {
    const read = this.#step(view, cursor);
    const step = read === null ? null : chosenStep(read, this.#chosen);
    if (step === null) return;
    if (step.frame === null) this.settle();
    else {
      for (const { conditionId } of step.frame.events) {
        this.#lanes.settle(this.#laneOf.get(conditionId) ?? -1);
      }
    }
    this.#replay.step(step, cursor.atMs);
  }

  /** The row at the cursor as a step, null for what says nothing about the market. */
  #step(view: BlockView, cursor: BlockCursor): TapeStep | null {
    if (view.rowKinds[cursor.row] === rowKind.text) {
      const frame = this.#reader.read(view.nextText(cursor));
      return frameStep(cursor.atMs, frame);
    }
    const row = view.next(cursor);
    return row.kind === "step" ? null : stepOfRow(row);
  }
}
