import { AdapterError } from "../lib/errors.ts";

export type LogErrorCode =
  /** Too many rows are waiting for the disk; nothing of this batch was kept. */
  | "ledger_full"
  | "ledger_closed"
  /** The caller's sequence numbers have a gap or a repeat. */
  | "ledger_sequence"
  | "ledger_disk_full"
  | "ledger_io"
  | "ledger_locked"
  /** Damaged, foreign or truncated. */
  | "ledger_corrupt"
  | "ledger_newer_schema"
  | "ledger_sqlite_too_old"
  /** The file system, the build or the server does not give the durability that was asked for. */
  | "ledger_not_durable"
  /** Rows that were durable once are gone: a fail-over to a server without the last commits, or an old backup. */
  | "ledger_rows_lost"
  /** Somebody else wrote, or took the lease while the connection was away. */
  | "ledger_second_writer"
  /** The database server cannot be reached or refuses us. */
  | "ledger_unreachable"
  | "ledger_failed";

/** Why rows are not durable. After a failed commit every later append fails the same way. */
export class LogError extends AdapterError {
  override readonly name = "LogError";
  declare readonly code: LogErrorCode;

  constructor(code: LogErrorCode, message: string, cause?: unknown) {
    // Only a refusal before the disk was asked is certain to have left nothing behind.
    const before = code === "ledger_full" || code === "ledger_closed" || code === "ledger_sequence";
    super(code, message, { outcome: before ? "not_sent" : "unknown", retryable: false, cause });
  }
}
