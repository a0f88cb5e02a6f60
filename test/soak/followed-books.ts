import { defaultTimeouts } from "../../src/adapters/polymarket/create-polymarket.ts";
import {
  defaultFeedLimits,
  defaultFeedTimings,
} from "../../src/adapters/polymarket/feed-timings.ts";
import { createHasher } from "../../src/adapters/polymarket/hasher.ts";
import { createHttpClient } from "../../src/adapters/polymarket/http-client.ts";
import { createMarketFeed, type MarketFeed } from "../../src/adapters/polymarket/market-feed.ts";
import type { EngineInput } from "../../src/engine/core/input.ts";
import { step } from "../../src/engine/core/step.ts";
import { hasOpenClaims, type MarketBook } from "../../src/engine/domain/market-book.ts";
import type { Price, Shares } from "../../src/engine/domain/numbers.ts";
import { levelsOf } from "../../src/engine/domain/order-book.ts";
import { createState } from "../../src/engine/state/engine-state.ts";
import { marketOf } from "../engine/support/markets.ts";
import { testSettings } from "../engine/support/settings.ts";
import type { SoakMarket } from "./venue-worker.ts";

const tickMs = 50;
const priceUnits = 10_000;
const shareUnits = 1_000_000;
const settleMs = 20_000;
const lookEveryMs = 20;

/** Every market of the soak's venue in the engine's own books, fed over real sockets. */
export class FollowedBooks {
  readonly #state = createState();
  readonly #settings = testSettings();
  readonly #hasher = createHasher();
  readonly #feed: MarketFeed;
  readonly #base: string;
  readonly #timer: NodeJS.Timeout;

  constructor(port: number, markets: readonly SoakMarket[]) {
    this.#base = `http://127.0.0.1:${port}`;
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    this.#feed = createMarketFeed({
      wsUrl: `ws://127.0.0.1:${port}/ws`,
      http: createHttpClient({ baseUrl: this.#base, timeouts: defaultTimeouts, connections: 2 }),
      // Losses are made on purpose, one after the other: they are not to be throttled.
      timings: { ...defaultFeedTimings, resyncLongestMs: 250 },
      limits: defaultFeedLimits,
      log,
    });
    const listed = markets.map((market, i) => {
      const [yes, no] = market.tokenIds;
      return marketOf(i, {
        conditionId: market.conditionId,
        outcomes: [
          { tokenId: yes, name: "Yes" },
          { tokenId: no, name: "No" },
        ],
        tickSize: (Number(market.tickSize) * priceUnits) as Price,
        minOrderSize: (Number(market.minOrderSize) * shareUnits) as Shares,
        negRisk: market.negRisk,
      });
    });
    this.#run({ kind: "books.watched", markets: listed });
    this.#feed.start((events) => {
      for (const event of events) this.#run({ kind: "market", event });
    });
    this.#feed.watch(markets);
    this.#timer = setInterval(() => this.#run({ kind: "tick" }), tickMs);
  }

  get frames(): number {
    return this.#feed.counters().frames;
  }

  resyncs(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#state.live.resyncs);
  }

  /** Resolves when every book is live. */
  async live(): Promise<void> {
    await this.#until(() => this.#books().every((book) => book.status === "live"));
  }

  /** Makes the venue lose one frame; true when a book was doubted because of it in time. */
  async lose(withinMs: number): Promise<boolean> {
    const before = this.#doubted();
    const body = JSON.stringify({ name: "ws-skip", n: 1 });
    await fetch(`${this.#base}/paper/fault`, { method: "POST", body });
    return this.#until(() => this.#doubted() > before, withinMs);
  }

  /** Books that differ from the venue's once everything is quiet; a book that is not live counts. */
  async wrong(): Promise<number> {
    await this.#until(() => this.#books().every(isQuiet), settleMs);
    let wrong = 0;
    for (const book of this.#books()) {
      const read = await this.#feed.readBook(book);
      if (!read.ok || !isQuiet(book)) {
        wrong++;
        continue;
      }
      const same =
        sideText(read.book.bids) === sideText(levelsOf(book.ladder, 0, "buy")) &&
        sideText(read.book.asks) === sideText(levelsOf(book.ladder, 0, "sell"));
      if (!same) wrong++;
    }
    return wrong;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#feed.close();
  }

  #books(): MarketBook[] {
    return [...this.#state.live.books.values()];
  }

  #doubted(): number {
    let sum = 0;
    for (const count of this.#state.live.resyncs.values()) sum += count;
    return sum;
  }

  #run(input: EngineInput): void {
    const envelope = { atMs: Date.now(), entropy: "", correlationId: "soak", input };
    const { effects } = step(this.#state, this.#settings, this.#hasher, envelope);
    for (const effect of effects) {
      if (effect.kind === "book.resync") this.#feed.resync(effect.conditionId, effect);
    }
  }

  async #until(holds: () => boolean, withinMs = settleMs): Promise<boolean> {
    const deadline = performance.now() + withinMs;
    while (!holds()) {
      if (performance.now() > deadline) return false;
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
    return true;
  }
}

function isQuiet(book: MarketBook): boolean {
  return book.status === "live" && !hasOpenClaims(book);
}

function sideText(levels: readonly { readonly price: number; readonly size: number }[]): string {
  return [...levels]
    .sort((a, b) => a.price - b.price)
    .map(({ price, size }) => `${price}:${size}`)
    .join();
}
