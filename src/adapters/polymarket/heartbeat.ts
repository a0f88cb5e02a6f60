import { Worker } from "node:worker_threads";
import type { HeartbeatPort } from "../../engine/ports/heartbeat.ts";
import type { Log } from "../../engine/ports/system.ts";
import type { ClobClient } from "./clob-client.ts";
import {
  clockOffsetIndex,
  type HeartbeatAnswer,
  type HeartbeatRequest,
  type HeartbeatWorkerData,
  ticksIndex,
} from "./heartbeat-messages.ts";
import type { HttpTimeouts } from "./http-client.ts";

export type HeartbeatOptions = {
  readonly baseUrl: string;
  readonly signer: string;
  readonly clob: ClobClient;
  readonly timeouts: HttpTimeouts;
  readonly intervalMs: number;
  readonly lateMs: number;
  readonly log: Log;
};

/**
 * The venue's dead-man switch (polymarket-trading 6.5). Its thread starts with the first order that rests, so that a desk
 * without resting orders pays nothing for it.
 */
export function createHeartbeat(options: HeartbeatOptions): HeartbeatPort {
  const shared = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT);
  const cells = new Int32Array(shared);
  let worker: Worker | null = null;
  let listener: (detail: string | null) => void = () => undefined;

  function start(): Worker {
    const { baseUrl, signer, timeouts, intervalMs, lateMs, log } = options;
    const data: HeartbeatWorkerData = { baseUrl, signer, timeouts, intervalMs, lateMs, shared };
    const fresh = new Worker(new URL("./heartbeat-worker.ts", import.meta.url), {
      workerData: data,
    });
    fresh.unref();
    fresh.on("message", ({ detail }: HeartbeatAnswer) => listener(detail));
    fresh.on("error", (error) => {
      worker = null;
      log.error("heartbeat.broken", { detail: error.message });
      listener("its thread ended");
    });
    return fresh;
  }

  const ask = (request: HeartbeatRequest) => worker?.postMessage(request);

  return {
    progress() {
      Atomics.add(cells, ticksIndex, 1);
      Atomics.store(cells, clockOffsetIndex, options.clob.clockOffsetMs());
    },
    setArmed(armed) {
      const credentials = options.clob.credentials();
      if (!armed) ask({ do: "disarm" });
      else if (credentials !== null) {
        worker ??= start();
        ask({ do: "arm", credentials });
      }
    },
    listen(next) {
      listener = next;
    },
    async close() {
      const ending = worker;
      if (ending === null) return;
      worker = null;
      listener = () => undefined;
      const ended = new Promise((resolve) => ending.once("exit", resolve));
      ending.ref();
      ending.postMessage({ do: "close" } satisfies HeartbeatRequest);
      await ended;
    },
  };
}
