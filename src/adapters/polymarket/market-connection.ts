import type { MarketEvent } from "../../engine/domain/market-event.ts";
import type { WatchedMarket } from "../../engine/ports/market-data.ts";
import type { ConnectionHealth } from "../../engine/protocol/feed-health.ts";
import type { FeedTimings } from "./feed-timings.ts";
import { LagWatch } from "./lag-watch.ts";
import { type FrameRefusal, harmless, type MarketFrame } from "./parse-market-frame.ts";
import { channelUrl, type LinkLoss, openSocketLink, type SocketLink } from "./socket-link.ts";

/** A frame with thousands of ids makes the server close the socket; 100 work. */
const maxIdsPerFrame = 100;

/** The main connection of a market, or the second one that carries it as well. */
export type ConnectionRole = "main" | "double";

export type ConnectionEvents = {
  readonly onOpen: (connection: MarketConnection) => void;
  /** Reads the bytes of a text frame. */
  readonly read: (frame: Buffer) => MarketFrame;
  /** `isAnswer`: the first book after a subscription; false for all that comes by itself. */
  readonly onEvent: (event: MarketEvent, connection: MarketConnection, isAnswer: boolean) => void;
  readonly onRefused: (refusal: FrameRefusal, connection: MarketConnection) => void;
  readonly onLost: (connection: MarketConnection, loss: ConnectionLoss) => void;
};

export type ConnectionLoss = {
  readonly detail: string;
  readonly loss: Exclude<LinkLoss, "given_up"> | GivenUp;
  /** Milliseconds until the next attempt. */
  readonly retryMs: number;
};

/** Why we gave a connection up that was open. */
export type GivenUp = "silent" | "lagging";

/** A market as one connection knows it. */
type Carried = {
  readonly market: WatchedMarket;
  /** Venue milliseconds of the newest thing that this connection said of its book. */
  newestMs: number;
  /** Its book came since the connection was opened. */
  hasBook: boolean;
  /** It was subscribed to, and its book has not come since. */
  isDue: boolean;
  /** Events since it was last compared. */
  events: number;
  /** Monotonic; 0 for never. */
  comparedAtMs: number;
};

export type ConnectionOptions = {
  readonly wsUrl: string;
  readonly timings: FeedTimings;
  readonly id: number;
  readonly role: ConnectionRole;
  /** Most markets that it carries. */
  readonly capacity: number;
};

/** One socket of the market channel and the markets it carries; subscribes to token 0 of each. */
export class MarketConnection {
  readonly id: number;
  readonly role: ConnectionRole;
  readonly #capacity: number;
  readonly #carried = new Map<string, Carried>();
  readonly #link: SocketLink;
  readonly #lag: LagWatch;
  readonly #events: ConnectionEvents;
  #givenUp: GivenUp | null = null;
  #frames = 0;
  #invalid = 0;
  #losses = 0;
  #openings = 0;
  #dataAtMs = 0;

