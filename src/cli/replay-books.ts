import { setTimeout as sleep } from "node:timers/promises";
import type { BlockView } from "../adapters/tape/block-view.ts";
import { marketsOfManifest, tapeBlocks, wholeTape } from "../adapters/tape/tape-reader.ts";
import type { MarketEvent } from "../engine/domain/market-event.ts";
import { BookReplay, type ReplayReport } from "./book-replay.ts";
import { ColumnReplay } from "./column-replay.ts";
import { chosenStep, type Recording } from "./frame-files.ts";
import { TapeDiscovery } from "./tape-discovery.ts";
import { marketsOfTape } from "./tape-markets.ts";

export type ReplayOptions = {
  /** Leaves out the n-th frame (from 1), to show that it is noticed; null for none. */
  readonly drop: number | null;
  /** False: best prices are compared, book hashes are not recomputed. */
  readonly hashes: boolean;
  /** Local milliseconds. Earlier rows build the books and are not counted. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Condition ids to play; null for all. */
  readonly markets: ReadonlySet<string> | null;
  /** Times the recorded pace; null for as fast as it goes. */
  readonly speed: number | null;
  /** Memory for the first blocks of a tape, which are gone through twice; the others are unpacked twice. */
  readonly keptBytes: number;
  /** Told now and then how far the tape is. */
  readonly progress: (frames: number, atMs: number) => void;
};

export const replayEverything: ReplayOptions = {
  drop: null,
  hashes: true,
  fromMs: Number.NEGATIVE_INFINITY,
  toMs: Number.POSITIVE_INFINITY,
  markets: null,
  speed: null,
  keptBytes: 256 * 1024 * 1024,
  progress: () => undefined,
};

/** A longer silence of a recording is played as this one. */
const silenceMaxMs = 5_000;
/** A pause shorter than what a timer can do is put off until it adds up. */
const pauseMinMs = 4;
const stepsPerProgress = 20_000;

/** Plays a recording into books as the engine does. Two replays of the same one give the same report. */
export async function replayBooks(
  recording: Recording,
  options: ReplayOptions,
): Promise<ReplayReport> {
  return (await playBooks(recording, options)).report();
}

/** The same with the books themselves in hand. */
export async function playBooks(recording: Recording, options: ReplayOptions): Promise<BookReplay> {
  // The markets are known beforehand, as a service knows them from the catalog: also from a frame that is dropped.
  const kept: BlockView[] = [];
  const { books } = marketsOfTape(discoveryEvents(recording, options, kept), null);
  const replay = new BookReplay(books, options.hashes);
  replay.counts = !Number.isFinite(options.fromMs);
  const isPlain = options.drop === null && options.speed === null && !options.hashes;
  if (recording.isTape && isPlain) playColumns(recording, options, replay, kept);
  else await playSteps(recording, options, replay);
  return replay;
}

function playColumns(
  { path }: Recording,
  options: ReplayOptions,
  replay: BookReplay,
  kept: readonly BlockView[],
): void {
  const columns = new ColumnReplay(replay, options.markets, options.keptBytes / 4);
  let frames = 0;
  const play = (block: BlockView) => {
    columns.block(block, options.fromMs, options.toMs);
    frames += block.head.frames;
    options.progress(frames, block.head.lastAtMs);
  };
  for (const block of kept) if (block.head.firstAtMs <= options.toMs) play(block);
  const lastSeq = kept.at(-1)?.head.lastSeq ?? 0;
  for (const block of tapeBlocks(path, { ...wholeTape, toMs: options.toMs, afterSeq: lastSeq })) {
    play(block);
  }
  columns.settle();
}

async function playSteps(
  recording: Recording,
  options: ReplayOptions,
  replay: BookReplay,
): Promise<void> {
  const pace = new Pace(options.speed);
  let frames = 0;
  let steps = 0;
  for (const read of recording.steps()) {
    const atMs = read.atMs ?? steps;
    steps++;
    // A file that does not say when its frames came has no earlier and later.
    if (read.atMs !== null && atMs > options.toMs) break;
    if (!replay.counts && (read.atMs === null || atMs >= options.fromMs)) replay.counts = true;
    const step = chosenStep(read, options.markets);
    if (step === null) continue;
    if (replay.counts && read.atMs !== null && options.speed !== null) await pace.until(atMs);
    if (step.frame !== null) frames++;
    replay.step(step, atMs, step.frame !== null && frames === options.drop);
    if (steps % stepsPerProgress === 0) options.progress(frames, atMs);
  }
}

/** Waits so that rows come at the pace of their recording, or a multiple of it. */
class Pace {
  readonly #speed: number;
  #lastMs: number | null = null;
  #dueMs = 0;

  constructor(speed: number | null) {
    this.#speed = speed ?? 1;
  }

  async until(atMs: number): Promise<void> {
    if (this.#lastMs === null) this.#dueMs = performance.now();
    const silenceMs = Math.max(0, atMs - (this.#lastMs ?? atMs));
    this.#lastMs = atMs;
    this.#dueMs += Math.min(silenceMs, silenceMaxMs) / this.#speed;
    const pauseMs = this.#dueMs - performance.now();
    if (pauseMs >= pauseMinMs) await sleep(pauseMs);
  }
}

/**
 * Events that tell which markets, tokens and terms a recording has: all of a file's, few of a tape's. The first blocks of
 * a tape are kept, so that a tape of ordinary size is unpacked once.
 */
function* discoveryEvents(
  recording: Recording,
  { markets, keptBytes }: ReplayOptions,
  kept: BlockView[],
): Generator<MarketEvent> {
  const isChosen = (event: MarketEvent) => markets === null || markets.has(event.conditionId);
  if (!recording.isTape) {
    for (const { frame } of recording.steps()) yield* frame?.events.filter(isChosen) ?? [];
    return;
  }
  const discovery = new TapeDiscovery(marketsOfManifest(recording.path));
  let bytesLeft = keptBytes;
  for (const block of tapeBlocks(recording.path)) {
    bytesLeft -= block.memoryBytes;
    if (bytesLeft > 0) kept.push(block);
    for (const event of discovery.eventsOf(block)) if (isChosen(event)) yield event;
  }
}
