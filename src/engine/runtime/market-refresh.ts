import type { EngineInput } from "../core/input.ts";
import type { ConditionId } from "../domain/market.ts";
import { FifoMap } from "../lib/fifo-map.ts";
import { type CatalogPort, maxReadAtOnce } from "../ports/catalog.ts";
import type { Clock, Log } from "../ports/system.ts";
import type { ListedMarket } from "../protocol/venue-report.ts";
import type { EngineState } from "../state/engine-state.ts";
import { type Scan, type Wanted, type WantedMarket, wantedMarkets } from "./wanted-markets.ts";

/** Waits of the refresh in milliseconds, already divided by the time scale. */
export type RefreshSettings = {
  /** How often every followed market is read. */
  readonly watchedIntervalMs: number;
  /** How often Gamma is asked about a market that the stream called resolved. */
  readonly resolutionLookMs: number;
  /** How long a person's look at a market counts. */
  readonly lookTtlMs: number;
  readonly maxWatched: number;
};

export type MarketRefreshParts = {
  readonly state: EngineState;
  readonly catalog: Pick<CatalogPort, "read">;
  readonly clock: Clock;
  readonly logger: Log;
  readonly settings: RefreshSettings;
  /** Markets that the configured strategies trade, as far as they are known by now. */
  readonly strategies: () => Iterable<ConditionId>;
  readonly dispatch: (input: EngineInput) => void;
  readonly onRead: (listed: readonly ListedMarket[]) => void;
};

/** Looks of people that are remembered. */
const keptLooks = 500;

/**
 * Reads again what the desk depends on, so that a resolution, an end or an edited rule of a held market is learnt although
 * nobody looks and no stream told of it.
 */
export class MarketRefresh {
  readonly #parts: MarketRefreshParts;
  readonly #looks = new FifoMap<ConditionId, number>(keptLooks);
  readonly #soon = new Set<ConditionId>();
  #nextAllAtMs = 0;
  #nextResolutionsAtMs = 0;
  #reading = false;

  constructor(parts: MarketRefreshParts) {
    this.#parts = parts;
  }

  /** A person looks at these, the most interesting first: they are followed for a while. */
  look(conditionIds: readonly ConditionId[]): void {
    const nowMs = this.#parts.clock.nowMs();
    for (const conditionId of [...conditionIds].reverse()) {
      // Behind the older looks, which are forgotten first.
      this.#looks.delete(conditionId);
      this.#looks.set(conditionId, nowMs);
    }
  }

  /** Read with the next tick. */
  soon(conditionIds: readonly ConditionId[]): void {
    for (const conditionId of conditionIds) {
      if (this.#soon.size < this.#parts.settings.maxWatched) this.#soon.add(conditionId);
    }
  }

  /** What has to be read again, the most important first. */
  wanted(): readonly WantedMarket[] {
    return this.#wanted(this.#parts.settings.maxWatched, null).markets;
  }

  /** What a book is wanted of, the most important first: the same, and the markets of the last scan for sets. */
  wantedBooks(max: number, scan: Scan | null): Wanted {
    return this.#wanted(max, scan);
  }

  #wanted(max: number, scan: Scan | null): Wanted {
    const { state, clock, settings, strategies } = this.#parts;
    return wantedMarkets({
      state,
      nowMs: clock.nowMs(),
      strategies: strategies(),
      looks: new Map(this.#looks.entries()),
      scan,
      lookTtlMs: settings.lookTtlMs,
      max,
    });
  }

  /** Called now and then; starts what is due, one run at a time. */
  tick(): void {
    if (this.#reading) return;
    const { clock, settings, state } = this.#parts;
    const nowMs = clock.nowMs();
    if (nowMs >= this.#nextAllAtMs) {
      this.#nextAllAtMs = nowMs + settings.watchedIntervalMs;
      this.soon(this.wanted().map((one) => one.conditionId));
    }
    if (nowMs >= this.#nextResolutionsAtMs) {
      this.#nextResolutionsAtMs = nowMs + settings.resolutionLookMs;
      this.soon([...state.live.resolutions.keys()]);
    }
    if (this.#soon.size === 0) return;
    this.#reading = true;
    void this.#readSoon()
      .catch((error: unknown) => {
        const detail = error instanceof Error ? error.message : "unknown failure";
        this.#parts.logger.error("catalog.refresh-broken", { detail });
      })
      .finally(() => {
        this.#reading = false;
      });
  }

  async #readSoon(): Promise<void> {
    const { catalog, dispatch, logger, onRead } = this.#parts;
    while (this.#soon.size > 0) {
      const ids = [...this.#soon].slice(0, maxReadAtOnce);
      for (const conditionId of ids) this.#soon.delete(conditionId);
      const read = await catalog.read(ids);
      if (!read.ok) {
        // What is still wanted comes again with the next interval.
        this.#soon.clear();
        logger.warn("catalog.refresh-failed", { detail: read.error });
        return;
      }
      onRead(read.value);
      const markets = read.value.map(({ market }) => market);
      if (markets.length > 0) dispatch({ kind: "catalog.read", answer: { markets, groups: [] } });
    }
  }
}
