// A paper venue in a thread of its own.
import { parentPort, workerData } from "node:worker_threads";
import { createPaperVenue } from "../../src/adapters/paper-venue/http/create-paper-venue.ts";
import { createGammaHandler } from "../../src/adapters/paper-venue/world/gamma-handler.ts";
import { createSyntheticListing } from "../../src/adapters/paper-venue/world/synthetic-listing.ts";
import { createUniverse } from "../../src/adapters/paper-venue/world/universe.ts";

export type VenueWorkerData = { readonly stateDir: string; readonly listed: number };

const { stateDir, listed } = workerData as VenueWorkerData;
const venue = createPaperVenue({ stateDir });
const { exchange } = venue;
const world = createUniverse({ exchange, seed: 1, pace: 1, still: true, nowMs: Date.now });
venue.setMounts({
  gamma: createGammaHandler({
    exchange,
    metadata: (eventId) => world.eventMetadata(eventId),
    synthetic: createSyntheticListing({ seed: 1, markets: listed, nowMs: Date.now() }),
  }),
});
const { port } = await venue.listen(0);
parentPort?.on("message", () => {
  void venue.close().then(() => parentPort?.close());
});
parentPort?.postMessage(port);
