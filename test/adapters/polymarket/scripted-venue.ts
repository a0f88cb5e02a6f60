import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import type { WatchedMarket } from "../../../src/engine/ports/market-data.ts";

type ClientFrame = {
  readonly type?: string;
  readonly operation?: string;
  readonly assets_ids: readonly string[];
  readonly custom_feature_enabled?: boolean;
};

/** A venue's market channel and /book whose answers the test writes itself. */
export class ScriptedVenue {
  readonly sockets: WebSocket[] = [];
  readonly frames: { readonly socket: number; readonly atMs: number; readonly text: string }[] = [];
  readonly offers: (string | undefined)[] = [];
  /** Requests of /book so far, and the time that its answers bear. */
  books = 0;
  bookTimestamp: string | null = null;
  bookStatus = 200;
  /** The time that books on the stream bear; null for now. */
  streamTimestamp: string | null = null;
  /** Seconds that a refusal of /book names. */
  retryAfter: string | null = null;
  autoAnswer = true;
  /** Answers of /book that wait until they are let go; null when each goes out at once. */
  held: (() => void)[] | null = null;
  /** Tokens that were asked for by /book, oldest first, and those that it has no book of. */
  readonly asked: string[] = [];
  readonly askedAtMs: number[] = [];
  readonly missing = new Set<string>();
  readonly #server: Server = createServer((_request, response) => {
    this.books++;
    const id = new URL(_request.url ?? "/", "http://x").searchParams.get("token_id") ?? "";
    this.asked.push(id);
    this.askedAtMs.push(performance.now());
    const answer = () => {
      response.writeHead(this.missing.has(id) ? 404 : this.bookStatus, {
        "content-type": "application/json",
        ...(this.retryAfter !== null && { "retry-after": this.retryAfter }),
      });
      response.end(
        JSON.stringify({ ...book(id, this.bookTimestamp), min_order_size: "5", neg_risk: false }),
      );
    };
    if (this.held === null) answer();
    else this.held.push(answer);
  });
  readonly #channel = new WebSocketServer({ server: this.#server, path: "/ws/market" });

  /** Every connection is closed with this code as soon as it subscribes; null for none. */
  closeWith: number | null = null;

  async listen(port = 0): Promise<string> {
    this.#channel.on("connection", (socket, request) => {
      const number = this.sockets.push(socket) - 1;
      this.offers.push(request.headers["sec-websocket-extensions"]);
      socket.on("message", (data: Buffer) => this.#received(socket, number, data.toString()));
    });
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #received(socket: WebSocket, number: number, text: string): void {
    this.frames.push({ socket: number, atMs: performance.now(), text });
    if (text === "PING") {
      if (this.autoAnswer) socket.send("PONG");
      return;
    }
    if (this.closeWith !== null) {
      socket.close(this.closeWith);
      return;
    }
    const frame = JSON.parse(text) as ClientFrame;
    if (frame.operation === "unsubscribe" || !this.autoAnswer) return;
    socket.send(JSON.stringify(frame.assets_ids.map((id) => book(id, this.streamTimestamp))));
  }

  /** Sends the token's book, asked for or not. */
  say(socket: number, tokenId: string): void {
    this.sockets[socket]?.send(JSON.stringify([book(tokenId, this.streamTimestamp)]));
  }

  subscriptions(): readonly (ClientFrame & { readonly socket: number; readonly atMs: number })[] {
    return this.frames
      .filter(({ text }) => text !== "PING")
      .map(({ socket, atMs, text }) => ({ ...(JSON.parse(text) as ClientFrame), socket, atMs }));
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.terminate();
    this.#channel.close();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

export function conditionOf(tokenId: string): string {
  return `0x${tokenId.padStart(64, "0")}`;
}

export function book(tokenId: string, timestamp: string | null = null): Record<string, unknown> {
  return {
    event_type: "book",
    market: conditionOf(tokenId),
    asset_id: tokenId,
    timestamp: timestamp ?? String(Date.now()),
    hash: "0".repeat(40),
    bids: [{ price: "0.4", size: "10" }],
    asks: [{ price: "0.6", size: "10" }],
    tick_size: "0.01",
    last_trade_price: "",
  };
}

export function delta(tokenId: string, size: string, timestamp = "1"): string {
  const change = { asset_id: tokenId, price: "0.41", size, side: "BUY", hash: "1".repeat(40) };
  return JSON.stringify({
    event_type: "price_change",
    market: conditionOf(tokenId),
    timestamp,
    price_changes: [change],
  });
}

export function markets(count: number, from = 1): WatchedMarket[] {
  return Array.from({ length: count }, (_, i) => ({
    conditionId: conditionOf(String(from + i)),
    tokenIds: [String(from + i), String(900_000 + from + i)],
  }));
}
