import type { WatchedMarket } from "../../engine/ports/market-data.ts";
import type { FeedTimings } from "./feed-timings.ts";
import {
  type ConnectionEvents,
  type ConnectionRole,
  MarketConnection,
} from "./market-connection.ts";

export type ConnectionPoolOptions = ConnectionEvents & {
  readonly wsUrl: string;
  readonly timings: FeedTimings;
  /** Most markets of one connection. */
  readonly capacity: number;
};

/** Which connection carries which market. A market has one main connection and at times a second one. */
export class ConnectionPool {
  readonly #options: ConnectionPoolOptions;
  readonly #main = new Map<string, MarketConnection>();
  readonly #second = new Map<string, MarketConnection>();
  readonly #connections = new Set<MarketConnection>();
  #made = 0;

  constructor(options: ConnectionPoolOptions) {
    this.#options = options;
  }

  connections(): Iterable<MarketConnection> {
    return this.#connections;
  }

  has(conditionId: string): boolean {
    return this.#main.has(conditionId);
  }

  /** True while some open connection has brought the market's book and goes on with it. */
  isBrought(conditionId: string): boolean {
    return this.#homesOf(conditionId).some((home) => home?.brings(conditionId) === true);
  }

  /** True while some open connection is subscribed to the market: a book of it is due or has come. */
  isSubscribed(conditionId: string): boolean {
    return this.#homesOf(conditionId).some((home) => home?.isOpen === true);
  }

  /** The main connections of these markets that are not open. */
  mainsAway(conditionIds: readonly string[]): Set<MarketConnection> {
    const mains = conditionIds.flatMap((id) => this.#main.get(id) ?? []);
    return new Set(mains.filter((main) => !main.isOpen));
  }

  #homesOf(conditionId: string) {
    return [this.#main.get(conditionId), this.#second.get(conditionId)];
  }

  /** Gives markets a main connection; resolves to those that were subscribed on one that is open already. */
  place(markets: readonly WatchedMarket[]): WatchedMarket[] {
    return this.#fill("main", this.#main, markets);
  }

  /** Carries markets on a second connection, never on their main one. */
  placeSecond(markets: readonly WatchedMarket[]): void {
    this.#fill("double", this.#second, markets);
  }

  removeSecond(conditionIds: readonly string[]): void {
    this.#take(this.#second, conditionIds);
  }

  remove(conditionIds: readonly string[]): void {
    this.#take(this.#main, conditionIds);
    this.#take(this.#second, conditionIds);
  }

  /** Asks for a fresh book on the main connection, or on the second one while that is away. */
  resubscribe(conditionId: string): boolean {
    if (this.#main.get(conditionId)?.resubscribe(conditionId) === true) return true;
    return this.#second.get(conditionId)?.resubscribe(conditionId) === true;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#connections].map((connection) => connection.close()));
  }

  /** Fills connections of the role that have room, then opens new ones. */
  #fill(
    role: ConnectionRole,
    homes: Map<string, MarketConnection>,
    markets: readonly WatchedMarket[],
  ): WatchedMarket[] {
    const { capacity } = this.#options;
    const subscribed: WatchedMarket[] = [];
    let rest = markets;
    for (const connection of this.#connections) {
      if (connection.role !== role || rest.length === 0) continue;
      const part = rest.slice(0, connection.room);
      if (part.length === 0) continue;
      rest = rest.slice(part.length);
      for (const market of part) homes.set(market.conditionId, connection);
      connection.add(part);
      if (connection.isOpen) subscribed.push(...part);
    }
    for (let at = 0; at < rest.length; at += capacity) {
      const part = rest.slice(at, at + capacity);
      const { wsUrl, timings } = this.#options;
      const id = ++this.#made;
      const options = { wsUrl, timings, id, role, capacity };
      const connection = new MarketConnection(options, part, this.#options);
      this.#connections.add(connection);
      for (const market of part) homes.set(market.conditionId, connection);
    }
    return subscribed;
  }

  /** Takes markets off their connections, each of which is told once; one that carries nothing more is closed. */
  #take(homes: Map<string, MarketConnection>, conditionIds: readonly string[]): void {
    const parts = new Map<MarketConnection, string[]>();
    for (const conditionId of conditionIds) {
      const connection = homes.get(conditionId);
      if (connection === undefined) continue;
      homes.delete(conditionId);
      const part = parts.get(connection);
      if (part === undefined) parts.set(connection, [conditionId]);
      else part.push(conditionId);
    }
    for (const [connection, part] of parts) {
      connection.remove(part);
      if (connection.size > 0) continue;
      this.#connections.delete(connection);
      void connection.close();
    }
  }
}
