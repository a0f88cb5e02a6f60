// One thread of `npm run sim`: runs the seeds that it is given, one after the other.
import { parentPort } from "node:worker_threads";
import { type SimOptions, simulate } from "./simulation.ts";

parentPort?.on("message", (job: { readonly seed: number; readonly options: SimOptions }) => {
  simulate(job.seed, job.options)
    .then((result) => parentPort?.postMessage(result))
    .catch((error: unknown) => {
      throw error;
    });
});
