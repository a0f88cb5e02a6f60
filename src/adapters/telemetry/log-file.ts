import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  write,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { pino } from "pino";

/** Bytes kept in memory while the disk or pipe does not take them; lines beyond that are dropped. */
const bufferBytesMax = 8_000_000;
const ownerOnly = 0o600;
const stderrFd = 2;
const writeAsync = promisify(write);

export type LogTarget =
  | { readonly kind: "stderr" }
  | {
      readonly kind: "file";
      readonly path: string;
      /** The file is set aside when it has grown beyond this. */
      readonly bytesMax: number;
      /** Files set aside that are kept: path.1 is the youngest. */
      readonly kept: number;
    };

type FileTarget = LogTarget & { readonly kind: "file" };

export type LogSink = {
  readonly write: (line: string) => void;
  /** Ends the sink; resolves when everything written before is out. */
  readonly close: () => Promise<void>;
};

/** Takes lines without waiting for the disk. Throws the file system's error when a log file cannot be opened. */
export function openLogSink(target: LogTarget): LogSink {
  return target.kind === "stderr" ? stderrSink() : new LogFile(target);
}

function stderrSink(): LogSink {
  const stream = pino.destination({
    dest: stderrFd,
    sync: false,
    minLength: 0,
    maxLength: bufferBytesMax,
  });
  // A log that cannot be written must not end the trading process; there is nowhere left to report it.
  stream.on("error", () => undefined);
  return {
    write: (line) => stream.write(line),
    close: () => new Promise((resolve) => stream.flush(() => resolve())),
  };
}

/** One write at a time; what arrives meanwhile is the next one, and between two writes the file may be set aside. */
class LogFile implements LogSink {
  readonly #target: FileTarget;
  readonly #flushAtExit = () => {
    this.#exiting = true;
    this.#writePendingNow();
  };
  #handle: number;
  #fileBytes: number;
  #pending: string[] = [];
  #pendingBytes = 0;
  #writing: Promise<void> | null = null;
  #closed = false;
  #exiting = false;

  constructor(target: FileTarget) {
    this.#target = target;
    mkdirSync(dirname(target.path), { recursive: true });
    this.#handle = openSync(target.path, "a", ownerOnly);
    this.#fileBytes = fstatSync(this.#handle).size;
    process.once("exit", this.#flushAtExit);
  }

  readonly write = (line: string): void => {
    const bytes = Buffer.byteLength(line);
    if (this.#closed || this.#pendingBytes + bytes > bufferBytesMax) return;
    this.#pending.push(line);
    this.#pendingBytes += bytes;
    if (this.#exiting) this.#writePendingNow();
    else this.#writing ??= this.#writeAll();
  };

  readonly close = async (): Promise<void> => {
    if (this.#closed) return;
    this.#closed = true;
    await this.#writing;
    process.off("exit", this.#flushAtExit);
    closeSync(this.#handle);
  };

  async #writeAll(): Promise<void> {
    while (this.#pending.length > 0) {
      const bytes = this.#takePending();
      let written = 0;
      try {
        while (written < bytes.length) {
          written += (await writeAsync(this.#handle, bytes, written)).bytesWritten;
        }
      } catch {
        // A full disk loses log lines, not orders; the next write tries again.
      }
      this.#fileBytes += written;
      if (this.#fileBytes >= this.#target.bytesMax) this.#setAside();
    }
    this.#writing = null;
  }

  #takePending(): Buffer {
    const bytes = Buffer.from(this.#pending.join(""));
    this.#pending = [];
    this.#pendingBytes = 0;
    return bytes;
  }

  /** path -> path.1 -> path.2 ...; the oldest goes. On failure the file stays open as it is and grows. */
  #setAside(): void {
    const { path, kept } = this.#target;
    try {
      rmSync(`${path}.${kept}`, { force: true });
      for (let i = kept - 1; i >= 1; i--) {
        if (existsSync(`${path}.${i}`)) renameSync(`${path}.${i}`, `${path}.${i + 1}`);
      }
      renameSync(path, `${path}.1`);
      const next = openSync(path, "a", ownerOnly);
      closeSync(this.#handle);
      this.#handle = next;
    } catch {
      // Losing lines would be worse than a long file.
    }
    this.#fileBytes = 0;
  }

  #writePendingNow(): void {
    try {
      writeSync(this.#handle, this.#takePending());
    } catch {
      // The process is ending; there is nobody left to tell.
    }
  }
}
