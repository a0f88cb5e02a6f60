import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { BenchError } from "./bench-error.ts";
import type { VenueWorkerData } from "./venue-worker.ts";

/** A paper venue on loopback in a thread of its own. */
export type LocalVenue = {
  readonly url: string;
  readonly wsUrl: string;
  readonly close: () => Promise<void>;
};

/** `listed` more markets stand in its listings, without books. */
export async function openLocalVenue(stateDir: string, listed = 0): Promise<LocalVenue> {
  const workerData: VenueWorkerData = { stateDir, listed };
  const worker = new Worker(new URL("./venue-worker.ts", import.meta.url), { workerData });
  const [port] = (await once(worker, "message")) as unknown[];
  if (typeof port !== "number") throw new BenchError("the venue has no port");
  return {
    url: `http://127.0.0.1:${port}`,
    wsUrl: `ws://127.0.0.1:${port}/ws`,
    close: async () => {
      const exited = once(worker, "exit");
      worker.postMessage("close");
      await exited;
    },
  };
}
