import { Worker } from "node:worker_threads";
import {
  defaultFolderLimits,
  type FolderLimits,
  type TapeIdentity,
  type WriterTotals,
} from "./folder-writer.ts";
import type { BlockMarket } from "./market-table.ts";
import { TapeError } from "./tape-error.ts";
import {
  chunkRow,
  rowHeadBytes,
  type TapeAnswer,
  type TapeRequest,
  type TapeWorkerData,
} from "./tape-messages.ts";
import type { TapeNote } from "./tape-row.ts";

export type TapeRecorderOptions = {
  readonly folder: string;
  readonly identity: TapeIdentity;
  readonly limits?: Partial<FolderLimits>;
  /** Bytes that may wait for the thread; rows beyond it are lost and counted as a gap. 32 MiB when absent. */
  readonly queueBytes?: number;
  /** Told whenever rows begin to be lost and when they are kept again. */
  readonly onGap?: (state: "begun" | "ended") => void;
  /** Told once when the thread is gone and nothing more is recorded. */
  readonly onFailed?: (error: TapeError) => void;
};

const queueBytesDefault = 32 * 1024 * 1024;
const chunkBytes = 256 * 1024;
/** Rows wait at most this long for their chunk to be handed on. */
const handOverMs = 100;
const sparesMax = 32;

const nothing: WriterTotals = {
  rows: 0,
  frames: 0,
  bytes: 0,
  segments: 0,
  gaps: 0,
  lostRows: 0,
  writtenAtMs: null,
  refused: null,
};

/**
 * Opens a tape for recording in a thread of its own. @throws TapeError when the folder cannot be used or another process
 * records into it
 */
export async function openTapeRecorder(options: TapeRecorderOptions): Promise<TapeRecorder> {
  const workerData: TapeWorkerData = {
    folder: options.folder,
    identity: options.identity,
    limits: { ...defaultFolderLimits, ...options.limits },
  };
  const worker = new Worker(new URL("./tape-worker.ts", import.meta.url), { workerData });
  const recorder = new TapeRecorder(worker, options);
  await recorder.opened;
  // What is open does not keep a process alive that has nothing else to do.
  worker.unref();
  return recorder;
}

/** Hands rows to the recording thread. Never waits and never grows: what the queue does not take is a gap. */
export class TapeRecorder {
  readonly opened: Promise<void>;
  readonly #worker: Worker;
  readonly #queueBytes: number;
  readonly #onGap: (state: "begun" | "ended") => void;
  readonly #onFailed: (error: TapeError) => void;
  readonly #timer: NodeJS.Timeout;
  readonly #closed: Promise<void>;
  readonly #spares: ArrayBuffer[] = [];
  #chunk = Buffer.from(new ArrayBuffer(chunkBytes));
  #filled = 0;
  #waitingBytes = 0;
  #totals = nothing;
  #gap: { lost: number; readonly fromMs: number } | null = null;
  #failure: TapeError | null = null;
  #isClosing = false;
  #closing: Promise<WriterTotals> | null = null;

