import WebSocket from "ws";
import { UsualBooks } from "../baseline/usual-book.ts";
import {
  type BenchCase,
  type BenchContext,
  type CaseResult,
  durationText,
  ratioAim,
  rowsAgainst,
} from "../support/bench-case.ts";
import { BenchError, demand } from "../support/bench-error.ts";
import { type FrameTape, makeTape } from "../support/frame-tape.ts";
import { demandSameBooks, LiveBooks } from "../support/live-books.ts";
import { type Contender, type Round, race } from "../support/race.ts";
import { openBenchFeed, openShardedFlood, type ShardedFlood } from "../support/sharded-flood.ts";

/** From the request for a fresh book to the book in place, its hash verified, on loopback. */
export const resyncCase: BenchCase = { name: "resync", run };

const markets = 100;
const resyncsPerRound = 300;
const limitMs = 60_000;
const nsPerMs = 1e6;
const wantedMs = 10;

async function run(context: BenchContext): Promise<CaseResult> {
  const tape = makeTape({ markets, frames: 0, hashes: true });
  await using server = await openShardedFlood(tape);
  const last: { ours: LiveBooks | null; usual: UsualBooks | null } = { ours: null, usual: null };
  const timings = await race(
    [
      ours(server, tape, (books) => (last.ours = books)),
      usual(server, tape, (books) => (last.usual = books)),
    ],
    { rounds: context.rounds, warmUps: 1 },
    (text) => context.progress(`resync: ${text}`),
  );
  if (last.ours === null || last.usual === null) throw new BenchError("nothing was received");
  demandSameBooks(last.ours, last.usual);
  const { rows, ratio } = rowsAgainst("", timings);
  const p99Ms = (timings[0]?.p99Ns ?? Number.NaN) / nsPerMs;
  return {
    title: "Resync: one market's book anew on loopback, 140 levels (each sample one resync)",
    rows,
    notes: [
      `p50 ${durationText(timings[0]?.medianNs ?? Number.NaN)}, p99 ${durationText(timings[0]?.p99Ns ?? Number.NaN)}; the documents ask for less than 300 ms`,
    ],
    ratios: { resync: ratio, resync_vs_300_ms: 300 / p99Ms },
    aims: [
      {
        what: `p99 of a resync < ${wantedMs} ms`,
        is: `${p99Ms.toFixed(2)} ms`,
        met: p99Ms < wantedMs,
      },
      ratioAim("300 ms over the p99", 300 / p99Ms, 30),
    ],
  };
}

/** Resubscribes on the open connection, as the service does when a book is contradicted. */
function ours(server: ShardedFlood, tape: FrameTape, keep: (books: LiveBooks) => void): Contender {
  return {
    name: "ours: resubscribe on the open connection",
    async round() {
      const books = new LiveBooks(tape);
      await using feed = openBenchFeed(server.wsUrl, markets);
      let wait = { market: "", resolve: () => undefined as void };
      const opened = bounded();
      let events = 0;
      feed.watch(tape.markets);
      feed.start((batch) => {
        for (const event of batch) {
          if (event.kind === "link.up" || event.kind === "link.lost") continue;
          books.apply(event);
          if (++events === tape.opening.length) opened.resolve();
          if (event.kind === "book.snapshot" && event.conditionId === wait.market) wait.resolve();
        }
      });
      await opened.promise;
      const samplesNs = new Float64Array(resyncsPerRound);
      const startedAt = performance.now();
      for (let i = 0; i < resyncsPerRound; i++) {
        const market = tape.markets[i % markets]?.conditionId ?? "";
        const came = bounded();
        wait = { market, resolve: came.resolve };
        const askedAt = performance.now();
        feed.resync(market);
        await came.promise;
        samplesNs[i] = (performance.now() - askedAt) * nsPerMs;
      }
      const elapsedNs = (performance.now() - startedAt) * nsPerMs;
      demand(feed.health().snapshots.asked === resyncsPerRound, "a resync was left out");
      // What follows the last snapshot belongs to the book as well.
      await settle();
      books.close();
      keep(books);
      return { samplesNs, elapsedNs };
    },
  };
}

/** Opens a connection for the market anew, as clients without a second subscription on the same socket do. */
function usual(
  server: ShardedFlood,
  tape: FrameTape,
  keep: (books: UsualBooks) => void,
): Contender {
  return {
    name: "reconnect with ws + JSON.parse + zod + Map/sort",
    async round(): Promise<Round> {
      const mirrors = new Map(tape.markets.map(({ tokenIds }) => tokenIds));
      const books = new UsualBooks(mirrors, false);
      const samplesNs = new Float64Array(resyncsPerRound);
      const perMarket = tape.opening.length / markets;
      const startedAt = performance.now();
      for (let i = 0; i < resyncsPerRound; i++) {
        const id = tape.markets[i % markets]?.tokenIds[0] ?? "";
        const came = bounded();
        const all = bounded();
        let frames = 0;
        const askedAt = performance.now();
        const socket = new WebSocket(server.wsUrl, { perMessageDeflate: false });
        socket.on("open", () => socket.send(JSON.stringify({ type: "market", assets_ids: [id] })));
        socket.on("message", (data: Buffer) => {
          books.read(data.toString("utf8"));
          if (++frames === 1) came.resolve();
          if (frames === perMarket) all.resolve();
        });
        await came.promise;
        samplesNs[i] = (performance.now() - askedAt) * nsPerMs;
        await all.promise;
        socket.terminate();
      }
      keep(books);
      return { samplesNs, elapsedNs: (performance.now() - startedAt) * nsPerMs };
    },
  };
}

function bounded(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new BenchError("a book is missing")), limitMs).unref();
  return {
    promise,
    resolve: () => {
      clearTimeout(timer);
      resolve();
    },
  };
}

const settleMs = 50;

function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, settleMs));
}
