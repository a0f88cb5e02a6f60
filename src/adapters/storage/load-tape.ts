import type {
  BookDelta,
  BookSnapshot,
  MarketEvent,
  TradePrinted,
} from "../../engine/domain/market-event.ts";
import type { Price } from "../../engine/domain/numbers.ts";
import type { Level } from "../../engine/domain/order-book.ts";
import { bulkRows } from "./bulk-tables.ts";
import { LevelRows } from "./level-rows.ts";
import { MarketNumbers, type MarketTokens, type TokenNumber } from "./market-numbers.ts";
import { BarsOfBatch, quoted } from "./minute-bars.ts";
import type { Store } from "./store.ts";
import { StoreError } from "./store-error.ts";
import type { SnapshotRow, TradeRow } from "./tables.ts";

/** One frame of a recording, whatever form it is kept in. */
export type TapeFrame = {
  /** Counts up within the recording. */
  readonly seq: number;
  /** Local milliseconds at which it was received; null on recordings that do not say. */
  readonly atMs: number | null;
  readonly events: readonly MarketEvent[];
  /** Markets that this frame and the following ones speak of, where the recording lists them. */
  readonly markets?: readonly MarketTokens[] | null;
};

export type LoadReport = {
  readonly bookEvents: number;
  readonly snapshots: number;
  readonly trades: number;
  /** Frames that an earlier load of this recording kept already. */
  readonly framesKnown: number;
  /** Events without a time that a row could stand at. */
  readonly undated: number;
};

/** How a store knows a recording. */
export type TapeName = {
  readonly name: string;
  /** By which an earlier version knew it; what was loaded then goes on under the new name. */
  readonly was?: string;
};

/** Some 36 MB of book events; as much may be waiting for the store meanwhile. */
export const rowsOfBatchUsual = 500_000;
const textBytesOfBatch = 32 * 1024 * 1024;
/** 2020 and 2100: a time outside is no time of this venue. */
const firstMs = 1_577_836_800_000;
const lastMs = 4_102_444_800_000;

/**
 * Fills book events, snapshots and trades from a recording. A load that was cut off goes on behind its last batch; a
 * recording that grew is read from where it ended; the same recording again adds nothing. @throws StoreError
 */
export async function loadTape(
  store: Store,
  tape: TapeName,
  frames: Iterable<TapeFrame> | AsyncIterable<TapeFrame>,
  nowMs: number,
  rowsOfBatch = rowsOfBatchUsual,
): Promise<LoadReport> {
  const load = await TapeLoad.open(store, tape, nowMs, rowsOfBatch);
  try {
    if (Symbol.asyncIterator in frames) {
      for await (const frame of frames) await load.add(frame);
    } else {
      for (const frame of frames) {
        // Waiting costs more than most frames do.
        const waiting = load.add(frame);
        if (waiting !== null) await waiting;
      }
    }
  } catch (error) {
    // What was read before stays, so that the next load goes on behind it.
    await load.settle().catch(() => undefined);
    throw error;
  }
  return load.end();
}

class TapeLoad {
  readonly #store: Store;
  readonly #numbers: MarketNumbers;
  readonly #name: string;
  readonly #tapeId: number;
  readonly #nowMs: number;
  readonly #rowsOfBatch: number;
  #from: number;
  #seq: number;
  readonly #bookEvents = new LevelRows();
  #snapshots: SnapshotRow[] = [];
  #textBytes = 0;
  #trades: TradeRow[] = [];
  readonly #bars = new BarsOfBatch();
  /** The batch before, which the store takes while the next one is read. */
  #writing: Promise<void> = Promise.resolve();
  readonly #report = { bookEvents: 0, snapshots: 0, trades: 0, framesKnown: 0, undated: 0 };

  private constructor(
    store: Store,
    tape: { readonly name: string; readonly tapeId: number; readonly from: number },
    nowMs: number,
    rowsOfBatch: number,
  ) {
    this.#store = store;
    this.#numbers = new MarketNumbers(store.db);
    this.#name = tape.name;
    this.#tapeId = tape.tapeId;
    this.#from = tape.from;
    this.#seq = tape.from;
    this.#nowMs = nowMs;
    this.#rowsOfBatch = rowsOfBatch;
  }

