import { readFileSync, statSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import {
  type MarketFrame,
  parseMarketFrame,
  parseMarketValue,
} from "../adapters/polymarket/parse-market-frame.ts";

/** One recorded step: a frame of the stream, or news of the connection that carried it. */
export type TapeStep = {
  /** Local milliseconds at which it was received; null on tapes that do not say. */
  readonly atMs: number | null;
  readonly frame: MarketFrame | null;
  readonly link: "up" | "lost" | null;
};

/** A file that cannot be read as recorded frames. */
export class FrameFileError extends Error {
  override readonly name = "FrameFileError";
}

const maxFileBytes = 256 * 1024 * 1024;

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
  if (value === undefined) return { atMs: null, frame: parseMarketFrame(line), link: null };
  return stepOf(value);
}

function stepOf(value: unknown): TapeStep {
  const fields =
    typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  const atMs = typeof fields["t"] === "number" ? fields["t"] : null;
  if (fields["link"] === "up" || fields["link"] === "lost") {
    return { atMs, frame: null, link: fields["link"] };
  }
  if (typeof fields["frame"] === "string") {
    return { atMs, frame: parseMarketFrame(fields["frame"]), link: null };
  }
  const named = typeof fields["kind"] === "string" && fields["event_type"] === undefined;
  const event = named ? { ...fields, event_type: fields["kind"] } : value;
  return { atMs, frame: parseMarketValue(event), link: null };
}

/** The line that `record` writes for a frame. */
export function frameLine(atMs: number, text: string): string {
  return `${JSON.stringify({ t: atMs, frame: text })}\n`;
}

/** The line that `record` writes for news of the connection. */
export function linkLine(atMs: number, link: "up" | "lost"): string {
  return `${JSON.stringify({ t: atMs, link })}\n`;
}
