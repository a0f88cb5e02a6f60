import type { Market, MarketGroup } from "../../src/engine/domain/market.ts";
import type { BookDelta, BookSnapshot, MarketEvent } from "../../src/engine/domain/market-event.ts";
import type { Price, Rate } from "../../src/engine/domain/numbers.ts";
import { ok, type Result } from "../../src/engine/lib/result.ts";
import type { CatalogPort, CatalogQuery, PageFailure } from "../../src/engine/ports/catalog.ts";
import type {
  FeedCounters,
  MarketDataPort,
  MarketFeedListener,
  WatchedMarket,
} from "../../src/engine/ports/market-data.ts";
import type {
  BookRead,
  CatalogAnswer,
  CatalogPage,
  ListedMarket,
} from "../../src/engine/protocol/venue-report.ts";
import { group, marketOf, runners } from "../engine/support/markets.ts";
import { type BookPicture, deltaBetween, pictureOf, snapshotOf } from "./book-frames.ts";
import type { Chance } from "./chance.ts";
import type { BookLevel, Exchange, SimBook } from "./exchange.ts";
import type { Faults } from "./faults.ts";
import type { Lifeline } from "./lifeline.ts";

/** Three single markets, one with a fee and one whose takers wait, and a race of three whose set can be bought. */
export const markets: readonly Market[] = [
  marketOf(1),
  marketOf(2, { fee: { rate: 40_000 as Rate } }),
  marketOf(3, { takerDelayMs: 3_000 }),
  ...runners,
];

/** Gives a market fresh levels; runners are now and then cheap enough for a profitable set. */
export function moveBook(book: SimBook, chance: Chance, nowMs: number): void {
  book.changedAtMs = nowMs;
  const isRunner = book.market.groupId !== null;
  const bid = isRunner ? chance.int(27, 33) : chance.int(42, 54);
  const ask = bid + chance.int(1, 4);
  const side = (at: number, step: number): BookLevel[] =>
    [0, 1, 2].map((i) => ({ price: (at + i * step) * 100, size: chance.int(5, 80) * 1_000_000 }));
  book.bids = side(bid, -1);
  book.asks = side(ask, 1);
}

export type SimMarketParts = {
  readonly exchange: Exchange;
  readonly faults: Faults;
  readonly life: Lifeline;
};

/** Public market data and the catalog, as one engine process sees them. */
export class SimMarket implements MarketDataPort, CatalogPort {
  readonly #parts: SimMarketParts;
  readonly #watched = new Set<string>();
  /** What the stream said last of each book of this connection. */
  readonly #told = new Map<string, BookPicture>();
  #listener: MarketFeedListener | null = null;
  #epoch = 0;
  #up = false;

  constructor(parts: SimMarketParts) {
    this.#parts = parts;
  }

  start(listener: MarketFeedListener): void {
    this.#listener = listener;
    this.#parts.life.after(5, () => this.#connect());
  }

  #connect(): void {
    this.#up = true;
    this.#told.clear();
    this.#listener?.([{ kind: "link.up", feed: "market", epoch: ++this.#epoch }]);
    for (const conditionId of this.#watched) this.publish(conditionId);
  }

  /** The connection breaks for a while; every book on it is lost. */
  lose(forMs: number): void {
    if (!this.#up) return;
    this.#up = false;
    const conditionIds = [...this.#watched];
    const { life } = this.#parts;
    life.after(0, () => {
      this.#listener?.([{ kind: "link.lost", feed: "market", conditionIds, detail: "reset" }]);
    });
    life.after(forMs, () => this.#connect());
  }

  watch(watched: readonly WatchedMarket[]): void {
    for (const { conditionId } of watched) {
      this.#watched.add(conditionId);
      this.resync(conditionId);
    }
  }

  unwatch(conditionIds: readonly string[]): void {
    for (const conditionId of conditionIds) this.#watched.delete(conditionId);
  }

  resync(conditionId: string): void {
    this.#told.delete(conditionId);
    this.#parts.life.after(20, () => this.publish(conditionId));
  }

  /** Sends the book as it stands: whole, or what changed since the last frame. */
  publish(conditionId: string): void {
    const book = this.#parts.exchange.books.get(conditionId);
    if (book === undefined || book.winner !== null) return;
    const { fault, chance } = this.#parts.faults.decide("frame", conditionId, {
      none: 80,
      dropped: 6,
      twice: 6,
      late: 3,
      "wrong-hash": 3,
    });
    const frame = this.#frame(book, chance.happens(0.5), fault === "wrong-hash");
    if (fault === "dropped") return;
    const delayMs = fault === "late" ? chance.int(100, 2_000) : chance.int(0, 10);
    this.#send(conditionId, frame, delayMs);
    if (fault === "twice") this.#send(conditionId, frame, delayMs + 1);
  }

  #frame(book: SimBook, whole: boolean, wrong: boolean): MarketEvent {
    const { conditionId } = book.market;
    const before = this.#told.get(conditionId);
    const now = pictureOf(book);
    this.#told.set(conditionId, now);
    const isWhole = whole || before === undefined || before.tick !== now.tick;
    const frame: BookSnapshot | BookDelta = isWhole
      ? snapshotOf(now, "stream")
      : deltaBetween(before, now);
    if (!wrong) return frame;
    const hash = "f".repeat(40);
    return frame.kind === "book.snapshot"
      ? { ...frame, hash }
      : { ...frame, changes: frame.changes.map((change) => ({ ...change, hash })) };
  }

