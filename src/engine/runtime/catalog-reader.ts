import type { MarketSearch } from "../api/engine-api.ts";
import type { MarketRef } from "../api/requests.ts";
import type { ConditionId, Market } from "../domain/market.ts";
import type { Price } from "../domain/numbers.ts";
import type { Denial } from "../domain/reasons.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { CatalogPort, CatalogSink } from "../ports/catalog.ts";
import type { Clock, Entropy, Log } from "../ports/system.ts";
import type { CatalogAnswer, ListedMarket } from "../protocol/venue-report.ts";
import type { EngineState } from "../state/engine-state.ts";
import type { Books } from "./books.ts";
import { CatalogCrawl, type CrawlSettings } from "./catalog-crawl.ts";
import { MarketDirectory } from "./market-directory.ts";
import { MarketRefresh, type RefreshSettings } from "./market-refresh.ts";
import type { Stepper } from "./stepper.ts";
import type { Scan, Wanted, WantedMarket } from "./wanted-markets.ts";

/** How long the list of open markets that a scan uses may be old. */
const catalogTtlMs = 60_000;
/** A scan waits this long for the first books of newly watched markets. */
const scanWaitMs = 2_500;

/** Names of one market of the configuration; the slug is looked up in the directory. */
export type StrategyMarket = {
  readonly conditionId: ConditionId | null;
  readonly slug: string | null;
};

export type CatalogSettings = {
  /** Null: nothing is crawled, and every question goes to Gamma. */
  readonly crawl: CrawlSettings | null;
  readonly refresh: RefreshSettings;
  /** Most markets in the directory. */
  readonly maxMarkets: number;
  /** Most markets that a scan for sets looks at. */
  readonly maxSetMarkets: number;
  readonly strategyMarkets: readonly StrategyMarket[];
};

export type CatalogReaderParts = {
  readonly catalog: CatalogPort;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly logger: Log;
  readonly state: EngineState;
  readonly stepper: Stepper;
  readonly books: Books;
  readonly catalogSettings: CatalogSettings;
  readonly catalogSink?: CatalogSink;
};

/**
 * Market metadata for the engine: answers from the directory where it can, else from Gamma, and brings into the engine's
 * state what somebody asked for or depends on, and nothing else.
 */
export class CatalogReader {
  readonly #parts: CatalogReaderParts;
  readonly #directory: MarketDirectory;
  readonly #crawl: CatalogCrawl | null;
  readonly #refresh: MarketRefresh;
  #answeredAtMs: number | null = null;
  #openMarketsAtMs: number | null = null;
  #scan: Scan | null = null;

