import type { LogRecord } from "../../engine/ports/durable-log.ts";
import type { LogErrorCode } from "../../engine/ports/log-error.ts";

/** What the ledger asks its worker; one request is worked on at a time. */
export type LedgerRequest =
  | { readonly id: number; readonly do: "commit"; readonly rows: readonly LogRecord[] }
  | {
      readonly id: number;
      readonly do: "read";
      readonly fromSeq: number;
      readonly limit: number;
    }
  | { readonly id: number; readonly do: "close" };

export type LedgerFailure = { readonly code: LogErrorCode; readonly message: string };

/** The worker's first message (id 0) says that the file is open, or why not. */
export type LedgerAnswer =
  | {
      readonly id: number;
      readonly ok: true;
      readonly lastSeq: number;
      readonly rows?: LogRecord[];
      /** After a commit: bytes of SQLite's log that were not written back into the database yet. */
      readonly logBytes?: number;
    }
  | { readonly id: number; readonly ok: false; readonly failure: LedgerFailure };
