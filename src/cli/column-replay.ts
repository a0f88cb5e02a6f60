import { conditionIdOf, tokenIdOf } from "../adapters/polymarket/wire.ts";
import { rowKind } from "../adapters/tape/block-builder.ts";
import type { BlockCursor, BlockView } from "../adapters/tape/block-view.ts";
import { changeFlag, microPerSizeUnit } from "../adapters/tape/delta-layout.ts";
import { type MarketBook, markStale, type ResyncReason } from "../engine/domain/market-book.ts";
import { type Price, priceOne, type Shares } from "../engine/domain/numbers.ts";
import { bestPrice, isCrossed, setLevel } from "../engine/domain/order-book.ts";
import type { BookReplay } from "./book-replay.ts";
import { chosenStep, stepOfRow } from "./frame-files.ts";

/** A book with the claims of its open group in numbers; `isLoaded` false: the book itself has the newer ones. */
type Lane = {
  readonly book: MarketBook;
  isLoaded: boolean;
  timestampMs: number;
  /** By outcome; prices 0 for an empty side, -1 when nothing is said. */
  readonly isClaimed: [boolean, boolean];
  readonly bestBid: [number, number];
  readonly bestAsk: [number, number];
  groupMs: number;
};

/** Where a market of a block leads: its lane, and the outcome of each of the block's tokens (-1: neither). */
type BlockLane = { readonly lane: Lane; readonly outcomes: readonly number[] } | "slow" | "skip";

/**
 * Plays packed changes from a tape's columns straight into books, without making texts and objects of them: the same
 * books, counts and failures as BookReplay without hashes gives on the frames' texts (a test compares them). Whatever
 * is no plain change of a known market goes that ordinary way.
 */
export class ColumnReplay {
  readonly #replay: BookReplay;
  readonly #chosen: ReadonlySet<string> | null;
  readonly #lanes = new Map<string, Lane>();
  #frames = 0;

  /** `chosen`: condition ids of the markets to play; null for all. */
  constructor(replay: BookReplay, chosen: ReadonlySet<string> | null) {
    this.#replay = replay;
    this.#chosen = chosen;
    for (const [conditionId, book] of replay.books) {
      this.#lanes.set(conditionId, {
        book,
        isLoaded: false,
        timestampMs: 0,
        isClaimed: [false, false],
        bestBid: [0, 0],
        bestAsk: [0, 0],
        groupMs: 0,
      });
    }
  }

  /** Plays a block; rows before `fromMs` without counting them, none after `toMs`. */
  block(view: BlockView, fromMs: number, toMs: number): void {
    const lanes = view.markets.map((market) => this.#laneOf(market));
    const cursor = view.cursor();
    const { rowKinds, rowSteps, deltaMarkets } = view;
    const rows = view.head.rows;
    while (cursor.row < rows) {
      const atMs = cursor.atMs + (rowSteps[cursor.row] ?? 0);
      if (atMs > toMs) break;
      if (!this.#replay.counts && atMs >= fromMs) {
        this.#frames = 0;
        this.#replay.counts = true;
      }
      if (rowKinds[cursor.row] === rowKind.delta) {
        const lane = lanes[deltaMarkets[cursor.delta] ?? 0] ?? "slow";
        if (lane !== "slow" && this.#delta(view, cursor, lane)) continue;
      }
      this.#row(view, cursor);
    }
    this.#replay.deltasApplied(this.#frames);
    this.#frames = 0;
  }

  /** Gives the books everything that is kept beside them; to be called before they are looked at. */
  settle(): void {
    for (const lane of this.#lanes.values()) unload(lane);
  }

  #laneOf(market: BlockView["markets"][number]): BlockLane {
    const { conditionId, tokenIds } = market;
    if (this.#chosen !== null && !this.#chosen.has(conditionId)) return "skip";
    const lane = this.#lanes.get(conditionId);
    const isPlain =
      conditionIdOf(conditionId) === conditionId && tokenIds.every((id) => tokenIdOf(id) === id);
    if (lane === undefined || !isPlain) return "slow";
    return { lane, outcomes: tokenIds.map((id) => lane.book.tokenIds.indexOf(id)) };
  }

  #row(view: BlockView, cursor: BlockCursor): void {
    const step = chosenStep(stepOfRow(view.next(cursor)), this.#chosen);
    if (step === null) return;
    if (step.frame === null) this.settle();
    else {
      for (const { conditionId } of step.frame.events) {
        const lane = this.#lanes.get(conditionId);
        if (lane !== undefined) unload(lane);
      }
    }
    this.#replay.step(step, cursor.atMs);
  }

  /** True when the frame at the cursor is played and the cursor behind it. */
  #delta(view: BlockView, cursor: BlockCursor, target: Exclude<BlockLane, "slow">): boolean {
    const from = cursor.change;
    const to = from + (view.deltaChanges[cursor.delta] ?? 0);
    const { prices, flags } = view;
    let hashes = 0;
    let bigSizes = 0;
    for (let i = from; i < to; i++) {
      const price = prices[i] ?? 0;
      // The parser refuses a level at nothing or at a dollar, and the frame with it.
      if (price === 0 || price === priceOne) return false;
      const flag = flags[i] ?? 0;
      if ((flag & changeFlag.hashed) !== 0) hashes++;
      if ((flag & changeFlag.bigSize) !== 0) bigSizes++;
    }
    cursor.atMs += view.rowSteps[cursor.row] ?? 0;
    cursor.timestampMs += view.deltaSteps[cursor.delta] ?? 0;
    if (target !== "skip") {
      this.#frames++;
      this.#change(view, cursor, to, target);
    }
    cursor.row++;
    cursor.seq++;
    cursor.delta++;
    cursor.change = to;
    cursor.hash += hashes;
    cursor.bigSize += bigSizes;
    return true;
  }

  #change(
    view: BlockView,
    cursor: BlockCursor,
    to: number,
    { lane, outcomes }: Exclude<BlockLane, string>,
  ): void {
    if (!lane.isLoaded) load(lane);
    const { book } = lane;
    const { timestampMs } = cursor;
    if (book.status === "waiting") {
      this.#replay.noted(stale(lane, "no_snapshot"));
      return;
    }
    if (book.status === "stale" || timestampMs < lane.timestampMs) return;
    if ((lane.isClaimed[0] || lane.isClaimed[1]) && lane.groupMs !== timestampMs) {
      const reason = judge(lane);
      if (reason !== null) {
        this.#replay.noted(reason);
        return;
      }
    }
    const { flags, prices, sizes, bestBids, bestAsks } = view;
    let { bigSize } = cursor;
    for (let i = cursor.change; i < to; i++) {
      const flag = flags[i] ?? 0;
      const size =
        (flag & changeFlag.bigSize) === 0
          ? (sizes[i] ?? 0) * microPerSizeUnit
          : (view.bigSizes[bigSize++] ?? 0);
      const outcome = outcomes[flag & changeFlag.token1];
      if (outcome !== 0 && outcome !== 1) continue;
      const side = (flag & changeFlag.sell) === 0 ? "buy" : "sell";
      setLevel(book.ladder, outcome, side, (prices[i] ?? 0) as Price, size as Shares);
      lane.isClaimed[outcome] = true;
      lane.bestBid[outcome] = (bestBids[i] ?? 0) % priceOne;
      lane.bestAsk[outcome] = (bestAsks[i] ?? 0) % priceOne;
      lane.groupMs = timestampMs;
    }
    lane.timestampMs = timestampMs;
    book.frameAtMs = cursor.atMs;
    book.framesApplied++;
  }
}

