import { Worker } from "node:worker_threads";
import { assert } from "../../engine/lib/assert.ts";
import type { DurableLog, LogRecord } from "../../engine/ports/durable-log.ts";
import { GroupCommitLog, type LogStore } from "../../engine/ports/group-commit.ts";
import { LogError } from "../../engine/ports/log-error.ts";
import type { LedgerAnswer, LedgerFailure, LedgerRequest } from "./ledger-messages.ts";
import type { LedgerWorkerData } from "./ledger-worker.ts";

/** SQLite writes its log back after some 4 MB; one of this size is kept from it, by a reader that never ends. */
const largeLogBytesDefault = 64 * 1024 * 1024;

export type LedgerOptions = {
  /** Called once for each commit that has not ended after `slowMs`, while it still hangs. */
  readonly onSlow?: (waitedMs: number) => void;
  /** Milliseconds; 2,000 when absent. */
  readonly slowMs?: number;
  /** Called once, when SQLite's log outgrows `largeLogBytes`; its file is cut only at the close. */
  readonly onLargeLog?: (bytes: number) => void;
  /** 64 MiB when absent. */
  readonly largeLogBytes?: number;
  /** Called when the thread was told to close the file, which writes the log back into it. */
  readonly onClosing?: () => void;
};

/**
 * Opens the ledger in a thread of its own. Rejects with LogError when the file is damaged, foreign, of a newer
 * version, locked or not durable; it is never replaced by an empty one.
 */
export async function openLedger(file: string, options: LedgerOptions = {}): Promise<DurableLog> {
  const workerData: LedgerWorkerData = { file };
  const worker = new Worker(new URL("./ledger-worker.ts", import.meta.url), { workerData });
  const store = new WorkerStore(worker, options);
  const lastSeq = await store.opened();
  const { onSlow, slowMs } = options;
  const log = new GroupCommitLog(store, { lastSeq, after, onSlow, slowMs });
  store.onBroken((error) => log.fail(error));
  return log;
}

function after(delayMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, delayMs);
  return () => clearTimeout(timer);
}

type Answered = LedgerAnswer & { readonly ok: true };

type Waiting = {
  readonly resolve: (answer: Answered) => void;
  readonly reject: (error: LogError) => void;
};

/** The rows of a file, kept by a thread that answers one request after the other. */
class WorkerStore implements LogStore {
  readonly #worker: Worker;
  readonly #onClosing: () => void;
  readonly #onLargeLog: (bytes: number) => void;
  readonly #largeLogBytes: number;
  #isLogLarge = false;
  readonly #requests = new Map<number, Waiting>();
  readonly #opened: Promise<Answered>;
  #nextRequestId = 1;
  #broken: LogError | null = null;
  #tellBroken: (error: LogError) => void = () => undefined;

  constructor(worker: Worker, options: LedgerOptions) {
    this.#worker = worker;
    this.#onClosing = options.onClosing ?? (() => undefined);
    this.#onLargeLog = options.onLargeLog ?? (() => undefined);
    this.#largeLogBytes = options.largeLogBytes ?? largeLogBytesDefault;
    this.#opened = new Promise((resolve, reject) => {
      this.#requests.set(0, { resolve, reject });
    });
    worker.on("message", (answer: LedgerAnswer) => this.#take(answer));
    worker.on("error", (error: unknown) => {
      this.#break(new LogError("ledger_failed", "the ledger's thread failed", error));
    });
    worker.on("exit", () => {
      this.#break(new LogError("ledger_closed", "the ledger is closed"));
    });
  }

  /** The newest row's number, once the file is open. */
  async opened(): Promise<number> {
    return (await this.#opened).lastSeq;
  }

  /** Tells the first failure of the thread, also one from before. */
  onBroken(tell: (error: LogError) => void): void {
    this.#tellBroken = tell;
    if (this.#broken !== null) tell(this.#broken);
  }

  async commit(rows: readonly LogRecord[]): Promise<void> {
    try {
      const answer = await this.#ask((id) => ({ id, do: "commit", rows }));
      this.#watchLog(answer.logBytes ?? 0);
    } catch (error) {
      // The file is not even closed in order: after a failed sync nothing that SQLite writes back can be trusted.
      if (error instanceof LogError) this.#break(error);
      throw error;
    }
  }

  async read(fromSeq: number, limit: number): Promise<readonly LogRecord[]> {
    const answer = await this.#ask((id) => ({ id, do: "read", fromSeq, limit }));
    return answer.rows ?? [];
  }

  async close(): Promise<void> {
    if (this.#broken === null) {
      const closed = this.#ask((id) => ({ id, do: "close" }));
      this.#onClosing();
      await closed;
    }
    await this.#worker.terminate();
  }

  #watchLog(bytes: number): void {
    if (this.#isLogLarge || bytes <= this.#largeLogBytes) return;
    this.#isLogLarge = true;
    this.#onLargeLog(bytes);
  }

  #ask(make: (id: number) => LedgerRequest): Promise<Answered> {
    if (this.#broken !== null) return Promise.reject(this.#broken);
    const id = this.#nextRequestId++;
    return new Promise((resolve, reject) => {
      this.#requests.set(id, { resolve, reject });
      this.#worker.postMessage(make(id));
    });
  }

  #take(answer: LedgerAnswer): void {
    const waiting = this.#requests.get(answer.id);
    // An answer that crosses a failure: its question was already refused.
    if (waiting === undefined && this.#broken !== null) return;
    assert(waiting !== undefined, "the ledger's thread answers what was asked");
    this.#requests.delete(answer.id);
    if (answer.ok) waiting.resolve(answer);
    else waiting.reject(errorOf(answer.failure));
  }

  #break(error: LogError): void {
    if (this.#broken !== null) return;
    this.#broken = error;
    this.#tellBroken(error);
    const requests = [...this.#requests.values()];
    this.#requests.clear();
    for (const request of requests) request.reject(error);
  }
}

function errorOf(failure: LedgerFailure): LogError {
  return new LogError(failure.code, failure.message);
}
