// Scripted faults: each is used up by the calls that it matches.
import { ApiRefusal, EmulatorUseError, forbidden, tooManyRequests } from "./emulator-refusal.ts";

const faultsMax = 100;

/** What a fault does: answers without processing, drops the connection, or answers late. */
export const faultNames = [
  "status",
  "too-many-requests",
  "blocked",
  "unauthorized",
  "drop-before",
  "drop-after",
  "hang",
  "delay-answer",
  "garbage",
  "redeliver",
] as const;
export type FaultName = (typeof faultNames)[number];

export interface Fault {
  readonly name: FaultName;
  /** Method that it hits; without one, every method except getUpdates. */
  readonly method?: string;
  readonly chat?: number;
  /** For `status`: HTTP status and `error_code`, 500 if absent. */
  readonly code?: number;
  readonly description?: string;
  readonly retryAfterS?: number;
  /** How many calls it hits, 1 if absent. */
  readonly times?: number;
  /** For `hang` (before processing) and `delay-answer` (after it). */
  readonly hangMs?: number;
}

interface ArmedFault extends Fault {
  left: number;
}

export class FaultList {
  #armed: ArmedFault[] = [];

  add(fault: Fault): void {
    if (this.#armed.length >= faultsMax) throw new EmulatorUseError("too many faults are armed");
    this.#armed.push({ ...fault, left: fault.times ?? 1 });
  }

  clear(): void {
    this.#armed = [];
  }

  /** The fault that hits this call, used up once. */
  take(method: string, chatId: number | undefined): Fault | null {
    return this.#use((fault) => {
      if (fault.name === "redeliver") return false;
      const hitsMethod =
        fault.method === undefined
          ? method !== "getupdates"
          : fault.method.toLowerCase() === method;
      return hitsMethod && (fault.chat === undefined || fault.chat === chatId);
    });
  }

  /** Whether a delivered update must be delivered again. */
  takeRedelivery(): boolean {
    return this.#use((fault) => fault.name === "redeliver") !== null;
  }

  #use(hits: (fault: Fault) => boolean): Fault | null {
    const found = this.#armed.find(hits);
    if (found === undefined) return null;
    found.left -= 1;
    this.#armed = this.#armed.filter((fault) => fault.left > 0);
    return found;
  }
}

/** The refusal that a fault answers instead of processing, or null when it processes the call. */
export function refusalOf(fault: Fault): ApiRefusal | null {
  switch (fault.name) {
    case "status":
      return statusRefusal(fault.code ?? 500, fault);
    case "too-many-requests":
      return tooManyRequests(fault.retryAfterS ?? 1);
    case "blocked":
      return forbidden("bot was blocked by the user");
    case "unauthorized":
      return new ApiRefusal(401, "Unauthorized");
    case "drop-before":
    case "drop-after":
    case "hang":
    case "delay-answer":
    case "garbage":
    case "redeliver":
      return null;
  }
}

const statusTexts: Readonly<Record<number, string>> = {
  400: "Bad Request: chat not found",
  401: "Unauthorized",
  403: "Forbidden: bot was blocked by the user",
  404: "Not Found",
  409: "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

function statusRefusal(code: number, fault: Fault): ApiRefusal {
  if (code === 429) return tooManyRequests(fault.retryAfterS ?? 1);
  return new ApiRefusal(code, fault.description ?? statusTexts[code] ?? `Error ${code}`);
}

/** Reads `name` and `k=v` pairs of a script; throws `EmulatorUseError` naming what is unknown. */
export function readFault(name: string, params: Readonly<Record<string, unknown>>): Fault {
  const known = faultNames.find((one) => one === name);
  if (known === undefined) {
    throw new EmulatorUseError(`unknown chat fault "${name}", known: ${faultNames.join(", ")}`);
  }
  const spellings: Readonly<Record<string, string>> = {
    retry_after: "retryAfterS",
    hang_ms: "hangMs",
    ms: "hangMs",
  };
  const numbers = new Set(["chat", "code", "retryAfterS", "times", "hangMs"]);
  const fields: Record<string, unknown> = {};
  for (const [given, value] of Object.entries(params)) {
    const key = spellings[given] ?? given;
    const fits = numbers.has(key)
      ? typeof value === "number"
      : (key === "method" || key === "description") && typeof value === "string";
    if (!fits) throw new EmulatorUseError(`chat fault: bad parameter ${given}=${String(value)}`);
    fields[key] = value;
  }
  return { ...(fields as Partial<Fault>), name: known };
}
