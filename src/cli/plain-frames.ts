import { rowKind } from "../adapters/tape/block-builder.ts";
import type { BlockCursor, BlockView } from "../adapters/tape/block-view.ts";
import { changeFlag, microPerSizeUnit } from "../adapters/tape/delta-layout.ts";
import { priceOne } from "../engine/domain/numbers.ts";
import { type OrderBook, setSlotLevel } from "../engine/domain/order-book.ts";
import { type BookLanes, noHash } from "./book-lanes.ts";

/** Where a market of a block leads: twice its lane, and one more when the block's first token is outcome 1. */
export type Place = number;
/** Its ids are not plain: the parser decides. */
export const slow: Place = -1;
/** Not asked for. */
export const skip: Place = -2;

/** Plays the frames of one block that are plainly right. */
export class PlainFrames {
  readonly #view: BlockView;
  readonly #lanes: BookLanes;
  /** By market of the block. */
  readonly #places: Int32Array;
  /** Number that the lanes gave the block's first hash. */
  readonly #firstHash: number;
  /** Venue milliseconds of the frame in hand; handed on as a number it would become an object. */
  readonly #timestampMs = new Float64Array(1);
  #hash = 0;
  #bigSize = 0;

  constructor(view: BlockView, lanes: BookLanes, places: Int32Array) {
    this.#view = view;
    this.#lanes = lanes;
    this.#places = places;
    this.#firstHash = lanes.enter(view.hashes);
  }

  /**
   * Plays plain frames from the cursor on and tells how many there were. Ends at one that is not plain, behind `toMs`, and
   * at the first one not before `fromMs` (null: no such end); the cursor then stands there.
   */
  play(cursor: BlockCursor, toMs: number, fromMs: number | null): number {
    const { rowKinds, rowSteps, deltaMarkets, deltaChanges, deltaSteps } = this.#view;
    const { isLoaded, framesAtMs, framesPlayed } = this.#lanes;
    const { rows } = this.#view.head;
    const places = this.#places;
    const lastMs = fromMs === null ? toMs : Math.min(toMs, fromMs);
    const handed = this.#timestampMs;
    let { row, delta, change, atMs, timestampMs } = cursor;
    this.#hash = cursor.hash;
    this.#bigSize = cursor.bigSize;
    for (; row < rows && rowKinds[row] === rowKind.delta; row++, delta++, change++) {
      const nextMs = atMs + (rowSteps[row] ?? 0);
      if (nextMs > lastMs || nextMs === fromMs) break;
      const place = places[deltaMarkets[delta] ?? 0] ?? slow;
      if (place < 0 || deltaChanges[delta] !== 1) break;
      const lane = place >> 1;
      if (isLoaded[lane] === 0 && !this.#lanes.load(lane)) break;
      handed[0] = timestampMs + (deltaSteps[delta] ?? 0);
      if (!this.#change(place, change)) break;
      atMs = nextMs;
      timestampMs += deltaSteps[delta] ?? 0;
      framesAtMs[lane] = atMs;
      framesPlayed[lane] = (framesPlayed[lane] ?? 0) + 1;
    }
    const played = row - cursor.row;
    const seq = cursor.seq + played;
    const [hash, bigSize] = [this.#hash, this.#bigSize];
    Object.assign(cursor, { row, delta, change, hash, bigSize, seq, atMs, timestampMs });
    return played;
  }

  /**
   * Applies the one change of a frame, whose venue time is handed over; false when it is not plain, and nothing is changed.
   * A change that stands for two says the same about the one ladder, so the mirror is claimed but not set.
   */
  #change(place: Place, change: number): boolean {
    const { flags, prices, bestBids, bestAsks } = this.#view;
    const lanes = this.#lanes;
    const lane = place >> 1;
    const ladder = lanes.ladders[lane];
    if (ladder === undefined) return false;
    const flag = flags[change] ?? 0;
    const outcome = (place ^ flag) & changeFlag.token1;
    const own = prices[change] ?? 0;
    const slot = slotOf(ladder, lanes.tickSizes[lane] ?? 0, outcome === 0 ? own : priceOne - own);
    const isHashed = (flag & changeFlag.hashed) !== 0;
    const hash = isHashed ? this.#firstHash + this.#hash : noHash;
    if (slot === 0 || !this.#isInOrder(lane, ladder, outcome, flag)) return false;
    const isBid = ((flag & changeFlag.sell) === 0) === (outcome === 0);
    setSlotLevel(ladder, isBid, slot, this.#size(flag, change));
    // An empty side is written as 0 or as a dollar.
    const bid = (bestBids[change] ?? 0) % priceOne;
    const ask = bestAsks[change] || priceOne;
    const yesBid = outcome === 0 ? bid : priceOne - ask;
    const yesAsk = outcome === 0 ? ask : priceOne - bid;
    lanes.claim(lane, outcome, yesBid, yesAsk, hash);
    if (isHashed) this.#hash++;
    if ((flag & changeFlag.mirrored) === 0) return true;
    lanes.claim(lane, outcome ^ 1, yesBid, yesAsk, isHashed ? hash + 1 : noHash);
    if (isHashed) this.#hash++;
    return true;
  }

  /** True when the change carries on the open group, or begins another one after a group that was right. */
  #isInOrder(lane: number, ladder: OrderBook, outcome: number, flag: number): boolean {
    const lanes = this.#lanes;
    const timestampMs = this.#timestampMs[0] ?? 0;
    const lastMs = lanes.timestampsMs[lane] ?? 0;
    if (timestampMs > lastMs) {
      if (!lanes.closeRight(lane, ladder)) return false;
      lanes.timestampsMs[lane] = timestampMs;
      return true;
    }
    if (timestampMs < lastMs || !lanes.isOpen(lane)) return false;
    const hash = (flag & changeFlag.hashed) === 0 ? noHash : this.#firstHash + this.#hash;
    const other = hash === noHash ? noHash : hash + 1;
    const isMirrored = (flag & changeFlag.mirrored) !== 0;
    return (
      lanes.isSameGroup(lane, outcome, hash) &&
      (!isMirrored || lanes.isSameGroup(lane, outcome ^ 1, other))
    );
  }

  /** Micro-shares. */
  #size(flag: number, change: number): number {
    const { sizes, bigSizes } = this.#view;
    if ((flag & changeFlag.bigSize) === 0) return (sizes[change] ?? 0) * microPerSizeUnit;
    return bigSizes[this.#bigSize++] ?? 0;
  }
}

/** Slot of a price that outcome 0 sees, 0 when it is not on the tick or no level can be there. */
function slotOf({ step, top }: OrderBook, tickSize: number, price: number): number {
  const slot = (price / step) | 0;
  if (slot * step !== price || slot >= top) return 0;
  return tickSize === step || price % tickSize === 0 ? slot : 0;
}
