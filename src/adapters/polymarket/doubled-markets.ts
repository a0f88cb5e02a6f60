import type { MarketEvent } from "../../engine/domain/market-event.ts";
import type { WatchedMarket } from "../../engine/ports/market-data.ts";
import type { ConnectionPool } from "./connection-pool.ts";
import { DoubledMarket } from "./doubled-market.ts";
import type { MarketConnection } from "./market-connection.ts";

const looksPerLimit = 4;

/** The markets that two connections carry: what comes first is handed on, and a line that died is noticed by the other. */
export class DoubledMarkets {
  readonly #pool: ConnectionPool;
  readonly #limitMs: number;
  readonly #markets = new Map<string, DoubledMarket>();
  readonly #timer: NodeJS.Timeout;
  #duplicates = 0;

  constructor(pool: ConnectionPool, limitMs: number) {
    this.#pool = pool;
    this.#limitMs = limitMs;
    this.#timer = setInterval(() => this.#look(), Math.ceil(limitMs / looksPerLimit));
    this.#timer.unref();
  }

  get size(): number {
    return this.#markets.size;
  }

  /** Events that the slower connection brought once more. */
  get duplicates(): number {
    return this.#duplicates;
  }

  /** Makes these, and no others, the doubled markets. */
  set(markets: readonly WatchedMarket[]): void {
    const wanted = new Set(markets.map((market) => market.conditionId));
    this.drop([...this.#markets.keys()].filter((id) => !wanted.has(id)));
    const fresh = markets.filter((market) => !this.#markets.has(market.conditionId));
    const nowMs = performance.now();
    for (const { conditionId } of fresh) this.#markets.set(conditionId, new DoubledMarket(nowMs));
    this.#pool.placeSecond(fresh);
  }

  drop(conditionIds: readonly string[]): void {
    const ours = conditionIds.filter((id) => this.#markets.delete(id));
    this.#pool.removeSecond(ours);
  }

  /** A connection was opened anew. */
  restart(connection: MarketConnection): void {
    if (this.#markets.size === 0) return;
    const nowMs = performance.now();
    for (const [conditionId, market] of this.#markets) {
      if (connection.carries(conditionId)) market.restart(lineOf(connection), nowMs);
    }
  }

  /** False for what the other connection of the market has brought already. */
  isNews(event: MarketEvent, from: MarketConnection, isAnswer: boolean): boolean {
    const market = this.#markets.size === 0 ? undefined : this.#markets.get(event.conditionId);
    if (market === undefined) return from.role === "main" || event.kind !== "market.opened";
    const isNews = market.isNews(lineOf(from), event, isAnswer, performance.now());
    if (!isNews) this.#duplicates++;
    return isNews;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    if (this.#markets.size === 0) return;
    const nowMs = performance.now();
    for (const connection of this.#pool.connections()) {
      if (!connection.isOpen) continue;
      const line = lineOf(connection);
      for (const [conditionId, market] of this.#markets) {
        if (!connection.carries(conditionId)) continue;
        if (!market.isDead(line, nowMs, this.#limitMs)) continue;
        connection.giveUp(
          "silent",
          "the other connection of a market brings what this one does not",
        );
        break;
      }
    }
  }
}

function lineOf(connection: MarketConnection): 0 | 1 {
  return connection.role === "main" ? 0 : 1;
}