  constructor(
    options: ConnectionOptions,
    markets: readonly WatchedMarket[],
    events: ConnectionEvents,
  ) {
    this.id = options.id;
    this.role = options.role;
    this.#capacity = options.capacity;
    this.#events = events;
    this.#lag = new LagWatch(options.timings.lagMaxMs);
    for (const market of markets) this.#carry(market);
    this.#link = openSocketLink({
      url: channelUrl(options.wsUrl, "market"),
      timings: options.timings,
      onOpen: (send) => {
        this.#openings++;
        this.#lag.begin();
        this.#dataAtMs = performance.now();
        for (const one of this.#carried.values()) {
          Object.assign(one, { newestMs: 0, hasBook: false, isDue: true });
        }
        this.#subscribeAll(send);
        events.onOpen(this);
      },
      onText: (frame) => this.#read(frame),
      onBinary: () => this.#refused({ reason: "not_json", conditionId: null }),
      onLost: ({ detail, loss, retryMs }) => {
        this.#losses++;
        const why = loss === "given_up" ? (this.#givenUp ?? "closed") : loss;
        this.#givenUp = null;
        events.onLost(this, { detail, loss: why, retryMs });
      },
    });
  }

  get conditionIds(): readonly string[] {
    return [...this.#carried.keys()];
  }

  get size(): number {
    return this.#carried.size;
  }

  get room(): number {
    return this.#capacity - this.#carried.size;
  }

  get isOpen(): boolean {
    return this.#link.isOpen();
  }

  /** How often it was opened: what was seen of an earlier opening says nothing about this one. */
  get openings(): number {
    return this.#openings;
  }

  /** Milliseconds since the last event of a market that is carried; pongs, control texts and news to all are none. */
  get quietMs(): number {
    return performance.now() - this.#dataAtMs;
  }

  carries(conditionId: string): boolean {
    return this.#carried.has(conditionId);
  }

  /** True when the market's book came on this connection: what it brings from now on makes it whole. */
  brings(conditionId: string): boolean {
    return this.isOpen && this.#carried.get(conditionId)?.hasBook === true;
  }

  /** Venue milliseconds of the newest thing that was said of the market here; 0 for nothing. */
  newestMs(conditionId: string): number {
    return this.#carried.get(conditionId)?.newestMs ?? 0;
  }

  /**
   * The market to compare with REST: the one that was heard of most since it was compared itself, so that its silence means
   * something and one that ended does not stand for the others; among equals the one whose comparison is longest ago.
   */
  toCompare(): WatchedMarket | null {
    let next: Carried | null = null;
    for (const one of this.#carried.values()) {
      const isBusier = next === null || one.events > next.events;
      const isOlder = one.events === next?.events && one.comparedAtMs < next.comparedAtMs;
      if (isBusier || isOlder) next = one;
    }
    if (next === null) return null;
    next.events = 0;
    next.comparedAtMs = performance.now();
    return next.market;
  }

  health(): ConnectionHealth {
    return {
      id: this.id,
      role: this.role,
      up: this.isOpen,
      markets: this.#carried.size,
      frames: this.#frames,
      invalid: this.#invalid,
      losses: this.#losses,
      quietMs: this.isOpen ? Math.round(this.quietMs) : null,
      lagMs: Math.round(this.#lag.lagMs),
    };
  }

  add(markets: readonly WatchedMarket[]): void {
    for (const market of markets) this.#carry(market);
    this.#operate("subscribe", markets);
  }

  remove(conditionIds: readonly string[]): void {
    const gone: WatchedMarket[] = [];
    for (const conditionId of conditionIds) {
      const carried = this.#carried.get(conditionId);
      if (carried === undefined) continue;
      this.#carried.delete(conditionId);
      gone.push(carried.market);
    }
    this.#operate("unsubscribe", gone);
  }

  /** Unsubscribe and subscribe: the server answers with a fresh book. */
  resubscribe(conditionId: string): boolean {
    const carried = this.#carried.get(conditionId);
    if (carried === undefined || !this.#link.isOpen()) return false;
    this.#operate("unsubscribe", [carried.market]);
    this.#operate("subscribe", [carried.market]);
    carried.isDue = true;
    return true;
  }

  /** Throws the connection away with everything that it has buffered; a new one begins with fresh books. */
  giveUp(why: GivenUp, detail: string): void {
    this.#givenUp = why;
    this.#link.reset(detail);
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  #carry(market: WatchedMarket): void {
    const unheard = { newestMs: 0, hasBook: false, isDue: true, events: 0, comparedAtMs: 0 };
    this.#carried.set(market.conditionId, { market, ...unheard });
  }

  #read(frame: Buffer): void {
    this.#frames++;
    const { events, refused } = this.#events.read(frame);
    for (const refusal of refused) this.#refused(refusal);
    const nowMs = performance.now();
    let spokenAtMs = 0;
    for (const event of events) {
      if (isForAll(event)) {
        this.#events.onEvent(event, this, false);
        continue;
      }
      const carried = this.#carried.get(event.conditionId);
      if (carried === undefined || !isOf(carried.market, event)) {
        this.#refused({ reason: "unasked", conditionId: null });
        continue;
      }
      this.#dataAtMs = nowMs;
      const isAnswer = note(carried, event);
      if (event.kind === "book.delta") spokenAtMs = Number(event.timestamp);
      this.#events.onEvent(event, this, isAnswer);
    }
    // A frame that carried changes shows how far behind we are; snapshots bear the time of an old change. Our own time is
    // monotonic: only differences count, and the machine's clock may be set meanwhile.
    if (spokenAtMs > 0 && this.#lag.isBehind(nowMs - spokenAtMs)) {
      this.giveUp("lagging", `frames come ${Math.round(this.#lag.lagMs)} ms late`);
    }
  }

  #refused(refusal: FrameRefusal): void {
    if (!harmless.has(refusal.reason)) this.#invalid++;
    this.#events.onRefused(refusal, this);
  }

  /** The first frame sets the type and the custom features, which belong to the connection. */
  #subscribeAll(send: (text: string) => void): void {
    const [first = [], ...rest] = chunksOf([...this.#carried.values()].map((one) => one.market));
    const opening = { assets_ids: first, type: "market", custom_feature_enabled: true };
    send(JSON.stringify(opening));
    for (const ids of rest) send(operationText("subscribe", ids));
  }

  #operate(operation: "subscribe" | "unsubscribe", markets: readonly WatchedMarket[]): void {
    for (const ids of chunksOf(markets)) this.#link.send(operationText(operation, ids));
  }
}

/** True for the venue's news about its markets at large, whoever subscribed to what (polymarket-market-data 2.3). */
function isForAll({ kind }: MarketEvent): boolean {
  return kind === "market.opened" || kind === "market.resolved";
}

/** False for a book of a token that is not the market's. */
function isOf({ tokenIds }: WatchedMarket, event: MarketEvent): boolean {
  return event.kind !== "book.snapshot" || tokenIds.includes(event.tokenId);
}

/** Keeps what the event says of the market on this connection; true for a book that was due. */
function note(carried: Carried, event: MarketEvent): boolean {
  if (event.kind !== "book.delta" && event.kind !== "book.snapshot") return false;
  carried.newestMs = Math.max(carried.newestMs, Number(event.timestamp));
  carried.events++;
  if (event.kind === "book.delta") return false;
  const wasDue = carried.isDue;
  carried.hasBook = true;
  carried.isDue = false;
  return wasDue;
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
