import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { levelsOf } from "../../src/engine/domain/order-book.ts";
import { UsualBooks } from "../baseline/usual-book.ts";
import { BareBook } from "../floor/bare-book.ts";
import {
  type BenchCase,
  type BenchContext,
  type CaseResult,
  durationText,
  ratioAim,
  rowsAgainst,
} from "../support/bench-case.ts";
import { demand } from "../support/bench-error.ts";
import { type FrameTape, makeTape } from "../support/frame-tape.ts";
import { demandSameBooks, LiveBooks } from "../support/live-books.ts";
import { type Contender, keep, race, type Timing, timeEach } from "../support/race.ts";

/** A thousand books at once: what a resync of all of them computes, and what they hold in memory. */
export const booksCase: BenchCase = { name: "books", run };

const bookCount = 1_000;
/** performance.md sections 4 and 1i: 1,000 books of 140 levels without their hashes. */
const wantedResyncNs = 15e6;
const floorResyncNs = 11.8e6;

async function run(context: BenchContext): Promise<CaseResult> {
  const rows: CaseResult["rows"][number][] = [];
  const ratios: Record<string, number> = {};
  const aims: CaseResult["aims"][number][] = [];
  const notes: string[] = [];
  for (const hashes of [false, true]) {
    context.progress("books: making the tape");
    const tape = makeTape({ markets: bookCount, frames: 0, hashes, openingChanges: 0 });
    const frames = hashes ? tape.opening : tape.opening.map(withoutHash);
    const [mine, theirs] = [new LiveBooks(tape), usualBooks(tape, hashes)];
    for (const frame of frames) mine.read(frame);
    for (const frame of frames) theirs.read(frame.toString("utf8"));
    demandSameBooks(mine, theirs);
    const options = { rounds: context.rounds, warmUps: 2 };
    demandSameFloor(tape, frames, mine);
    const contenders = [ours(tape, frames), floor(frames), usual(tape, hashes, frames)];
    const timings = await race(contenders, options, (text) => context.progress(`books: ${text}`));
    const label = hashes ? "each book's hash verified" : "no hashes";
    const compared = rowsAgainst(label, timings);
    rows.push(...compared.rows);
    ratios[hashes ? "resync_hashed" : "resync"] = compared.ratio;
    const ns = (timings[0]?.medianNs ?? Number.NaN) * bookCount;
    aims.push({
      what: `${label}: ${bookCount} books (a thousand medians) <= ${durationText(wantedResyncNs)}`,
      is: durationText(ns),
      met: ns <= wantedResyncNs,
    });
    if (!hashes) notes.push(floorText(timings));
  }
  const memory = compareMemory(context);
  notes.push(
    `memory of ${bookCount} books of 140 levels: ${memory.ours.toFixed(1)} MB, ` +
      `${memory.hashed.toFixed(1)} MB once each was hashed after a change; usual ${memory.usual.toFixed(1)} MB`,
  );
  ratios["books_memory"] = memory.usual / memory.hashed;
  aims.push(ratioAim("memory below the usual way", ratios["books_memory"], 5));
  return {
    title: `Books: ${bookCount} snapshots of 140 levels, bytes -> parsed -> applied (per book)`,
    rows,
    notes,
    ratios,
    aims,
  };
}

/** The snapshot as a venue that states no hash would send it. */
function withoutHash(frame: Buffer): Buffer {
  return Buffer.from(frame.toString("utf8").replace(/"hash":"[0-9a-f]{40}"/, '"hash":""'));
}

function usualBooks(tape: FrameTape, verify: boolean): UsualBooks {
  return new UsualBooks(new Map(tape.markets.map(({ tokenIds }) => tokenIds)), verify);
}

function ours(tape: FrameTape, frames: readonly Buffer[]): Contender {
  const books = new LiveBooks(tape);
  return {
    name: "ours",
    round: () =>
      timeEach(frames.length, (i) => {
        books.read(frames[i] ?? nothing);
      }),
  };
}

function usual(tape: FrameTape, hashes: boolean, frames: readonly Buffer[]): Contender {
  const books = usualBooks(tape, hashes);
  return {
    name: `JSON.parse + zod + Map/sort${hashes ? " + stringify/sha1" : ""}`,
    round: () =>
      timeEach(frames.length, (i) => {
        books.read((frames[i] ?? nothing).toString("utf8"));
        const token = tape.markets[i]?.tokenIds[0] ?? "";
        if (hashes) keep(books.books.get(token)?.hash("1780000000000"));
      }),
  };
}

const nothing = Buffer.alloc(0);

/** A book for each frame, as ours has. */
function floor(frames: readonly Buffer[]): Contender {
  const books = frames.map(() => new BareBook());
  return {
    name: "bare scan, the floor",
    round: () =>
      timeEach(frames.length, (i) => {
        books[i]?.read(frames[i] ?? nothing);
      }),
  };
}

function demandSameFloor(tape: FrameTape, frames: readonly Buffer[], ours: LiveBooks): void {
  for (const [i, { conditionId }] of tape.markets.entries()) {
    const bare = new BareBook();
    bare.read(frames[i] ?? nothing);
    const ladder = ours.books.get(conditionId)?.ladder;
    const wanted = new Float64Array(bare.sizes.length);
    const half = wanted.length / 2;
    for (const { price, size } of ladder ? levelsOf(ladder, 0, "buy") : [])
      wanted[price / 10] = size;
    for (const { price, size } of ladder ? levelsOf(ladder, 0, "sell") : []) {
      wanted[half + price / 10] = size;
    }
    demand(bare.sizes.join() === wanted.join(), `the floor's levels of ${conditionId}`);
    demand(bare.bestBid === ladder?.bestBid, `the floor's best bid of ${conditionId}`);
    demand(bare.bestAsk === ladder?.bestAsk, `the floor's best ask of ${conditionId}`);
  }
}

function floorText([mine, bare]: readonly Timing[]): string {
  const ratio = (of: (timing: Timing | undefined) => number | undefined) =>
    ((of(mine) ?? Number.NaN) / (of(bare) ?? Number.NaN)).toPrecision(3);
  return (
    `without hashes ${ratio((one) => one?.medianNs)} times the floor, ${ratio((one) => one?.lowestNs)} by the lowest rounds; ` +
    `performance.md has ${durationText(floorResyncNs)} for all of them, on its machine`
  );
}

type Memory = { readonly ours: number; readonly hashed: number; readonly usual: number };

function compareMemory(context: BenchContext): Memory {
  context.progress("books: memory");
  const frames = 4 * bookCount;
  const tape = makeTape({ markets: bookCount, frames, hashes: false, openingChanges: 0 });
  const hashed = makeTape({ markets: bookCount, frames, hashes: true, openingChanges: 0 });
  const held: unknown[] = [];
  const growth = (make: () => unknown): number => {
    const before = heldMb();
    held.push(make());
    return heldMb() - before;
  };
  const read = (from: FrameTape) => {
    const books = new LiveBooks(from);
    for (const frame of [...from.opening.map(withoutHash), ...from.frames]) books.read(frame);
    return books;
  };
  return {
    ours: growth(() => read(tape)),
    hashed: growth(() => read(hashed)),
    usual: growth(() => {
      const books = usualBooks(tape, false);
      for (const frame of [...tape.opening, ...tape.frames]) books.read(frame.toString("utf8"));
      return books;
    }),
  };
}

const bytesPerMb = 1024 * 1024;

/** Memory in use after a full collection, typed arrays included. */
function heldMb(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / bytesPerMb;
}
