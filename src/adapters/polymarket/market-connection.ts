import type { WatchedMarket } from "../../engine/ports/market-data.ts";
import type { FeedTimings } from "./feed-timings.ts";
import { channelUrl, openSocketLink, type SocketLink } from "./socket-link.ts";

/** Above 500 tokens a connection gets no books at all; 200 is safe (polymarket-market-data 2.2). */
export const maxTokensPerConnection = 200;
/** A frame with thousands of ids makes the server close the socket; 100 work. */
const maxIdsPerFrame = 100;

export type ConnectionEvents = {
  readonly onOpen: (connection: MarketConnection) => void;
  readonly onText: (text: Buffer) => void;
  readonly onBinary: () => void;
  readonly onLost: (connection: MarketConnection, detail: string) => void;
};

/** One socket of the market channel and the markets it carries; subscribes to token 0 of each. */
export class MarketConnection {
  readonly #markets = new Map<string, WatchedMarket>();
  readonly #link: SocketLink;

  constructor(
    address: { readonly wsUrl: string; readonly timings: FeedTimings },
    markets: readonly WatchedMarket[],
    events: ConnectionEvents,
  ) {
    for (const market of markets) this.#markets.set(market.conditionId, market);
    this.#link = openSocketLink({
      url: channelUrl(address.wsUrl, "market"),
      timings: address.timings,
      onOpen: (send) => {
        this.#subscribeAll(send);
        events.onOpen(this);
      },
      onText: events.onText,
      onBinary: events.onBinary,
      onLost: (detail) => events.onLost(this, detail),
    });
  }

  get conditionIds(): readonly string[] {
    return [...this.#markets.keys()];
  }

  get room(): number {
    return maxTokensPerConnection - this.#markets.size;
  }

  get isOpen(): boolean {
    return this.#link.isOpen();
  }

  add(markets: readonly WatchedMarket[]): void {
    for (const market of markets) this.#markets.set(market.conditionId, market);
    this.#operate("subscribe", markets);
  }

  remove(conditionIds: readonly string[]): void {
    const gone: WatchedMarket[] = [];
    for (const conditionId of conditionIds) {
      const market = this.#markets.get(conditionId);
      if (market === undefined) continue;
      this.#markets.delete(conditionId);
      gone.push(market);
    }
    this.#operate("unsubscribe", gone);
  }

  /** Unsubscribe and subscribe: the server answers with a fresh book. */
  resubscribe(conditionId: string): boolean {
    const market = this.#markets.get(conditionId);
    if (market === undefined || !this.#link.isOpen()) return false;
    this.#operate("unsubscribe", [market]);
    this.#operate("subscribe", [market]);
    return true;
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  /** The first frame sets the type and the custom features, which belong to the connection. */
  #subscribeAll(send: (text: string) => void): void {
    const [first = [], ...rest] = chunksOf([...this.#markets.values()]);
    const opening = { assets_ids: first, type: "market", custom_feature_enabled: true };
    send(JSON.stringify(opening));
    for (const ids of rest) send(operationText("subscribe", ids));
  }

  #operate(operation: "subscribe" | "unsubscribe", markets: readonly WatchedMarket[]): void {
    for (const ids of chunksOf(markets)) this.#link.send(operationText(operation, ids));
  }
}

function operationText(operation: "subscribe" | "unsubscribe", ids: readonly string[]): string {
  return JSON.stringify({
    operation,
    assets_ids: ids,
    ...(operation === "subscribe" ? { custom_feature_enabled: true } : {}),
  });
}

function chunksOf(markets: readonly WatchedMarket[]): readonly string[][] {
  const chunks: string[][] = [];
  for (let at = 0; at < markets.length; at += maxIdsPerFrame) {
    chunks.push(markets.slice(at, at + maxIdsPerFrame).map((market) => market.tokenIds[0]));
  }
  return chunks;
}