  static async open(
    store: Store,
    { name: tape, was }: TapeName,
    nowMs: number,
    rowsOfBatch: number,
  ): Promise<TapeLoad> {
    const { db } = store;
    if (was !== undefined) await renameTape(db, was, tape);
    await db
      .insertInto("tapes")
      .values({ name: tape })
      .onConflict((clash) => clash.column("name").doNothing())
      .execute();
    const { tape_id: tapeId } = await db
      .selectFrom("tapes")
      .select("tape_id")
      .where("name", "=", tape)
      .executeTakeFirstOrThrow();
    const name = checkpointOf(tape);
    const checkpoint = await db
      .selectFrom("checkpoints")
      .select("position")
      .where("name", "=", name)
      .executeTakeFirst();
    const from = checkpoint?.position ?? 0;
    return new TapeLoad(store, { name, tapeId, from }, nowMs, rowsOfBatch);
  }

  /** Null when the frame is in; a promise when the store is asked or written for it. */
  add(frame: TapeFrame): Promise<void> | null {
    if (frame.seq <= this.#from) {
      this.#report.framesKnown++;
      return null;
    }
    const isKnown = frame.markets == null && frame.events.every((event) => this.#isKnown(event));
    return isKnown ? this.#addKnown(frame) : this.#addUnknown(frame);
  }

  async end(): Promise<LoadReport> {
    if (this.#seq > this.#from) await this.#flush(false);
    await this.settle();
    return this.#report;
  }

  /** Keeps the batches that were given to the store. */
  async settle(): Promise<void> {
    await this.#writing;
    await this.#store.settle();
  }

  #isKnown(event: MarketEvent): boolean {
    switch (event.kind) {
      case "book.delta":
        return event.changes.every(({ tokenId }) => this.#numbers.known(tokenId) !== null);
      case "book.snapshot":
      case "trade.printed":
      case "quote.printed":
        return this.#numbers.known(event.tokenId) !== null;
      case "market.resolved":
      case "tick-size.changed":
        return false;
      default:
        return true;
    }
  }

  /** Gives numbers to its markets and tokens, and keeps what it says of a market's life. */
  async #addUnknown(frame: TapeFrame): Promise<void> {
    if (frame.markets != null) await this.#numbers.learn(frame.markets);
    for (const event of frame.events) {
      // An event without a time leaves no row, and so no number either.
      const at = timeOf(event, frame);
      if (at === null) continue;
      if (event.kind === "market.resolved" || event.kind === "tick-size.changed") {
        await this.#status(event, at);
      } else if (event.kind === "book.delta") {
        for (const { tokenId } of event.changes) {
          await this.#numbers.token(event.conditionId, tokenId);
        }
      } else if (event.kind !== "change.unread" && event.kind !== "market.opened") {
        await this.#numbers.token(event.conditionId, event.tokenId);
      }
    }
    await this.#addKnown(frame);
  }

  #addKnown(frame: TapeFrame): Promise<void> | null {
    let part = 0;
    for (const event of frame.events) part += this.#event(event, frame, part);
    this.#seq = frame.seq;
    const waiting = this.#bookEvents.count + this.#snapshots.length + this.#trades.length;
    const isFull = waiting >= this.#rowsOfBatch || this.#textBytes >= textBytesOfBatch;
    return isFull ? this.#flush(true) : null;
  }

