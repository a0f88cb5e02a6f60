import type { MarketEvent } from "../../engine/domain/market-event.ts";
import { AdapterError } from "../../engine/lib/errors.ts";
import type {
  FeedCounters,
  FeedEvent,
  MarketDataPort,
  MarketFeedListener,
  WatchedMarket,
} from "../../engine/ports/market-data.ts";
import type { Log } from "../../engine/ports/system.ts";
import type { BookRead } from "../../engine/protocol/venue-report.ts";
import { bookLimit, errorText, getRepeatedly } from "./clob-client.ts";
import type { FeedTimings } from "./feed-timings.ts";
import type { HttpClient } from "./http-client.ts";
import { MarketConnection, maxTokensPerConnection } from "./market-connection.ts";
import { parseBook, type RefusalReason } from "./parse-book.ts";
import type { FrameRefusal } from "./parse-market-frame.ts";
import { MarketFrameReader } from "./scan-market-frame.ts";
import { SnapshotWatch } from "./snapshot-watch.ts";
import { fieldsOf, jsonOf } from "./wire.ts";

export type MarketFeedOptions = {
  /** Base of the sockets, see channelUrl. */
  readonly wsUrl: string;
  /** Reads books; closed with the feed. */
  readonly http: HttpClient;
  readonly timings: FeedTimings;
  readonly log: Log;
  /** Sees every text frame as it came, before it is read (recording). */
  readonly onFrame?: (text: string) => void;
};

type Counters = { frames: number; framesInvalid: number; reconnects: number };

/** The public stream with its own integrity: epochs, one snapshot owed per subscription, counted refusals. */
export function createMarketFeed(options: MarketFeedOptions): MarketFeed {
  return new MarketFeed(options);
}

/** Total markets that are watched at once; beyond it a venue has more than we can follow. */
const maxWatched = 5_000;

export class MarketFeed implements MarketDataPort {
  readonly #options: MarketFeedOptions;
  readonly #watched = new Map<string, WatchedMarket>();
  readonly #homes = new Map<string, MarketConnection>();
  readonly #connections = new Set<MarketConnection>();
  readonly #snapshots: SnapshotWatch;
  readonly #reader = new MarketFrameReader();
  readonly #counters: Counters = { frames: 0, framesInvalid: 0, reconnects: 0 };
  readonly #refusals = new Map<RefusalReason, number>();
  #batch: (MarketEvent | FeedEvent)[] = [];
  #listener: MarketFeedListener | null = null;
  #lastFrameAtMs: number | null = null;
  #epoch = 0;
  #closed = false;

