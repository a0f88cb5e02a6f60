import { once } from "node:events";
import type { AddressInfo } from "node:net";
import WebSocket, { WebSocketServer } from "ws";

/** Takes a frame of the venue and gives what the client gets instead, in order. */
export type Tamper = (frame: string) => readonly string[];

export function isPriceChange(frame: string): boolean {
  return frame.includes('"price_changes"');
}

const untouched: Tamper = (frame) => [frame];

/** Stands between a desk and the venue's sockets; spoils what passes on the market channel and notes what is asked there. */
export class TamperingProxy {
  tamper: Tamper = untouched;
  /** What the client sent on the market channel, PINGs left out, oldest first. */
  readonly asked: string[] = [];
  /** Price changes that the venue sent so far. */
  changesSeen = 0;
  readonly #server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
  readonly #upstream: string;
  #client: WebSocket | null = null;

  constructor(upstream: string) {
    this.#upstream = upstream;
  }

  /** Base of the sockets for the feed. */
  async listen(): Promise<string> {
    this.#server.on("connection", (client, request) => {
      this.#carry(client, request.url?.endsWith("/user") === true ? "user" : "market");
    });
    await once(this.#server, "listening");
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/ws`;
  }

  /** Says something as the venue would. */
  inject(frame: string): void {
    this.#client?.send(frame);
  }

  honest(): void {
    this.tamper = untouched;
  }

  async close(): Promise<void> {
    for (const client of this.#server.clients) client.terminate();
    this.#server.close();
    await once(this.#server, "close");
  }

  #carry(client: WebSocket, channel: "market" | "user"): void {
    if (channel === "market") this.#client = client;
    const venue = new WebSocket(`${this.#upstream}/${channel}`, { perMessageDeflate: false });
    const early: string[] = [];
    client.on("message", (data: Buffer) => {
      if (channel === "market" && data.toString() !== "PING") this.asked.push(data.toString());
      if (venue.readyState === WebSocket.OPEN) venue.send(data.toString());
      else early.push(data.toString());
    });
    venue.on("open", () => {
      for (const text of early) venue.send(text);
    });
    venue.on("message", (data: Buffer) => {
      const frame = data.toString();
      const passed = channel === "market" ? this.tamper(frame) : [frame];
      for (const text of passed) client.send(text);
      if (isPriceChange(frame)) this.changesSeen++;
    });
    venue.on("error", () => client.terminate());
    venue.on("close", () => client.terminate());
    client.on("close", () => venue.terminate());
  }
}
