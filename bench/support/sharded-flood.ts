import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { defaultFeedTimings } from "../../src/adapters/polymarket/feed-timings.ts";
import { createHttpClient } from "../../src/adapters/polymarket/http-client.ts";
import { createMarketFeed, type MarketFeed } from "../../src/adapters/polymarket/market-feed.ts";
import { BenchError } from "./bench-error.ts";
import type { FrameTape } from "./frame-tape.ts";

export type ShardedFlood = AsyncDisposable & { readonly wsUrl: string; readonly go: () => void };

/** Starts the venue of many connections in another thread, which gets a copy of the tape: making 10,000 books takes long. */
export async function openShardedFlood(tape: FrameTape): Promise<ShardedFlood> {
  const url = new URL("./sharded-flood-worker.ts", import.meta.url);
  const worker = new Worker(url, { workerData: tape });
  const [port] = (await once(worker, "message")) as unknown[];
  if (typeof port !== "number") throw new BenchError("the socket server has no port");
  return {
    wsUrl: `ws://127.0.0.1:${port}`,
    go: () => worker.postMessage("go"),
    [Symbol.asyncDispose]: async () => {
      const exited = once(worker, "exit");
      worker.postMessage("close");
      await exited;
    },
  };
}

/** Nothing holds requests for snapshots back: their own time is measured. */
const unthrottled = { perSecond: 1e9, burst: 1e9 };

/** The tape's times are not the clock's, and a busy machine is no reason to give a connection up. */
const patient = {
  resyncEveryMs: 0,
  snapshotLimitMs: 600_000,
  lagMaxMs: 600_000,
  silenceLimitMs: 600_000,
  dataSilenceMs: 600_000,
};

/** The adapter's feed as the service opens it, without a REST side. */
export function openBenchFeed(wsUrl: string, maxMarkets: number): MarketFeed & AsyncDisposable {
  const quiet = () => undefined;
  const timeouts = { connectMs: 1_000, headersMs: 1_000, bodyMs: 1_000, totalMs: 1_000 };
  const feed = createMarketFeed({
    wsUrl,
    http: createHttpClient({ baseUrl: "http://127.0.0.1:9", timeouts, connections: 1 }),
    timings: { ...defaultFeedTimings, ...patient },
    limits: { tokensPerConnection: 200, maxMarkets, resyncs: unthrottled },
    log: { info: quiet, warn: quiet, error: quiet },
  });
  return Object.assign(feed, { [Symbol.asyncDispose]: () => feed.close() });
}
