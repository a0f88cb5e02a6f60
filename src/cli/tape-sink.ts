import type { BlockMarket } from "../adapters/tape/market-table.ts";
import { TapeError } from "../adapters/tape/tape-error.ts";
import { openTapeRecorder, type TapeRecorder } from "../adapters/tape/tape-recorder.ts";
import { codeVersion } from "../code-version.ts";
import { RecordError, type Recorder } from "./frame-recorder.ts";

/** Records into a tape's folder. @throws RecordError when it cannot be used or another process records into it */
export async function openTapeSink(
  folder: string,
  configHash: string,
  onGapEnded: () => void,
): Promise<Recorder> {
  const failed = new AbortController();
  const tape = await openTapeRecorder({
    folder,
    identity: { codeVersion: codeVersion(), configHash },
    onGap: (state) => (state === "begun" ? tellGap() : onGapEnded()),
    onFailed: () => failed.abort(),
  }).catch(asRecordError);
  return new TapeSink(tape, failed.signal);
}

function tellGap(): void {
  process.stderr.write("rows are being lost: the disk is full or too slow; they are counted\n");
}

function asRecordError(error: unknown): never {
  if (error instanceof TapeError) throw new RecordError(error.message);
  throw error;
}

class TapeSink implements Recorder {
  readonly failed: AbortSignal;
  readonly #tape: TapeRecorder;
  #frames = 0;

  constructor(tape: TapeRecorder, failed: AbortSignal) {
    this.#tape = tape;
    this.failed = failed;
  }

  get frames(): number {
    return this.#frames;
  }

  get bytes(): number {
    return this.#tape.totals.bytes;
  }

  frame(bytes: Buffer): void {
    this.#frames++;
    this.#tape.frame(Date.now(), bytes);
  }

  link(state: "up" | "lost", markets?: readonly string[]): void {
    this.#tape.link(Date.now(), state, markets);
  }

  followed(markets: readonly BlockMarket[]): void {
    this.#tape.followed(markets);
  }

  async close(): Promise<void> {
    const totals = await this.#tape.close().catch(asRecordError);
    if (totals.refused !== null) throw new RecordError(`the tape ends early: ${totals.refused}`);
    if (totals.lostRows === 0) return;
    process.stderr.write(`${totals.lostRows} rows were lost in ${totals.gaps} gaps\n`);
  }
}
