import type { WatchedMarket } from "../../engine/ports/market-data.ts";
import type { BookRead } from "../../engine/protocol/venue-report.ts";
import type { FeedTimings } from "./feed-timings.ts";
import type { MarketConnection } from "./market-connection.ts";

export type SilenceSource = {
  readonly connections: () => Iterable<MarketConnection>;
  readonly readBook: (market: WatchedMarket) => Promise<BookRead>;
  readonly timings: FeedTimings;
};

/** Looks within one limit, so that a silence is seen at most so much later. */
const looksPerLimit = 4;
/** REST reads under way at once. */
const maxReads = 4;

/**
 * The watchdog by data: pings are answered for hours on a connection that delivers nothing (polymarket-market-data 2.5).
 * A connection that is quiet for long is compared with the REST book of one of its markets, the busiest first. When the venue has a newer
 * book and the stream does not bring it within the time of a snapshot, the connection is frozen and given up.
 */
export class SilenceWatch {
  readonly #source: SilenceSource;
  readonly #timer: NodeJS.Timeout;
  /** When each connection was last compared, monotonic. */
  readonly #comparedAtMs = new WeakMap<MarketConnection, number>();
  #reads = 0;
  #closed = false;
  readonly #graces = new Set<NodeJS.Timeout>();

  constructor(source: SilenceSource) {
    this.#source = source;
    const everyMs = Math.ceil(source.timings.dataSilenceMs / looksPerLimit);
    this.#timer = setInterval(() => this.#look(), everyMs);
    this.#timer.unref();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const grace of this.#graces) clearTimeout(grace);
  }

  #look(): void {
    const { dataSilenceMs } = this.#source.timings;
    const nowMs = performance.now();
    for (const connection of this.#source.connections()) {
      if (!connection.isOpen || connection.quietMs < dataSilenceMs) continue;
      if (nowMs - (this.#comparedAtMs.get(connection) ?? 0) < dataSilenceMs) continue;
      if (this.#reads >= maxReads) return;
      const market = connection.toCompare();
      if (market === null) continue;
      this.#comparedAtMs.set(connection, nowMs);
      void this.#compare(connection, market);
    }
  }

  async #compare(connection: MarketConnection, market: WatchedMarket): Promise<void> {
    const { openings } = connection;
    this.#reads++;
    const read = await this.#source.readBook(market);
    this.#reads--;
    if (!read.ok || this.#closed) return;
    const thereMs = Number(read.book.timestamp);
    if (thereMs <= connection.newestMs(market.conditionId)) return;
    // The change may be on its way to us at this moment.
    const grace = setTimeout(() => {
      this.#graces.delete(grace);
      const missing = thereMs - connection.newestMs(market.conditionId);
      // A connection that was opened anew meanwhile has its own time to bring its books.
      const isSame = connection.openings === openings && connection.carries(market.conditionId);
      if (missing > 0 && isSame) {
        connection.giveUp(
          "silent",
          `no data for ${Math.round(connection.quietMs)} ms, the venue had some`,
        );
      }
    }, this.#source.timings.snapshotLimitMs);
    this.#graces.add(grace);
  }
}
