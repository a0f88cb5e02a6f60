import { crc32 } from "node:zlib";
import type Database from "better-sqlite3";
import type { LogRecord } from "../../engine/ports/durable-log.ts";
import { LogError } from "../../engine/ports/log-error.ts";

type Row = {
  readonly seq: number;
  readonly at_ms: number;
  readonly step_id: number;
  readonly kind: string;
  readonly correlation_id: string;
  readonly body: string;
  readonly chain: number;
};

/** The rows of an open ledger file; synchronous, so it lives in the worker. */
export class LedgerTable {
  readonly #database: Database.Database;
  readonly #insert: Database.Statement;
  readonly #page: Database.Statement<unknown[], Row>;
  readonly #commit: Database.Transaction<(rows: readonly LogRecord[]) => void>;
  #lastSeq: number;
  #lastChain: number;

  constructor(database: Database.Database) {
    this.#database = database;
    this.#insert = database.prepare(
      "INSERT INTO ledger (seq, at_ms, step_id, kind, correlation_id, body, chain) VALUES (?, ?, ?, ?, ?, ?, ?)",
    );
    this.#page = database.prepare("SELECT * FROM ledger WHERE seq >= ? ORDER BY seq LIMIT ?");
    this.#commit = database.transaction((rows: readonly LogRecord[]) => {
      for (const row of rows) this.#insertRow(row);
    });
    const last = database
      .prepare<unknown[], Row>("SELECT * FROM ledger ORDER BY seq DESC LIMIT 1")
      .get();
    this.#lastSeq = last?.seq ?? 0;
    this.#lastChain = last?.chain ?? 0;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** One transaction, durable when this returns. After a throw the table must not be used any more. */
  commit(rows: readonly LogRecord[]): void {
    // BEGIN IMMEDIATE: a read lock that is upgraded later fails at once when somebody else wrote.
    this.#commit.immediate(rows);
  }

  /** Rows from `fromSeq` on, at most `limit`; throws LogError when a row is missing or is not what was written. */
  read(fromSeq: number, limit: number): LogRecord[] {
    const start = Math.max(1, fromSeq);
    // The row before the page carries the checksum that the page continues.
    const rows = this.#page.all(start - 1, limit + 1);
    const before = rows[0]?.seq === start - 1 ? rows.shift() : undefined;
    if (rows.length > limit) rows.length = limit;
    let chain = before?.chain ?? 0;
    return rows.map((row, i) => {
      const record = recordOf(row);
      chain = chainOf(record, chain);
      // A row that is missing breaks the chain of the next one, as its number is part of the checksum.
      if (row.chain !== chain) throw broken(start + i);
      return record;
    });
  }

  close(): void {
    this.#database.close();
  }

  #insertRow(row: LogRecord): void {
    if (row.seq !== this.#lastSeq + 1) {
      throw new LogError(
        "ledger_sequence",
        `row ${row.seq} follows row ${this.#lastSeq}: a row is missing or repeated`,
      );
    }
    this.#lastSeq = row.seq;
    this.#lastChain = chainOf(row, this.#lastChain);
    const { seq, atMs, stepId, kind, correlationId, body } = row;
    this.#insert.run(seq, atMs, stepId, kind, correlationId, body, this.#lastChain);
  }
}

function recordOf(row: Row): LogRecord {
  return {
    seq: row.seq,
    atMs: row.at_ms,
    stepId: row.step_id,
    kind: row.kind,
    correlationId: row.correlation_id,
    body: row.body,
  };
}

function chainOf(row: LogRecord, before: number): number {
  const head = `${row.seq}|${row.atMs}|${row.stepId}|${row.kind}|${row.correlationId}|`;
  return crc32(row.body, crc32(head, before));
}

function broken(seq: number): LogError {
  return new LogError(
    "ledger_corrupt",
    `ledger row ${seq} is missing or is not what was written: restore the file from a backup`,
  );
}
