import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { defaultFolderLimits, FolderWriter } from "../../src/adapters/tape/folder-writer.ts";
import { tapeRows } from "../../src/adapters/tape/tape-reader.ts";
import { openTapeRecorder } from "../../src/adapters/tape/tape-recorder.ts";
import { openRecording } from "../../src/cli/frame-files.ts";
import { playBooks, replayEverything } from "../../src/cli/replay-books.ts";
import { levelsOf } from "../../src/engine/domain/order-book.ts";
import { UsualBooks } from "../baseline/usual-book.ts";
import { readUsual, UsualRecorder } from "../baseline/usual-recorder.ts";
import { BareLadders, EventFile } from "../floor/bare-events.ts";
import {
  type Aim,
  type BenchCase,
  type BenchContext,
  type CaseResult,
  countText,
  durationText,
  rowsAgainst,
} from "../support/bench-case.ts";
import { demand } from "../support/bench-error.ts";
import { type FrameTape, makeTape } from "../support/frame-tape.ts";
import { demandSameBooks } from "../support/live-books.ts";
import { type Contender, type Round, race, type Timing } from "../support/race.ts";
import { scratchFolder } from "../support/scratch-folder.ts";
import { seeded } from "../support/seeded.ts";

/** Recording and replaying: what a level change costs the thread that packs it, the thread that hands it on, a replay. */
export const tapeCase: BenchCase = { name: "tape", run };

const marketCount = 100;
const frameCount = 20_000;
/** Of the recording that tells what a change costs by itself. */
const longFrameCount = 240_000;
const startMs = 1_790_000_000_000;
/** Arrival of the frames: 5,000 a second. */
const framesPerMs = 5;
const identity = { codeVersion: "bench", configHash: "" };
/** Frames that come out of a socket at once when many wait: 64 KiB. */
const framesPerRead = 100;
const queueBytes = 1024 * 1024 * 1024;
/** performance.md section 4. */
const wanted = { rowsPerSecond: 1e6, eventsPerSecond: 10e6 };

async function run(context: BenchContext): Promise<CaseResult> {
  await using stack = new AsyncDisposableStack();
  const folder = scratchFolder(stack, "tape");
  const options = { rounds: context.rounds, warmUps: 1 };
  const progress = (text: string) => context.progress(`tape: ${text}`);
  // First, while nothing else is in memory that a collection of garbage would have to look through.
  progress("making the long recording");
  const long = await makeLong(folder);
  const longer = await race(long.contenders, options, progress);
  progress("making frames");
  const source = makeTape({ markets: marketCount, frames: frameCount, hashes: false });
  const frames = [...source.opening, ...hashed(source)];
  const tape = join(folder, "tape");
  const file = join(folder, "frames.jsonl");
  const changes = source.changesPerFrame * frameCount;
  record(tape, frames);
  recordUsual(file, frames);
  demandSameTexts(tape, file, frames);
  const events = await demandSameReplay(tape, file, source);

  const recording = await race(
    [
      { name: "packed into a tape", round: () => record(join(folder, "a"), frames) },
      { name: "JSON.stringify + append", round: () => recordUsual(join(folder, "b"), frames) },
    ],
    options,
    progress,
  );
  const handing = await race(
    [
      { name: "handed to the thread", round: () => handOver(join(folder, "c"), frames) },
      { name: "JSON.stringify + append", round: () => recordUsual(join(folder, "b"), frames) },
    ],
    options,
    progress,
  );
  const replaying = await race(replayers(tape, file, source, events), options, progress);
  const groups = [
    rowsAgainst("recording, a level change", recording),
    rowsAgainst("main thread, a level change", handing),
    rowsAgainst("replay, a level change", replaying),
  ];
  const bytes = bytesIn(tape);
  return {
    title: `Tape: ${countText(frameCount)} frames (${countText(changes)} level changes) of ${marketCount} markets`,
    rows: [
      ...groups.flatMap((group) => group.rows),
      ...longer.map((timing) => ({
        label: `replay of ${countText(longFrameCount)} frames: ${timing.name}`,
        timing,
        ratio: null,
      })),
    ],
    notes: [
      `${(bytes / frames.length).toFixed(0)} bytes a frame on the disk, ${(statSync(file).size / bytes).toFixed(1)}x less than JSON lines`,
      `recording ${perSecondText(recording[0])} level changes a second in one thread, replay ${perSecondText(replaying[0])}`,
      costText([replaying[0], events], [longer[0], long.events]),
      `the floor (events of 32 bytes into bare ladders): ${floorText(longer)}`,
      `main thread: ${durationText(2 * (handing[0]?.medianNs ?? Number.NaN))} a frame`,
    ],
    ratios: {
      tape_record: groups[0]?.ratio ?? Number.NaN,
      tape_main_thread: groups[1]?.ratio ?? Number.NaN,
      tape_replay: groups[2]?.ratio ?? Number.NaN,
    },
    aims: [
      rateAim("level changes recorded a second", recording[0], wanted.rowsPerSecond),
      rateAim("level changes replayed a second", longer[0], wanted.eventsPerSecond),
    ],
  };
}

