// The thread that owns the ledger's file, so that a slow disk never stops the loop that watches the market.
import { statSync } from "node:fs";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { assert } from "../../engine/lib/assert.ts";
import { openLedgerFile } from "./ledger-file.ts";
import type { LedgerAnswer, LedgerRequest } from "./ledger-messages.ts";
import { LedgerTable } from "./ledger-table.ts";
import { logErrorOf } from "./sqlite-error.ts";

/** What the thread is started with. */
export type LedgerWorkerData = { readonly file: string };

function serve(port: MessagePort, file: string): void {
  let table: LedgerTable;
  try {
    table = new LedgerTable(openLedgerFile(file));
  } catch (error) {
    port.postMessage(failed(0, error, `ledger ${file}`));
    port.close();
    return;
  }
  port.on("message", (request: LedgerRequest) => {
    port.postMessage(answerTo(table, request, file));
    if (request.do === "close") port.close();
  });
  port.postMessage({ id: 0, ok: true, lastSeq: table.lastSeq } satisfies LedgerAnswer);
}

function answerTo(table: LedgerTable, request: LedgerRequest, file: string): LedgerAnswer {
  const { id } = request;
  try {
    switch (request.do) {
      case "commit":
        table.commit(request.rows);
        return { id, ok: true, lastSeq: table.lastSeq, logBytes: bytesOf(`${file}-wal`) };
      case "read":
        return {
          id,
          ok: true,
          lastSeq: table.lastSeq,
          rows: table.read(request.fromSeq, request.limit),
        };
      case "close":
        table.close();
        return { id, ok: true, lastSeq: table.lastSeq };
    }
  } catch (error) {
    return failed(id, error, `ledger ${request.do}`);
  }
}

function bytesOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function failed(id: number, error: unknown, doing: string): LedgerAnswer {
  const { code, message } = logErrorOf(error, doing);
  return { id, ok: false, failure: { code, message } };
}

assert(parentPort !== null, "the ledger's worker runs in a thread");
serve(parentPort, (workerData as LedgerWorkerData).file);
