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
import { MarketNumbers } from "./market-numbers.ts";
import { BarsOfBatch, quoted } from "./minute-bars.ts";
import type { Store } from "./store.ts";
import type { SnapshotRow, TradeRow } from "./tables.ts";

/** One frame of a recording, whatever form it is kept in. */
export type TapeFrame = {
  /** Counts up within the recording. */
  readonly seq: number;
  /** Local milliseconds at which it was received; null on recordings that do not say. */
  readonly atMs: number | null;
  readonly events: readonly MarketEvent[];
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

const rowsOfBatchUsual = 50_000;
/** 2020 and 2100: a time outside is no time of this venue. */
const firstMs = 1_577_836_800_000;
const lastMs = 4_102_444_800_000;

/**
 * Fills book events, snapshots and trades from a recording. A load that was cut off goes on behind its last batch; a
 * recording that grew is read from where it ended; the same recording again adds nothing. @throws StoreError
 */
export async function loadTape(
  store: Store,
  name: string,
  frames: Iterable<TapeFrame> | AsyncIterable<TapeFrame>,
  nowMs: number,
  rowsOfBatch = rowsOfBatchUsual,
): Promise<LoadReport> {
  const load = await TapeLoad.open(store, name, nowMs, rowsOfBatch);
  for await (const frame of frames) await load.add(frame);
  return load.end();
}

class TapeLoad {
  readonly #store: Store;
  readonly #numbers: MarketNumbers;
  readonly #name: string;
  readonly #tapeId: number;
  readonly #nowMs: number;
  #rowsOfBatch = rowsOfBatchUsual;
  #from: number;
  #seq: number;
  readonly #bookEvents = new LevelRows();
  #snapshots: SnapshotRow[] = [];
  #trades: TradeRow[] = [];
  readonly #bars = new BarsOfBatch();
  readonly #report = { bookEvents: 0, snapshots: 0, trades: 0, framesKnown: 0, undated: 0 };

  private constructor(store: Store, name: string, tapeId: number, from: number, nowMs: number) {
    this.#store = store;
    this.#numbers = new MarketNumbers(store.db);
    this.#name = name;
    this.#tapeId = tapeId;
    this.#from = from;
    this.#seq = from;
    this.#nowMs = nowMs;
  }

  static async open(
    store: Store,
    tape: string,
    nowMs: number,
    rowsOfBatch: number,
  ): Promise<TapeLoad> {
    const { db } = store;
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
    const name = `tape ${tape}`;
    const checkpoint = await db
      .selectFrom("checkpoints")
      .select("position")
      .where("name", "=", name)
      .executeTakeFirst();
    const load = new TapeLoad(store, name, tapeId, checkpoint?.position ?? 0, nowMs);
    load.#rowsOfBatch = rowsOfBatch;
    return load;
  }

  async add(frame: TapeFrame): Promise<void> {
    if (frame.seq <= this.#from) {
      this.#report.framesKnown++;
      return;
    }
    let part = 0;
    for (const event of frame.events) part += await this.#event(event, frame, part);
    this.#seq = frame.seq;
    const waiting = this.#bookEvents.count + this.#snapshots.length + this.#trades.length;
    if (waiting >= this.#rowsOfBatch) await this.#flush();
  }

  async end(): Promise<LoadReport> {
    if (this.#seq > this.#from) await this.#flush();
    return this.#report;
  }

  /** Returns how many parts of the frame it used up. */
  async #event(event: MarketEvent, frame: TapeFrame, part: number): Promise<number> {
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
        this.#snapshots.push(await this.#snapshot(event, { ...place, part }));
        return 1;
      case "trade.printed":
        this.#trades.push(await this.#trade(event, { ...place, part }));
        return 1;
      case "quote.printed":
        quoted(await this.#bar(event, at), event.bestBid, event.bestAsk);
        return 0;
      case "market.resolved":
      case "tick-size.changed":
        await this.#status(event, at);
        return 1;
      default:
        return 0;
    }
  }

  async #delta(event: BookDelta, place: Place, part: number): Promise<number> {
    let next = part;
    for (const { tokenId, side, price, size, bestBid, bestAsk } of event.changes) {
      const token = await this.#numbers.token(event.conditionId, tokenId);
      const bar = this.#bars.at({ ...token, tapeId: this.#tapeId }, place.ts);
      bar.changes++;
      quoted(bar, bestBid ?? null, bestAsk ?? null);
      this.#bookEvents.add({
        market_id: token.marketId,
        ...place,
        part: next++,
        outcome: token.outcome,
        side: side === "buy" ? 0 : 1,
        price_e4: price,
        size_e6: size,
      });
    }
    return next - part;
  }

  async #snapshot(event: BookSnapshot, place: PartPlace): Promise<SnapshotRow> {
    const token = await this.#numbers.token(event.conditionId, event.tokenId);
    const bar = this.#bars.at({ ...token, tapeId: this.#tapeId }, place.ts);
    bar.books++;
    quoted(bar, bestOf(event.bids, Math.max), bestOf(event.asks, Math.min));
    return {
      market_id: token.marketId,
      ...place,
      outcome: token.outcome,
      tick_size_e4: event.tickSize ?? 0,
      hash: event.hash ?? "",
      bids: levelsText(event.bids),
      asks: levelsText(event.asks),
    };
  }

  async #trade(event: TradePrinted, place: PartPlace): Promise<TradeRow> {
    const token = await this.#numbers.token(event.conditionId, event.tokenId);
    this.#bars.at({ ...token, tapeId: this.#tapeId }, place.ts).trades++;
    return {
      market_id: token.marketId,
      ...place,
      outcome: token.outcome,
      side: event.takerSide === "buy" ? 0 : 1,
      price_e4: event.price,
      size_e6: event.size,
    };
  }

  async #bar(event: { readonly conditionId: string; readonly tokenId: string }, atMs: number) {
    const token = await this.#numbers.token(event.conditionId, event.tokenId);
    return this.#bars.at({ ...token, tapeId: this.#tapeId }, atMs);
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

  async #flush(): Promise<void> {
    const bookEvents = this.#bookEvents.take();
    await this.#store.load({
      rows: [bookEvents, bulkRows("snapshots", this.#snapshots), bulkRows("trades", this.#trades)],
      bars: this.#bars.take(),
      checkpoint: { name: this.#name, from: this.#from, to: this.#seq, atMs: this.#nowMs },
    });
    this.#from = this.#seq;
    this.#report.bookEvents += bookEvents.count;
    this.#report.snapshots += this.#snapshots.length;
    this.#report.trades += this.#trades.length;
    this.#snapshots = [];
    this.#trades = [];
  }
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
