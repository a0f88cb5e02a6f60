import { once } from "node:events";
import { Worker } from "node:worker_threads";
import WebSocket from "ws";
import { defaultFeedTimings } from "../../src/adapters/polymarket/feed-timings.ts";
import { createHttpClient } from "../../src/adapters/polymarket/http-client.ts";
import { createMarketFeed } from "../../src/adapters/polymarket/market-feed.ts";
import { UsualBooks } from "../baseline/usual-book.ts";
import {
  type BenchCase,
  type BenchContext,
  type CaseResult,
  countText,
  ratioAim,
  rowsAgainst,
} from "../support/bench-case.ts";
import { BenchError } from "../support/bench-error.ts";
import { type FrameTape, makeTape, type TapeOptions } from "../support/frame-tape.ts";
import { demandSameBooks, LiveBooks } from "../support/live-books.ts";
import { type Contender, type Round, race } from "../support/race.ts";
import { askedChangesPerMinute } from "./frame.ts";

/** Sustained frames through a real market socket into the books; the server floods from another thread. */
export const socketsCase: BenchCase = { name: "sockets", run };

/** As many as one connection carries. */
const markets = 100;
const framesOf = { hashed: 2_000, plain: 10_000 } as const;
const limitMs = 60_000;
/** performance.md section 4, with the `ws` package on both sides. */
const wanted = 6;

async function run(context: BenchContext): Promise<CaseResult> {
  const rows: CaseResult["rows"][number][] = [];
  const ratios: Record<string, number> = {};
  const notes: string[] = [];
  const aims: CaseResult["aims"][number][] = [];
  for (const hashes of [false, true]) {
    const frames = hashes ? framesOf.hashed : framesOf.plain;
    const options: TapeOptions = { markets, frames, hashes };
    context.progress(`sockets: making a tape of ${frames} frames`);
    const tape = makeTape(options);
    await using server = await openFlood(options);
    const last: Last = { ours: null, usual: null };
    const timings = await race(
      [ours(server, tape, last), usual(server, tape, hashes, last)],
      { rounds: context.rounds, warmUps: 1 },
      (text) => context.progress(`sockets: ${text}`),
    );
    if (last.ours === null || last.usual === null) throw new BenchError("nothing was received");
    demandSameBooks(last.ours, last.usual);
    const label = hashes ? "hashes verified" : "no hashes";
    const compared = rowsAgainst(label, timings);
    const key = hashes ? "sockets_hashed" : "sockets";
    const changesPerMinute = (timings[0]?.perSecond ?? 0) * tape.changesPerFrame * 60;
    rows.push(...compared.rows);
    ratios[key] = compared.ratio;
    ratios[`${key}_vs_5000_per_min`] = changesPerMinute / askedChangesPerMinute;
    notes.push(
      `${label}: ${countText(timings[0]?.perSecond ?? 0)} frames a second sustained, ` +
        `${countText(changesPerMinute / askedChangesPerMinute)}x the documents' 5,000 level changes a minute`,
    );
    aims.push(
      ratioAim(`${label}: sustained frames over the usual way`, compared.ratio, wanted),
      ratioAim(
        `${label}: over 5,000 changes a minute`,
        changesPerMinute / askedChangesPerMinute,
        1_000,
      ),
    );
  }
  return {
    title: `Socket: frames through one market connection into the books of ${markets} markets (per frame, one sample a round)`,
    rows,
    notes,
    ratios,
    aims,
  };
}

/** Books after the last round, for the comparison. */
type Last = { ours: LiveBooks | null; usual: UsualBooks | null };

type Flood = AsyncDisposable & { readonly wsUrl: string; readonly go: () => void };

async function openFlood(options: TapeOptions): Promise<Flood> {
  const url = new URL("../support/flood-worker.ts", import.meta.url);
  const worker = new Worker(url, { workerData: options });
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

/** Resolves when a number of frames has been counted. */
class Countdown {
  readonly done: Promise<void>;
  #left: number;
  readonly #resolve: () => void;

  constructor(frames: number) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(new BenchError("frames are missing")), limitMs).unref();
    // Whoever stops waiting for the first countdown never asks about the second.
    promise.catch(() => undefined);
    this.#left = frames;
    this.done = promise;
    this.#resolve = () => {
      clearTimeout(timer);
      resolve();
    };
  }

  count(): void {
    if (--this.#left === 0) this.#resolve();
  }
}

const nsPerMs = 1e6;

/** Waits for the books, then times the flood from its first to its last frame. */
async function timeFlood(
  server: Flood,
  frames: number,
  opening: Countdown,
  rest: Countdown,
): Promise<Round> {
  await opening.done;
  const startedAt = performance.now();
  server.go();
  await rest.done;
  const elapsedNs = (performance.now() - startedAt) * nsPerMs;
  const samplesNs = Float64Array.of(elapsedNs / frames);
  return { samplesNs, elapsedNs: elapsedNs / frames };
}

function ours(server: Flood, tape: FrameTape, last: Last): Contender {
  return {
    name: "ours: feed of the adapter",
    async round() {
      const books = new LiveBooks(tape);
      const opening = new Countdown(tape.opening.length);
      const rest = new Countdown(tape.frames.length);
      let seen = 0;
      const quiet = () => undefined;
      const timeouts = { connectMs: 1_000, headersMs: 1_000, bodyMs: 1_000, totalMs: 1_000 };
      const feed = createMarketFeed({
        wsUrl: server.wsUrl,
        http: createHttpClient({ baseUrl: "http://127.0.0.1:9", timeouts, connections: 1 }),
        timings: defaultFeedTimings,
        log: { info: quiet, warn: quiet, error: quiet },
      });
      feed.watch(tape.markets);
      feed.start((events) => {
        for (const event of events) {
          if (event.kind === "link.up" || event.kind === "link.lost") continue;
          books.apply(event);
          (seen++ < tape.opening.length ? opening : rest).count();
        }
      });
      const round = await timeFlood(server, tape.frames.length, opening, rest);
      await feed.close();
      books.close();
      last.ours = books;
      return round;
    },
  };
}

function usual(server: Flood, tape: FrameTape, hashes: boolean, last: Last): Contender {
  return {
    name: `ws + JSON.parse + zod + Map/sort${hashes ? " + stringify/sha1" : ""}`,
    async round() {
      const mirrors = new Map(tape.markets.map(({ tokenIds }) => tokenIds));
      const books = new UsualBooks(mirrors, hashes);
      const opening = new Countdown(tape.opening.length);
      const rest = new Countdown(tape.frames.length);
      let seen = 0;
      const socket = new WebSocket(`${server.wsUrl}/ws/market`, { perMessageDeflate: false });
      socket.on("open", () => {
        const ids = tape.markets.map(({ tokenIds }) => tokenIds[0]);
        socket.send(JSON.stringify({ type: "market", assets_ids: ids }));
      });
      socket.on("message", (data: Buffer) => {
        books.read(data.toString("utf8"));
        (seen++ < tape.opening.length ? opening : rest).count();
      });
      const round = await timeFlood(server, tape.frames.length, opening, rest);
      socket.terminate();
      last.usual = books;
      return round;
    },
  };
}