/** The frames with hashes as long as the venue's, which nobody could compress. They are made up: nobody verifies them here. */
function* hashed(source: FrameTape): Generator<Buffer> {
  const draw = seeded(7);
  const hash = () =>
    Array.from({ length: 5 }, () =>
      draw(2 ** 32)
        .toString(16)
        .padStart(8, "0"),
    ).join("");
  for (const frame of source.frames) {
    yield Buffer.from(frame.toString("utf8").replaceAll('"hash":""', () => `"hash":"${hash()}"`));
  }
}

const atMsOf = (n: number): number => startMs + Math.floor(n / framesPerMs);

/** Calls `take` with every frame. Blocks are written once in thousands of frames, so a change costs its share of all. */
function timed(
  frames: readonly Buffer[],
  take: (n: number, bytes: Buffer) => void,
  end: () => void,
): Round {
  const startedAt = performance.now();
  for (const [n, bytes] of frames.entries()) take(n, bytes);
  end();
  return shareOf(startedAt, 2 * frames.length);
}

function shareOf(startedAt: number, events: number): Round {
  const eachNs = ((performance.now() - startedAt) * 1e6) / events;
  return { samplesNs: Float64Array.of(eachNs), elapsedNs: eachNs };
}

/** What the recording thread does with the chunks that it is given, in which frame stands behind frame. */
function record(folder: string, frames: readonly Buffer[]): Round {
  rmSync(folder, { recursive: true, force: true });
  const chunk = Buffer.concat(frames);
  let from = 0;
  const writer = new FolderWriter(folder, identity, defaultFolderLimits, startMs);
  return timed(
    frames,
    (n, { length }) => {
      const atMs = atMsOf(n);
      writer.frame(atMs, chunk, [from, from + length], atMs);
      from += length;
    },
    () => writer.close(atMsOf(frames.length)),
  );
}

function recordUsual(file: string, frames: readonly Buffer[]): Round {
  const recorder = new UsualRecorder(file);
  return timed(
    frames,
    (n, bytes) => recorder.frame(atMsOf(n), bytes),
    () => recorder.close(),
  );
}

/** What the thread of the feed does: between the frames of a socket's reads it hears what the recording thread has taken. */
async function handOver(folder: string, frames: readonly Buffer[]): Promise<Round> {
  rmSync(folder, { recursive: true, force: true });
  const recorder = await openTapeRecorder({ folder, identity, queueBytes });
  let takenMs = 0;
  for (let n = 0; n < frames.length; n += framesPerRead) {
    const read = frames.slice(n, n + framesPerRead);
    const startedAt = performance.now();
    for (const [i, bytes] of read.entries()) recorder.frame(atMsOf(n + i), bytes);
    takenMs += performance.now() - startedAt;
    await nextTurn();
  }
  const totals = await recorder.close();
  demand(totals.frames === frames.length && totals.lostRows === 0, "every frame was recorded");
  const eachNs = (takenMs * 1e6) / (2 * frames.length);
  return { samplesNs: Float64Array.of(eachNs), elapsedNs: eachNs };
}

function demandSameTexts(tape: string, file: string, frames: readonly Buffer[]): void {
  let n = 0;
  for (const row of tapeRows(tape)) {
    if (row.kind !== "frame") continue;
    demand(row.text === frames[n]?.toString("utf8"), `frame ${n} of the tape`);
    n++;
  }
  demand(n === frames.length, "frames on the tape");
  n = 0;
  readUsual(file, (text) =>
    demand(text === frames[n++]?.toString("utf8"), `line ${n} of the file`),
  );
}

const plain = { ...replayEverything, hashes: false };

/** How many levels and level changes a replay applies. */
async function demandSameReplay(tape: string, file: string, source: FrameTape): Promise<number> {
  const columns = await playBooks(openRecording(tape), plain);
  const usual = usualBooks(file, source);
  demandSameBooks({ books: columns.books, refused: 0 }, usual);
  const byFrames = await playBooks({ ...openRecording(tape), isTape: false }, plain);
  const [one, other] = [columns.report(), byFrames.report()];
  demand(JSON.stringify(one) === JSON.stringify(other), "columns say what frames say");
  demand(Object.keys(one.integrityFailures).length === 0, "nothing contradicts the books");
  const levels = source.opening
    .map((frame) => frame.toString("utf8"))
    .filter((text) => text.includes('"bids"'))
    .reduce((sum, text) => sum + text.split('"price"').length - 1, 0);
  return levels + 2 * (one.events["book.delta"] ?? 0);
}

