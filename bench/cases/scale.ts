import {
  type BenchCase,
  type BenchContext,
  type CaseResult,
  countText,
  durationText,
} from "../support/bench-case.ts";
import { BenchError, demand } from "../support/bench-error.ts";
import { type FrameTape, makeTape } from "../support/frame-tape.ts";
import { LiveBooks } from "../support/live-books.ts";
import { type Round, type Timing, timingOf } from "../support/race.ts";
import { openBenchFeed, openShardedFlood, type ShardedFlood } from "../support/sharded-flood.ts";

/** Frames through the adapter's feed and its connections into the books, for ever more markets: the curve of the cost. */
export const scaleCase: BenchCase = { name: "scale", run };

const marketCounts = [1, 100, 1_000, 10_000];
const framesPerRound = 10_000;
/** For the books of so many markets to come, and for the frames: a slow machine takes minutes for 10,000. */
const limitMs = (markets: number) => 120_000 + 60 * markets;
const nsPerMs = 1e6;
/** Random books no longer fit the processor's caches: a few misses a frame, but nothing that grows with their number. */
const growthMax = 3;

async function run(context: BenchContext): Promise<CaseResult> {
  const rounds = context.full ? 5 : 3;
  const timings: Timing[] = [];
  for (const markets of marketCounts) {
    context.progress(`scale: ${markets} markets, making a tape`);
    const tape = makeTape({ markets, frames: framesPerRound, hashes: false, openingChanges: 1 });
    const kept: Round[] = [];
    await using server = await openShardedFlood(tape);
    for (let round = -1; round < rounds; round++) {
      context.progress(`scale: ${markets} markets, round ${round + 1}/${rounds}`);
      const result = await play(server, tape);
      if (round >= 0) kept.push(result);
    }
    const connections = Math.ceil(markets / 200);
    timings.push(timingOf(`${countText(markets)} markets on ${connections} connections`, kept));
  }
  const [first, last] = [timings[0], timings.at(-1)];
  const growth = (last?.medianNs ?? Number.NaN) / (first?.medianNs ?? Number.NaN);
  return {
    title:
      "Scale: frames through the real feed into the books, by number of markets (per frame, one sample a round)",
    rows: timings.map((timing) => ({ label: timing.name, timing, ratio: null })),
    notes: [
      `curve: ${timings.map((one, i) => `${countText(marketCounts[i] ?? 0)} markets ${durationText(one.medianNs)} (${countText(one.perSecond)} frames a second)`).join(", ")}`,
    ],
    ratios: { scale_one_over_many: 1 / growth },
    aims: [
      {
        what: `${countText(marketCounts.at(-1) ?? 0)} markets cost at most ${growthMax}x of one a frame`,
        is: `${growth.toFixed(2)}x`,
        met: growth <= growthMax,
      },
    ],
  };
}

async function play(server: ShardedFlood, tape: FrameTape): Promise<Round> {
  const books = new LiveBooks(tape);
  const opened = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  const fail = () => {
    opened.reject(new BenchError("books are missing"));
    done.reject(new BenchError("frames are missing"));
  };
  done.promise.catch(() => undefined);
  const timer = setTimeout(fail, limitMs(tape.markets.length));
  let seen = 0;
  const all = tape.opening.length + tape.frames.length;
  await using feed = openBenchFeed(server.wsUrl, tape.markets.length);
  feed.watch(tape.markets);
  feed.start((events) => {
    for (const event of events) {
      if (event.kind === "link.up") continue;
      if (event.kind === "link.lost") return fail();
      books.apply(event);
      seen++;
      if (seen === tape.opening.length) opened.resolve();
      if (seen === all) done.resolve();
    }
  });
  await opened.promise;
  const startedAt = performance.now();
  server.go();
  await done.promise;
  const elapsedNs = (performance.now() - startedAt) * nsPerMs;
  clearTimeout(timer);
  const { losses, connections } = feed.health();
  books.close();
  demand(books.refused === 0, `${books.refused} frames were refused`);
  demand(Object.keys(losses).length === 0, "a connection was lost");
  demand(connections.length === Math.ceil(tape.markets.length / 200), "another number of shards");
  const perFrame = elapsedNs / tape.frames.length;
  return { samplesNs: Float64Array.of(perFrame), elapsedNs: perFrame };
}
