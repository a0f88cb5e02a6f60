import { Worker } from "node:worker_threads";
import type { SimOptions, SimResult } from "./simulation.ts";

export type PoolJob = {
  readonly from: number;
  readonly seeds: number;
  readonly workers: number;
  readonly options: SimOptions;
  /** No seed is begun after this many milliseconds. */
  readonly boundMs: number;
  /** Called for every result, in the order of the seeds. */
  readonly onResult: (result: SimResult) => void;
};

/** Runs seeds on several threads; each thread has one at a time. Rejects when a thread breaks. */
export async function runSeeds(job: PoolJob): Promise<void> {
  const { from, seeds, workers, onResult } = job;
  const endMs = performance.now() + job.boundMs;
  const early = new Map<number, SimResult>();
  let next = from;
  let told = from;
  const take = (result: SimResult) => {
    early.set(result.seed, result);
    for (let known = early.get(told); known !== undefined; known = early.get(told)) {
      early.delete(told++);
      onResult(known);
    }
  };
  const serve = (worker: Worker) =>
    new Promise<void>((resolve, reject) => {
      const give = () => {
        if (next >= from + seeds || performance.now() >= endMs) resolve();
        else worker.postMessage({ seed: next++, options: job.options });
      };
      worker.on("error", reject);
      worker.on("message", (result: SimResult) => {
        take(result);
        give();
      });
      give();
    });
  const pool = Array.from({ length: Math.min(workers, seeds) }, () => newWorker());
  try {
    await Promise.all(pool.map(serve));
  } finally {
    await Promise.all(pool.map((worker) => worker.terminate()));
  }
}

/** A life makes many short-lived rows and states: with room for them the collector seldom has to copy what lives. */
const youngGenerationMb = 96;

function newWorker(): Worker {
  return new Worker(new URL("./worker.ts", import.meta.url), {
    resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMb },
  });
}