function usualBooks(file: string, source: FrameTape): UsualBooks {
  const books = new UsualBooks(new Map(source.markets.map(({ tokenIds }) => tokenIds)), false);
  readUsual(file, (text) => books.read(text));
  return books;
}

function replayers(tape: string, file: string, source: FrameTape, events: number): Contender[] {
  const round = async (replay: () => unknown): Promise<Round> => {
    const startedAt = performance.now();
    await replay();
    return shareOf(startedAt, events);
  };
  const recording = openRecording(tape);
  return [
    {
      name: "from the columns",
      round: () => round(() => playBooks(recording, plain)),
    },
    {
      name: "JSON.parse lines + zod + Map/sort",
      round: () => round(() => usualBooks(file, source)),
    },
  ];
}

/** The long recording, as a tape and as bare events. Both give the same books first. */
async function makeLong(
  folder: string,
): Promise<{ readonly contenders: Contender[]; readonly events: number }> {
  const source = makeTape({ markets: marketCount, frames: longFrameCount, hashes: false });
  const [tape, file] = [join(folder, "long"), join(folder, "events")];
  const writer = new FolderWriter(tape, identity, defaultFolderLimits, startMs);
  const events = new EventFile(file, source.markets);
  let n = 0;
  const add = (bytes: Buffer) => {
    const atMs = atMsOf(n++);
    writer.frame(atMs, bytes, [0, bytes.length], atMs);
    events.add(bytes.toString("utf8"));
  };
  for (const bytes of source.opening) add(bytes);
  for (const bytes of hashed(source)) add(bytes);
  writer.close(atMsOf(n));
  events.close();
  const recording = openRecording(tape);
  const bare = () => {
    const ladders = new BareLadders(marketCount);
    ladders.play(file);
    return ladders;
  };
  const [floor, { books }] = [bare(), await playBooks(recording, plain)];
  for (const [market, { conditionId }] of source.markets.entries()) {
    const ladder = books.get(conditionId)?.ladder;
    for (const side of ["buy", "sell"] as const) {
      const mine = ladder === undefined ? [] : levelsOf(ladder, 0, side);
      const theirs = floor.levels(market, side === "buy");
      const text = mine.map(({ price, size }) => `${price / 10}:${size}`).join(" ");
      demand(
        text === theirs.map((level) => level.join(":")).join(" "),
        `${side}s of ${conditionId}`,
      );
    }
  }
  const round = async (replay: () => unknown): Promise<Round> => {
    const startedAt = performance.now();
    await replay();
    return shareOf(startedAt, events.events);
  };
  const contenders = [
    { name: "from the columns", round: () => round(() => playBooks(recording, plain)) },
    { name: "bare events, the floor", round: () => round(bare) },
  ];
  return { contenders, events: events.events };
}

type Played = readonly [timing: Timing | undefined, events: number];

/** What a change costs by itself and what every replay costs besides, from the lowest rounds of both lengths. */
function costText([short, few]: Played, [long, many]: Played): string {
  const [one, all] = [few * (short?.lowestNs ?? Number.NaN), many * (long?.lowestNs ?? Number.NaN)];
  const eachNs = (all - one) / (many - few);
  return `replay, lowest rounds: ${durationText(eachNs)} a level change and ${durationText(one - eachNs * few)} besides`;
}

function floorText([ours, floor]: readonly Timing[]): string {
  const ratio = (of: (timing: Timing | undefined) => number | undefined) =>
    countText((of(ours) ?? Number.NaN) / (of(floor) ?? Number.NaN));
  return `replay takes ${ratio((one) => one?.medianNs)} times as long, ${ratio((one) => one?.lowestNs)} by the lowest rounds`;
}

function bytesIn(folder: string): number {
  return statSync(join(folder, "00000001.seg")).size;
}

function perSecondText(timing: Timing | undefined): string {
  return countText(1e9 / (timing?.medianNs ?? Number.NaN));
}

function rateAim(what: string, timing: Timing | undefined, least: number): Aim {
  const rate = 1e9 / (timing?.medianNs ?? Number.NaN);
  return { what: `${what} >= ${countText(least)}`, is: countText(rate), met: rate >= least };
}
