import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { AdapterError } from "../../engine/lib/errors.ts";

export type MetricsServer = { readonly url: string; readonly close: () => Promise<void> };

/** Why the metrics page is not served. */
export class MetricsError extends AdapterError {
  override readonly name = "MetricsError";

  constructor(message: string, cause?: unknown) {
    super("metrics_failed", message, { outcome: "not_sent", retryable: false, cause });
  }
}

const loopbackHosts: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "::1"]);
/** Scrapers ask some times a minute; more at once is a mistake. */
const maxConnections = 8;
const requestLimitMs = 5_000;

/** True for an address that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return loopbackHosts.has(host.replace(/^\[|\]$/gu, ""));
}

/** Splits "127.0.0.1:9464"; null when it is no such thing. */
export function listenOf(text: string): { readonly host: string; readonly port: number } | null {
  const match = /^(.+):(\d{1,5})$/u.exec(text);
  const port = Number(match?.[2]);
  return match === null || port > 65_535 ? null : { host: match[1] ?? "", port };
}

/** Serves GET /metrics on loopback and nothing else. Rejects with MetricsError for another host or a taken port. */
export async function serveMetrics(
  listen: string,
  page: () => Promise<string>,
  contentType: string,
): Promise<MetricsServer> {
  const place = listenOf(listen);
  if (place === null || !isLoopback(place.host)) {
    throw new MetricsError(
      `the metrics page is served on this machine alone, not on ${listen}: write 127.0.0.1:PORT and put a proxy with a password in front of it`,
    );
  }
  const server = createServer((request, response) => {
    void answer(request, response, page, contentType);
  });
  server.maxConnections = maxConnections;
  server.requestTimeout = requestLimitMs;
  server.listen(place.port, place.host.replace(/^\[|\]$/gu, ""));
  try {
    await once(server, "listening");
  } catch (error) {
    throw new MetricsError(`cannot listen on ${listen}: choose another port`, error);
  }
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : place.port;
  return {
    url: `http://${place.host}:${port}/metrics`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  page: () => Promise<string>,
  contentType: string,
): Promise<void> {
  const reply = (status: number, type: string, body: string) => {
    response.writeHead(status, { "content-type": type });
    response.end(body);
  };
  // A page in a browser on this machine may send requests here under a name of its own.
  const host = (request.headers.host ?? "").replace(/:\d+$/u, "");
  if (!isLoopback(host)) return reply(403, "text/plain", "only under a name of this machine\n");
  const path = (request.url ?? "").split("?")[0];
  if (path !== "/metrics") return reply(404, "text/plain", "the page is /metrics\n");
  if (request.method !== "GET") return reply(405, "text/plain", "only GET\n");
  try {
    return reply(200, contentType, await page());
  } catch {
    return reply(503, "text/plain", "the figures could not be read\n");
  }
}
