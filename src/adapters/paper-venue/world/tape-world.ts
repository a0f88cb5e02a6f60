import { readFileSync, statSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { Exchange } from "../types.ts";
import type { DrivenWorld } from "./driven-world.ts";
import { WorldError } from "./errors.ts";
import { SteppedTimer } from "./stepped-timer.ts";
import { parseFrames, parseTape, type TapeEvent, type TapeFrame } from "./tape-frames.ts";
import { TapeMarket } from "./tape-market.ts";
import { openTapeMarkets } from "./tape-markets.ts";

export type TapeOptions = {
  readonly exchange: Exchange;
  /** A file of frames, or the texts of frames that a recording gave back. */
  readonly source: string | Iterable<string>;
  /** Folder whose `gamma/` gives titles, or null. */
  readonly dataDir: string | null;
  /** 2 plays twice as fast as recorded. */
  readonly speed: number;
  readonly nowMs: () => number;
};

/** A longer silence on the tape is played as this one. */
const MAX_GAP_MS = 5_000;
const TIMER_MS = 5;
const MAX_TAPE_BYTES = 512 * 1024 * 1024;

function readTape(file: string): string {
  let bytes: Buffer;
  try {
    if (statSync(file).size > MAX_TAPE_BYTES)
      throw new WorldError(`${file} is over ${MAX_TAPE_BYTES} bytes`);
    bytes = readFileSync(file);
  } catch (error) {
    if (error instanceof WorldError) throw error;
    throw new WorldError(`cannot read the tape ${file}: ${(error as Error).message}`);
  }
  return (file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
}

/** When each frame plays, in milliseconds after the start. */
export function tapeSchedule(frames: readonly TapeFrame[], speed: number): number[] {
  let offsetMs = 0;
  let lastMs: number | null = null;
  return frames.map(({ atMs }) => {
    if (atMs !== null) {
      const gapMs = lastMs === null ? 0 : Math.min(MAX_GAP_MS, Math.max(0, atMs - lastMs));
      offsetMs += gapMs / speed;
      lastMs = atMs;
    }
    return offsetMs;
  });
}

/** Recorded frames played once at their own spacing; afterwards the last books stay. */
export function createTapeWorld(options: TapeOptions): DrivenWorld {
  const { exchange, speed } = options;
  const { source } = options;
  const tape = typeof source === "string" ? parseTape(readTape(source)) : parseFrames(source);
  const { loaded, openers, untitled } = openTapeMarkets(tape, options.dataDir, options.nowMs());
  loaded.addTo(exchange);
  const openedAt = new Map([...openers].map((book) => [book.market, book.recorded.timestampMs]));
  const markets = new Map<string, TapeMarket>();
  for (const { spec, book } of loaded.markets) {
    const atMs = openedAt.get(spec.conditionId) ?? 0;
    markets.set(spec.conditionId, new TapeMarket(exchange, spec, book, atMs));
  }
  const schedule = tapeSchedule(tape.frames, speed);
  let startedAtMs: number | null = null;
  let next = 0;
  const play = (frame: TapeFrame): void => {
    const events = frame.events.filter((event) => event.kind !== "book" || !openers.has(event));
    const byMarket: Map<string, TapeEvent[]> = Map.groupBy(events, (event) => event.market);
    for (const [market, own] of byMarket) markets.get(market)?.play(own);
  };
  const timer = new SteppedTimer(TIMER_MS, () => advance(options.nowMs()));
  const advance = (nowMs: number): void => {
    startedAtMs ??= nowMs;
    for (; next < tape.frames.length; next++) {
      const frame = tape.frames[next];
      if (frame === undefined || startedAtMs + (schedule[next] ?? 0) > nowMs) return;
      play(frame);
    }
    timer.stop();
  };
  const seconds = ((schedule.at(-1) ?? 0) / 1000).toFixed(1);
  const notes = [
    `${tape.frames.length} frames over ${seconds} s at speed ${speed}`,
    `${loaded.bookCount()} markets opened with their first books`,
    "times are now, book hashes recomputed",
  ];
  if (untitled > 0) notes.push(`${untitled} markets without a recorded title`);
  if (tape.skipped > 0) notes.push(`${tape.skipped} other messages left out`);
  return {
    summary: `tape: ${notes.join(", ")}; at its end the last books stay`,
    start: () => {
      startedAtMs ??= options.nowMs();
      if (next < tape.frames.length) timer.start();
    },
    stop: () => timer.stop(),
    advance,
    eventMetadata: () => null,
    move: (conditionId, ticks) => markets.get(conditionId)?.move(ticks),
  };
}
