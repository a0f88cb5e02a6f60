// The soak's venue: a paper venue in a thread of its own that changes levels at a given rate.
import { parentPort, workerData } from "node:worker_threads";
import { createPaperVenue } from "../../src/adapters/paper-venue/http/create-paper-venue.ts";
import { createUniverse } from "../../src/adapters/paper-venue/world/universe.ts";

export type SoakVenueData = { readonly stateDir: string; readonly changesPerSecond: number };

/** One market as the other thread has to know it. */
export type SoakMarket = {
  readonly conditionId: string;
  readonly tokenIds: readonly [string, string];
  readonly tickSize: string;
  readonly minOrderSize: string;
  readonly negRisk: boolean;
};

const { stateDir, changesPerSecond } = workerData as SoakVenueData;
const turnMs = 10;
const levels = 8;
const venue = createPaperVenue({ stateDir });
const { exchange } = venue;
createUniverse({ exchange, seed: 1, pace: 1, still: true, nowMs: Date.now });
const open = exchange.markets().filter(({ resolved, bestBid, bestAsk }) => {
  return resolved === null && bestBid !== null && bestAsk !== null;
});
const { port } = await venue.listen(0);
const markets = open.map(({ spec, tickSize }): SoakMarket => {
  const [yes, no] = spec.outcomes;
  const { conditionId, minOrderSize, negRisk } = spec;
  return { conditionId, tokenIds: [yes.tokenId, no.tokenId], tickSize, minOrderSize, negRisk };
});
parentPort?.postMessage({ port, markets });

let changes = 0;
let owed = 0;
let lastMs = performance.now();

/** One level near the best one of some market gets another size; the best levels themselves stay where they are. */
function change(): void {
  const n = changes++;
  const state = open[n % open.length];
  if (state === undefined) return;
  const isBid = n % 2 === 0;
  const tick = Number(state.tickSize);
  const best = Number(isBid ? state.bestBid : state.bestAsk);
  const away = tick * (1 + (Math.floor(n / open.length) % levels));
  const at = isBid ? best - away : best + away;
  if (!(at > tick && at < 1 - tick)) return;
  const digits = state.tickSize.split(".")[1]?.length ?? 0;
  const size = 10 + (n % 9_973) / 100;
  exchange.setBackgroundLevel(
    state.spec.conditionId,
    isBid ? "BUY" : "SELL",
    at.toFixed(digits),
    size.toFixed(2),
  );
}

const timer = setInterval(() => {
  const nowMs = performance.now();
  // A thread that was held up does not make up for more than a second at once.
  owed = Math.min(changesPerSecond, owed + ((nowMs - lastMs) * changesPerSecond) / 1_000);
  lastMs = nowMs;
  for (; owed >= 1; owed--) change();
}, turnMs);

parentPort?.on("message", (wish: "pause" | "close") => {
  clearInterval(timer);
  if (wish === "close") void venue.close().then(() => parentPort?.close());
  else parentPort?.postMessage("paused");
});
