import type { ConditionId } from "../domain/market.ts";
import { ok, type Result } from "../lib/result.ts";
import {
  type CatalogPort,
  type CatalogSink,
  maxReadAtOnce,
  type PageFailure,
  type PageRequest,
} from "../ports/catalog.ts";
import type { Clock, Entropy, Log } from "../ports/system.ts";
import type { CatalogPage, ListedMarket } from "../protocol/venue-report.ts";
import type { MarketDirectory } from "./market-directory.ts";

/** Waits and bounds of the crawl; waits in milliseconds, already divided by the time scale. */
export type CrawlSettings = {
  /** Events on a page. */
  readonly pageEvents: number;
  readonly maxPages: number;
  /** Between two pages, so that reading them never holds up trading for long; each is drawn from half to one and a half. */
  readonly pagePauseMs: number;
  /** From one whole crawl to the next. */
  readonly wholeIntervalMs: number;
  /** From one look at the newest events to the next. */
  readonly newestIntervalMs: number;
  /** First and longest pause after a page that failed; full jitter in between. */
  readonly backOffFirstMs: number;
  readonly backOffMaxMs: number;
};

export type CrawlParts = {
  readonly catalog: Pick<CatalogPort, "page" | "read">;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly logger: Log;
  readonly directory: MarketDirectory;
  readonly settings: CrawlSettings;
  /** What a page or read brought, after the directory has it. */
  readonly onListed: (listed: readonly ListedMarket[]) => void;
  /** Keeps what the catalog brings; absent where nobody does. */
  readonly catalogSink?: CatalogSink;
};

/** Pages from the newest event on that one look reads at most. */
const maxNewestPages = 20;
/** How often one crawl is begun anew because its place was refused. */
const maxRestarts = 3;
/** Announced markets that wait to be read; the next whole crawl finds what does not fit. */
const maxAnnounced = 2_000;
const maxDoublings = 16;

/** Keeps the directory: all open markets by pages at leisure, the newest ones often, and announced ones by name. */
export class CatalogCrawl {
  readonly #parts: CrawlParts;
  readonly #announced = new Set<ConditionId>();
  #crawl = 0;
  #stopped = false;
  #wake: (() => void) | null = null;
  #nextNewestAtMs = 0;
  /** When the last whole crawl came to its end; null before the first. */
  wholeAtMs: number | null = null;
  /** When the newest page came; null before the first. */
  atMs: number | null = null;
  pages = 0;
  failures = 0;

  constructor(parts: CrawlParts) {
    this.#parts = parts;
  }

  start(): void {
    void this.#runAgain();
  }

