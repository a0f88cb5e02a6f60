// A paper venue in a thread of its own, which notes when it has read the last byte of an order's body.
import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";
import { parentPort, workerData } from "node:worker_threads";
import { createPaperVenue } from "../../src/adapters/paper-venue/http/create-paper-venue.ts";
import { createGammaHandler } from "../../src/adapters/paper-venue/world/gamma-handler.ts";
import { createUniverse } from "../../src/adapters/paper-venue/world/universe.ts";

export type VenueWorkerData = {
  readonly stateDir: string;
  /** [orders read, monotonic nanoseconds of the last one], written by this thread. */
  readonly stamps: BigInt64Array<SharedArrayBuffer>;
};

const { stateDir, stamps } = workerData as VenueWorkerData;

subscribe("http.server.request.start", (message) => {
  const { request } = message as { readonly request: IncomingMessage };
  if (request.method !== "POST" || request.url !== "/order") return;
  request.once("end", () => {
    Atomics.store(stamps, 1, process.hrtime.bigint());
    Atomics.add(stamps, 0, 1n);
  });
});

const venue = createPaperVenue({ stateDir });
const { exchange } = venue;
const world = createUniverse({ exchange, seed: 1, pace: 1, still: true, nowMs: Date.now });
venue.setMounts({
  gamma: createGammaHandler({ exchange, metadata: (eventId) => world.eventMetadata(eventId) }),
});
const { port } = await venue.listen(0);
parentPort?.on("message", () => {
  void venue.close().then(() => parentPort?.close());
});
parentPort?.postMessage(port);
