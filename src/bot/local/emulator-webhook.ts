// Pushes updates to a webhook: lanes that keep the order of a chat, retries with growing waits, Retry-After.
import { Agent, request } from "node:http";
import { isRecord, textOf } from "./emulator-types.ts";
import type { UpdateQueue } from "./emulator-updates.ts";

const answerTimeoutMs = 60_000;
const answerBytesMax = 1024 * 1024;
const retryAfterSecondsMax = 3_600;
/** After "at once", 2, 4, 8 … the wait stays between these (Client.cpp: random, so that bots do not meet). */
const retryCapSeconds = { min: 60, max: 120 };
/** A webhook that answers 410 for this long is removed. */
const goneRemovesAfterMs = 23 * 3_600_000;

export interface WebhookSettings {
  readonly url: string;
  readonly secretToken: string | null;
  readonly maxConnections: number;
}

export interface WebhookError {
  readonly atMs: number;
  readonly message: string;
}

interface SenderOptions {
  readonly queue: UpdateQueue;
  readonly nowMs: () => number;
  /** Factor on every wait between retries, so that tests need not wait for seconds. */
  readonly retryScale: number;
  /** A webhook may answer with one call of the API; its result is thrown away. */
  readonly onReply: (fields: Readonly<Record<string, unknown>>) => void;
  /** True once for each delivery whose success must be taken for a failure (a scripted fault). */
  readonly losesAnswer: () => boolean;
}

interface Delivered {
  readonly status: number;
  readonly statusText: string;
  readonly retryAfterS: number | null;
  readonly body: string;
}

export class WebhookSender {
  readonly #options: SenderOptions;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #busyLanes = new Set<string>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #attempts = new Map<number, number>();
  #settings: WebhookSettings | null = null;
  #goneSinceMs: number | null = null;
  #stop = new AbortController();
  lastError: WebhookError | null = null;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  get settings(): WebhookSettings | null {
    return this.#settings;
  }

  /** Starts pushing to another place, or stops with null. Requests under way are dropped. */
  set(settings: WebhookSettings | null): void {
    this.#stop.abort();
    this.#stop = new AbortController();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#busyLanes.clear();
    this.#attempts.clear();
    this.#settings = settings;
    this.#goneSinceMs = null;
    this.lastError = null;
    this.pump();
  }

  close(): void {
    this.set(null);
    this.#agent.destroy();
  }

  /** Starts a delivery for each lane that has something and is neither busy nor waiting for a retry. */
  pump(): void {
    const settings = this.#settings;
    if (settings === null) return;
    for (const update of this.#options.queue.pending) {
      if (this.#busyLanes.size >= settings.maxConnections) return;
      if (this.#busyLanes.has(update.lane)) continue;
      this.#busyLanes.add(update.lane);
      void this.#deliver(update.id, update.lane, JSON.stringify(update.body), settings);
    }
  }

  async #deliver(id: number, lane: string, body: string, to: WebhookSettings): Promise<void> {
    const { signal } = this.#stop;
    const outcome = await push(to, body, this.#agent, signal).catch((error: unknown) => error);
    if (signal.aborted) return;
    const answer = isDelivered(outcome) ? outcome : null;
    const accepted = answer !== null && answer.status >= 200 && answer.status < 300;
    if (accepted && !this.#options.losesAnswer()) {
      this.#attempts.delete(id);
      this.#goneSinceMs = null;
      this.#options.queue.remove(id);
      this.#busyLanes.delete(lane);
      this.#runReply(answer.body);
      this.pump();
      return;
    }
    this.lastError = { atMs: this.#options.nowMs(), message: describeFailure(outcome) };
    if (this.#isGoneForGood(answer?.status ?? 0)) return;
    const attempt = this.#attempts.get(id) ?? 0;
    this.#attempts.set(id, attempt + 1);
    this.#retryLater(lane, answer?.retryAfterS ?? retryWaitSeconds(attempt));
  }

  #retryLater(lane: string, waitSeconds: number): void {
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        this.#busyLanes.delete(lane);
        this.pump();
      },
      waitSeconds * 1000 * this.#options.retryScale,
    );
    this.#timers.add(timer);
  }

  #isGoneForGood(status: number): boolean {
    if (status !== 410) {
      this.#goneSinceMs = null;
      return false;
    }
    this.#goneSinceMs ??= this.#options.nowMs();
    if (this.#options.nowMs() - this.#goneSinceMs < goneRemovesAfterMs) return false;
    this.set(null);
    return true;
  }

  #runReply(body: string): void {
    if (!body.trimStart().startsWith("{")) return;
    try {
      const fields = JSON.parse(body) as unknown;
      if (isRecord(fields) && typeof fields["method"] === "string") this.#options.onReply(fields);
    } catch {
      // Any body that is not a call is thrown away, as by the real server.
    }
  }
}

/** Seconds before the next try: 0, 2, 4, 8 … up to a random cap. */
function retryWaitSeconds(failedAttempts: number): number {
  const { min, max } = retryCapSeconds;
  return failedAttempts === 0
    ? 0
    : Math.min(2 ** failedAttempts, min + Math.random() * (max - min));
}

function push(
  to: WebhookSettings,
  body: string,
  agent: Agent,
  signal: AbortSignal,
): Promise<Delivered> {
  const { promise, resolve, reject } = Promise.withResolvers<Delivered>();
  const headers = {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    ...(to.secretToken !== null && { "x-telegram-bot-api-secret-token": to.secretToken }),
  };
  const timeout = AbortSignal.any([signal, AbortSignal.timeout(answerTimeoutMs)]);
  const outgoing = request(to.url, { method: "POST", headers, agent, signal: timeout });
  outgoing.on("error", reject);
  outgoing.on("response", (response) => {
    const retryAfter = Number(response.headers["retry-after"] ?? Number.NaN);
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => {
      if (text.length < answerBytesMax) text += chunk;
    });
    response.on("error", reject);
    response.on("end", () => {
      resolve({
        status: response.statusCode ?? 0,
        statusText: response.statusMessage ?? "",
        retryAfterS: retryAfter >= 0 ? Math.min(retryAfter, retryAfterSecondsMax) : null,
        body: text,
      });
    });
  });
  outgoing.end(body);
  return promise;
}

function isDelivered(outcome: unknown): outcome is Delivered {
  return isRecord(outcome) && typeof outcome["status"] === "number" && !(outcome instanceof Error);
}

/** The text of `last_error_message`. */
function describeFailure(outcome: unknown): string {
  if (isDelivered(outcome)) {
    return `Wrong response from the webhook: ${outcome.status} ${outcome.statusText}`.trim();
  }
  const code = isRecord(outcome) ? textOf(outcome["code"] ?? outcome["name"]) : "";
  if (code === "ECONNREFUSED") return "Connection refused";
  if (code === "ECONNRESET") return "Connection reset by peer";
  return code === "ABORT_ERR" || code === "TimeoutError"
    ? "Read timeout expired"
    : `Connection failed: ${code}`;
}
