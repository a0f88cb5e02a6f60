import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { BenchError } from "./bench-error.ts";

export type RecorderWorkerData = {
  readonly venuePort: number;
  /** [orders read, monotonic nanoseconds of the last one's last byte, requests and answers], written by the thread. */
  readonly stamps: BigInt64Array<SharedArrayBuffer>;
};

/** "arm" begins a measurement of so many orders and answers with the requests since the last one began. */
export type RecorderMessage =
  | { readonly do: "arm"; readonly orders: number }
  | { readonly do: "close" };
export type RecorderReply = { readonly requests: readonly string[] };

/** A door in front of the venue that both sides of a race go through; it reads, notes and passes on. */
export type RequestRecorder = {
  readonly url: string;
  /** Begins a measurement; resolves to the requests ("POST /order") since the last one began. */
  readonly arm: (orders: number) => Promise<readonly string[]>;
  /** Orders read so far, and monotonic nanoseconds of the last byte of the last one. */
  readonly lastOrder: () => { readonly count: bigint; readonly readAtNs: bigint };
  /** Requests read and answers passed on so far: while it stands still, nobody talks. */
  readonly activity: () => bigint;
  readonly close: () => Promise<void>;
};

export async function openRequestRecorder(venueUrl: string): Promise<RequestRecorder> {
  const stamps = new BigInt64Array(new SharedArrayBuffer(24));
  const workerData: RecorderWorkerData = { venuePort: Number(new URL(venueUrl).port), stamps };
  const worker = new Worker(new URL("./recorder-worker.ts", import.meta.url), { workerData });
  const [port] = (await once(worker, "message")) as unknown[];
  if (typeof port !== "number") throw new BenchError("the recorder has no port");
  return {
    url: `http://127.0.0.1:${port}`,
    arm: async (orders) => {
      const reply = once(worker, "message");
      worker.postMessage({ do: "arm", orders } satisfies RecorderMessage);
      const [{ requests }] = (await reply) as [RecorderReply];
      return requests;
    },
    lastOrder: () => ({ count: Atomics.load(stamps, 0), readAtNs: Atomics.load(stamps, 1) }),
    activity: () => Atomics.load(stamps, 2),
    close: async () => {
      const exited = once(worker, "exit");
      worker.postMessage({ do: "close" } satisfies RecorderMessage);
      await exited;
    },
  };
}
