import type { MarketEvent } from "../../engine/domain/market-event.ts";
import { AdapterError } from "../../engine/lib/errors.ts";
import type {
  FeedCounters,
  FeedEvent,
  MarketDataPort,
  MarketFeedListener,
  ResyncRequest,
  WatchedMarket,
} from "../../engine/ports/market-data.ts";
import type { Log } from "../../engine/ports/system.ts";
import type { FeedHealth } from "../../engine/protocol/feed-health.ts";
import type { BookRead } from "../../engine/protocol/venue-report.ts";
import { bookLimit, errorText, getRepeatedly } from "./clob-client.ts";
import { ConnectionPool } from "./connection-pool.ts";
import { DoubledMarkets } from "./doubled-markets.ts";
import { defaultFeedLimits, type FeedLimits, type FeedTimings } from "./feed-timings.ts";
import type { HttpAnswer, HttpClient } from "./http-client.ts";
import type { ConnectionLoss, MarketConnection } from "./market-connection.ts";
import { parseBook, type RefusalReason } from "./parse-book.ts";
import { type FrameRefusal, harmless, type MarketFrame } from "./parse-market-frame.ts";
import { pauseAfter429 } from "./rate-limits.ts";
import { RefusalLog } from "./refusal-log.ts";
import { MarketFrameReader } from "./scan-market-frame.ts";
import { SilenceWatch } from "./silence-watch.ts";
import { SnapshotWatch } from "./snapshot-watch.ts";
import { fieldsOf, jsonOf } from "./wire.ts";

export type MarketFeedOptions = {
  /** Base of the sockets, see channelUrl. */
  readonly wsUrl: string;
  /** Reads books; closed with the feed. */
  readonly http: HttpClient;
  readonly timings: FeedTimings;
  readonly limits?: FeedLimits;
  readonly log: Log;
  /** Sees the UTF-8 of every text frame as it came, before it is read; valid for this call (recording). */
  readonly onFrame?: (frame: Buffer) => void;
  /** Sees what the frame that was just seen says, before anybody acts on it (recording). */
  readonly onEvents?: (events: readonly MarketEvent[]) => void;
  /** Sees news of connections in their place between the frames (recording). */
  readonly onLink?: (event: FeedEvent) => void;
  /** Markets that are followed from now on. */
  readonly onWatch?: (markets: readonly WatchedMarket[]) => void;
};

type Counters = { frames: number; framesInvalid: number; reconnects: number };

/** The public stream with its own integrity: epochs, one snapshot owed per subscription, counted refusals. */
export function createMarketFeed(options: MarketFeedOptions): MarketFeed {
  return new MarketFeed(options);
}

/**
 * Keeps the watched markets subscribed, spread over connections, and hands their events on in order. A connection that
 * froze, or that we read too slowly, is given up: its books are lost at once and come back with the next one.
 */
export class MarketFeed implements MarketDataPort {
  readonly #options: MarketFeedOptions;
  readonly #limits: FeedLimits;
  readonly #watched = new Map<string, WatchedMarket>();
  readonly #pool: ConnectionPool;
  readonly #doubled: DoubledMarkets;
  readonly #snapshots: SnapshotWatch;
  readonly #reader = new MarketFrameReader();
  readonly #silence: SilenceWatch;
  readonly #counters: Counters = { frames: 0, framesInvalid: 0, reconnects: 0 };
  readonly #refusals = new Map<RefusalReason, number>();
  readonly #refusalLog: RefusalLog;
  readonly #losses = new Map<ConnectionLoss["loss"], number>();
  /** Main connections whose loss was told and that have not come back. */
  readonly #away = new Set<MarketConnection>();
  #batch: (MarketEvent | FeedEvent)[] = [];
  #listener: MarketFeedListener | null = null;
  #lastFrameAtMs: number | null = null;
  #readsRefused = 0;
  #epoch = 0;
  #closed = false;

