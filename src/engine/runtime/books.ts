import type { EngineInput } from "../core/input.ts";
import type { ConditionId, Market } from "../domain/market.ts";
import { ageMs } from "../domain/market-book.ts";
import type { MarketDataPort, WatchedMarket } from "../ports/market-data.ts";
import type { Clock, Log } from "../ports/system.ts";
import type { EngineState } from "../state/engine-state.ts";
import { marketsWithMoney, type Wanted, type WantReason } from "./wanted-markets.ts";

/** Most markets that are watched at once unless said; what has money in it is watched beyond it. */
const maxWatchedDefault = 800;
/** At most this many REST reads of books are under way at once. */
const maxReads = 8;

export type BooksDeps = {
  readonly state: EngineState;
  readonly marketData: MarketDataPort;
  readonly clock: Clock;
  readonly logger: Log;
  readonly dispatch: (input: EngineInput) => void;
  /** What a book is wanted of, at most so many and the most important first. */
  readonly wanted: (max: number) => Wanted;
  readonly snapshotWaitMs: number;
  readonly maxBooks?: number;
  /** So many markets with money in them are carried by a second connection; none when absent. */
  readonly doubledBooks?: number;
};

/** What is over has no book: its resolution or its claim is learnt from Gamma and the contracts. */
const withoutBook: ReadonlySet<WantReason> = new Set(["claim", "resolution"]);

/** Which books are kept, and waiting for one to be right. */
export class Books {
  readonly #deps: BooksDeps;
  readonly #watched = new Map<ConditionId, WatchedMarket>();
  readonly #waiters = new Map<ConditionId, Set<() => void>>();
  #reads = 0;
  #doubled = "";
  #leftOut = 0;
  /** Books that changed since those who wait for them were looked at. */
  readonly #dirty = new Set<ConditionId>();

  constructor(deps: BooksDeps) {
    this.#deps = deps;
  }

  /** Subscribes to what is not kept yet, at once; who asks has noted before why it is wanted. */
  watch(markets: readonly Market[]): void {
    const fresh = markets.filter(({ conditionId }) => !this.#isKept(conditionId));
    if (fresh.length === 0) return;
    // Where the bound is reached the least wanted makes room, and that may be one of these.
    if (this.#watched.size + fresh.length > this.#max) this.follow();
    else this.#subscribe(fresh);
  }

  /**
   * Called now and then: the subscriptions become what is wanted. What nobody wants any more is left; over the bound that
   * is the least wanted, and never what has money in it.
   */
  follow(): void {
    const { state, wanted } = this.#deps;
    const { markets, leftOut } = wanted(this.#max);
    const ids = new Set<ConditionId>();
    for (const { conditionId, why } of markets) if (!withoutBook.has(why)) ids.add(conditionId);
    this.#leave([...this.#watched.keys()].filter((id) => !ids.has(id) || !this.#isKept(id)));
    const fresh: Market[] = [];
    for (const id of ids) {
      const market = this.#isKept(id) ? undefined : state.markets.get(id);
      // One that ended is over for good, or comes back when its end was not true.
      const hasEnded = market?.winner !== undefined || state.live.resolutions.has(id);
      if (market !== undefined && !hasEnded) fresh.push(market);
    }
    if (fresh.length > 0) this.#subscribe(fresh);
    this.#say(leftOut);
  }

  /** Wanted markets that the bound keeps out. */
  get leftOut(): number {
    return this.#leftOut;
  }

  get max(): number {
    return this.#max;
  }

  get #max(): number {
    return this.#deps.maxBooks ?? maxWatchedDefault;
  }

  /** False for one whose book was given up because the stream called its market resolved. */
  #isKept(conditionId: ConditionId): boolean {
    return this.#watched.has(conditionId) && this.#deps.state.live.books.has(conditionId);
  }

  #subscribe(markets: readonly Market[]): void {
    // A subscription without a book is begun anew: only that brings a snapshot.
    this.#leave(markets.map((market) => market.conditionId));
    const fresh = markets.map(
      ({ conditionId, outcomes: [yes, no] }): WatchedMarket => ({
        conditionId,
        tokenIds: [yes.tokenId, no.tokenId],
      }),
    );
    for (const one of fresh) this.#watched.set(one.conditionId, one);
    this.#deps.dispatch({ kind: "books.watched", markets });
    this.#deps.marketData.watch(fresh);
  }

  #leave(conditionIds: readonly ConditionId[]): void {
    const left = conditionIds.filter((id) => this.#watched.delete(id));
    if (left.length === 0) return;
    // An input like every other: what a step reads is changed by steps alone, else a replay would decide differently.
    this.#deps.dispatch({ kind: "books.dropped", conditionIds: left });
    this.#deps.marketData.unwatch(left);
  }

  #say(leftOut: number): void {
    if (leftOut !== this.#leftOut && leftOut > 0) {
      this.#deps.logger.warn("books.left-out", { leftOut, max: this.#max });
    }
    this.#leftOut = leftOut;
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

  /** A frame of the market was applied: those who wait for its book are to look. */
  changed(conditionId: ConditionId): void {
    this.#dirty.add(conditionId);
  }

  /** Called after market data was applied: wakes those who wait for a book of it. */
  wake(): void {
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
    // The bound keeps it out: nothing will come.
    if (!this.#watched.has(conditionId)) return false;
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
        // Only its own set: others may wait in a later one.
        const isLast = waiters.size === 0 && this.#waiters.get(conditionId) === waiters;
        if (isLast) this.#waiters.delete(conditionId);
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
}
