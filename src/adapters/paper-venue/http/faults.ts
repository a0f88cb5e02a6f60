import { badRequest } from "../exchange/venue-error.ts";

/** Scripted faults of the HTTP side, matched per request. */
export const httpFaults = [
  "status",
  "drop-before",
  "drop-after",
  "delay",
  "delay-answer",
  "garbage",
  "truncate",
] as const;

export type HttpFaultName = (typeof httpFaults)[number];

export type HttpFault = {
  readonly name: HttpFaultName;
  readonly method: RegExp;
  readonly path: RegExp;
  /** Answer of `status` and `garbage`. */
  readonly code: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
  /** Wait of `delay` and `delay-answer`. */
  readonly delayMs: number;
  skip: number;
  left: number;
};

/** Bounds of the fault script. */
const MAX_FAULTS = 100;
const MAX_TIMES = 1_000_000;
const MAX_DELAY_MS = 600_000;

/** Reads a whole number of a control request; throws 400 outside of zero to `max`. */
export function boundedInt(value: unknown, fallback: number, max: number): number {
  if (value === undefined) return fallback;
  const number = typeof value === "string" ? Number(value) : value;
  if (typeof number !== "number" || !Number.isInteger(number) || number < 0 || number > max) {
    throw badRequest(`not a whole number up to ${max}: ${JSON.stringify(value)}`);
  }
  return number;
}

/** Compiles a pattern of a control request; throws 400 when it is none. */
export function pattern(value: unknown, fallback: string): RegExp {
  try {
    return new RegExp(typeof value === "string" ? value : fallback, "u");
  } catch {
    throw badRequest(`not a regular expression: ${JSON.stringify(value)}`);
  }
}

/** Headers as an object, or as one "Name: value" line. */
function headersOf(value: unknown): Record<string, string> {
  if (typeof value === "string") {
    const [name = "", ...rest] = value.split(":");
    return name === "" ? {} : { [name.trim()]: rest.join(":").trim() };
  }
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([name, text]) => [name, String(text)]));
}

/** A body as JSON, as JSON in a string, or as the bare text of an error. */
function bodyOf(value: unknown): unknown {
  if (value === undefined) return { error: "Internal server error" };
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return { error: value };
  }
}

export function isHttpFault(name: unknown): name is HttpFaultName {
  return (httpFaults as readonly unknown[]).includes(name);
}

/** The fault script of the HTTP side: the first fault that matches a request is used up by it. */
export class Faults {
  #faults: HttpFault[] = [];

  add(name: HttpFaultName, params: Readonly<Record<string, unknown>>): void {
    if (this.#faults.length >= MAX_FAULTS) throw badRequest("too many faults");
    this.#faults.push({
      name,
      method: pattern(params.method, ".*"),
      path: pattern(params.path, ".*"),
      code: boundedInt(params.code, name === "garbage" ? 200 : 500, 599),
      body: bodyOf(params.body),
      headers: headersOf(params.headers),
      delayMs: boundedInt(params.ms, 1000, MAX_DELAY_MS),
      skip: boundedInt(params.after, 0, MAX_TIMES),
      left: boundedInt(params.times, 1, MAX_TIMES),
    });
  }

  clear(): void {
    this.#faults = [];
  }

  take(method: string, path: string): HttpFault | null {
    for (const fault of this.#faults) {
      if (!fault.method.test(method) || !fault.path.test(path)) continue;
      if (fault.skip > 0) {
        fault.skip -= 1;
        continue;
      }
      fault.left -= 1;
      if (fault.left <= 0) this.#faults = this.#faults.filter((other) => other !== fault);
      return fault;
    }
    return null;
  }
}
