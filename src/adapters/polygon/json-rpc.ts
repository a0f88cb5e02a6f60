import type { Denial } from "../../engine/domain/reasons.ts";
import { AdapterError } from "../../engine/lib/errors.ts";
import { JsonHttp } from "./json-http.ts";

/** What the node itself said no to. */
export class RpcError extends AdapterError {
  override readonly name = "RpcError";
}

/** JSON-RPC over HTTP, one call a request. */
export class JsonRpc {
  readonly #http: JsonHttp;
  #id = 0;

  constructor(url: string, totalMs: number) {
    this.#http = new JsonHttp(url, totalMs);
  }

  /** @throws RpcError when the node refuses, JsonHttpError or ClosedGateError when nothing complete came back. */
  async call(
    method: string,
    params: readonly unknown[],
    gate?: () => Denial | null,
  ): Promise<unknown> {
    this.#id++;
    const body = JSON.stringify({ jsonrpc: "2.0", id: this.#id, method, params });
    const answer = await this.#http.request({
      method: "POST",
      path: "",
      body,
      ...(gate === undefined ? {} : { gate }),
    });
    return resultOf(method, answer.status, answer.body);
  }

  close(): Promise<void> {
    return this.#http.close();
  }
}

function resultOf(method: string, status: number, body: string): unknown {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    parsed = null;
  }
  if (typeof parsed !== "object" || parsed === null) throw garbled(method, status);
  const { result, error } = parsed as { result?: unknown; error?: unknown };
  if (typeof error === "object" && error !== null) {
    const text = "message" in error && typeof error.message === "string" ? error.message : "";
    throw new RpcError("RPC_REFUSED", text.replaceAll(/\s+/g, " ").slice(0, 300), {
      outcome: "rejected",
      retryable: false,
    });
  }
  if (result === undefined) throw garbled(method, status);
  return result;
}

function garbled(method: string, status: number): AdapterError {
  return new AdapterError("RPC_GARBLED", `${method}: HTTP ${status} without a result`, {
    outcome: "unknown",
    retryable: false,
  });
}
