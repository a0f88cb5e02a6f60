import WebSocket from "ws";
import { backOffMs } from "./back-off.ts";
import type { FeedTimings } from "./feed-timings.ts";

/** What one connection to a channel of the venue does and says. */
export type SocketLinkOptions = {
  readonly url: string;
  readonly timings: FeedTimings;
  /** A connection is open: send the subscriptions. */
  readonly onOpen: (send: (text: string) => void) => void;
  /** The UTF-8 of a text frame; frames of one socket read arrive in the same turn of the event loop, in order. */
  readonly onText: (text: Buffer) => void;
  /** The connection is gone; a new one is made after a pause. */
  readonly onLost: (lost: LostLink) => void;
  /** A frame that is no text. */
  readonly onBinary: () => void;
};

/** Why a connection ended. A closed set: it labels a counter. */
export type LinkLoss =
  | "closed"
  /** Close code 1013: the venue could not write to us fast enough. */
  | "slow_consumer"
  /** A frame over the size cap. */
  | "too_large"
  | "error"
  /** No frame at all, not even a pong. */
  | "dead"
  /** Given up by us, see `reset`. */
  | "given_up";

export type LostLink = {
  readonly detail: string;
  readonly loss: LinkLoss;
  /** Milliseconds until the next attempt. */
  readonly retryMs: number;
};

export type SocketLink = {
  readonly isOpen: () => boolean;
  /** Gives the open connection up, with whatever it has buffered, and makes a new one after a pause. */
  readonly reset: (detail: string) => void;
  /** Sends on the open connection; does nothing while there is none (the next one subscribes anew). */
  readonly send: (text: string) => void;
  /** Ends the link for good. */
  readonly close: () => Promise<void>;
};

/** RFC 6455 "try again later"; the venue says it to readers that are too slow (polymarket-market-data 2.5). */
const slowConsumerCode = 1013;
const maxFrameBytes = 8 * 1024 * 1024;
/** Time that a closing handshake gets before the socket is torn down. */
const closeLimitMs = 1_000;

/** Address of a channel: "/ws/market" below a bare host, "/market" below a base that already names a path. */
export function channelUrl(baseUrl: string, channel: "market" | "user"): string {
  const base = baseUrl.replace(/\/+$/, "");
  return new URL(base).pathname === "/" ? `${base}/ws/${channel}` : `${base}/${channel}`;
}

/** Keeps one connection open for ever: PING, watchdog, reconnect with full-jitter back-off. */
export function openSocketLink(options: SocketLinkOptions): SocketLink {
  const link = new Link(options);
  link.connect();
  return {
    isOpen: () => link.isOpen(),
    reset: (detail) => link.reset(detail),
    send: (text) => link.send(text),
    close: () => link.close(),
  };
}

class Link {
  readonly #options: SocketLinkOptions;
  #socket: WebSocket | null = null;
  #timer: NodeJS.Timeout | null = null;
  #keepAlive: NodeJS.Timeout | null = null;
  #lastFrameAtMs = 0;
  #openedAtMs = 0;
  #attempt = 0;
  #closed = false;

  constructor(options: SocketLinkOptions) {
    this.#options = options;
  }

  isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  send(text: string): void {
    if (this.isOpen()) this.#socket?.send(text);
  }

  connect(): void {
    const socket = new WebSocket(this.#options.url, {
      // Inflating costs 65-127 us a frame, in any client (performance 1d).
      perMessageDeflate: false,
      maxPayload: maxFrameBytes,
      handshakeTimeout: this.#options.timings.handshakeLimitMs,
    });
    this.#socket = socket;
    let failure: { readonly detail: string; readonly loss: LinkLoss } | null = null;
    socket.on("open", () => this.#opened(socket));
    socket.on("message", (data: Buffer, isBinary: boolean) => {
      // A connection that was given up may still deliver what it had buffered: another epoch's frames.
      if (this.#socket !== socket) return;
      this.#lastFrameAtMs = performance.now();
      if (isBinary) this.#options.onBinary();
      else this.#options.onText(data);
    });
    // Protocol pings count as life too; `ws` answers them itself.
    socket.on("ping", () => (this.#lastFrameAtMs = performance.now()));
    socket.on("error", (error) => {
      const isTooLarge = "code" in error && error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH";
      failure = { detail: error.message, loss: isTooLarge ? "too_large" : "error" };
    });
    socket.on("close", (code, reason) => {
      if (this.#socket !== socket) return;
      const detail = `closed ${code} ${reason.toString("utf8")}`.trim();
      if (failure !== null) this.#lost(failure.detail, failure.loss);
      else this.#lost(detail, code === slowConsumerCode ? "slow_consumer" : "closed");
    });
  }

  #opened(socket: WebSocket): void {
    this.#openedAtMs = performance.now();
    this.#lastFrameAtMs = this.#openedAtMs;
    this.#keepAlive = setInterval(() => this.#beat(socket), this.#options.timings.pingEveryMs);
    this.#options.onOpen((text) => socket.send(text));
  }

  #beat(socket: WebSocket): void {
    const { silenceLimitMs } = this.#options.timings;
    if (performance.now() - this.#lastFrameAtMs > silenceLimitMs) {
      this.#lost(`silent for ${silenceLimitMs} ms`, "dead");
      socket.terminate();
    } else if (socket.readyState === WebSocket.OPEN) socket.send("PING");
  }

  reset(detail: string): void {
    const socket = this.#socket;
    if (socket === null || !this.isOpen()) return;
    this.#lost(detail, "given_up");
    socket.terminate();
  }

  #lost(detail: string, loss: LinkLoss): void {
    const wasOpen = this.#keepAlive !== null;
    this.#stopTimers();
    this.#socket = null;
    if (this.#closed) return;
    const { timings } = this.#options;
    const livedMs = performance.now() - this.#openedAtMs;
    if (wasOpen && livedMs > timings.steadyAfterMs) this.#attempt = 0;
    const retryMs = backOffMs(this.#attempt++, timings);
    this.#timer = setTimeout(() => this.connect(), retryMs);
    if (wasOpen) this.#options.onLost({ detail, loss, retryMs });
  }

  #stopTimers(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#keepAlive !== null) clearInterval(this.#keepAlive);
    this.#timer = null;
    this.#keepAlive = null;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopTimers();
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null || socket.readyState === WebSocket.CLOSED) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => socket.terminate(), closeLimitMs);
      socket.once("close", () => {
        clearTimeout(timer);
        resolve();
      });
      if (socket.readyState === WebSocket.CONNECTING) socket.terminate();
      else socket.close(1000);
    });
  }
}
