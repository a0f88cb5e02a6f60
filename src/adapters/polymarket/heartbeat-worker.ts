// The thread that keeps the venue's dead-man switch from firing, as long as the main loop moves.
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { assert } from "../../engine/lib/assert.ts";
import { type ApiCredentials, keyHeaders } from "./auth.ts";
import {
  clockOffsetIndex,
  type HeartbeatAnswer,
  type HeartbeatRequest,
  type HeartbeatWorkerData,
  ticksIndex,
} from "./heartbeat-messages.ts";
import { createHttpClient, type HttpAnswer, type HttpClient } from "./http-client.ts";
import { fieldsOf, freeText, jsonOf } from "./wire.ts";

const path = "/v1/heartbeats";
const answerBytesMax = 65_536;
/** A refused beat is tried again sooner than the next one is due. */
const retryShare = 5;

class Heart {
  readonly #data: HeartbeatWorkerData;
  readonly #port: MessagePort;
  readonly #http: HttpClient;
  readonly #shared: Int32Array;
  #credentials: ApiCredentials | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** The id that the venue expects with the next beat; "" starts a chain. */
  #id = "";
  #ticks = 0;
  #heardAtMs = 0;
  #told: string | null = null;

  private constructor(data: HeartbeatWorkerData, port: MessagePort) {
    this.#data = data;
    this.#port = port;
    this.#shared = new Int32Array(data.shared);
    this.#http = createHttpClient({
      baseUrl: data.baseUrl,
      timeouts: data.timeouts,
      connections: 1,
    });
  }

  static start(data: HeartbeatWorkerData, port: MessagePort): void {
    const heart = new Heart(data, port);
    port.on("message", (request: HeartbeatRequest) => void heart.#obey(request));
  }

  async #obey(request: HeartbeatRequest): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (request.do === "arm") {
      this.#credentials = request.credentials;
      this.#heardAtMs = performance.now();
      this.#ticks = Atomics.load(this.#shared, ticksIndex) - 1;
      void this.#beat();
      return;
    }
    this.#credentials = null;
    this.#tell(null);
    if (request.do !== "close") return;
    await this.#http.close();
    this.#port.close();
  }

  /** One beat, if the main loop moved since the last one; then the next is planned. */
  async #beat(): Promise<void> {
    const { intervalMs, lateMs } = this.#data;
    const credentials = this.#credentials;
    if (credentials === null) return;
    const ticks = Atomics.load(this.#shared, ticksIndex);
    const moved = ticks !== this.#ticks;
    this.#ticks = ticks;
    const failure = moved ? await this.#send(credentials) : "the main loop does not move";
    // Disarmed or armed anew meanwhile: somebody else plans.
    if (this.#credentials !== credentials) return;
    if (failure === null) {
      this.#heardAtMs = performance.now();
      this.#tell(null);
    } else if (performance.now() - this.#heardAtMs > lateMs) this.#tell(failure);
    const waitMs = failure === null ? intervalMs : intervalMs / retryShare;
    this.#timer = setTimeout(() => void this.#beat(), waitMs);
  }

  /** Null when the venue took the beat; a stale id is answered with the expected one, which is used at once. */
  async #send(credentials: ApiCredentials): Promise<string | null> {
    for (let attempt = 0; attempt < 2; attempt++) {
      const body = JSON.stringify({ heartbeat_id: this.#id });
      const offsetMs = Atomics.load(this.#shared, clockOffsetIndex);
      const timestampS = String(Math.floor((Date.now() + offsetMs) / 1_000));
      const signed = { method: "POST", path, body } as const;
      const headers = keyHeaders(this.#data.signer, credentials, timestampS, signed);
      let answer: HttpAnswer;
      try {
        answer = await this.#http.request({ ...signed, headers, maxBytes: answerBytesMax });
      } catch (error) {
        return error instanceof Error ? error.message : "no answer";
      }
      const fields = fieldsOf(jsonOf(answer.body));
      const id = fields?.["heartbeat_id"];
      if (typeof id === "string") this.#id = id;
      if (answer.status === 200 && typeof id === "string" && id !== "") return null;
      if (answer.status !== 400 || typeof id !== "string") {
        const text = freeText(fields?.["error_msg"]) || freeText(fields?.["error"]);
        return `HTTP ${answer.status} ${text.slice(0, 120)}`.trim();
      }
    }
    return "the venue does not accept the id that it named";
  }

  #tell(detail: string | null): void {
    if (detail === this.#told) return;
    this.#told = detail;
    this.#port.postMessage({ detail } satisfies HeartbeatAnswer);
  }
}

assert(parentPort !== null, "the heartbeat's worker runs in a thread");
Heart.start(workerData as HeartbeatWorkerData, parentPort);