/** What the open group claims, compared with the book; as `checkClaims` does without hashes. */
function judge(lane: Lane): ResyncReason | null {
  const { book } = lane;
  for (const outcome of [0, 1] as const) {
    if (!lane.isClaimed[outcome]) continue;
    lane.isClaimed[outcome] = false;
    const bid = lane.bestBid[outcome];
    const ask = lane.bestAsk[outcome];
    const fits =
      (bid < 0 || bid === (bestPrice(book.ladder, outcome, "buy") ?? 0)) &&
      (ask < 0 || ask === (bestPrice(book.ladder, outcome, "sell") ?? 0));
    if (!fits) return stale(lane, "best_price_mismatch");
  }
  return isCrossed(book.ladder) ? stale(lane, "crossed") : null;
}

function stale(lane: Lane, reason: ResyncReason): ResyncReason {
  lane.isClaimed[0] = false;
  lane.isClaimed[1] = false;
  return markStale(lane.book, reason);
}

function load(lane: Lane): void {
  const { book } = lane;
  lane.isLoaded = true;
  lane.timestampMs = Number(book.timestamp);
  for (const outcome of [0, 1] as const) {
    const claim = book.claims[outcome];
    lane.isClaimed[outcome] = claim !== null;
    if (claim === null) continue;
    lane.groupMs = Number(claim.timestamp);
    lane.bestBid[outcome] = claim.bestBid === undefined ? -1 : (claim.bestBid ?? 0);
    lane.bestAsk[outcome] = claim.bestAsk === undefined ? -1 : (claim.bestAsk ?? 0);
  }
}

function unload(lane: Lane): void {
  if (!lane.isLoaded) return;
  const { book } = lane;
  lane.isLoaded = false;
  book.timestamp = String(lane.timestampMs);
  const shown = (at: number) => (at < 0 ? undefined : at === 0 ? null : (at as Price));
  for (const outcome of [0, 1] as const) {
    book.claims[outcome] = lane.isClaimed[outcome]
      ? {
          timestamp: String(lane.groupMs),
          hash: null,
          bestBid: shown(lane.bestBid[outcome]),
          bestAsk: shown(lane.bestAsk[outcome]),
        }
      : null;
  }
}
