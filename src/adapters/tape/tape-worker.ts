// The thread that packs and writes a tape, so that neither packing nor a slow disk stops the loop that reads the market.
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { assert } from "../../engine/lib/assert.ts";
import { FolderWriter } from "./folder-writer.ts";
import { TapeError } from "./tape-error.ts";
import {
  chunkRow,
  rowHeadBytes,
  type TapeAnswer,
  type TapeRequest,
  type TapeWorkerData,
} from "./tape-messages.ts";
import type { TapeNote } from "./tape-row.ts";

const tickMs = 200;

function serve(port: MessagePort, data: TapeWorkerData): void {
  const answer = (message: TapeAnswer, transfer: ArrayBuffer[] = []) =>
    port.postMessage(message, transfer);
  let writer: FolderWriter;
  try {
    writer = new FolderWriter(data.folder, data.identity, data.limits, Date.now());
  } catch (error) {
    const message = error instanceof Error ? error.message : "the folder cannot be opened";
    answer({ kind: "failed", message, isTapeError: error instanceof TapeError });
    port.close();
    return;
  }
  const ticking = setInterval(() => {
    writer.tick(Date.now());
    answer({ kind: "told", totals: writer.totals });
  }, tickMs);
  port.on("message", (request: TapeRequest) => {
    if (request.do === "rows") {
      takeRows(writer, request.chunk, request.bytes);
      answer({ kind: "taken", chunk: request.chunk, totals: writer.totals }, [request.chunk]);
      return;
    }
    if (request.do === "followed") {
      writer.followed(request.markets, Date.now());
      return;
    }
    if (request.do === "flush") {
      writer.flush(Date.now());
      return;
    }
    clearInterval(ticking);
    writer.close(Date.now());
    answer({ kind: "closed", totals: writer.totals });
    port.close();
  });
  answer({ kind: "opened" });
}

function takeRows(writer: FolderWriter, chunk: ArrayBuffer, bytes: number): void {
  const rows = Buffer.from(chunk, 0, bytes);
  const nowMs = Date.now();
  for (let at = 0; at < bytes; ) {
    const length = rows.readUInt32LE(at);
    const kind = rows[at + 4];
    const atMs = rows.readDoubleLE(at + 8);
    const from = at + rowHeadBytes;
    at = from + length;
    if (kind === chunkRow.frame) writer.frame(atMs, rows, [from, at], nowMs);
    else if (kind === chunkRow.step) writer.step(atMs, rows, [from, at], nowMs);
    else writer.note(atMs, JSON.parse(rows.toString("utf8", from, at)) as TapeNote, nowMs);
  }
}

assert(parentPort !== null, "the recording worker runs in a thread");
serve(parentPort, workerData as TapeWorkerData);
