import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { PaperVenueError, VenueError } from "../exchange/venue-error.ts";
import type { Clock } from "../exchange/venue-state.ts";
import type { Faults, HttpFault } from "./faults.ts";
import type { LoggedRequest, RequestLog } from "./request-log.ts";
import type { HttpReply, HttpRequest } from "./route.ts";
import { reply } from "./route.ts";

const MAX_BODY_BYTES = 1024 * 1024;
const HOST = "127.0.0.1";
const GARBAGE = "<html><head><title>502 Bad Gateway</title></head><body>cloudflare</body></html>";

/** Answers a parsed request; throws VenueError for refusals. */
export type Answer = (request: HttpRequest) => HttpReply;

export type HttpServerParts = {
  readonly clock: Clock;
  readonly faults: Faults;
  readonly log: RequestLog;
  readonly answer: Answer;
  /** Told of what a handler threw besides refusals: a bug. */
  readonly onError: (error: unknown) => void;
};

/** Reads a body whole; null when it is larger than the bound. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function send(response: ServerResponse, answer: HttpReply, cutShort: boolean): void {
  const text = JSON.stringify(answer.body);
  response.writeHead(answer.status, {
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(text)),
    ...answer.headers,
  });
  if (!cutShort) {
    response.end(text);
    return;
  }
  response.write(text.slice(0, Math.floor(text.length / 2)), () => response.destroy());
}

/** One HTTP server on loopback: logs, applies scripted faults, answers JSON. */
export class HttpServer {
  readonly #server: Server;
  readonly #parts: HttpServerParts;
  readonly #closing = new AbortController();

  constructor(parts: HttpServerParts) {
    this.#parts = parts;
    this.#server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
      this.#handle(request, response).catch(() => response.destroy());
    });
  }

  get server(): Server {
    return this.#server;
  }

  /** Listens on 127.0.0.1; port 0 picks a free one. */
  async listen(port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, HOST, resolve);
    });
    const address = this.#server.address();
    if (address === null || typeof address === "string") {
      throw new PaperVenueError("the server has no port");
    }
    return address.port;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", `http://${HOST}`);
    const method = request.method ?? "GET";
    const { clock, log, faults } = this.#parts;
    const logged = log.received(method, url.pathname, clock());
    const body = await readBody(request);
    if (body === null) {
      logged.status = 413;
      send(response, reply({ error: "payload too large" }, 413), false);
      return;
    }
    logged.bodyBytes = Buffer.byteLength(body);
    const header = (name: string): string | undefined => {
      const value = request.headers[name];
      return Array.isArray(value) ? value[0] : value;
    };
    const parsed = { method, path: url.pathname, query: url.searchParams, body, header };
    const controls = url.pathname.startsWith("/paper/");
    const fault = controls ? null : faults.take(method, url.pathname);
    await this.#answer(parsed, response, logged, fault);
  }

  async #answer(
    request: HttpRequest,
    response: ServerResponse,
    logged: LoggedRequest,
    fault: HttpFault | null,
  ): Promise<void> {
    if (fault?.name === "drop-before") {
      response.destroy();
      return;
    }
    if (fault?.name === "status") {
      logged.status = fault.code;
      send(response, { status: fault.code, body: fault.body, headers: fault.headers }, false);
      return;
    }
    if (fault?.name === "delay") await this.#wait(fault.delayMs);
    const answer = this.#process(request);
    if (fault?.name === "drop-after") {
      response.destroy();
      return;
    }
    if (fault?.name === "delay-answer") await this.#wait(fault.delayMs);
    logged.status = answer.status;
    if (fault?.name === "garbage") {
      logged.status = fault.code;
      response.writeHead(fault.code, { "content-type": "text/html" }).end(GARBAGE);
      return;
    }
    send(response, answer, fault?.name === "truncate");
  }

  #process(request: HttpRequest): HttpReply {
    try {
      return this.#parts.answer(request);
    } catch (error) {
      if (error instanceof VenueError) return reply(error.body, error.status);
      this.#parts.onError(error);
      return reply({ error: "Internal server error" }, 500);
    }
  }

  async #wait(delayMs: number): Promise<void> {
    // Unreferenced and aborted on close, so that a scripted delay never keeps the process alive.
    await wait(delayMs, undefined, { ref: false, signal: this.#closing.signal });
  }
}
