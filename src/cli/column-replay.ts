import { MarketFrameReader } from "../adapters/polymarket/scan-market-frame.ts";
import { conditionIdOf, tokenIdOf } from "../adapters/polymarket/wire.ts";
import { rowKind } from "../adapters/tape/block-builder.ts";
import type { BlockCursor, BlockView } from "../adapters/tape/block-view.ts";
import { changeFlag, microPerSizeUnit } from "../adapters/tape/delta-layout.ts";
import { type Price, priceOne, type Shares } from "../engine/domain/numbers.ts";
import { setLevel } from "../engine/domain/order-book.ts";
import { BookLane } from "./book-lane.ts";
import type { BookReplay } from "./book-replay.ts";
import { chosenStep, frameStep, stepOfRow, type TapeStep } from "./frame-files.ts";

/** Where a market of a block leads: its lane, and the outcome of each of the block's tokens. */
type BlockLane =
  | { readonly lane: BookLane; readonly outcomes: readonly (0 | 1)[] }
  /** Its ids are not plain: the parser decides. */
  | "slow"
  /** Not asked for. */
  | "skip";

/**
 * Plays packed changes from a tape's columns straight into books, without making texts and objects of them. It takes only
 * what is plainly right: a change in order, of a live book, on the tick, about which both tokens agree, after a group that
 * the book agrees with. Everything else goes the ordinary way through the parser and the book's own rules, so both give
 * the same books, counts and failures (a test compares them).
 */
export class ColumnReplay {
  readonly #replay: BookReplay;
  readonly #chosen: ReadonlySet<string> | null;
  readonly #lanes = new Map<string, BookLane>();
  readonly #reader = new MarketFrameReader();
  #frames = 0;

  /** `chosen`: condition ids of the markets to play; null for all. */
  constructor(replay: BookReplay, chosen: ReadonlySet<string> | null) {
    this.#replay = replay;
    this.#chosen = chosen;
    for (const [conditionId, book] of replay.books) {
      this.#lanes.set(conditionId, new BookLane(book));
    }
    this.#reader.learn([...replay.books.values()]);
  }

  /** Plays a block; rows before `fromMs` without counting them, none after `toMs`. */
  block(view: BlockView, fromMs: number, toMs: number): void {
    const lanes = view.markets.map((market) => this.#laneOf(market));
    for (const one of lanes) if (typeof one !== "string") one.lane.enter(view);
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
        if (lane === "skip") {
          view.skipDelta(cursor);
          continue;
        }
        if (lane !== "slow" && this.#delta(view, cursor, atMs, lane)) continue;
      }
      if (rowKinds[cursor.row] === rowKind.step) {
        view.skipStep(cursor);
        continue;
      }
      this.#row(view, cursor);
    }
    for (const one of lanes) if (typeof one !== "string") one.lane.leave();
    this.#replay.deltasApplied(this.#frames);
    this.#frames = 0;
  }