  constructor(parts: CatalogReaderParts) {
    this.#parts = parts;
    const { catalogSettings } = parts;
    const directory = new MarketDirectory(catalogSettings.maxMarkets);
    this.#directory = directory;
    this.#crawl =
      catalogSettings.crawl === null
        ? null
        : new CatalogCrawl({
            ...parts,
            directory,
            settings: catalogSettings.crawl,
            onListed: (listed) => this.#renewKnown(listed),
          });
    this.#refresh = new MarketRefresh({
      ...parts,
      settings: catalogSettings.refresh,
      strategies: () => this.#strategyMarkets(),
      dispatch: (input) => void parts.stepper.run(input, "catalog"),
      onRead: (listed) => this.#wasRead(listed),
    });
  }

  /** Time of the last answer; null before the first. */
  get atMs(): number | null {
    const { atMs = null } = this.#crawl ?? {};
    if (atMs === null || this.#answeredAtMs === null) return atMs ?? this.#answeredAtMs;
    return Math.max(atMs, this.#answeredAtMs);
  }

  start(): void {
    this.#crawl?.start();
  }

  stop(): void {
    this.#crawl?.stop();
  }

  tick(): void {
    this.#refresh.tick();
  }

  /** The stream told of a new market. */
  opened(conditionId: ConditionId): void {
    this.#crawl?.announce(conditionId);
  }

  /** Asks Gamma about a market with the next tick. */
  readSoon(conditionId: ConditionId): void {
    this.#refresh.soon([conditionId]);
  }

  /** What has to be read again, the most important first. */
  wanted(): readonly WantedMarket[] {
    return this.#refresh.wanted();
  }

  /** What a book is wanted of, at most so many, the most important first. */
  wantedBooks(max: number): Wanted {
    return this.#refresh.wantedBooks(max, this.#scan);
  }

  /** A person looks at these markets. */
  look(markets: readonly Market[]): void {
    this.#refresh.look(markets.map((market) => market.conditionId));
  }

  /** Cached best prices of outcome 0, for lists. */
  quoteOf(conditionId: ConditionId): { readonly bid: Price | null; readonly ask: Price | null } {
    return this.#directory.quoteOf(conditionId);
  }

  async find(ref: MarketRef, limit: number): Promise<Result<readonly Market[], Denial>> {
    const here = this.#inDirectory(ref, limit);
    if (here.length > 0) {
      // What the crawl brought may be half an hour old: the truth follows in a moment.
      this.#refresh.soon(here.slice(0, 1).map((market) => market.conditionId));
      return ok(this.#bringIn(here, this.#withGroups(here)));
    }
    const answer = await this.#parts.catalog.find(ref, limit);
    if (!answer.ok) return err({ code: "venue_unreachable", subject: "catalog" });
    this.#answered(answer.value);
    // A market that is named alone comes with the others of its group behind it.
    const isOne = ref.by === "slug" || ref.by === "conditionId";
    const { markets } = answer.value;
    return ok(this.#bringIn(isOne ? markets.slice(0, 1) : markets, answer.value));
  }

  /** Markets that have all of these words. Gamma is asked only for what the directory neither has nor can correct. */
  async search(
    words: string,
    limit: number,
    alsoAtVenue: boolean,
  ): Promise<Result<MarketSearch<Market>, Denial>> {
    const { markets, didYouMean } = this.#directory.search(words, limit);
    if (markets.length > 0) {
      const found = this.#bringIn(markets, this.#withGroups(markets));
      return ok({ markets: found, didYouMean: null, from: "directory" });
    }
    const isWhole = this.#crawl !== null && this.#crawl.wholeAtMs !== null;
    if (!alsoAtVenue || (isWhole && didYouMean !== null)) {
      return ok({ markets: [], didYouMean, from: "directory" });
    }
    const found = await this.find({ by: "words", value: words }, limit);
    if (!found.ok) return found;
    const suggestion = found.value.length > 0 ? null : didYouMean;
    return ok({ markets: found.value, didYouMean: suggestion, from: "venue" });
  }

  #inDirectory(ref: MarketRef, limit: number): readonly Market[] {
    const directory = this.#directory;
    switch (ref.by) {
      case "conditionId":
        return [directory.get(ref.value)].flatMap((market) => market ?? []);
      case "slug":
        return [directory.bySlug(ref.value)].flatMap((market) => market ?? []);
      case "eventSlug":
        return directory.byEvent(ref.value, limit);
      case "tag":
        return directory.byTag(ref.value, limit);
      case "words":
        return directory.search(ref.value, limit).markets;
      default:
        // The busiest of all are known once all were seen.
        return (this.#crawl?.wholeAtMs ?? null) === null ? [] : directory.busiest(limit);
    }
  }

  /**
   * The markets with their groups and the other markets of those, as far as the engine does not know them: what it knows
   * it has from a later read than the directory's.
   */
  #withGroups(markets: readonly Market[]): CatalogAnswer {
    const groups = this.#directory.groupsOf(markets);
    const all = new Map(markets.map((market) => [market.conditionId, market]));
    for (const conditionId of groups.flatMap((group) => group.conditionIds)) {
      const sibling = all.has(conditionId) ? null : this.#directory.get(conditionId);
      if (sibling !== null) all.set(conditionId, sibling);
    }
    const known = this.#parts.state.markets;
    return { markets: [...all.values()].filter((one) => !known.has(one.conditionId)), groups };
  }

  /** What the engine then holds of these markets. */
  #bringIn(named: readonly Market[], answer: CatalogAnswer): readonly Market[] {
    this.#parts.stepper.run({ kind: "catalog.read", answer }, "catalog");
    return named.map((one) => this.#parts.state.markets.get(one.conditionId) ?? one);
  }

  /** The crawl passes everything; the engine hears of those markets that it knows and that are not as it knows them. */
  #renewKnown(listed: readonly ListedMarket[]): void {
    const { state, stepper } = this.#parts;
    const markets = listed
      .map(({ market }) => market)
      .filter((market) => differs(state.markets.get(market.conditionId), market));
    if (markets.length > 0) {
      stepper.run({ kind: "catalog.read", answer: { markets, groups: [] } }, "catalog");
    }
  }

  #wasRead(listed: readonly ListedMarket[]): void {
    this.#answered({ markets: listed.map(({ market }) => market), groups: [] });
    for (const one of listed) this.#directory.renew(one);
  }

  #answered({ markets, groups }: CatalogAnswer): void {
    this.#answeredAtMs = this.#parts.clock.nowMs();
    this.#parts.catalogSink?.listed(markets, groups, this.#answeredAtMs);
  }

  *#strategyMarkets(): Iterable<ConditionId> {
    for (const { conditionId, slug } of this.#parts.catalogSettings.strategyMarkets) {
      const named = conditionId ?? this.#directory.bySlug(slug ?? "")?.conditionId;
      if (named !== undefined) yield named;
    }
  }

  /** Every open market and its book, for a scan. The list is kept for a minute. */
  async loadOpenMarkets(): Promise<void> {
    const { clock, catalog, catalogSettings, books, state, stepper } = this.#parts;
    const fresh =
      this.#openMarketsAtMs !== null && clock.nowMs() - this.#openMarketsAtMs < catalogTtlMs;
    let conditionIds = this.#scan?.conditionIds ?? [];
    if (!fresh) {
      const answer = await catalog.openMarkets(catalogSettings.maxSetMarkets);
      if (!answer.ok) return;
      this.#openMarketsAtMs = clock.nowMs();
      this.#answered(answer.value);
      stepper.run({ kind: "catalog.read", answer: answer.value }, "catalog");
      const tradable = answer.value.markets.filter((market) => market.tradable);
      conditionIds = tradable.map((market) => market.conditionId);
    }
    this.#scan = { conditionIds, atMs: clock.nowMs() };
    books.watch(conditionIds.flatMap((id) => state.markets.get(id) ?? []));
    await books.waitSome(conditionIds, scanWaitMs);
  }
}

/** True for a known market of which something changed that decides whether and how it is traded. */
function differs(known: Market | undefined, fresh: Market): boolean {
  if (known === undefined) return false;
  return (
    known.ruleHash !== fresh.ruleHash ||
    known.tradable !== fresh.tradable ||
    known.winner !== fresh.winner ||
    known.endAtMs !== fresh.endAtMs ||
    known.fee.rate !== fresh.fee.rate ||
    known.question !== fresh.question ||
    known.window?.strike !== fresh.window?.strike ||
    known.isPlaceholder !== fresh.isPlaceholder
  );
}
