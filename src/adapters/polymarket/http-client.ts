import { type Dispatcher, Pool } from "undici";
import { AdapterError } from "../../engine/lib/errors.ts";

/** How long each stage of a request may take, in milliseconds. */
export type HttpTimeouts = {
  readonly connectMs: number;
  /** From the request's first byte to the answer's headers. */
  readonly headersMs: number;
  /** Between two pieces of the answer's body. */
  readonly bodyMs: number;
  /** The whole call, waiting for a connection included. */
  readonly totalMs: number;
};

export type HttpRequest = {
  readonly method: "GET" | "POST" | "DELETE";
  /** Path below the base URL, without query. */
  readonly path: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Bytes of the answer's body that are accepted. */
  readonly maxBytes: number;
  /**
   * Asked synchronously when a connection is ready and no byte of the request has been written. A reason aborts the
   * request; null lets the first byte go.
   */
  readonly gate?: () => Error | null;
};

export type HttpAnswer = {
  readonly status: number;
  readonly body: string;
  readonly retryAfter: string | null;
};

/** A call without a complete answer. `not_sent`: no byte was written. `unknown`: some may have been. */
export class HttpError extends AdapterError {
  override readonly name = "HttpError";
}

/** The gate said no; nothing was written. */
export class GateClosedError extends AdapterError {
  override readonly name = "GateClosedError";
}

/** The refusal that a gate's reason becomes. */
export function gateClosed(denied: Error): GateClosedError {
  return new GateClosedError("GATE_CLOSED", "the gate closed before the first byte", {
    outcome: "not_sent",
    retryable: false,
    cause: denied,
  });
}

export type HttpClient = {
  /** One request, once: nothing is ever sent again by this client. @throws HttpError, GateClosedError */
  request(request: HttpRequest): Promise<HttpAnswer>;
  close(): Promise<void>;
};

export type HttpClientOptions = {
  /** May carry a path in front of all paths. */
  readonly baseUrl: string;
  readonly timeouts: HttpTimeouts;
  /** Parallel connections; requests beyond wait their turn inside their total time. */
  readonly connections: number;
};

const keepAliveMs = 30_000;

/** A keep-alive pool of HTTP/1.1 connections to one host. One request a connection at a time: no pipelining. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const base = new URL(options.baseUrl);
  const prefix = base.pathname.replace(/\/+$/, "");
  const { timeouts } = options;
  const pool = new Pool(base.origin, {
    connections: options.connections,
    pipelining: 1,
    allowH2: false,
    connect: { timeout: timeouts.connectMs },
    headersTimeout: timeouts.headersMs,
    bodyTimeout: timeouts.bodyMs,
    keepAliveTimeout: keepAliveMs,
  });
  return {
    request: (request) =>
      new Promise((resolve, reject) => {
        const call = new Call(request, resolve, reject);
        call.expireAfter(timeouts.totalMs);
        try {
          pool.dispatch(dispatchOptions(request, prefix), call);
        } catch (cause) {
          // A path or header that undici refuses to send.
          call.onResponseError(null, cause as Error);
        }
      }),
    close: () => pool.destroy(),
  };
}

function dispatchOptions(request: HttpRequest, prefix: string): Dispatcher.DispatchOptions {
  const query = request.query === undefined || request.query === "" ? "" : `?${request.query}`;
  const headers: Record<string, string> = { accept: "application/json", ...request.headers };
  if (request.body !== undefined) headers["content-type"] = "application/json";
  return {
    method: request.method,
    path: `${prefix}${request.path}${query}`,
    headers,
    body: request.body ?? null,
    // The engine decides about repetition; a read is no exception on this level.
    idempotent: false,
  };
}

/** One exchange: collects the answer and knows whether a byte can have left. */
class Call implements Dispatcher.DispatchHandler {
  readonly #request: HttpRequest;
  readonly #resolve: (answer: HttpAnswer) => void;
  readonly #reject: (error: AdapterError) => void;
  readonly #chunks: Buffer[] = [];
  #controller: Dispatcher.DispatchController | null = null;
  #timer: NodeJS.Timeout | null = null;
  #started = false;
  #settled = false;
  #bytes = 0;
  #status = 0;
  #retryAfter: string | null = null;

  constructor(
    request: HttpRequest,
    resolve: (answer: HttpAnswer) => void,
    reject: (error: AdapterError) => void,
  ) {
    this.#request = request;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  expireAfter(totalMs: number): void {
    this.#timer = setTimeout(() => this.#fail("TIMEOUT", `no answer in ${totalMs} ms`), totalMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Given up while it waited for a connection, or started twice: no byte may leave.
    if (this.#settled || this.#started) {
      controller.abort(notSent("ABORTED", "given up before it was sent"));
      return;
    }
    const denied = this.#request.gate?.() ?? null;
    if (denied !== null) {
      const error = gateClosed(denied);
      this.#settle(() => this.#reject(error));
      controller.abort(error);
      return;
    }
    this.#started = true;
    this.#controller = controller;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.#status = status;
    const retryAfter = headers["retry-after"];
    this.#retryAfter = typeof retryAfter === "string" ? retryAfter : null;
    if (headers["content-encoding"] !== undefined && headers["content-encoding"] !== "identity") {
      this.#fail("ENCODED", "an encoded body was not asked for");
    }
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#settled) return;
    this.#bytes += chunk.length;
    if (this.#bytes > this.#request.maxBytes) {
      this.#fail("TOO_LARGE", `an answer of more than ${this.#request.maxBytes} bytes`);
      return;
    }
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    const answer: HttpAnswer = {
      status: this.#status,
      body: Buffer.concat(this.#chunks).toString("utf8"),
      retryAfter: this.#retryAfter,
    };
    this.#settle(() => this.#resolve(answer));
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, cause: Error): void {
    const code = "code" in cause && typeof cause.code === "string" ? cause.code : cause.name;
    this.#fail(code, `${this.#request.method} ${this.#request.path} failed (${code})`);
  }

  #fail(code: string, message: string): void {
    const error = this.#started
      ? new HttpError(code, message, { outcome: "unknown", retryable: false })
      : notSent(code, message);
    this.#settle(() => this.#reject(error));
    this.#controller?.abort(error);
  }

  #settle(finish: () => void): void {
    if (this.#settled) return;
    this.#settled = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    finish();
  }
}

function notSent(code: string, message: string): HttpError {
  return new HttpError(code, message, { outcome: "not_sent", retryable: true });
}