  constructor(options: MarketFeedOptions) {
    this.#options = options;
    this.#limits = options.limits ?? defaultFeedLimits;
    const { timings, log } = options;
    this.#refusalLog = new RefusalLog(log);
    this.#snapshots = new SnapshotWatch(
      {
        resubscribe: (conditionId) => this.#pool.resubscribe(conditionId),
        readByRest: (conditionId) => this.#readByRest(conditionId),
      },
      timings,
      this.#limits.resyncs,
      log,
    );
    this.#pool = new ConnectionPool({
      wsUrl: options.wsUrl,
      timings,
      capacity: this.#limits.tokensPerConnection,
      onOpen: (opened) => this.#opened(opened),
      read: (frame) => this.#read(frame),
      onEvent: (event, from, isAnswer) => this.#heard(event, from, isAnswer),
      onRefused: (refusal) => this.#refused(refusal),
      onLost: (lost, loss) => this.#lost(lost, loss),
    });
    this.#doubled = new DoubledMarkets(this.#pool, timings.dataSilenceMs);
    this.#silence = new SilenceWatch({
      connections: () => this.#pool.connections(),
      readBook: (market) => this.readBook(market),
      timings,
    });
  }

  start(listener: MarketFeedListener): void {
    this.#listener = listener;
    this.#place(
      [...this.#watched.values()].filter((market) => !this.#pool.has(market.conditionId)),
    );
  }

  watch(markets: readonly WatchedMarket[]): void {
    this.#options.onWatch?.(markets);
    const fresh: WatchedMarket[] = [];
    for (const market of markets) {
      if (this.#watched.has(market.conditionId)) continue;
      if (this.#watched.size >= this.#limits.maxMarkets) {
        this.#options.log.error("market_feed.full", { limit: this.#limits.maxMarkets });
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
    }
    this.#doubled.drop(conditionIds);
    this.#pool.remove(conditionIds);
    this.#forgetEmptied();
  }

  /** A connection that carries nothing more was closed and will not come back: what it had lost is missed no more. */
  #forgetEmptied(): void {
    const before = this.#away.size;
    for (const connection of this.#away) if (connection.size === 0) this.#away.delete(connection);
    if (before === 0 || this.#away.size > 0) return;
    this.#emitUp();
  }

  resync(conditionId: string, request: ResyncRequest | null = null): void {
    if (!this.#watched.has(conditionId)) return;
    this.#snapshots.resync(conditionId, request && namedOnly(request));
  }

  double(conditionIds: readonly string[]): void {
    const markets = conditionIds.flatMap((id) => this.#watched.get(id) ?? []);
    this.#doubled.set(markets);
  }

  readBook(market: WatchedMarket): Promise<BookRead> {
    return this.#bookOf(market, () => getRepeatedly(() => this.#askBook(market)));
  }

  #askBook({ tokenIds }: WatchedMarket): Promise<HttpAnswer> {
    const query = `token_id=${tokenIds[0]}`;
    return this.#options.http.request({ method: "GET", path: "/book", query, maxBytes: bookLimit });
  }

  async #bookOf(market: WatchedMarket, ask: () => Promise<HttpAnswer>): Promise<BookRead> {
    // Asking again inside the time that the venue named would make it longer.
    const pausedMs = this.#snapshots.readsPausedForMs();
    if (pausedMs > 0) return { ok: false, detail: `the venue takes no reads for ${pausedMs} ms` };
    try {
      const answer = await ask();
      if (answer.status === 429) this.#readRefused(pauseAfter429(answer.retryAfter));
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

  #readRefused(pauseMs: number): void {
    this.#readsRefused++;
    this.#snapshots.pauseReads(pauseMs);
    this.#options.log.warn("market_feed.reads_refused", { pauseMs });
  }

  counters(): FeedCounters {
    return {
      connections: [...this.#pool.connections()].filter((connection) => connection.isOpen).length,
      watched: this.#watched.size,
      ...this.#counters,
      lastFrameAtMs: this.#lastFrameAtMs,
    };
  }

  health(): FeedHealth {
    return {
      connections: [...this.#pool.connections()].map((connection) => connection.health()),
      refused: this.refusals(),
      losses: Object.fromEntries(this.#losses),
      duplicates: this.#doubled.duplicates,
      doubled: this.#doubled.size,
      snapshots: {
        ...this.#snapshots.counters(),
        readsRefused: this.#readsRefused,
        durationsMs: this.#snapshots.durations(),
      },
    };
  }

  /** Refused messages by reason; messages of foreign services are counted here only. */
  refusals(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#refusals);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#snapshots.close();
    this.#silence.close();
    this.#doubled.close();
    await this.#pool.close();
    await this.#options.http.close();
  }

  #place(markets: readonly WatchedMarket[]): void {
    for (const market of this.#pool.place(markets)) this.#snapshots.expect(market.conditionId);
  }

  #opened(connection: MarketConnection): void {
    const { conditionIds } = connection;
    this.#doubled.restart(connection);
    if (connection.role === "double") return;
    for (const conditionId of conditionIds) this.#snapshots.expect(conditionId);
    this.#away.delete(connection);
    this.#emit({ kind: "link.up", feed: "market", epoch: ++this.#epoch, away: this.#away.size });
  }

  #lost(connection: MarketConnection, { detail, loss, retryMs }: ConnectionLoss): void {
    this.#counters.reconnects++;
    this.#losses.set(loss, (this.#losses.get(loss) ?? 0) + 1);
    const { role, conditionIds } = connection;
    const markets = conditionIds.length;
    this.#options.log.warn("market_feed.lost", { detail, loss, markets, role, retryMs });
    // What the other connection goes on bringing is not lost; where its own book is only due, that one is waited for.
    const gone = conditionIds.filter((id) => !this.#pool.isBrought(id));
    for (const conditionId of gone) {
      if (this.#pool.isSubscribed(conditionId)) this.#snapshots.expect(conditionId);
      else this.#snapshots.lost(conditionId);
    }
    if (gone.length === 0 && markets > 0) return;
    if (role === "main") this.#away.add(connection);
    for (const main of this.#pool.mainsAway(gone)) this.#away.add(main);
    const cause = loss === "silent" || loss === "lagging" ? { cause: loss } : {};
    this.#emit({ kind: "link.lost", feed: "market", conditionIds: gone, detail, ...cause });
    // The books are lost, but every main connection is there: none will come back and say so.
    if (this.#away.size === 0) this.#emitUp();
  }

  /** No main connection is away any more; the epoch goes on. */
  #emitUp(): void {
    this.#emit({ kind: "link.up", feed: "market", epoch: this.#epoch, away: 0 });
  }

  #read(frame: Buffer): MarketFrame {
    this.#counters.frames++;
    this.#lastFrameAtMs = Date.now();
    this.#options.onFrame?.(frame);
    const read = this.#reader.read(frame);
    this.#options.onEvents?.(read.events);
    return read;
  }

  #heard(event: MarketEvent, from: MarketConnection, isAnswer: boolean): void {
    if (!this.#doubled.isNews(event, from, isAnswer)) return;
    if (event.kind === "book.snapshot") this.#snapshots.arrived(event.conditionId);
    this.#emit(event);
  }

  #refused({ reason, conditionId }: FrameRefusal): void {
    this.#refusals.set(reason, (this.#refusals.get(reason) ?? 0) + 1);
    if (harmless.has(reason)) return;
    this.#counters.framesInvalid++;
    this.#refusalLog.told(reason, conditionId);
    // A change that could not be read leaves the book wrong although nobody contradicts it yet.
    if (conditionId !== null) this.#emit({ kind: "change.unread", conditionId });
  }

  async #readByRest(conditionId: string): Promise<boolean> {
    const market = this.#watched.get(conditionId);
    if (market === undefined || this.#closed) return false;
    // One request a turn: it has its own repetition, with a pause that grows.
    const read = await this.#bookOf(market, () => this.#askBook(market));
    if (!this.#watched.has(conditionId) || this.#closed) return false;
    if (read.ok) this.#emit(read.book);
    else this.#options.log.warn("market_feed.no_snapshot", { conditionId, detail: read.detail });
    return read.ok;
  }

  /** Frames of one socket read are parsed in one turn and handed on together when the turn ends. */
  #emit(event: MarketEvent | FeedEvent): void {
    if (event.kind === "link.up" || event.kind === "link.lost") this.#options.onLink?.(event);
    this.#batch.push(event);
    if (this.#batch.length === 1) queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    const batch = this.#batch;
    this.#batch = [];
    if (batch.length > 0 && !this.#closed) this.#listener?.(batch);
  }
}

/** The request's own members: an effect that carries it has more. */
function namedOnly({ reason, resyncId }: ResyncRequest): ResyncRequest {
  return { reason, resyncId };
}
