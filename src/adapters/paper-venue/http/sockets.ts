import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { RawData } from "ws";
import { WebSocket, WebSocketServer } from "ws";
import type { FeedListener } from "../exchange/feed.ts";
import type { OutcomeIndex } from "../exchange/records.ts";
import type { VenueState } from "../exchange/venue-state.ts";
import { bookFrame } from "../exchange/wire.ts";
import type { MarketFrame, UserFrame } from "../exchange/work.ts";
import { isRecord } from "./route.ts";
import type { SocketFaults } from "./socket-faults.ts";

/** Bounds of the sockets. Above 500 tokens the real venue sends a connection no books at all. */
const MAX_CONNECTIONS = 1000;
const MAX_TOKENS = 500;
const MAX_IDS_PER_FRAME = 1000;
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024;
const MAX_FRAME_BYTES = 1024 * 1024;

type MarketConnection = {
  readonly channel: "market";
  readonly socket: WebSocket;
  readonly tokens: Set<string>;
  custom: boolean;
};

type UserConnection = {
  readonly channel: "user";
  readonly socket: WebSocket;
  /** Null until the credentials were accepted. */
  account: string | null;
  /** Empty for all markets. */
  readonly markets: Set<string>;
};

type Connection = MarketConnection | UserConnection;

const customKinds = new Set(["best_bid_ask", "new_market", "market_resolved"]);

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString();
  return data instanceof ArrayBuffer ? Buffer.from(data).toString() : data.toString();
}

