import { readFileSync, statSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import {
  type MarketFrame,
  parseMarketFrame,
  parseMarketValue,
} from "../adapters/polymarket/parse-market-frame.ts";
import { TapeError } from "../adapters/tape/tape-error.ts";
import { isTapeFolder, tapeRows } from "../adapters/tape/tape-reader.ts";
import type { MarketRow } from "../adapters/tape/tape-row.ts";
import type { Woken } from "../engine/core/wake-up.ts";

/** One recorded step: a frame of the stream, or news of the connection that carried it. */
export type TapeStep = {
  /** Local milliseconds at which it was received; null on tapes that do not say. */
  readonly atMs: number | null;
  readonly frame: MarketFrame | null;
  readonly link: "up" | "lost" | null;
  /** Rows that the recorder could not keep at this place; 0 nearly everywhere. */
  readonly lostRows: number;
  /** Condition ids that the lost connection carried; null for all. */
  readonly lostMarkets: readonly string[] | null;
};

/** What a step has when nothing is said about it. */
const plainStep = { atMs: null, frame: null, link: null, lostRows: 0, lostMarkets: null } as const;

/** A recording that can be gone through more than once. */
export type Recording = {
  readonly path: string;
  /** True for a folder that `record --tape` wrote; false for a file of frames. */
  readonly isTape: boolean;
  /** @throws FrameFileError */
  readonly steps: () => Iterable<TapeStep>;
};

/** A file that cannot be read as recorded frames. */
export class FrameFileError extends Error {
  override readonly name = "FrameFileError";
}

const maxFileBytes = 256 * 1024 * 1024;

/** Opens a tape's folder or a file of frames (see readFrameFile). @throws FrameFileError */
export function openRecording(path: string): Recording {
  if (isTapeFolder(path)) return { path, isTape: true, steps: () => tapeSteps(path) };
  const steps = readFrameFile(path);
  return { path, isTape: false, steps: () => steps };
}

/** The rows of a tape as steps. A session's beginning is news of a lost connection: nobody listened before it. */
function* tapeSteps(folder: string): Generator<TapeStep> {
  try {
    for (const row of tapeRows(folder)) yield stepOfRow(row);
  } catch (error) {
    if (error instanceof TapeError) throw new FrameFileError(error.message);
    throw error;
  }
}

/** One row of a tape as a step; whatever a frame holds, it becomes events and counted refusals. */
export function stepOfRow(row: MarketRow): TapeStep {
  const { atMs } = row;
  if (row.kind === "frame") return frameStep(atMs, parseMarketFrame(row.text));
  const { note } = row;
  if (note.note === "link") {
    return { ...plainStep, atMs, link: note.link, lostMarkets: note.markets ?? null };
  }
  if (note.note === "book") return { ...plainStep, atMs, frame: parseMarketFrame(note.frame) };
  const lostRows = note.note === "gap" ? note.lost : 0;
  return { ...plainStep, atMs, link: "lost", lostRows };
}

/** A frame that came at this time, already read. */
export function frameStep(atMs: number, frame: MarketFrame): TapeStep {
  return { ...plainStep, atMs, frame };
}

/** The step with the events of the chosen markets alone; null when nothing of them is in it. `markets` null: all. */
export function chosenStep(step: TapeStep, markets: ReadonlySet<string> | null): TapeStep | null {
  if (markets === null || step.frame === null) return step;
  const events = step.frame.events.filter((event) => markets.has(event.conditionId));
  return events.length === 0 ? null : { ...step, frame: { events, refused: [] } };
}

/**
 * Frames of a file in any of these layouts, optionally gzipped: one JSON object (a REST book), a JSON array of frames
 * (which may be arrays themselves), JSON lines of frames, vectors with `kind` instead of `event_type`, or the lines that
 * `record` writes. @throws FrameFileError
 */
export function readFrameFile(file: string): readonly TapeStep[] {
  const text = readText(file);
  const whole = jsonOf(text);
  if (Array.isArray(whole)) return (whole as readonly unknown[]).map((value) => stepOf(value));
  if (whole !== undefined) return [stepOf(whole)];
  const steps = text.split("\n").flatMap((line) => (line.trim() === "" ? [] : [lineStep(line)]));
  if (steps.length === 0) throw new FrameFileError(`${file}: no frames`);
  return steps;
}

function readText(file: string): string {
  try {
    if (statSync(file).size > maxFileBytes) {
      throw new FrameFileError(`${file}: larger than ${maxFileBytes} bytes`);
    }
    const bytes = readFileSync(file);
    if (!file.endsWith(".gz")) return bytes.toString("utf8");
    return gunzipSync(bytes, { maxOutputLength: maxFileBytes }).toString("utf8");
  } catch (error) {
    if (error instanceof FrameFileError) throw error;
    const reason = error instanceof Error ? error.message : "unreadable";
    throw new FrameFileError(`${file}: ${reason}`);
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** A line that is no JSON is what the stream said (PONG, empty frames) and is counted like there. */
function lineStep(line: string): TapeStep {
  const value = jsonOf(line);
  if (value === undefined) return { ...plainStep, frame: parseMarketFrame(line) };
  return stepOf(value);
}

function stepOf(value: unknown): TapeStep {
  const fields =
    typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  const atMs = typeof fields["t"] === "number" ? fields["t"] : null;
  if (fields["link"] === "up" || fields["link"] === "lost") {
    const lost = fields["markets"];
    const lostMarkets = Array.isArray(lost) ? lost.filter((id) => typeof id === "string") : null;
    return { ...plainStep, atMs, link: fields["link"], lostMarkets };
  }
  if (typeof fields["gap"] === "number") {
    return { ...plainStep, atMs, link: "lost", lostRows: fields["gap"] };
  }
  // Where strategies were woken, which says nothing of a book.
  if (Array.isArray(fields["wakeUp"])) return { ...plainStep, atMs };
  if (typeof fields["frame"] === "string") {
    return { ...plainStep, atMs, frame: parseMarketFrame(fields["frame"]) };
  }
  const named = typeof fields["kind"] === "string" && fields["event_type"] === undefined;
  const event = named ? { ...fields, event_type: fields["kind"] } : value;
  return { ...plainStep, atMs, frame: parseMarketValue(event) };
}

/** The line that `record` writes for a frame. */
export function frameLine(atMs: number, text: string): string {
  return `${JSON.stringify({ t: atMs, frame: text })}\n`;
}

/** The line that `record` writes for news of a connection. */
export function linkLine(atMs: number, link: "up" | "lost", markets?: readonly string[]): string {
  return `${JSON.stringify({ t: atMs, link, markets })}\n`;
}

/** The line of an export that says where strategies were woken, and how many changes of each book that stands for. */
export function wakeUpLine(atMs: number, woken: readonly Woken[]): string {
  return `${JSON.stringify({ t: atMs, wakeUp: woken })}\n`;
}

/** A row of a tape as a line that `replay` reads; `record --out` writes the same lines. */
export function rowLine(row: MarketRow): string {
  if (row.kind === "frame") return frameLine(row.atMs, row.text);
  const { note } = row;
  if (note.note === "link") return linkLine(row.atMs, note.link, note.markets);
  if (note.note === "book") return frameLine(row.atMs, note.frame);
  if (note.note === "session") return linkLine(row.atMs, "lost");
  const { lost, reason, fromMs } = note;
  return `${JSON.stringify({ t: row.atMs, gap: lost, reason, fromMs })}\n`;
}
