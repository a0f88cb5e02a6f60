import { once } from "node:events";
import { createWriteStream, statSync, type WriteStream } from "node:fs";
import type { BlockMarket } from "../adapters/tape/market-table.ts";
import { frameLine, linkLine } from "./frame-files.ts";

/** Bytes that may wait for the disk; beyond it the recording ends with an error instead of filling the memory. */
const maxWaitingBytes = 64 * 1024 * 1024;

/** The recording cannot go on: the disk is full, away or too slow. */
export class RecordError extends Error {
  override readonly name = "RecordError";
}

/** What a command that follows markets tells of them, whatever it is written to. */
export type Recorder = {
  /** Fires when nothing more can be written. */
  readonly failed: AbortSignal;
  readonly frames: number;
  readonly bytes: number;
  /** UTF-8 of a frame as it came; not kept beyond the call. */
  frame(bytes: Buffer): void;
  /** `markets`: condition ids that a lost connection carried. */
  link(state: "up" | "lost", markets?: readonly string[]): void;
  /** Markets whose frames will come; absent where there is no place to write them. */
  followed?(markets: readonly BlockMarket[]): void;
  /** Everything written so far is kept afterwards. @throws RecordError */
  close(): Promise<void>;
};

/** Appends frames to a file as JSON lines that `replay` reads. */
export class FrameRecorder implements Recorder {
  readonly #stream: WriteStream;
  readonly #failed = new AbortController();
  #error: RecordError | null = null;
  #frames = 0;
  #bytes = 0;

  constructor(file: string) {
    this.#stream = createWriteStream(file, { flags: "a", mode: 0o600 });
    this.#stream.on("error", (error) => this.#fail(`${file}: ${error.message}`));
    // Nobody listened since the earlier recording in this file, and its last line may be half a line.
    if (sizeOf(file) > 0) this.#write(`\n${linkLine(Date.now(), "lost")}`);
  }

  /** Fires when nothing more can be written. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  get frames(): number {
    return this.#frames;
  }

  get bytes(): number {
    return this.#bytes;
  }

  frame(bytes: Buffer): void {
    this.#frames++;
    this.#write(frameLine(Date.now(), bytes.toString("utf8")));
  }

  link(state: "up" | "lost", markets?: readonly string[]): void {
    this.#write(linkLine(Date.now(), state, markets));
  }

  /** Everything written so far is in the file afterwards. @throws RecordError */
  async close(): Promise<void> {
    if (this.#error === null) {
      this.#stream.end();
      await Promise.race([once(this.#stream, "close"), once(this.failed, "abort")]);
    }
    if (this.#error !== null) throw this.#error;
  }

  #write(line: string): void {
    if (this.#error !== null) return;
    this.#bytes += line.length;
    this.#stream.write(line);
    if (this.#stream.writableLength > maxWaitingBytes) this.#fail("the disk is too slow");
  }

  #fail(reason: string): void {
    this.#error ??= new RecordError(`the recording stopped: ${reason}`);
    this.#failed.abort();
  }
}

/** Bytes of an earlier recording; 0 when there is none. What cannot be looked at cannot be opened either. */
function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}
