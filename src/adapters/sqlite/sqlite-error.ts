import { LogError, type LogErrorCode } from "../../engine/ports/log-error.ts";

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
  // The only constraint that a row can break is its number: somebody else took it.
  if (sqliteCode.startsWith("SQLITE_CONSTRAINT")) return "ledger_second_writer";
  if (sqliteCode.startsWith("SQLITE_BUSY") || sqliteCode.startsWith("SQLITE_LOCKED"))
    return "ledger_locked";
  if (/^SQLITE_(IOERR|READONLY|CANTOPEN|PERM)/.test(sqliteCode)) return "ledger_io";
  return "ledger_failed";
}
