import { LogError, type LogErrorCode } from "../../engine/ports/log-error.ts";

/** The typed error of a failure that PostgreSQL or the way to it reported. Says nothing of the password. */
export function logErrorOf(error: unknown, doing: string): LogError {
  if (error instanceof LogError) return error;
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  return new LogError(ledgerCodeOf(code), `${doing}: ${message} (${code})`, error);
}

/**
 * Whether the connection is gone, so that a statement that was under way may have been carried out or not. The server
 * has not answered it; every other error is its answer.
 */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof LogError) return false;
  const code = codeOf(error);
  // https://www.postgresql.org/docs/18/errcodes-appendix.html: 08 connection exceptions, 57P01 to 57P03 the server or
  // somebody ended this session, 53300 too many connections while it comes back.
  if (/^(08|57P0[1-5]$|53300$)/.test(code)) return true;
  return !/^[0-9A-Z]{5}$/.test(code);
}

/** SQLSTATE, or what Node calls a failure of the socket. */
function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : "no code";
}

function ledgerCodeOf(code: string): LogErrorCode {
  if (code === "53100") return "ledger_disk_full";
  if (code === "58030" || code === "58P01") return "ledger_io";
  if (code === "23505") return "ledger_second_writer";
  if (/^XX00[12]$/.test(code)) return "ledger_corrupt";
  // A server that takes no writes is a replica, or one that lost its disk.
  if (code === "25006") return "ledger_not_durable";
  if (/^(28|3D|08|57P|53)/.test(code) || !/^[0-9A-Z]{5}$/.test(code)) return "ledger_unreachable";
  return "ledger_failed";
}
