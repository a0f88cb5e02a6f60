import type { Market, MarketGroup } from "../../src/engine/domain/market.ts";
import type { BookSnapshot } from "../../src/engine/domain/market-event.ts";
import type { Price, Rate, Shares } from "../../src/engine/domain/numbers.ts";
import { ok, type Result } from "../../src/engine/lib/result.ts";
import type { CatalogPort } from "../../src/engine/ports/catalog.ts";
import type {
  FeedCounters,
  MarketDataPort,
  MarketFeedListener,
  WatchedMarket,
} from "../../src/engine/ports/market-data.ts";
import type { BookRead, CatalogAnswer } from "../../src/engine/protocol/venue-report.ts";
import { group, marketOf, runners } from "../engine/support/markets.ts";
import type { Chance } from "./chance.ts";
import type { BookLevel, Exchange, SimBook } from "./exchange.ts";
import type { Faults } from "./faults.ts";
import type { Scheduler } from "./scheduler.ts";

/** Two single markets, one of them with a fee, and a race of three whose set can be bought. */
export const markets: readonly Market[] = [
  marketOf(1),
  marketOf(2, { fee: { rate: 40_000 as Rate } }),
  ...runners,
];

/** Gives a market fresh levels; runners are now and then cheap enough for a profitable set. */
export function moveBook(book: SimBook, chance: Chance): void {
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
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly isAlive: () => boolean;
};

/** Public market data and the catalog, as one engine process sees them. */
export class SimMarket implements MarketDataPort, CatalogPort {
  readonly #parts: SimMarketParts;
  readonly #watched = new Set<string>();
  #listener: MarketFeedListener | null = null;
  #epoch = 0;
  #up = false;

  constructor(parts: SimMarketParts) {
    this.#parts = parts;
  }

  start(listener: MarketFeedListener): void {
    this.#listener = listener;
    this.#later(5, () => this.#connect());
  }

  #connect(): void {
    this.#up = true;
    this.#listener?.([{ kind: "link.up", feed: "market", epoch: ++this.#epoch }]);
    for (const conditionId of this.#watched) this.publish(conditionId);
  }

  /** The connection breaks for a while; every book on it is lost. */
  lose(forMs: number): void {
    if (!this.#up) return;
    this.#up = false;
    const conditionIds = [...this.#watched];
    this.#listener?.([{ kind: "link.lost", feed: "market", conditionIds, detail: "reset" }]);
    this.#later(forMs, () => this.#connect());
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
    this.#later(20, () => this.publish(conditionId));
  }

  /** Sends the book as it stands. */
  publish(conditionId: string): void {
    const book = this.#parts.exchange.books.get(conditionId);
    if (book === undefined || !this.#up || !this.#watched.has(conditionId)) return;
    const { fault, chance } = this.#parts.faults.decide("frame", conditionId, {
      none: 85,
      dropped: 6,
      twice: 6,
      late: 3,
    });
    if (fault === "dropped") return;
    const frame = this.#snapshot(book, "stream");
    const epoch = this.#epoch;
    const send = () => {
      if (this.#up && epoch === this.#epoch) this.#listener?.([frame]);
    };
    const delayMs = fault === "late" ? chance.int(100, 2_000) : chance.int(0, 10);
    this.#later(delayMs, send);
    if (fault === "twice") this.#later(delayMs + 1, send);
  }

  #snapshot(book: SimBook, source: BookSnapshot["source"]): BookSnapshot {
    const { market } = book;
    const levels = (side: readonly BookLevel[]) =>
      side.map((level) => ({ price: level.price as Price, size: level.size as Shares }));
    return {
      kind: "book.snapshot",
      conditionId: market.conditionId,
      tokenId: market.outcomes[0].tokenId,
      timestamp: String(this.#parts.scheduler.nowMs),
      hash: null,
      bids: levels(book.bids),
      asks: levels(book.asks),
      tickSize: market.tickSize,
      minOrderSize: market.minOrderSize,
      negRisk: market.negRisk,
      lastTradePrice: "",
      source,
    };
  }

  readBook(market: WatchedMarket): Promise<BookRead> {
    const { faults, exchange } = this.#parts;
    const { fault, chance } = faults.decide("read", "book", { none: 90, failed: 10 });
    const { promise, resolve } = Promise.withResolvers<BookRead>();
    const book = exchange.books.get(market.conditionId);
    const isGood = fault === "none" && book !== undefined;
    const read: BookRead = isGood
      ? { ok: true, book: this.#snapshot(book, "rest") }
      : { ok: false, detail: "503" };
    this.#later(chance.int(2, 60), () => resolve(read));
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

  find(): Promise<Result<CatalogAnswer, string>> {
    return this.openMarkets();
  }

  openMarkets(): Promise<Result<CatalogAnswer, string>> {
    const groups: readonly MarketGroup[] = [group];
    const { promise, resolve } = Promise.withResolvers<Result<CatalogAnswer, string>>();
    this.#later(10, () => resolve(ok({ markets, groups })));
    return promise;
  }

  #later(delayMs: number, run: () => void): void {
    this.#parts.scheduler.after(delayMs, () => {
      if (this.#parts.isAlive()) run();
    });
  }
}