/** The market and user channels on /ws/market and /ws/user. */
export class Sockets implements FeedListener {
  readonly #server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
  });
  readonly #connections = new Set<Connection>();
  readonly #byToken = new Map<string, Set<MarketConnection>>();
  readonly #state: VenueState;
  readonly #faults: SocketFaults;

  constructor(state: VenueState, faults: SocketFaults) {
    this.#state = state;
    this.#faults = faults;
    faults.dropper = (channel) => this.drop(channel);
    state.feed.add(this);
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const path = (request.url ?? "").split("?")[0];
    const channel = path === "/ws/market" ? "market" : path === "/ws/user" ? "user" : null;
    if (channel === null || this.#connections.size >= MAX_CONNECTIONS) {
      socket.end("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (ws) => this.#accept(ws, channel));
  }

  /** Ends connections without a closing handshake, of one channel or of all. */
  drop(channel: string | null): void {
    for (const connection of this.#connections) {
      if (channel === null || connection.channel === channel) connection.socket.terminate();
    }
  }

  close(): void {
    this.drop(null);
    this.#server.close();
  }

  wants(tokens: readonly string[]): boolean {
    return tokens.some((token) => this.#byToken.has(token));
  }

  market(frame: MarketFrame): void {
    if (this.#faults.muted()) return;
    if (frame.kind === "price_change" && this.#faults.skipsPriceChange()) return;
    const customOnly = customKinds.has(frame.kind);
    for (const connection of this.#receivers(frame)) {
      if (customOnly && !connection.custom) continue;
      this.#send(connection, frame.json);
    }
  }

  user(frame: UserFrame): void {
    if (this.#faults.muted()) return;
    for (const connection of this.#connections) {
      if (connection.channel !== "user" || connection.account !== frame.account) continue;
      const { markets } = connection;
      if (markets.size === 0 || markets.has(frame.conditionId)) this.#send(connection, frame.json);
    }
  }

  #receivers(frame: MarketFrame): Set<MarketConnection> {
    const receivers = new Set<MarketConnection>();
    if (frame.kind === "new_market") {
      for (const one of this.#connections) if (one.channel === "market") receivers.add(one);
      return receivers;
    }
    for (const token of frame.tokens) {
      for (const connection of this.#byToken.get(token) ?? []) receivers.add(connection);
    }
    return receivers;
  }

  #accept(socket: WebSocket, channel: Connection["channel"]): void {
    const connection: Connection =
      channel === "market"
        ? { channel, socket, tokens: new Set(), custom: false }
        : { channel, socket, account: null, markets: new Set() };
    this.#connections.add(connection);
    socket.on("message", (data) => this.#received(connection, textOf(data)));
    // A broken peer is an ordinary end; the close event follows.
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#connections.delete(connection);
      if (connection.channel === "market") {
        this.#forget(connection, [...connection.tokens]);
      }
    });
  }

  #received(connection: Connection, text: string): void {
    if (text === "PING" || text === "ping") {
      this.#send(connection, text === "PING" ? "PONG" : "pong");
      return;
    }
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      this.#send(connection, "INVALID OPERATION");
      return;
    }
    if (!isRecord(message)) {
      this.#send(connection, "INVALID OPERATION");
    } else if (connection.channel === "market") {
      this.#marketMessage(connection, message);
    } else {
      this.#userMessage(connection, message);
    }
  }

  #marketMessage(connection: MarketConnection, message: Record<string, unknown>): void {
    const ids = strings(message.assets_ids ?? message.asset_ids);
    if (ids.length > MAX_IDS_PER_FRAME) {
      connection.socket.close(1009, "too many ids");
      return;
    }
    if (message.operation === "unsubscribe") {
      this.#forget(connection, ids);
      return;
    }
    if (message.custom_feature_enabled === true) connection.custom = true;
    const fresh = [...new Set(ids)].filter((id) => !connection.tokens.has(id));
    if (fresh.length === 0) {
      this.#send(connection, "NO NEW ASSETS");
      return;
    }
    for (const id of fresh) {
      connection.tokens.add(id);
      const holders = this.#byToken.get(id) ?? new Set();
      this.#byToken.set(id, holders.add(connection));
    }
    if (message.initial_dump !== false) this.#dump(connection, fresh);
  }

  /** The first books of newly held tokens, as one array. There is no other acknowledgement. */
  #dump(connection: MarketConnection, tokens: readonly string[]): void {
    if (connection.tokens.size > MAX_TOKENS || this.#faults.muted()) return;
    const books = tokens.flatMap((token) => {
      const listing = this.#state.markets.byToken(token);
      if (listing === null || listing.market.resolved !== null) return [];
      const outcome: OutcomeIndex = listing.outcome;
      return [bookFrame(listing.market, outcome, true)];
    });
    if (books.length > 0) this.#send(connection, JSON.stringify(books));
  }

  #forget(connection: MarketConnection, tokens: readonly string[]): void {
    for (const token of tokens) {
      connection.tokens.delete(token);
      const holders = this.#byToken.get(token);
      holders?.delete(connection);
      if (holders?.size === 0) this.#byToken.delete(token);
    }
  }

  #userMessage(connection: UserConnection, message: Record<string, unknown>): void {
    const markets = strings(message.markets);
    if (message.operation === "unsubscribe") {
      for (const market of markets) connection.markets.delete(market);
      return;
    }
    if (connection.account === null && !this.#authenticate(connection, message.auth)) {
      connection.socket.close(1008, "invalid auth");
      return;
    }
    for (const market of markets) connection.markets.add(market);
  }

  #authenticate(connection: UserConnection, auth: unknown): boolean {
    if (!isRecord(auth)) return false;
    const name = auth.apiKey ?? auth.apikey;
    const key = typeof name === "string" ? this.#state.accounts.key(name) : null;
    if (key === null || auth.secret !== key.secret || auth.passphrase !== key.passphrase) {
      return false;
    }
    connection.account = key.account;
    return true;
  }

  #send(connection: Connection, text: string): void {
    const { socket } = connection;
    if (socket.readyState !== WebSocket.OPEN) return;
    if (socket.bufferedAmount > MAX_BUFFERED_BYTES) {
      socket.close(1013, "slow consumer: send buffer full");
      return;
    }
    socket.send(text);
  }
}