  constructor(options: MarketFeedOptions) {
    this.#options = options;
    this.#snapshots = new SnapshotWatch(
      {
        resubscribe: (conditionId) =>
          this.#homes.get(conditionId)?.resubscribe(conditionId) ?? false,
        readByRest: (conditionId) => this.#readByRest(conditionId),
      },
      options.timings,
    );
  }

  start(listener: MarketFeedListener): void {
    this.#listener = listener;
    this.#place(
      [...this.#watched.values()].filter((market) => !this.#homes.has(market.conditionId)),
    );
  }

  watch(markets: readonly WatchedMarket[]): void {
    const fresh: WatchedMarket[] = [];
    for (const market of markets) {
      if (this.#watched.has(market.conditionId)) continue;
      if (this.#watched.size >= maxWatched) {
        this.#options.log.error("market_feed.full", { limit: maxWatched });
        break;
      }
      this.#watched.set(market.conditionId, market);
      fresh.push(market);
    }
    this.#reader.learn(fresh);
    if (this.#listener !== null) this.#place(fresh);
  }

  unwatch(conditionIds: readonly string[]): void {
    this.#reader.forget(conditionIds.flatMap((id) => this.#watched.get(id) ?? []));
    for (const conditionId of conditionIds) {
      this.#watched.delete(conditionId);
      this.#snapshots.forget(conditionId);
      this.#homes.delete(conditionId);
    }
    for (const connection of this.#connections) {
      connection.remove(conditionIds);
      if (connection.conditionIds.length > 0) continue;
      this.#connections.delete(connection);
      void connection.close();
    }
  }

  resync(conditionId: string): void {
    if (this.#watched.has(conditionId)) this.#snapshots.resync(conditionId);
  }

  async readBook(market: WatchedMarket): Promise<BookRead> {
    try {
      const answer = await getRepeatedly(() =>
        this.#options.http.request({
          method: "GET",
          path: "/book",
          query: `token_id=${market.tokenIds[0]}`,
          maxBytes: bookLimit,
        }),
      );
      const fields = answer.status === 200 ? fieldsOf(jsonOf(answer.body)) : null;
      if (fields === null) return { ok: false, detail: errorText(answer) };
      const book = parseBook(fields, "rest");
      if (!book.ok) return { ok: false, detail: `an unreadable book: ${book.error}` };
      const fits =
        book.value.tokenId === market.tokenIds[0] && book.value.conditionId === market.conditionId;
      return fits
        ? { ok: true, book: book.value }
        : { ok: false, detail: "a book of another token" };
    } catch (error) {
      const detail = error instanceof AdapterError ? error.message : "unreadable failure";
      return { ok: false, detail };
    }
  }

  counters(): FeedCounters {
    return {
      connections: [...this.#connections].filter((connection) => connection.isOpen).length,
      watched: this.#watched.size,
      ...this.#counters,
      lastFrameAtMs: this.#lastFrameAtMs,
    };
  }

  /** Refused messages by reason; messages of foreign services are counted here only. */
  refusals(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#refusals);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#snapshots.close();
    await Promise.all([...this.#connections].map((connection) => connection.close()));
    await this.#options.http.close();
  }

  /** Fills connections that have room, then opens new ones. */
  #place(markets: readonly WatchedMarket[]): void {
    let rest = markets;
    for (const connection of this.#connections) {
      const part = rest.slice(0, connection.room);
      if (part.length === 0) continue;
      rest = rest.slice(part.length);
      for (const market of part) this.#homes.set(market.conditionId, connection);
      connection.add(part);
      if (connection.isOpen) for (const market of part) this.#snapshots.expect(market.conditionId);
    }
    for (let at = 0; at < rest.length; at += maxTokensPerConnection) {
      const part = rest.slice(at, at + maxTokensPerConnection);
      const connection = new MarketConnection(this.#options, part, {
        onOpen: (opened) => this.#opened(opened),
        onText: (text) => this.#read(text),
        onBinary: () => this.#refused({ reason: "not_json", conditionId: null }),
        onLost: (lost, detail) => this.#lost(lost, detail),
      });
      this.#connections.add(connection);
      for (const market of part) this.#homes.set(market.conditionId, connection);
    }
  }

  #opened(connection: MarketConnection): void {
    for (const conditionId of connection.conditionIds) this.#snapshots.expect(conditionId);
    this.#emit({ kind: "link.up", feed: "market", epoch: ++this.#epoch });
  }

  #lost(connection: MarketConnection, detail: string): void {
    this.#counters.reconnects++;
    const { conditionIds } = connection;
    for (const conditionId of conditionIds) this.#snapshots.forget(conditionId);
    this.#options.log.warn("market_feed.lost", { detail, markets: conditionIds.length });
    this.#emit({ kind: "link.lost", feed: "market", conditionIds, detail });
  }

  #read(text: Buffer): void {
    this.#counters.frames++;
    this.#lastFrameAtMs = Date.now();
    this.#options.onFrame?.(text.toString("utf8"));
    const frame = this.#reader.read(text);
    for (const refusal of frame.refused) this.#refused(refusal);
    for (const event of frame.events) {
      if (event.kind === "book.snapshot") this.#snapshots.arrived(event.conditionId);
      this.#emit(event);
    }
  }

  #refused({ reason, conditionId }: FrameRefusal): void {
    this.#refusals.set(reason, (this.#refusals.get(reason) ?? 0) + 1);
    if (reason === "foreign" || reason === "unknown_event") return;
    this.#counters.framesInvalid++;
    this.#options.log.warn("market_feed.refused", { reason, conditionId });
    // A change that could not be read leaves the book wrong although nobody contradicts it yet.
    if (conditionId !== null) this.resync(conditionId);
  }

  async #readByRest(conditionId: string): Promise<boolean> {
    const market = this.#watched.get(conditionId);
    if (market === undefined || this.#closed) return false;
    const read = await this.readBook(market);
    if (!this.#watched.has(conditionId) || this.#closed) return false;
    if (read.ok) this.#emit(read.book);
    else this.#options.log.warn("market_feed.no_snapshot", { conditionId, detail: read.detail });
    return read.ok;
  }

  /** Frames of one socket read are parsed in one turn and handed on together when the turn ends. */
  #emit(event: MarketEvent | FeedEvent): void {
    this.#batch.push(event);
    if (this.#batch.length === 1) queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    const batch = this.#batch;
    this.#batch = [];
    if (batch.length > 0 && !this.#closed) this.#listener?.(batch);
  }
}
