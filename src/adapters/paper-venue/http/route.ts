import type { Headers } from "../exchange/credentials.ts";
import { VenueError } from "../exchange/venue-error.ts";

/** One HTTP request after its body was read whole. `path` has no query. */
export type HttpRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: string;
  readonly header: Headers;
};

export type HttpReply = {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

/** `params` are the groups of a pattern route, decoded. */
export type Handler = (request: HttpRequest, params: readonly string[]) => HttpReply;

export type Route = {
  readonly method: "GET" | "POST" | "DELETE";
  /** A path, with `:name` for one segment. */
  readonly path: string;
  readonly handle: Handler;
};

export function reply(body: unknown, status = 200): HttpReply {
  return { status, body };
}

/** The request's JSON; throws 400 with the venue's text when it is none. */
export function jsonBody(request: HttpRequest): unknown {
  try {
    return JSON.parse(request.body) as unknown;
  } catch {
    throw new VenueError(400, "Invalid payload");
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The request's JSON object; an empty body is an empty object. */
export function jsonObject(request: HttpRequest): Record<string, unknown> {
  const value = request.body === "" ? {} : jsonBody(request);
  if (!isRecord(value)) throw new VenueError(400, "Invalid payload");
  return value;
}

type Compiled = { readonly route: Route; readonly pattern: RegExp };

/** Finds the handler of a method and path. */
export class Router {
  readonly #exact = new Map<string, Route>();
  readonly #patterns: Compiled[] = [];

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      if (!route.path.includes(":")) {
        this.#exact.set(`${route.method} ${route.path}`, route);
        continue;
      }
      const source = route.path.replaceAll(/:\w+/g, "([^/]+)");
      this.#patterns.push({ route, pattern: new RegExp(`^${source}$`) });
    }
  }

  find(method: string, path: string): ((request: HttpRequest) => HttpReply) | null {
    const exact = this.#exact.get(`${method} ${path}`);
    if (exact !== undefined) return (request) => exact.handle(request, []);
    for (const { route, pattern } of this.#patterns) {
      if (route.method !== method) continue;
      const match = pattern.exec(path);
      if (match === null) continue;
      const params = match.slice(1).map((part) => decodeURIComponent(part));
      return (request) => route.handle(request, params);
    }
    return null;
  }
}
