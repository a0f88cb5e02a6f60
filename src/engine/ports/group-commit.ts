import { assert } from "../lib/assert.ts";
import type { DurableLog, LogRecord } from "./durable-log.ts";
import { LogError } from "./log-error.ts";

/** Rows that may wait for the disk; more are refused with "ledger_full". */
export const ledgerRowsWaitingMax = 10_000;
/** Rows of one page of `read`. */
export const ledgerPageMax = 10_000;
const slowCommitMs = 2000;

/** Where a ledger's rows are kept. It is asked for one commit at a time, and for nothing after a commit that failed. */
export type LogStore = {
  /** Resolves when the rows are durable, all of them or none; rejects with LogError otherwise. */
  commit(rows: readonly LogRecord[]): Promise<void>;
  read(fromSeq: number, limit: number): Promise<readonly LogRecord[]>;
  /** Called once, after the last commit ended. */
  close(): Promise<void>;
};

export type GroupCommitOptions = {
  /** The newest durable row when the store was opened. */
  readonly lastSeq: number;
  /** Calls back once after a delay; the returned function cancels it. */
  readonly after: (delayMs: number, callback: () => void) => () => void;
  /** Called once for each commit that has not ended after `slowMs`, while it still hangs. */
  readonly onSlow?: ((waitedMs: number) => void) | undefined;
  /** Milliseconds; 2,000 when absent. */
  readonly slowMs?: number | undefined;
};

type Batch = {
  readonly rows: readonly LogRecord[];
  readonly resolve: () => void;
  readonly reject: (error: LogError) => void;
};

/**
 * The ledger over any store. One commit is under way at a time; the batches that arrive meanwhile become the next one
 * (group commit), so the disk decides how many share a sync.
 */
export class GroupCommitLog implements DurableLog {
  readonly #store: LogStore;
  readonly #options: GroupCommitOptions;
  readonly #slowMs: number;
  #batches: Batch[] = [];
  #rowsWaiting = 0;
  #committing = false;
  #committed: Promise<void> = Promise.resolve();
  #lastAcceptedSeq: number;
  #lastDurableSeq: number;
  /** Set by the first failure and never cleared: what could not be written makes everything after it worthless. */
  #broken: LogError | null = null;
  #closing: Promise<void> | null = null;

  constructor(store: LogStore, options: GroupCommitOptions) {
    this.#store = store;
    this.#options = options;
    this.#slowMs = options.slowMs ?? slowCommitMs;
    this.#lastAcceptedSeq = options.lastSeq;
    this.#lastDurableSeq = options.lastSeq;
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

  read(fromSeq: number, limit: number): Promise<readonly LogRecord[]> {
    assert(Number.isSafeInteger(fromSeq) && fromSeq >= 0, "rows are read from a sequence number");
    assert(limit >= 1 && limit <= ledgerPageMax, `a page has 1 to ${ledgerPageMax} rows`);
    if (this.#broken !== null) return Promise.reject(this.#broken);
    return this.#store.read(fromSeq, limit);
  }

  lastSeq(): Promise<number> {
    return Promise.resolve(this.#lastDurableSeq);
  }

  close(): Promise<void> {
    this.#closing ??= this.#committed.then(() => this.#store.close());
    return this.#closing;
  }

  /** From here on everything that waits and everything that comes is refused with the first failure. */
  fail(error: LogError): void {
    this.#broken ??= error;
    const failure = this.#broken;
    const batches = this.#batches;
    this.#batches = [];
    for (const batch of batches) batch.reject(failure);
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
        await this.#timed(this.#store.commit(rows));
        this.#rowsWaiting -= rows.length;
        this.#lastDurableSeq = rows.at(-1)?.seq ?? this.#lastDurableSeq;
        for (const batch of group) batch.resolve();
      } catch (error) {
        const failure = error instanceof LogError ? error : commitFailed(error);
        this.fail(failure);
        for (const batch of group) batch.reject(failure);
      }
    }
    this.#committing = false;
  }

  async #timed<T>(work: Promise<T>): Promise<T> {
    const cancel = this.#options.after(this.#slowMs, () => this.#options.onSlow?.(this.#slowMs));
    try {
      return await work;
    } finally {
      cancel();
    }
  }
}

function commitFailed(error: unknown): LogError {
  return new LogError("ledger_failed", "the ledger's commit failed", error);
}
