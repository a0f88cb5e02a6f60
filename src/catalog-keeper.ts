import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { Config } from "../config/config.ts";
import type { CatalogReply, CatalogRequest } from "./catalog-messages.ts";
import type { Market, MarketGroup } from "./engine/domain/market.ts";
import type { CatalogSink } from "./engine/ports/catalog.ts";
import type { Log } from "./engine/ports/system.ts";
import { type StorePlace, storePlace } from "./store-place.ts";

/** What was kept of the catalog in this run. */
export type CatalogKept = {
  /** Markets and groups that the store acknowledged, each time they came. */
  readonly kept: number;
  readonly waiting: number;
  /** Left out: too many waited, or they failed again and again. The next crawl brings them. */
  readonly leftOut: number;
  /** Tokens that contradict those that the store has. */
  readonly contradictions: number;
  readonly failures: number;
  readonly keptAtMs: number | null;
  /** Why the last attempt failed; null when it did not. */
  readonly failing: string | null;
};

export type CatalogKeeperOptions = {
  readonly place: StorePlace;
  readonly log: Log;
  /** Markets and groups that may wait; 20,000 when absent. */
  readonly waitingMax?: number;
  /** Milliseconds before the first attempt after a failure, doubled by each further one; 1,000 when absent. */
  readonly retryFirstMs?: number;
  /** Milliseconds for one batch; then its thread is given up. 60,000 when absent. */
  readonly answerMaxMs?: number;
  /** Milliseconds without anything to write after which the thread ends; 10,000 when absent. */
  readonly idleMaxMs?: number;
};

type Item = {
  readonly atMs: number;
  readonly market: Market | null;
  readonly group: MarketGroup | null;
  /** How often it failed. */
  readonly failures: number;
};

const waitingMaxDefault = 20_000;
const retryFirstMsDefault = 1_000;
const retryMaxMs = 60_000;
const answerMaxMsDefault = 60_000;
const closeMaxMs = 1_000;
/** A thread that has nothing to write is ended: it holds some 15 MB. */
const idleMaxMsDefault = 10_000;
/** Handing over a batch copies it on the loop that trades: small ones keep that below a millisecond or two. */
const itemsOfBatch = 200;
const attemptsMax = 5;

/**
 * Keeps the catalog in the store, by a thread of its own and outside of everything that trades: it never waits, its queue is
 * bounded, and a store that fails is told, counted and tried again.
 */
export class CatalogKeeper implements CatalogSink {
  readonly #options: CatalogKeeperOptions;
  /** In order of arrival; a market that comes again while it waits is written once, as it is last. */
  readonly #queue = new Map<string, Item>();
  #unseen: { readonly sinceMs: number; readonly atMs: number } | null = null;
  #worker: Worker | null = null;
  #running: Promise<void> | null = null;
  #idle: NodeJS.Timeout | null = null;
  readonly #closing = new AbortController();
  #leftOutAtMs = Number.NEGATIVE_INFINITY;
  #failuresInARow = 0;
  #kept = 0;
  #leftOut = 0;
  #contradictions = 0;
  #failures = 0;
  #keptAtMs: number | null = null;
  #failing: string | null = null;

  constructor(options: CatalogKeeperOptions) {
    this.#options = options;
  }

  listed(markets: readonly Market[], groups: readonly MarketGroup[], atMs: number): void {
    for (const market of markets) {
      this.#add(`m ${market.conditionId}`, { atMs, market, group: null, failures: 0 });
    }
    for (const group of groups) {
      this.#add(`g ${group.groupId}`, { atMs, market: null, group, failures: 0 });
    }
    this.#start();
  }

  crawled(sinceMs: number, atMs: number): void {
    // What was left out since then was seen and not written: it would be closed although it is open.
    if (this.#leftOutAtMs < sinceMs) this.#unseen = { sinceMs, atMs };
    this.#start();
  }

  figures(): CatalogKept {
    return {
      kept: this.#kept,
      waiting: this.#queue.size,
      leftOut: this.#leftOut,
      contradictions: this.#contradictions,
      failures: this.#failures,
      keptAtMs: this.#keptAtMs,
      failing: this.#failing,
    };
  }

  /** Resolves once nothing waits and nothing is under way; for tests and for an orderly end. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** What still waits is given up: the next crawl brings it. A batch under way has a second to end. */
  async close(): Promise<void> {
    this.#closing.abort();
    if (this.#idle !== null) clearTimeout(this.#idle);
    const late = sleep(closeMaxMs, undefined, { ref: false });
    await Promise.race([this.#running, late]);
    await this.#worker?.terminate();
  }

  #add(key: string, item: Item): void {
    // Behind the others: what waits is taken by equal times.
    const isNew = !this.#queue.delete(key);
    if (isNew && this.#queue.size >= (this.#options.waitingMax ?? waitingMaxDefault)) {
      this.#leaveOut(item);
    } else this.#queue.set(key, item);
  }

  #leaveOut({ atMs }: Item): void {
    this.#leftOut++;
    this.#leftOutAtMs = Math.max(this.#leftOutAtMs, atMs);
    if (this.#unseen !== null && this.#unseen.sinceMs <= atMs) this.#unseen = null;
  }

  #start(): void {
    if (this.#running !== null || this.#closing.signal.aborted) return;
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#running = this.#run().finally(() => {
      this.#running = null;
      const idleMs = this.#options.idleMaxMs ?? idleMaxMsDefault;
      this.#idle = setTimeout(() => this.#endThread(), idleMs).unref();
    });
  }

  /** Forgotten at once: the next request must not reach a thread that is ending. */
  #endThread(): void {
    const worker = this.#worker;
    this.#worker = null;
    void worker?.terminate();
  }

