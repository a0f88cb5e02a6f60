import { createPaperVenue } from "../../../../src/adapters/paper-venue/http/create-paper-venue.ts";
import { marketSpec, plainBook } from "./fixtures.ts";

/** Runs a venue as a process of its own, so that a test can kill it: prints its port and waits. */
const venue = createPaperVenue({ stateDir: process.argv[2] ?? "", settleMs: 60_000 });
venue.exchange.addMarket(marketSpec(), plainBook);
const { port } = await venue.listen(0);
process.stdout.write(`${port}\n`);
