// `npm run soak -- [--minutes N] [--rate N] [--json]`: the real feed and the engine's books against the paper venue for a while.
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Worker } from "node:worker_threads";
import { FollowedBooks } from "./followed-books.ts";
import type { SoakMarket } from "./venue-worker.ts";

const help = `usage: npm run soak -- [--minutes N] [--rate N] [--json]
Follows every market of a paper venue that changes levels at a rate, drops a frame now and then, and looks whether each loss is
noticed, whether every book is the venue's at the end, and whether memory grows.
  --minutes N  how long, 1 to 600 (default 2)
  --rate N     level changes a second, 10 to 50000 (default 5000)
  --json       one JSON object instead of lines
exit code: 0 held, 1 memory grew or a loss was missed, 2 wrong use
example: npm run soak -- --minutes 60 --rate 5000`;

const sampleEveryMs = 5_000;
const loseEveryMs = 3_000;
/** A loss shows with the next frame of its market; the machine may be busy. */
const noticeMs = 10_000;
/** Of the heap after a collection, over the second half of the run. */
const growthMaxMiB = 16;
const mib = 1024 * 1024;
const nsPerMs = 1e6;

type Options = { readonly minutes: number; readonly rate: number; readonly json: boolean };

function optionsOf(args: readonly string[]): Options | number {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: "string", default: "2" },
      rate: { type: "string", default: "5000" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${help}\n`);
    return 0;
  }
  const minutes = Number(values.minutes);
  const rate = Number(values.rate);
  const fits = (value: number, from: number, to: number) => value >= from && value <= to;
  if (!fits(minutes, 1, 600) || !fits(rate, 10, 50_000)) {
    process.stderr.write(`soak: a number is out of its bounds\n\n${help}\n`);
    return 2;
  }
  return { minutes, rate, json: values.json };
}

/** Collects garbage now, so that what is left is what is held. */
function collect(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

type Sample = { readonly atMs: number; readonly heapMiB: number };

function sample(startedAt: number): Sample {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return { atMs: performance.now() - startedAt, heapMiB: (heapUsed + external) / mib };
}

/** Least-squares slope in MiB a minute. */
function slopeOf(samples: readonly Sample[]): number {
  const n = samples.length;
  const meanX = samples.reduce((sum, one) => sum + one.atMs, 0) / n;
  const meanY = samples.reduce((sum, one) => sum + one.heapMiB, 0) / n;
  let above = 0;
  let below = 0;
  for (const { atMs, heapMiB } of samples) {
    above += (atMs - meanX) * (heapMiB - meanY);
    below += (atMs - meanX) ** 2;
  }
  return below === 0 ? 0 : (above / below) * 60_000;
}

async function soak({ minutes, rate, json }: Options): Promise<number> {
  const stateDir = mkdtempSync(join(tmpdir(), "pitboss-soak-"));
  const workerData = { stateDir, changesPerSecond: rate };
  const worker = new Worker(new URL("./venue-worker.ts", import.meta.url), { workerData });
  const [ready] = (await once(worker, "message")) as [
    { readonly port: number; readonly markets: readonly SoakMarket[] },
  ];
  const books = new FollowedBooks(ready.port, ready.markets);
  await books.live();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const startedAt = performance.now();
  const endsAt = startedAt + minutes * 60_000;
  const samples: Sample[] = [];
  const losses = { made: 0, missed: 0 };
  const framesBefore = books.frames;
  let nextSampleAt = startedAt + sampleEveryMs;
  while (performance.now() < endsAt) {
    await new Promise((resolve) => setTimeout(resolve, loseEveryMs));
    losses.made++;
    if (!(await books.lose(noticeMs))) losses.missed++;
    if (performance.now() < nextSampleAt) continue;
    nextSampleAt = performance.now() + sampleEveryMs;
    samples.push(sample(startedAt));
    const { heapMiB } = samples.at(-1) ?? { heapMiB: 0 };
    process.stderr.write(
      `${((performance.now() - startedAt) / 1_000).toFixed(0)} s: ${books.frames - framesBefore} frames, ${heapMiB.toFixed(1)} MiB, ${losses.made} losses, ${losses.missed} missed\n`,
    );
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  const frames = books.frames - framesBefore;
  delay.disable();
  const paused = once(worker, "message");
  worker.postMessage("pause");
  await paused;
  const wrong = await books.wrong();
  const late = samples.slice(Math.floor(samples.length / 2));
  const slope = late.length < 2 ? 0 : slopeOf(late);
  const grewMiB = (slope * ((late.at(-1)?.atMs ?? 0) - (late[0]?.atMs ?? 0))) / 60_000;
  const result = {
    minutes,
    markets: ready.markets.length,
    frames,
    framesPerSecond: Math.round(frames / seconds),
    heapMiB: samples.at(-1)?.heapMiB ?? 0,
    heapSlopeMiBPerMinute: slope,
    lossesMade: losses.made,
    lossesMissed: losses.missed,
    booksWrong: wrong,
    resyncs: books.resyncs(),
    eventLoopP99Ms: delay.percentile(99) / nsPerMs,
    eventLoopMaxMs: delay.max / nsPerMs,
  };
  await books.close();
  const exited = once(worker, "exit");
  worker.postMessage("close");
  await exited;
  rmSync(stateDir, { recursive: true, force: true });
  const holds = grewMiB <= growthMaxMiB && losses.missed === 0 && wrong === 0;
  process.stdout.write(json ? `${JSON.stringify({ ...result, holds })}\n` : `${text(result)}\n`);
  return holds ? 0 : 1;
}

function text(result: Readonly<Record<string, unknown>>): string {
  return Object.entries(result)
    .map(([name, value]) => {
      const shown = typeof value === "number" ? Number(value.toFixed(3)) : JSON.stringify(value);
      return `${name.padEnd(24)} ${shown}`;
    })
    .join("\n");
}

const options = optionsOf(process.argv.slice(2));
process.exitCode = typeof options === "number" ? options : await soak(options);
