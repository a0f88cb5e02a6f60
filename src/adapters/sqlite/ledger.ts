import { Worker } from "node:worker_threads";
import { assert } from "../../engine/lib/assert.ts";
import type { DurableLog, LogRecord } from "../../engine/ports/durable-log.ts";
import type { LedgerAnswer, LedgerFailure, LedgerRequest } from "./ledger-messages.ts";
import type { LedgerWorkerData } from "./ledger-worker.ts";
import { LogError } from "./log-error.ts";

/** Rows that may wait for the disk; more are refused with "ledger_full". */
export const ledgerRowsWaitingMax = 10_000;
/** Rows of one page of `read`. */
export const ledgerPageMax = 10_000;
const slowCommitMs = 2000;
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
  const ledger = new Ledger(worker, options);
  await ledger.opened();
  return ledger;
}

type Batch = {
  readonly rows: readonly LogRecord[];
  readonly resolve: () => void;
  readonly reject: (error: LogError) => void;
};

type Waiting = {
  readonly resolve: (answer: LedgerAnswer & { readonly ok: true }) => void;
  readonly reject: (error: LogError) => void;
};

/**
 * One commit is under way at a time; the batches that arrive meanwhile become the next one (group commit), so the disk
 * decides how many share a sync.
 */
class Ledger implements DurableLog {
  readonly #worker: Worker;
  readonly #slowMs: number;
  readonly #onSlow: (waitedMs: number) => void;
  readonly #onClosing: () => void;
  readonly #onLargeLog: (bytes: number) => void;
  readonly #largeLogBytes: number;
  #isLogLarge = false;
  readonly #requests = new Map<number, Waiting>();
  readonly #opened: Promise<void>;
  #batches: Batch[] = [];
  #rowsWaiting = 0;
  #committing = false;
  #committed: Promise<void> = Promise.resolve();
  #lastAcceptedSeq = 0;
  #lastDurableSeq = 0;
  #nextRequestId = 1;
  /** Set by the first failure and never cleared: what could not be written makes everything after it worthless. */
  #broken: LogError | null = null;
  #closing: Promise<void> | null = null;

  constructor(worker: Worker, options: LedgerOptions) {
    this.#worker = worker;
    this.#slowMs = options.slowMs ?? slowCommitMs;
    this.#onSlow = options.onSlow ?? (() => undefined);
    this.#onClosing = options.onClosing ?? (() => undefined);
    this.#onLargeLog = options.onLargeLog ?? (() => undefined);
    this.#largeLogBytes = options.largeLogBytes ?? largeLogBytesDefault;
    this.#opened = new Promise((resolve, reject) => {
      this.#requests.set(0, {
        resolve: (answer) => {
          this.#lastAcceptedSeq = answer.lastSeq;
          this.#lastDurableSeq = answer.lastSeq;
          resolve();
        },
        reject,
      });
    });
    worker.on("message", (answer: LedgerAnswer) => this.#take(answer));
    worker.on("error", (error: unknown) => {
      this.#break(new LogError("ledger_failed", "the ledger's thread failed", error));
    });
    worker.on("exit", () => {
      this.#break(new LogError("ledger_closed", "the ledger is closed"));
    });
  }

  opened(): Promise<void> {
    return this.#opened;
  }

  append(records: readonly LogRecord[]): Promise<void> {
    const refusal = this.#refusal(records);
    if (refusal !== null) return Promise.reject(refusal);
    if (records.length === 0) return Promise.resolve();
    this.#lastAcceptedSeq += records.length;
    this.#rowsWaiting += records.length;
    return new Promise((resolve, reject) => {
      this.#batches.push({ rows: records, resolve, reject });
      if (!this.#committing) this.#committed = this.#commitAll();
    });
  }

  async read(fromSeq: number, limit: number): Promise<readonly LogRecord[]> {
    assert(Number.isSafeInteger(fromSeq) && fromSeq >= 0, "rows are read from a sequence number");
    assert(limit >= 1 && limit <= ledgerPageMax, `a page has 1 to ${ledgerPageMax} rows`);
    const answer = await this.#ask((id) => ({ id, do: "read", fromSeq, limit }));
    return answer.rows ?? [];
  }

  lastSeq(): Promise<number> {
    return Promise.resolve(this.#lastDurableSeq);
  }

  close(): Promise<void> {
    this.#closing ??= this.#drainAndClose();
    return this.#closing;
  }

  #refusal(records: readonly LogRecord[]): LogError | null {
    if (this.#broken !== null) return this.#broken;
    if (this.#closing !== null) return new LogError("ledger_closed", "the ledger is closed");
    const waiting = this.#rowsWaiting + records.length;
    if (waiting > ledgerRowsWaitingMax) {
      return new LogError(
        "ledger_full",
        `${this.#rowsWaiting} rows wait for the disk, ${records.length} more exceed ${ledgerRowsWaitingMax}`,
      );
    }
    for (const [i, row] of records.entries()) {
      const wanted = this.#lastAcceptedSeq + 1 + i;
      if (row.seq !== wanted) {
        return new LogError("ledger_sequence", `row ${wanted} must come next, was ${row.seq}`);
      }
    }
    return null;
  }

  async #commitAll(): Promise<void> {
    this.#committing = true;
    while (this.#batches.length > 0 && this.#broken === null) {
      const group = this.#batches;
      this.#batches = [];
      const rows = group.flatMap((batch) => batch.rows);
      try {
        const answer = await this.#timed(this.#ask((id) => ({ id, do: "commit", rows })));
        this.#watchLog(answer.logBytes ?? 0);
        this.#rowsWaiting -= rows.length;
        this.#lastDurableSeq = rows.at(-1)?.seq ?? this.#lastDurableSeq;
        for (const batch of group) batch.resolve();
      } catch (error) {
        const failure = error instanceof LogError ? error : commitFailed(error);
        this.#break(failure);
        for (const batch of group) batch.reject(failure);
      }
    }
    this.#committing = false;
  }

  #watchLog(bytes: number): void {
    if (this.#isLogLarge || bytes <= this.#largeLogBytes) return;
    this.#isLogLarge = true;
    this.#onLargeLog(bytes);
  }

  async #timed<T>(work: Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.#onSlow(this.#slowMs), this.#slowMs);
    try {
      return await work;
    } finally {
      clearTimeout(timer);
    }
  }

  async #drainAndClose(): Promise<void> {
    await this.#committed;
    if (this.#broken === null) {
      const closed = this.#ask((id) => ({ id, do: "close" }));
      this.#onClosing();
      await closed;
    }
    await this.#worker.terminate();
  }

  #ask(make: (id: number) => LedgerRequest): Promise<LedgerAnswer & { readonly ok: true }> {
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

  /** From here on everything that waits and everything that comes is refused with the first failure. */
  #break(error: LogError): void {
    this.#broken ??= error;
    const failure = this.#broken;
    const batches = this.#batches;
    this.#batches = [];
    for (const batch of batches) batch.reject(failure);
    const requests = [...this.#requests.values()];
    this.#requests.clear();
    for (const request of requests) request.reject(failure);
  }
}

function errorOf(failure: LedgerFailure): LogError {
  return new LogError(failure.code, failure.message);
}

function commitFailed(error: unknown): LogError {
  return new LogError("ledger_failed", "the ledger's commit failed", error);
}