  /** Returns how many parts of the frame it used up. */
  #event(event: MarketEvent, frame: TapeFrame, part: number): number {
    const at = timeOf(event, frame);
    if (at === null) {
      this.#report.undated++;
      return 0;
    }
    const place = { ts: at, seq: frame.seq, tape_id: this.#tapeId };
    switch (event.kind) {
      case "book.delta":
        return this.#delta(event, place, part);
      case "book.snapshot":
        this.#snapshots.push(this.#snapshot(event, { ...place, part }));
        return 1;
      case "trade.printed":
        this.#trades.push(this.#trade(event, { ...place, part }));
        return 1;
      case "quote.printed":
        quoted(this.#bar(this.#token(event.tokenId), at), event.bestBid, event.bestAsk);
        return 0;
      case "market.resolved":
      case "tick-size.changed":
        return 1;
      default:
        return 0;
    }
  }

  #delta(event: BookDelta, { ts, seq }: Place, part: number): number {
    let next = part;
    for (const { tokenId, side, price, size, bestBid, bestAsk } of event.changes) {
      const token = this.#token(tokenId);
      const bar = this.#bar(token, ts);
      bar.changes++;
      quoted(bar, bestBid ?? null, bestAsk ?? null);
      this.#bookEvents.add({
        market_id: token.marketId,
        ts,
        seq,
        part: next++,
        tape_id: this.#tapeId,
        outcome: token.outcome,
        side: side === "buy" ? 0 : 1,
        price_e4: price,
        size_e6: size,
      });
    }
    return next - part;
  }

  #snapshot(event: BookSnapshot, place: PartPlace): SnapshotRow {
    const token = this.#token(event.tokenId);
    const bar = this.#bar(token, place.ts);
    bar.books++;
    quoted(bar, bestOf(event.bids, Math.max), bestOf(event.asks, Math.min));
    const [bids, asks] = [levelsText(event.bids), levelsText(event.asks)];
    this.#textBytes += bids.length + asks.length;
    return {
      market_id: token.marketId,
      ...place,
      outcome: token.outcome,
      tick_size_e4: event.tickSize ?? 0,
      hash: event.hash ?? "",
      bids,
      asks,
    };
  }

  #trade(event: TradePrinted, place: PartPlace): TradeRow {
    const token = this.#token(event.tokenId);
    this.#bar(token, place.ts).trades++;
    return {
      market_id: token.marketId,
      ...place,
      outcome: token.outcome,
      side: event.takerSide === "buy" ? 0 : 1,
      price_e4: event.price,
      size_e6: event.size,
    };
  }

  #token(tokenId: string): TokenNumber {
    const token = this.#numbers.known(tokenId);
    if (token === null) throw new StoreError("store_bad_value", `${tokenId} has no number`);
    return token;
  }

  #bar(token: TokenNumber, atMs: number) {
    return this.#bars.at(token, this.#tapeId, atMs);
  }

  async #status(
    event: Extract<MarketEvent, { kind: "market.resolved" | "tick-size.changed" }>,
    ts: number,
  ): Promise<void> {
    const detail = event.kind === "market.resolved" ? event.winningTokenId : `${event.tickSize}`;
    const row = {
      market_id: await this.#numbers.market(event.conditionId),
      ts,
      status: event.kind === "market.resolved" ? "resolved" : "tick_size",
      detail,
    };
    await this.#store.db
      .insertInto("market_status")
      .values(row)
      .onConflict((clash) => clash.doNothing())
      .execute();
  }

  async #flush(isFollowed: boolean): Promise<void> {
    const bookEvents = this.#bookEvents.take();
    const batch = {
      isFollowed,
      rows: [bookEvents, bulkRows("snapshots", this.#snapshots), bulkRows("trades", this.#trades)],
      bars: this.#bars.take(),
      checkpoint: { name: this.#name, from: this.#from, to: this.#seq, atMs: this.#nowMs },
    };
    this.#from = this.#seq;
    this.#report.bookEvents += bookEvents.count;
    this.#report.snapshots += this.#snapshots.length;
    this.#report.trades += this.#trades.length;
    this.#snapshots = [];
    this.#textBytes = 0;
    this.#trades = [];
    await this.#writing;
    this.#writing = this.#store.load(batch);
    // Whoever waits for it next is told of its failure.
    this.#writing.catch(() => undefined);
  }
}

/** Inside one transaction, so that a tape is never known by two names or by none. */
async function renameTape(db: Store["db"], was: string, name: string): Promise<void> {
  await db.transaction().execute(async (work) => {
    const known = await work
      .selectFrom("tapes")
      .select("name")
      .where("name", "=", name)
      .executeTakeFirst();
    if (known !== undefined) return;
    await work.updateTable("tapes").set({ name }).where("name", "=", was).execute();
    await work
      .updateTable("checkpoints")
      .set({ name: checkpointOf(name) })
      .where("name", "=", checkpointOf(was))
      .execute();
  });
}

function checkpointOf(tape: string): string {
  return `tape ${tape}`;
}

type Place = { readonly ts: number; readonly seq: number; readonly tape_id: number };
type PartPlace = Place & { readonly part: number };

/** The venue's own time where it makes sense, else that of the recording. */
function timeOf(event: MarketEvent, frame: TapeFrame): number | null {
  const said = "timestamp" in event ? Number(event.timestamp) : null;
  for (const ms of [said, frame.atMs]) {
    if (ms !== null && Number.isSafeInteger(ms) && ms >= firstMs && ms < lastMs) return ms;
  }
  return null;
}

function bestOf(
  levels: readonly Level[],
  pick: (...prices: readonly number[]) => number,
): Price | null {
  return levels.length === 0 ? null : (pick(...levels.map(({ price }) => price)) as Price);
}

function levelsText(levels: readonly Level[]): string {
  return JSON.stringify(levels.map(({ price, size }) => [price, size]));
}
