import { randomInt } from "node:crypto";
import { AdapterError } from "../../engine/lib/errors.ts";
import { type ApiCredentials, keyHeaders, type RequestToSign, walletHeaders } from "./auth.ts";
import {
  createHttpClient,
  gateClosed,
  type HttpAnswer,
  type HttpClient,
  type HttpRequest,
  type HttpTimeouts,
} from "./http-client.ts";
import type { OrderSigner } from "./signing.ts";
import { spareConnections } from "./spare-connections.ts";
import { fieldsOf, freeText, jsonOf, textOf } from "./wire.ts";

/** Largest answers that are read, in bytes. */
export const answerLimit = 1024 * 1024;
export const bookLimit = 8 * 1024 * 1024;

/** Connections for orders (one order each: no order waits behind another) and for everything else. */
const orderConnections = 16;
const readConnections = 8;

/** Repetitions of a read after a failure, and the pause before each (jittered). */
const readRetries = 2;
const retryPauseMs = 150;

export type ClobClientOptions = {
  readonly baseUrl: string;
  readonly signer: OrderSigner;
  readonly timeouts: HttpTimeouts;
  readonly credentials: ApiCredentials | null;
  /** True in a dry run: nothing but reads and the proof of the wallet leaves this client. */
  readonly readOnly?: boolean;
  /** Told of every key that was derived or created, so that it is hidden and kept. */
  readonly onCredentials?: (credentials: ApiCredentials) => void;
};

export type PublicRead = {
  readonly path: string;
  readonly query?: string;
  readonly maxBytes?: number;
};

export type PrivateCall = {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly query?: string;
  readonly body?: string;
  readonly gate?: () => Error | null;
};

/** One reading of the venue's clock: its time now, how far that is ahead of the machine's, and what the reading cost. */
export type ClockReading = {
  readonly venueMs: number;
  readonly offsetMs: number;
  readonly roundTripMs: number;
};

/** The CLOB's REST interface: connections, authentication, time limits. Knows no meaning of answers. */
export type ClobClient = {
  readonly readOnly: boolean;
  readonly credentials: () => ApiCredentials | null;
  /** Milliseconds that the venue's clock is ahead of ours; measured by `measureClock`. */
  readonly clockOffsetMs: () => number;
  /** GET without authentication, repeated at most twice after failures. */
  readonly read: (read: PublicRead) => Promise<HttpAnswer>;
  /**
   * One authenticated call on the connections for cancels and reads; GETs are repeated at most twice. A refused key is
   * derived again, once in the life of this client, and the call repeated: a 401 proves that nothing was done.
   */
  readonly call: (call: PrivateCall) => Promise<HttpAnswer>;
  /** One authenticated call on the connections for orders, once. */
  readonly sendOrder: (call: PrivateCall) => Promise<HttpAnswer>;
  readonly measureClock: () => Promise<ClockReading>;
  /** Derives the API key of the signer, or creates it when there is none yet. @throws AdapterError */
  readonly obtainCredentials: () => Promise<ApiCredentials>;
  /** Opens connections for orders ahead, so that none has to be opened when it matters, until `close`. */
  readonly openSpares: () => void;
  readonly close: () => Promise<void>;
};

export function createClobClient(options: ClobClientOptions): ClobClient {
  const { baseUrl, signer, timeouts } = options;
  const orders = createHttpClient({ baseUrl, timeouts, connections: orderConnections });
  const spares = spareConnections(orders);
  const reads = createHttpClient({ baseUrl, timeouts, connections: readConnections });
  let credentials = options.credentials;
  let offsetMs = 0;
  let hasRederived = false;

  const nowS = () => String(Math.floor((Date.now() + offsetMs) / 1_000));

  function headersFor(request: RequestToSign): Record<string, string> {
    if (credentials === null) throw notConnected();
    return keyHeaders(signer.signer, credentials, nowS(), request);
  }

  async function send(http: HttpClient, call: PrivateCall): Promise<HttpAnswer> {
    if (options.readOnly === true && call.method !== "GET") throw refusedByDryRun(call);
    const body = call.body ?? null;
    return http.request({
      ...call,
      headers: headersFor({ method: call.method, path: call.path, body }),
      maxBytes: answerLimit,
    });
  }

  async function measureClock(): Promise<ClockReading> {
    const reading = await readClock(reads);
    offsetMs = reading.offsetMs;
    return reading;
  }

  async function authenticate(method: "GET" | "POST", path: string): Promise<HttpAnswer> {
    const timestampS = nowS();
    const signature = signer.signAuth(timestampS, 0);
    const headers = walletHeaders(signer.signer, signature, timestampS, 0);
    return reads.request({ method, path, headers, maxBytes: answerLimit });
  }

  async function obtainCredentials(): Promise<ApiCredentials> {
    const derived = await getRepeatedly(() => authenticate("GET", "/auth/derive-api-key"));
    const known = credentialsIn(derived);
    if (known !== null) return keep(known);
    const created = await authenticate("POST", "/auth/api-key");
    const fresh = credentialsIn(created);
    if (fresh === null) throw unexpected("/auth/api-key", created);
    return keep(fresh);
  }

  function keep(found: ApiCredentials): ApiCredentials {
    credentials = found;
    options.onCredentials?.(found);
    return found;
  }

  const callOnce = (call: PrivateCall): Promise<HttpAnswer> =>
    call.method === "GET" ? getRepeatedly(() => send(reads, call)) : send(reads, call);

  async function call(wanted: PrivateCall): Promise<HttpAnswer> {
    const answer = await callOnce(wanted);
    if (answer.status !== 401 || hasRederived) return answer;
    hasRederived = true;
    await obtainCredentials();
    return callOnce(wanted);
  }

  return {
    readOnly: options.readOnly === true,
    credentials: () => credentials,
    clockOffsetMs: () => offsetMs,
    read: (read) => getRepeatedly(() => reads.request(publicRequest(read))),
    call,
    sendOrder: (call) => send(orders, call),
    measureClock,
    obtainCredentials,
    openSpares: spares.open,
    close: () => closeAll(spares, orders, reads),
  };
}