  /** A crawl that breaks begins anew after the longest pause: nothing else depends on it. */
  async #runAgain(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#run();
      } catch (error) {
        const detail = error instanceof Error ? error.message : "unknown failure";
        this.#parts.logger.error("catalog.crawl-broken", { detail });
        await this.#pause(this.#parts.settings.backOffMaxMs);
      }
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  /** The stream told of a new market: it is read with the next look, without waiting for a whole crawl. */
  announce(conditionId: ConditionId): void {
    if (this.#announced.size < maxAnnounced) this.#announced.add(conditionId);
  }

  async #run(): Promise<void> {
    const { clock, settings } = this.#parts;
    let nextWholeAtMs = 0;
    while (!this.#stopped) {
      if (clock.nowMs() >= nextWholeAtMs) {
        const began = clock.nowMs();
        await this.whole();
        nextWholeAtMs = began + this.#jittered(settings.wholeIntervalMs);
      } else await this.#newestIfDue();
      const untilMs = Math.min(nextWholeAtMs, this.#nextNewestAtMs) - clock.nowMs();
      await this.#pause(Math.max(1, untilMs));
    }
  }

  /** Reads every page. What was open before and was not seen in it is over; a crawl that was cut off judges nothing. */
  async whole(): Promise<void> {
    const { directory, clock, logger, settings } = this.#parts;
    const crawl = ++this.#crawl;
    const beganAtMs = clock.nowMs();
    let cursor: string | null = null;
    let restarts = 0;
    for (let page = 0; page < settings.maxPages && !this.#stopped; page++) {
      const request: PageRequest = { newestFirst: false, cursor, events: settings.pageEvents };
      const read = await this.#readPage(request);
      if (read === null) return;
      if (!read.ok) {
        if (restarts++ >= maxRestarts) return;
        cursor = null;
        continue;
      }
      this.#take(read.value);
      if (read.value.next === null) {
        const gone = directory.sweep(crawl);
        this.wholeAtMs = clock.nowMs();
        this.#parts.catalogSink?.crawled(beganAtMs, this.wholeAtMs);
        const { size, leftOut } = directory;
        logger.info("catalog.crawled", { markets: size, pages: page + 1, gone, leftOut });
        return;
      }
      cursor = read.value.next;
      await this.#newestIfDue();
      await this.#pause(this.#jittered(settings.pagePauseMs));
    }
    if (!this.#stopped) logger.error("catalog.crawl-cut", { pages: settings.maxPages });
  }

  async #newestIfDue(): Promise<void> {
    const { clock, settings } = this.#parts;
    if (this.#stopped || clock.nowMs() < this.#nextNewestAtMs) return;
    this.#nextNewestAtMs = clock.nowMs() + this.#jittered(settings.newestIntervalMs);
    await this.newest();
  }

  /** Reads from the newest event on until a page holds nothing new, then what was announced and is still missing. */
  async newest(): Promise<void> {
    const { directory, settings } = this.#parts;
    let cursor: string | null = null;
    for (let page = 0; page < maxNewestPages && !this.#stopped; page++) {
      const request: PageRequest = { newestFirst: true, cursor, events: settings.pageEvents };
      const read = await this.#readPage(request);
      if (read === null || !read.ok) return;
      const before = directory.size;
      this.#take(read.value);
      if (directory.size === before || read.value.next === null) break;
      cursor = read.value.next;
      await this.#pause(this.#jittered(settings.pagePauseMs));
    }
    await this.#readAnnounced();
  }

  async #readAnnounced(): Promise<void> {
    const { catalog, directory } = this.#parts;
    for (const conditionId of this.#announced) {
      if (directory.has(conditionId)) this.#announced.delete(conditionId);
    }
    const ids = [...this.#announced].slice(0, maxReadAtOnce);
    if (ids.length === 0) return;
    const read = await catalog.read(ids);
    if (!read.ok) return;
    // What Gamma does not know yet is announced again or found by a whole crawl.
    for (const conditionId of ids) this.#announced.delete(conditionId);
    const open = read.value.filter(({ market }) => market.tradable);
    this.#take({ listed: open, groups: [], next: null });
  }

  #take({ listed, groups }: CatalogPage): void {
    const { directory, clock, logger, onListed } = this.#parts;
    this.pages++;
    this.atMs = clock.nowMs();
    for (const change of directory.put(listed, groups, this.#crawl)) {
      logger.warn("catalog.rules-edited", { ...change });
    }
    onListed(listed);
    this.#parts.catalogSink?.listed(
      listed.map(({ market }) => market),
      groups,
      this.atMs,
    );
  }

  /** Repeats a page that failed until it comes; null when the crawl was stopped meanwhile, an error for a refused place. */
  async #readPage(request: PageRequest): Promise<Result<CatalogPage, PageFailure> | null> {
    const { catalog, logger } = this.#parts;
    for (let attempt = 0; !this.#stopped; attempt++) {
      const read = await catalog.page(request);
      if (read.ok) return ok(read.value);
      if (read.error.kind === "cursor") return read;
      this.failures++;
      logger.warn("catalog.page-failed", { attempt, detail: read.error.detail });
      await this.#pause(this.#backOffMs(attempt));
    }
    return null;
  }

  /** Full jitter: uniform up to the doubled bound, so that many desks do not come back in step. */
  #backOffMs(attempt: number): number {
    const { backOffFirstMs, backOffMaxMs } = this.#parts.settings;
    let boundMs = backOffFirstMs;
    for (let i = 0; i < Math.min(attempt, maxDoublings); i++) boundMs *= 2;
    return 1 + (this.#parts.entropy.salt() % Math.min(backOffMaxMs, boundMs));
  }

  #jittered(ms: number): number {
    return Math.ceil(ms / 2) + (this.#parts.entropy.salt() % (ms + 1));
  }

  async #pause(ms: number): Promise<void> {
    if (this.#stopped) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#parts.clock.after(ms, resolve);
    this.#wake = resolve;
    await promise;
    this.#wake = null;
    cancel();
  }
}
