import { once } from "node:events";
import { createWriteStream } from "node:fs";
import type { Writable } from "node:stream";
import { TapeError } from "../adapters/tape/tape-error.ts";
import { isTapeFolder, tapeBlocks, wholeTape } from "../adapters/tape/tape-reader.ts";
import { summarizeTape, type TapeSummary } from "../adapters/tape/tape-summary.ts";
import { type TapeVerdict, verifyTape } from "../adapters/tape/verify-tape.ts";
import { exitDone, exitFailed, exitWrongUse, readArguments } from "./arguments.ts";
import { chosenStep, rowLine, stepOfRow, wakeUpLine } from "./frame-files.ts";
import { countInputs, inputLines, type TapeInputs, wokenBy } from "./tape-inputs.ts";
import { marketsOption, timeOption } from "./tape-options.ts";
import { WatchError } from "./watch-markets.ts";

const infoHelp = `usage: pitboss tape-info TAPE [--heads] [--json]

What a tape holds: times, frames, gaps, size, markets, and where a service recorded it: its runs with their code and
configuration, the engine's inputs by kind, wake-ups of strategies and how many changes of books each stands for. Frames are
known from the heads of the blocks, inputs are read one by one; tape-verify reads everything.

  --heads  the heads only: at once, however long the tape is
  --json   one object for programs

example: pitboss tape-info ./var/tape`;

const verifyHelp = `usage: pitboss tape-verify TAPE [--json]

Reads every byte of a tape and checks it: SHA-256 of closed segments, checksums of blocks, that every row can be read, that
sequence numbers have no holes, that indexes and manifest say what is there. Exit 0 when it is whole, 1 when not. What a
killed recording left behind its last whole block is told and is no fault; a gap is what the recording itself says.

  --json   one object for programs

example: pitboss tape-verify ./var/tape`;

const exportHelp = `usage: pitboss tape-export TAPE [--out FILE] [--from TIME] [--to TIME] [--market ID,ID] [--wake-ups]

Writes a tape as JSON lines, as \`record --out\` does: {"t":…,"frame":"…"} with the frame as the venue sent it. Inputs of the
engine are left out: they speak of an account.

  --out FILE      instead of standard output; an existing file is not overwritten
  --from TIME     first moment, such as 2026-09-24T12:00:00Z or milliseconds since 1970
  --to TIME       last moment
  --market ID,ID  only frames that speak of these condition ids
  --wake-ups      also where strategies were woken: {"t":…,"wakeUp":[["0x…",3]]}, each market with the changes it stands for

example: pitboss tape-export ./var/tape --from 2026-09-24T12:00:00Z --out ./var/frames.jsonl`;

const exportChunkChars = 256 * 1024;
const marketsShown = 20;

/** `pitboss tape-info`: 0 done, 2 wrong use. */
export function tapeInfoCommand(args: readonly string[]): Promise<number> {
  const flag = { type: "boolean" } as const;
  const parsed = readArguments(args, { json: flag, heads: flag }, infoHelp, 1);
  if (!parsed.ok) return Promise.resolve(parsed.exitCode);
  const { json, heads } = parsed.values;
  return guarded("tape-info", infoHelp, async () => {
    const folder = folderOf(parsed.rest);
    const summary = summarizeTape(folder);
    const engine = heads ? null : countInputs(folder);
    const text = json ? `${JSON.stringify({ ...summary, engine })}\n` : infoText(summary, engine);
    process.stdout.write(text);
    return exitDone;
  });
}

/** `pitboss tape-verify`: 0 whole, 1 damaged, 2 wrong use. */
export function tapeVerifyCommand(args: readonly string[]): Promise<number> {
  const parsed = readArguments(args, { json: { type: "boolean" } }, verifyHelp, 1);
  if (!parsed.ok) return Promise.resolve(parsed.exitCode);
  const { json } = parsed.values;
  return guarded("tape-verify", verifyHelp, async () => {
    const verdict = verifyTape(folderOf(parsed.rest), (file) => {
      if (process.stderr.isTTY) process.stderr.write(`${file}\n`);
    });
    process.stdout.write(json ? `${JSON.stringify(verdict)}\n` : verdictText(verdict));
    return verdict.faults.length === 0 ? exitDone : exitFailed;
  });
}

/** `pitboss tape-export`: 0 done, 1 when the tape is damaged or the file cannot be written, 2 wrong use. */
export function tapeExportCommand(args: readonly string[]): Promise<number> {
  const text = { type: "string" } as const;
  const wakeUps = { type: "boolean" } as const;
  const options = { out: text, from: text, to: text, market: text, "wake-ups": wakeUps };
  const parsed = readArguments(args, options, exportHelp, 1);
  if (!parsed.ok) return Promise.resolve(parsed.exitCode);
  const { values, rest } = parsed;
  return guarded("tape-export", exportHelp, async () => {
    const folder = folderOf(rest);
    const range = {
      fromMs: timeOption(values.from, "from") ?? wholeTape.fromMs,
      toMs: timeOption(values.to, "to") ?? wholeTape.toMs,
    };
    const markets = marketsOption(values.market);
    const out = values.out === undefined ? process.stdout : await opened(values.out);
    const rows = await writeLines(exportLines(folder, range, markets, values["wake-ups"]), out);
    if (out !== process.stdout) {
      out.end();
      await once(out, "close");
    }
    process.stderr.write(`exported ${rows} rows\n`);
    return exitDone;
  });
}

