import { AdapterError } from "../../engine/lib/errors.ts";

export type LogErrorCode =
  /** Too many rows are waiting for the disk; nothing of this batch was kept. */
  | "ledger_full"
  | "ledger_closed"
  /** The caller's sequence numbers have a gap or a repeat. */
  | "ledger_sequence"
  | "ledger_disk_full"
  | "ledger_io"
  | "ledger_locked"
  /** Damaged, foreign or truncated file. */
  | "ledger_corrupt"
  | "ledger_newer_schema"
  | "ledger_sqlite_too_old"
  /** The file system or the build does not give the durability that was asked for. */
  | "ledger_not_durable"
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

/** The typed error of a failure inside SQLite. */
export function logErrorOf(error: unknown, doing: string): LogError {
  if (error instanceof LogError) return error;
  const { code, message } = sqliteFailure(error);
  return new LogError(ledgerCodeOf(code), `${doing}: ${message} (${code})`, error);
}

function sqliteFailure(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: "unknown", message: String(error) };
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  return { code, message: error.message };
}

// https://sqlite.org/rescode.html: extended codes start with the primary one.
function ledgerCodeOf(sqliteCode: string): LogErrorCode {
  if (sqliteCode.startsWith("SQLITE_FULL")) return "ledger_disk_full";
  if (sqliteCode.startsWith("SQLITE_CORRUPT") || sqliteCode.startsWith("SQLITE_NOTADB"))
    return "ledger_corrupt";
  if (sqliteCode.startsWith("SQLITE_BUSY") || sqliteCode.startsWith("SQLITE_LOCKED"))
    return "ledger_locked";
  if (/^SQLITE_(IOERR|READONLY|CANTOPEN|PERM)/.test(sqliteCode)) return "ledger_io";
  return "ledger_failed";
}
