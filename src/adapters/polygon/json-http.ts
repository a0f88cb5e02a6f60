import { type Dispatcher, Pool } from "undici";
import type { Denial } from "../../engine/domain/reasons.ts";
import { AdapterError } from "../../engine/lib/errors.ts";

export type JsonRequest = {
  readonly method: "GET" | "POST";
  /** Below the base URL, with its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Asked when a connection is ready and no byte is written; a denial sends nothing. */
  readonly gate?: () => Denial | null;
};

export type JsonAnswer = { readonly status: number; readonly body: string };

/** The gate said no; nothing was written. */
export class ClosedGateError extends AdapterError {
  override readonly name = "ClosedGateError";
  readonly denial: Denial;

  constructor(denial: Denial) {
    super("GATE_CLOSED", "the gate closed before the first byte", {
      outcome: "not_sent",
      retryable: false,
    });
    this.denial = denial;
  }
}

/** A call without a complete answer. */
export class JsonHttpError extends AdapterError {
  override readonly name = "JsonHttpError";
}

const maxBytes = 4_000_000;

/** One request, once, over a few kept connections; nothing is ever sent again by itself. */
export class JsonHttp {
  readonly #pool: Pool;
  readonly #prefix: string;
  readonly #totalMs: number;

  constructor(baseUrl: string, totalMs: number) {
    const base = new URL(baseUrl);
    this.#prefix = base.pathname.replace(/\/+$/, "");
    this.#totalMs = totalMs;
    this.#pool = new Pool(base.origin, {
      connections: 2,
      pipelining: 1,
      allowH2: false,
      connect: { timeout: totalMs },
    });
  }

  /** @throws ClosedGateError, JsonHttpError */
  request(request: JsonRequest): Promise<JsonAnswer> {
    return new Promise((resolve, reject) => {
      const call = new Call(request, resolve, reject, this.#totalMs);
      try {
        this.#pool.dispatch(
          {
            method: request.method,
            path: `${this.#prefix}${request.path}` || "/",
            headers: {
              accept: "application/json",
              ...(request.body === undefined ? {} : { "content-type": "application/json" }),
              ...request.headers,
            },
            body: request.body ?? null,
            idempotent: false,
          },
          call,
        );
      } catch (cause) {
        call.onResponseError(null, cause as Error);
      }
    });
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }
}

/** Collects one answer and knows whether a byte can have left. */
class Call implements Dispatcher.DispatchHandler {
  readonly #request: JsonRequest;
  readonly #resolve: (answer: JsonAnswer) => void;
  readonly #reject: (error: AdapterError) => void;
  readonly #timer: NodeJS.Timeout;
  readonly #chunks: Buffer[] = [];
  #controller: Dispatcher.DispatchController | null = null;
  #started = false;
  #settled = false;
  #bytes = 0;
  #status = 0;

  constructor(
    request: JsonRequest,
    resolve: (answer: JsonAnswer) => void,
    reject: (error: AdapterError) => void,
    totalMs: number,
  ) {
    this.#request = request;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#timer = setTimeout(() => this.#fail("TIMEOUT"), totalMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#settled || this.#started) {
      controller.abort(new JsonHttpError("ABORTED", "given up", notSent));
      return;
    }
    const denial = this.#request.gate?.() ?? null;
    if (denial !== null) {
      const error = new ClosedGateError(denial);
      this.#settle(() => this.#reject(error));
      controller.abort(error);
      return;
    }
    this.#started = true;
    this.#controller = controller;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.#status = status;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > maxBytes) this.#fail("TOO_LARGE");
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    const body = Buffer.concat(this.#chunks).toString("utf8");
    this.#settle(() => this.#resolve({ status: this.#status, body }));
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, cause: Error): void {
    this.#fail("code" in cause && typeof cause.code === "string" ? cause.code : cause.name);
  }

  #fail(code: string): void {
    const path = this.#request.path.split("?")[0] ?? "";
    const outcome = this.#started ? ({ outcome: "unknown", retryable: false } as const) : notSent;
    const error = new JsonHttpError(code, `${this.#request.method} ${path} (${code})`, outcome);
    this.#settle(() => this.#reject(error));
    this.#controller?.abort(error);
  }

  #settle(finish: () => void): void {
    if (this.#settled) return;
    this.#settled = true;
    clearTimeout(this.#timer);
    finish();
  }
}

const notSent = { outcome: "not_sent", retryable: true } as const;