/** One place for what all three refuse. */
async function guarded(name: string, help: string, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof WatchError) {
      process.stderr.write(`${name}: ${error.message}\n${help}\n`);
      return exitWrongUse;
    }
    const isKnown = error instanceof TapeError || isSystemError(error);
    if (!isKnown) throw error;
    // Whoever read our output has seen enough.
    if (isSystemError(error) && error.code === "EPIPE") return exitDone;
    process.stderr.write(`${name}: ${error.message}\n`);
    return exitFailed;
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error;
}

function folderOf([folder]: readonly string[]): string {
  if (folder === undefined) throw new WatchError("which tape?");
  if (!isTapeFolder(folder)) throw new WatchError(`${folder}: is no folder of a tape`);
  return folder;
}

async function opened(file: string): Promise<Writable> {
  const stream = createWriteStream(file, { flags: "wx", mode: 0o600 });
  await once(stream, "open");
  return stream;
}

/** Lines of the rows of the range that speak of these markets; null for all. */
function* exportLines(
  folder: string,
  { fromMs, toMs }: typeof wholeTape,
  markets: ReadonlySet<string> | null,
  wakeUps: boolean | undefined,
): Generator<string> {
  for (const block of tapeBlocks(folder, { fromMs, toMs })) {
    for (const row of block.rows()) {
      if (row.atMs < fromMs || row.atMs > toMs) continue;
      if (row.kind !== "step") {
        if (markets === null || chosenStep(stepOfRow(row), markets) !== null) yield rowLine(row);
        continue;
      }
      const woken = wakeUps ? wokenBy(row).filter(([id]) => markets?.has(id) ?? true) : [];
      if (woken.length > 0) yield wakeUpLine(row.atMs, woken);
    }
  }
}

/** Returns how many there were. */
async function writeLines(lines: Iterable<string>, out: Writable): Promise<number> {
  let rows = 0;
  let chunk = "";
  for (const line of lines) {
    rows++;
    chunk += line;
    if (chunk.length < exportChunkChars) continue;
    if (!out.write(chunk)) await once(out, "drain");
    chunk = "";
  }
  if (chunk !== "" && !out.write(chunk)) await once(out, "drain");
  return rows;
}

function moment(atMs: number | null): string {
  return atMs === null ? "-" : new Date(atMs).toISOString();
}

function infoText(summary: TapeSummary, engine: TapeInputs | null): string {
  const { frames, packedFrames, bytes, gaps, lostRows, markets } = summary;
  const shown = markets
    .slice(0, marketsShown)
    .map(({ conditionId, tokenIds }) => `  ${conditionId} tokens ${tokenIds.length}`);
  const more = markets.length > marketsShown ? [`  and ${markets.length - marketsShown} more`] : [];
  return [
    `from ${moment(summary.firstAtMs)} to ${moment(summary.lastAtMs)}`,
    `rows ${summary.rows} (sequence ${summary.firstSeq ?? "-"} to ${summary.lastSeq ?? "-"}), frames ${frames}, level changes ${summary.levelChanges}`,
    `gaps ${gaps}${gaps > 0 ? ` (rows lost ${lostRows})` : ""}`,
    `segments ${summary.segments}${summary.openSegments > 0 ? ` (${summary.openSegments} not closed)` : ""}, blocks ${summary.blocks}, bytes ${bytes}${frames > 0 ? ` (${(bytes / frames).toFixed(1)} a frame)` : ""}`,
    `kept as columns ${packedFrames} frames, as texts ${frames - packedFrames}`,
    `recorded by ${summary.codeVersion || "-"}, configuration ${summary.configHash || "-"}`,
    ...(engine === null ? [] : inputLines(engine)),
    `markets ${markets.length}`,
    ...shown,
    ...more,
    "",
  ].join("\n");
}

function verdictText(verdict: TapeVerdict): string {
  const { faults, tornBytes, gaps } = verdict;
  return [
    ...faults.map(({ file, what }) => `DAMAGED ${file}: ${what}`),
    ...(tornBytes > 0
      ? [`${tornBytes} bytes behind the last whole block: a recording was killed`]
      : []),
    `segments ${verdict.segments}, blocks ${verdict.blocks}, rows ${verdict.rows}, frames ${verdict.frames}, gaps ${gaps}${gaps > 0 ? ` (rows lost ${verdict.lostRows})` : ""}`,
    faults.length === 0 ? "whole" : `damaged in ${faults.length} places`,
    "",
  ].join("\n");
}