async function closeAll(spares: { close(): void }, ...clients: HttpClient[]): Promise<void> {
  spares.close();
  await Promise.all(clients.map((client) => client.close()));
}

function publicRequest({ path, query, maxBytes = answerLimit }: PublicRead): HttpRequest {
  return { method: "GET", path, maxBytes, ...(query !== undefined && { query }) };
}

async function readClock(http: HttpClient): Promise<ClockReading> {
  let startedAt = 0;
  const answer = await getRepeatedly(() => {
    startedAt = performance.now();
    return http.request({ method: "GET", path: "/time", maxBytes: answerLimit });
  });
  const roundTripMs = performance.now() - startedAt;
  const seconds = Number(textOf(jsonOf(answer.body)) ?? Number.NaN);
  if (answer.status !== 200 || !(seconds > 0)) throw unexpected("/time", answer);
  // The answer names a whole second: its middle is the best guess for the middle of the round trip.
  const venueMs = Math.round(seconds * 1_000 + 500 + roundTripMs / 2);
  return { venueMs, offsetMs: venueMs - Date.now(), roundTripMs: Math.ceil(roundTripMs) };
}

/**
 * Repeats a read after transport failures and 5xx, at most twice, after a jittered pause. Not after 429: asking again
 * inside the window makes it longer.
 */
export async function getRepeatedly(get: () => Promise<HttpAnswer>): Promise<HttpAnswer> {
  for (let attempt = 0; ; attempt++) {
    const last = attempt === readRetries;
    try {
      const answer = await get();
      if (last || answer.status < 500) return answer;
    } catch (error) {
      if (last || !(error instanceof AdapterError)) throw error;
    }
    const longest = retryPauseMs * 2 ** attempt;
    await new Promise((resolve) => setTimeout(resolve, randomInt(longest) + 1));
  }
}

function credentialsIn(answer: HttpAnswer): ApiCredentials | null {
  const fields = answer.status === 200 ? fieldsOf(jsonOf(answer.body)) : null;
  const apiKey = freeText(fields?.["apiKey"]);
  const secret = freeText(fields?.["secret"]);
  const passphrase = freeText(fields?.["passphrase"]);
  if (apiKey === "" || secret === "" || passphrase === "") return null;
  return { apiKey, secret, passphrase };
}

/** The error text of an answer, for logs; never the body of an answer that may hold credentials. */
export function errorText(answer: HttpAnswer): string {
  const fields = fieldsOf(jsonOf(answer.body));
  const text = freeText(fields?.["error"]) || freeText(fields?.["errorMsg"]);
  return `HTTP ${answer.status} ${text.replaceAll(/\s+/g, " ").slice(0, 200)}`.trim();
}

function unexpected(path: string, answer: HttpAnswer): AdapterError {
  return new AdapterError("UNEXPECTED_ANSWER", `${path}: ${errorText(answer)}`, {
    outcome: answer.status === 401 || answer.status === 400 ? "rejected" : "unknown",
    retryable: answer.status >= 500 || answer.status === 429,
  });
}

function notConnected(): AdapterError {
  return new AdapterError("NOT_CONNECTED", "no API key yet: connect first", {
    outcome: "not_sent",
    retryable: true,
  });
}

/** The last stop of a dry run. The gate is asked all the same, so that its reason is recorded. */
function refusedByDryRun(call: PrivateCall): AdapterError {
  const denied = call.gate?.() ?? null;
  if (denied !== null) return gateClosed(denied);
  return new AdapterError("DRY_RUN", `dry run: ${call.method} ${call.path} is not sent`, {
    outcome: "not_sent",
    retryable: false,
  });
}
