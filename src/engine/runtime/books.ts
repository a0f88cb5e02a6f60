import type { EngineInput } from "../core/input.ts";
import type { ConditionId, Market } from "../domain/market.ts";
import { ageMs } from "../domain/market-book.ts";
import type { MarketDataPort, WatchedMarket } from "../ports/market-data.ts";
import type { Clock } from "../ports/system.ts";
import type { EngineState } from "../state/engine-state.ts";
import { marketsWithMoney } from "./wanted-markets.ts";

/** Most markets that are watched at once unless said; the longest unused one without money in it makes room. */
const maxWatchedDefault = 800;
/** At most this many REST reads of books are under way at once. */
const maxReads = 8;

export type BooksDeps = {
  readonly state: EngineState;
  readonly marketData: MarketDataPort;
  readonly clock: Clock;
  readonly dispatch: (input: EngineInput) => void;
  readonly snapshotWaitMs: number;
  readonly maxBooks?: number;
  /** So many markets with money in them are carried by a second connection; none when absent. */
  readonly doubledBooks?: number;
};

/** Which books are kept, and waiting for one to be right. */
export class Books {
  readonly #deps: BooksDeps;
  /** Insertion order is order of last use. */
  readonly #watched = new Map<ConditionId, WatchedMarket>();
  readonly #waiters = new Map<ConditionId, Set<() => void>>();
  #reads = 0;
  #doubled = "";
  /** Books that changed since those who wait for them were looked at. */
  readonly #dirty = new Set<ConditionId>();
  #changes = 0;
  #wakeUps = 0;

  constructor(deps: BooksDeps) {
    this.#deps = deps;
  }

  watch(markets: readonly Market[]): void {
    const fresh: WatchedMarket[] = [];
    for (const market of markets) {
      const one: WatchedMarket = {
        conditionId: market.conditionId,
        tokenIds: [market.outcomes[0].tokenId, market.outcomes[1].tokenId],
      };
      if (!this.#watched.delete(market.conditionId)) fresh.push(one);
      this.#watched.set(market.conditionId, one);
    }
    if (fresh.length === 0) return;
    this.#deps.dispatch({ kind: "books.watched", markets });
    this.#deps.marketData.watch(fresh);
    this.#makeRoom();
  }

  /** Called now and then: the first markets with money in them get a second connection, the others lose theirs. */
  followMoney(): void {
    const { state, marketData, doubledBooks = 0 } = this.#deps;
    if (doubledBooks === 0) return;
    const withMoney = [...marketsWithMoney(state).keys()].filter((id) => this.#watched.has(id));
    const wanted = withMoney.slice(0, doubledBooks);
    const key = wanted.join();
    if (key === this.#doubled) return;
    this.#doubled = key;
    marketData.double?.(wanted);
  }

  #makeRoom(): void {
    const { state, maxBooks: maxWatched = maxWatchedDefault } = this.#deps;
    if (this.#watched.size <= maxWatched) return;
    const needed = marketsWithMoney(state);
    const dropped: ConditionId[] = [];
    for (const conditionId of this.#watched.keys()) {
      if (this.#watched.size - dropped.length <= maxWatched) break;
      if (!needed.has(conditionId)) dropped.push(conditionId);
    }
    if (dropped.length === 0) return;
    for (const conditionId of dropped) this.#watched.delete(conditionId);
    // An input like every other: what a step reads is changed by steps alone, else a replay would decide differently.
    this.#deps.dispatch({ kind: "books.dropped", conditionIds: dropped });
    this.#deps.marketData.unwatch(dropped);
  }

  /** A frame of the market was applied. However many come before the next wake-up, it is one. */
  changed(conditionId: ConditionId): void {
    this.#changes++;
    this.#dirty.add(conditionId);
  }

  /** Frames applied and wake-ups made of them: the difference was joined, never the frames. */
  wakeUps(): { readonly changes: number; readonly wakeUps: number } {
    return { changes: this.#changes, wakeUps: this.#wakeUps };
  }

  /** Called after market data was applied: wakes those who wait for a book of it. */
  wake(): void {
    this.#wakeUps += this.#dirty.size;
    for (const conditionId of this.#dirty) {
      const waiters = this.#waiters.get(conditionId);
      if (waiters === undefined) continue;
      if (this.#deps.state.live.books.get(conditionId)?.status !== "live") continue;
      this.#waiters.delete(conditionId);
      for (const waiter of waiters) waiter();
    }
    this.#dirty.clear();
  }

  /** Resolves when the book is live, or after the bound; reads it by REST when the stream stays silent. */
  async waitLive(conditionId: ConditionId): Promise<boolean> {
    const isLive = () => this.#deps.state.live.books.get(conditionId)?.status === "live";
    if (isLive()) return true;
    await this.#waitOr(conditionId, this.#deps.snapshotWaitMs);
    if (isLive()) return true;
    await this.readAndCompare(conditionId);
    return isLive();
  }

  /** Resolves when all of these books are live, or after the bound, whatever came. */
  async waitSome(conditionIds: readonly ConditionId[], boundMs: number): Promise<void> {
    const { books } = this.#deps.state.live;
    const waiting = conditionIds.filter((id) => books.get(id)?.status !== "live");
    await Promise.all(waiting.map((id) => this.#waitOr(id, boundMs)));
  }

  async #waitOr(conditionId: ConditionId, boundMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const waiters = this.#waiters.get(conditionId) ?? new Set<() => void>();
      this.#waiters.set(conditionId, waiters);
      const cancel = this.#deps.clock.after(boundMs, () => {
        waiters.delete(finish);
        resolve();
      });
      const finish = () => {
        cancel();
        resolve();
      };
      waiters.add(finish);
    });
  }

  /** True when the book is watched, live and known to be right within `maxAgeMs`: nothing has to be read. */
  isYoung(conditionId: ConditionId, maxAgeMs: number): boolean {
    const book = this.#deps.state.live.books.get(conditionId);
    if (book?.status !== "live" || !this.#watched.has(conditionId)) return false;
    return ageMs(book, this.#deps.clock.nowMs()) <= maxAgeMs;
  }

  /** Makes sure that the book is known to be right within `maxAgeMs`, by one REST read when the stream was quiet. */
  async freshen(conditionId: ConditionId, maxAgeMs: number): Promise<void> {
    if (!(await this.waitLive(conditionId))) return;
    const book = this.#deps.state.live.books.get(conditionId);
    if (book === undefined || ageMs(book, this.#deps.clock.nowMs()) <= maxAgeMs) return;
    await this.readAndCompare(conditionId);
  }

  async readAndCompare(conditionId: ConditionId): Promise<void> {
    const market = this.#watched.get(conditionId);
    if (market === undefined || this.#reads >= maxReads) return;
    this.#reads++;
    try {
      const read = await this.#deps.marketData.readBook(market);
      if (read.ok) this.#deps.dispatch({ kind: "book.read", conditionId, book: read.book });
      this.changed(conditionId);
    } finally {
      this.#reads--;
    }
    this.wake();
  }

  /** A book to compare by the canary: the live one that has been quiet longest among those changed lately. */
  canary(): ConditionId | null {
    let newest: ConditionId | null = null;
    let newestAtMs = 0;
    for (const book of this.#deps.state.live.books.values()) {
      if (book.status === "live" && book.frameAtMs >= newestAtMs) {
        newest = book.conditionId;
        newestAtMs = book.frameAtMs;
      }
    }
    return newest;
  }
}