  /** Gives the books everything that is kept beside them; to be called before they are looked at. */
  settle(): void {
    for (const lane of this.#lanes.values()) lane.settle();
  }

  #laneOf(market: BlockView["markets"][number]): BlockLane {
    const { conditionId, tokenIds } = market;
    if (this.#chosen !== null && !this.#chosen.has(conditionId)) return "skip";
    const lane = this.#lanes.get(conditionId);
    const isPlain =
      conditionIdOf(conditionId) === conditionId && tokenIds.every((id) => tokenIdOf(id) === id);
    if (lane === undefined || !isPlain) return "slow";
    const places = tokenIds.map((id) => lane.book.tokenIds.indexOf(id));
    const outcomes = places.filter((place) => place === 0 || place === 1);
    return outcomes.length === places.length ? { lane, outcomes } : "slow";
  }

  #row(view: BlockView, cursor: BlockCursor): void {
    const read = this.#step(view, cursor);
    const step = read === null ? null : chosenStep(read, this.#chosen);
    if (step === null) return;
    if (step.frame === null) this.settle();
    else for (const { conditionId } of step.frame.events) this.#lanes.get(conditionId)?.settle();
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

  /** True when the frame at the cursor is played and the cursor behind it. */
  #delta(
    view: BlockView,
    cursor: BlockCursor,
    atMs: number,
    target: Exclude<BlockLane, string>,
  ): boolean {
    const { lane } = target;
    if (lane.book.status !== "live") return false;
    const from = cursor.change;
    const to = from + (view.deltaChanges[cursor.delta] ?? 0);
    if (!isPlain(view, from, to, lane.book.tickSize)) return false;
    lane.load();
    const timestampMs = cursor.timestampMs + (view.deltaSteps[cursor.delta] ?? 0);
    if (!lane.isInOrder(timestampMs)) return false;
    if (timestampMs !== lane.timestampMs) {
      if (!lane.isRight()) return false;
      lane.close();
    } else if (!isOneGroup(view, cursor, to, target)) return false;
    play(view, cursor, to, target);
    cursor.row++;
    cursor.atMs = atMs;
    cursor.seq++;
    cursor.delta++;
    cursor.timestampMs = timestampMs;
    lane.timestampMs = timestampMs;
    lane.book.frameAtMs = atMs;
    lane.book.framesApplied++;
    this.#frames++;
    return true;
  }
}

/**
 * Sets the levels of the plain frame at the cursor and opens its claims; the cursor's changes, sizes and hashes move
 * behind it. The second of two changes says the same about the one ladder, so it is not set again.
 */
function play(
  view: BlockView,
  cursor: BlockCursor,
  to: number,
  { lane, outcomes }: Exclude<BlockLane, string>,
): void {
  const { flags, prices, sizes, bestBids, bestAsks } = view;
  const from = cursor.change;
  for (let i = from; i < to; i++) {
    const flag = flags[i] ?? 0;
    const outcome = outcomes[flag & changeFlag.token1] ?? 0;
    if (i === from) {
      const size =
        (flag & changeFlag.bigSize) === 0
          ? (sizes[i] ?? 0) * microPerSizeUnit
          : (view.bigSizes[cursor.bigSize++] ?? 0);
      const side = (flag & changeFlag.sell) === 0 ? "buy" : "sell";
      setLevel(lane.book.ladder, outcome, side, (prices[i] ?? 0) as Price, size as Shares);
    }
    const hash = (flag & changeFlag.hashed) === 0 ? -1 : cursor.hash++;
    lane.claim(outcome, bestBids[i] ?? 0, bestAsks[i] ?? 0, hash);
  }
  cursor.change = to;
}

/** True when a message of one or two changes is on the tick, and two changes are the two sides of one. */
function isPlain(view: BlockView, from: number, to: number, tickSize: number): boolean {
  const { prices, flags, sizes, bestBids, bestAsks } = view;
  for (let i = from; i < to; i++) {
    const price = prices[i] ?? 0;
    if (price === 0 || price === priceOne || price % tickSize !== 0) return false;
  }
  if (to - from === 1) return true;
  const [a, b] = [from, from + 1];
  const differing = (flags[a] ?? 0) ^ (flags[b] ?? 0);
  return (
    to - from === 2 &&
    differing === (changeFlag.token1 | changeFlag.sell) &&
    ((flags[a] ?? 0) & changeFlag.bigSize) === 0 &&
    (prices[a] ?? 0) + (prices[b] ?? 0) === priceOne &&
    sizes[a] === sizes[b] &&
    (bestBids[a] ?? 0) + (bestAsks[b] ?? 0) === priceOne &&
    (bestAsks[a] ?? 0) + (bestBids[b] ?? 0) === priceOne
  );
}

/** True when every change of the frame at the cursor carries on the open group of its outcome. */
function isOneGroup(
  view: BlockView,
  cursor: BlockCursor,
  to: number,
  { lane, outcomes }: Exclude<BlockLane, string>,
): boolean {
  let { hash } = cursor;
  for (let i = cursor.change; i < to; i++) {
    const flag = view.flags[i] ?? 0;
    const hashAt = (flag & changeFlag.hashed) === 0 ? -1 : hash++;
    if (!lane.isSameGroup(outcomes[flag & changeFlag.token1] ?? 0, view, hashAt)) return false;
  }
  return true;
}