  constructor(worker: Worker, { queueBytes, onGap, onFailed }: TapeRecorderOptions) {
    this.#worker = worker;
    this.#queueBytes = queueBytes ?? queueBytesDefault;
    this.#onGap = onGap ?? (() => undefined);
    this.#onFailed = onFailed ?? (() => undefined);
    let fail: (error: TapeError) => void = () => undefined;
    let end: () => void = () => undefined;
    this.#closed = new Promise((resolve) => (end = resolve));
    this.opened = new Promise((resolve, reject) => {
      fail = reject;
      worker.on("message", (answer: TapeAnswer) => {
        if (answer.kind === "opened") resolve();
        else if (answer.kind === "failed") fail(this.#fail(answer.message));
        else this.#heard(answer);
      });
    });
    worker.on("error", (error: unknown) => {
      fail(this.#fail(error instanceof Error ? error.message : "the recording thread failed"));
    });
    worker.on("exit", () => {
      if (!this.#isClosing) this.#fail("the recording thread ended");
      end();
    });
    this.#timer = setInterval(() => this.#handOver(), handOverMs).unref();
  }

  /** Rows and bytes that the thread has written, as it told last. */
  get totals(): WriterTotals {
    return this.#totals;
  }

  /** Adds a frame of the stream: its UTF-8 as it came, copied before the call returns. */
  frame(atMs: number, bytes: Uint8Array): void {
    this.#add(atMs, chunkRow.frame, bytes);
  }

  /** Adds news of a connection. `markets`: what a lost one carried. */
  link(atMs: number, link: "up" | "lost", markets?: readonly string[]): void {
    this.#note(atMs, { note: "link", link, ...(markets !== undefined && { markets }) });
  }

  /** Adds an encoded input of the engine; the frames that it speaks of were added before. */
  step(atMs: number, text: string): void {
    this.#add(atMs, chunkRow.step, Buffer.from(text));
  }

  /** Adds what we held of a book ourselves, in the shape of the venue's message. */
  book(atMs: number, frame: string): void {
    this.#note(atMs, { note: "book", frame });
  }

  /** Markets that are followed from now on: the manifest names them, token 0 first. */
  followed(markets: readonly BlockMarket[]): void {
    if (this.#failure !== null || this.#isClosing) return;
    const plain = markets.map(({ conditionId, tokenIds }) => ({ conditionId, tokenIds }));
    this.#worker.postMessage({ do: "followed", markets: plain } satisfies TapeRequest);
  }

  /** Everything that was added goes to the disk soon: the process may not live much longer. */
  flush(): void {
    if (this.#failure !== null || this.#isClosing) return;
    this.#handOver();
    this.#worker.postMessage({ do: "flush" });
  }

  /** A row that could not even be made is missing: the tape says so in its place. */
  missed(atMs: number): void {
    if (this.#failure !== null || this.#isClosing) return;
    if (this.#gap === null) {
      this.#gap = { lost: 0, fromMs: atMs };
      this.#onGap("begun");
    }
    this.#gap.lost++;
  }

  /** True while rows are lost, for want of room or of a disk. */
  get isLosing(): boolean {
    return this.#gap !== null || this.#totals.refused !== null;
  }

  /** Why nothing is recorded any more; null while the thread is there. */
  get failure(): string | null {
    return this.#failure?.message ?? null;
  }

  /** Bytes that wait for the thread. */
  get waitingBytes(): number {
    return this.#waitingBytes + this.#filled;
  }

  /** Everything that was added is in the file afterwards, as far as the disk takes it. @throws TapeError */
  close(): Promise<WriterTotals> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<WriterTotals> {
    this.#isClosing = true;
    clearInterval(this.#timer);
    if (this.#failure === null) {
      this.#handOver();
      // The last thing that the queue takes beyond its bound: one note, in the chunk that is filled now.
      if (this.#gap !== null) this.#tellGap(Date.now());
      this.#handOver();
      this.#worker.ref();
      this.#worker.postMessage({ do: "close" });
      await this.#closed;
    }
    if (this.#failure !== null) throw this.#failure;
    return this.#totals;
  }

  #note(atMs: number, note: TapeNote): void {
    this.#add(atMs, chunkRow.note, Buffer.from(JSON.stringify(note)));
  }

  #add(atMs: number, kind: number, bytes: Uint8Array): void {
    if (this.#failure !== null || this.#isClosing) return;
    if (this.#gap !== null && !this.#tellGap(atMs)) {
      this.#gap.lost++;
      return;
    }
    if (!this.#roomFor(rowHeadBytes + bytes.length)) {
      this.#gap = { lost: 1, fromMs: atMs };
      this.#onGap("begun");
      return;
    }
    this.#write(atMs, kind, bytes);
  }

  #write(atMs: number, kind: number, bytes: Uint8Array): void {
    const chunk = this.#chunk;
    const at = this.#filled;
    const { length } = bytes;
    chunk.set(bytes, at + rowHeadBytes);
    chunk.writeUInt32LE(length, at);
    chunk[at + 4] = kind;
    chunk.writeDoubleLE(atMs, at + 8);
    this.#filled = at + rowHeadBytes + length;
  }

  /** True when the gap is in the queue and rows are taken again. */
  #tellGap(atMs: number): boolean {
    const gap = this.#gap;
    if (gap === null) return true;
    const note: TapeNote = { note: "gap", reason: "overload", ...gap };
    // Room for one note alone would end the gap only to begin the next one.
    if (!this.#roomFor(chunkBytes)) return false;
    this.#gap = null;
    this.#write(atMs, chunkRow.note, Buffer.from(JSON.stringify(note)));
    this.#onGap("ended");
    return true;
  }

  /** True when so many bytes fit into the chunk; hands on the full one and takes a fresh one when the queue allows. */
  #roomFor(bytes: number): boolean {
    if (this.#filled + bytes <= this.#chunk.length) return true;
    const wanted = Math.max(bytes, chunkBytes);
    if (this.#waitingBytes + this.#filled + wanted > this.#queueBytes) return false;
    this.#handOver();
    if (this.#chunk.length < wanted) this.#chunk = Buffer.from(new ArrayBuffer(wanted));
    return true;
  }

  #handOver(): void {
    if (this.#filled === 0 || this.#failure !== null) return;
    const bytes = this.#filled;
    const chunk = this.#chunk.buffer;
    this.#waitingBytes += chunk.byteLength;
    this.#filled = 0;
    this.#chunk = Buffer.from(this.#spares.pop() ?? new ArrayBuffer(chunkBytes));
    this.#worker.postMessage({ do: "rows", chunk, bytes }, [chunk]);
  }

  #heard(answer: Exclude<TapeAnswer, { kind: "opened" | "failed" }>): void {
    const wasRefused = this.#totals.refused !== null;
    this.#totals = answer.totals;
    const isRefused = answer.totals.refused !== null;
    if (isRefused !== wasRefused) this.#onGap(isRefused ? "begun" : "ended");
    if (answer.kind !== "taken") return;
    this.#waitingBytes -= answer.chunk.byteLength;
    if (answer.chunk.byteLength === chunkBytes && this.#spares.length < sparesMax) {
      this.#spares.push(answer.chunk);
    }
  }

  #fail(message: string): TapeError {
    if (this.#failure !== null) return this.#failure;
    const failure = new TapeError(message);
    this.#failure = failure;
    clearInterval(this.#timer);
    this.#onFailed(failure);
    return failure;
  }
}