  async #run(): Promise<void> {
    // Out of the caller's turn: what it tells in one turn makes full batches.
    await Promise.resolve();
    while (!this.#closing.signal.aborted) {
      if (this.#queue.size > 0) await this.#writeSome();
      else if (this.#unseen !== null) await this.#closeUnseen(this.#unseen);
      else return;
    }
  }

  async #writeSome(): Promise<void> {
    const batch = this.#takeBatch();
    const items = [...batch.values()];
    const reply = await this.#ask({
      do: "write",
      batch: {
        markets: items.flatMap(({ market }) => market ?? []),
        groups: items.flatMap(({ group }) => group ?? []),
        atMs: items[0]?.atMs ?? 0,
      },
    });
    if (reply.ok) {
      this.#kept += batch.size;
      this.#keptAtMs = items[0]?.atMs ?? null;
      this.#contradictions += reply.contradictions;
      return;
    }
    for (const [key, item] of batch) {
      if (this.#queue.has(key)) continue;
      if (item.failures + 1 >= attemptsMax) this.#leaveOut(item);
      else this.#add(key, { ...item, failures: item.failures + 1 });
    }
    await this.#pause();
  }

  /** The first that waits, and those behind it that came at the same time. */
  #takeBatch(): Map<string, Item> {
    const batch = new Map<string, Item>();
    let atMs: number | null = null;
    for (const [key, item] of this.#queue) {
      atMs ??= item.atMs;
      if (item.atMs !== atMs || batch.size >= itemsOfBatch) break;
      batch.set(key, item);
    }
    for (const key of batch.keys()) this.#queue.delete(key);
    return batch;
  }

  async #closeUnseen(unseen: { readonly sinceMs: number; readonly atMs: number }): Promise<void> {
    const reply = await this.#ask({ do: "close-unseen", ...unseen });
    if (!reply.ok) await this.#pause();
    else if (this.#unseen === unseen) this.#unseen = null;
  }

  async #pause(): Promise<void> {
    const firstMs = this.#options.retryFirstMs ?? retryFirstMsDefault;
    const waitMs = Math.min(retryMaxMs, firstMs * 2 ** Math.min(this.#failuresInARow - 1, 16));
    await sleep(waitMs, undefined, { ref: false, signal: this.#closing.signal }).catch(() => {
      // Closed meanwhile.
    });
  }

  async #ask(request: CatalogRequest): Promise<CatalogReply> {
    const reply = await this.#answerOf(request);
    if (this.#closing.signal.aborted) return reply;
    if (reply.ok) {
      if (this.#failing !== null) this.#options.log.info("catalog-store.back");
      this.#failing = null;
      this.#failuresInARow = 0;
      return reply;
    }
    this.#failures++;
    this.#failuresInARow++;
    if (this.#failing !== reply.detail) {
      this.#options.log.warn("catalog-store.failed", { detail: reply.detail });
    }
    this.#failing = reply.detail;
    return reply;
  }

  /** A thread that dies or says nothing is replaced for the next request. */
  async #answerOf(request: CatalogRequest): Promise<CatalogReply> {
    const worker = this.#worker ?? this.#open();
    const { promise, resolve } = Promise.withResolvers<CatalogReply>();
    const failed = (detail: string) => {
      if (this.#worker === worker) this.#worker = null;
      resolve({ ok: false, detail });
    };
    const limitMs = this.#options.answerMaxMs ?? answerMaxMsDefault;
    const late = setTimeout(() => {
      void worker.terminate();
      failed(`the store did not answer within ${limitMs} ms`);
    }, limitMs);
    late.unref();
    worker.once("message", resolve);
    worker.once("error", (error: unknown) => failed(`its thread failed: ${String(error)}`));
    worker.once("exit", () => failed("its thread ended"));
    worker.postMessage(request);
    const reply = await promise;
    clearTimeout(late);
    for (const event of ["message", "error", "exit"]) worker.removeAllListeners(event);
    // A failure after its answer must not end the process; the next request finds it gone.
    worker.on("error", () => undefined);
    worker.on("exit", () => {
      if (this.#worker === worker) this.#worker = null;
    });
    return reply;
  }

  #open(): Worker {
    const worker = new Worker(new URL("./catalog-worker.ts", import.meta.url), {
      workerData: this.#options.place,
    });
    worker.unref();
    this.#worker = worker;
    return worker;
  }
}

/** What a service needs of it; nothing is kept where the configuration does not want it. */
export function openCatalogKeeping(config: Config, log: Log) {
  const keeper = config.storage.keepCatalog
    ? new CatalogKeeper({ place: storePlace(config), log })
    : null;
  return {
    sink: keeper,
    figures: (): CatalogKept | null => keeper?.figures() ?? null,
    close: async (): Promise<void> => keeper?.close(),
  };
}