  /** News of a market that are not its book: a new tick, its end. */
  announce(event: MarketEvent): void {
    this.#send(event.conditionId, event, 1);
  }

  #send(conditionId: string, event: MarketEvent, delayMs: number): void {
    if (!this.#up || !this.#watched.has(conditionId)) return;
    const epoch = this.#epoch;
    this.#parts.life.after(delayMs, () => {
      if (this.#up && epoch === this.#epoch) this.#listener?.([event]);
    });
  }

  readBook(market: WatchedMarket): Promise<BookRead> {
    const { faults, exchange, life } = this.#parts;
    const { fault, chance } = faults.decide("read", "book", { none: 90, failed: 10 });
    const { promise, resolve } = Promise.withResolvers<BookRead>();
    const book = exchange.books.get(market.conditionId);
    const isGood = fault === "none" && book !== undefined && book.winner === null;
    const read: BookRead = isGood
      ? { ok: true, book: snapshotOf(pictureOf(book), "rest") }
      : { ok: false, detail: "503" };
    life.after(chance.int(2, 60), () => resolve(read));
    return promise;
  }

  counters(): FeedCounters {
    return {
      connections: 1,
      watched: this.#watched.size,
      frames: 0,
      framesInvalid: 0,
      reconnects: 0,
      lastFrameAtMs: null,
    };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  find(query: CatalogQuery): Promise<Result<CatalogAnswer, string>> {
    const named = this.#catalog().filter((market) => {
      if (query.by === "conditionId") return market.conditionId === query.value;
      return query.by === "slug" ? market.slug === query.value : query.by !== "eventSlug";
    });
    return this.#answer(named);
  }

  openMarkets(): Promise<Result<CatalogAnswer, string>> {
    return this.#answer(this.#catalog());
  }

  /** No crawl runs on simulated ports: what a desk needs is read by its id. */
  page(): Promise<Result<CatalogPage, PageFailure>> {
    return Promise.resolve(ok({ listed: [], groups: [], next: null }));
  }

  read(conditionIds: readonly string[]): Promise<Result<readonly ListedMarket[], string>> {
    const { promise, resolve } = Promise.withResolvers<Result<readonly ListedMarket[], string>>();
    const rest = { eventSlug: "", tags: [], liquidityUsd: null, bid: null, ask: null };
    this.#parts.life.after(10, () => {
      const named = this.#catalog().filter((market) => conditionIds.includes(market.conditionId));
      resolve(ok(named.map((market) => ({ market, ...rest }))));
    });
    return promise;
  }

  #answer(found: readonly Market[]): Promise<Result<CatalogAnswer, string>> {
    const groups: readonly MarketGroup[] = [group];
    const { promise, resolve } = Promise.withResolvers<Result<CatalogAnswer, string>>();
    this.#parts.life.after(10, () => resolve(ok({ markets: found, groups })));
    return promise;
  }

  #catalog(): Market[] {
    return [...this.#parts.exchange.books.values()].map(({ market, tick, winner }) => ({
      ...market,
      tickSize: tick as Price,
      tradable: winner === null,
      ...(winner !== null && { winner: market.outcomes[0].tokenId === winner ? 0 : 1 }),
    }));
  }
}
