// PostgreSQL's COPY in its binary form: https://www.postgresql.org/docs/18/sql-copy.html (File Formats, Binary Format).
import type { Writable } from "node:stream";
import type { Connection, Submittable } from "pg";
import { type BulkRows, bulkColumns, type ColumnWidth } from "./bulk-tables.ts";
import { StoreError } from "./store-error.ts";

const signature = Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1");
const trailer = Buffer.from([0xff, 0xff]);
const chunkBytes = 1 << 18;
/** Two bytes hold no more. */
const smallMax = 32_767;
const twoTo32 = 0x1_0000_0000;

/** Encodes rows, in the order of the numbers given, into chunks that are valid until the next one is asked for. */
export function* copyChunks(rows: BulkRows, order: Uint32Array): Generator<Buffer, void, void> {
  const widths = bulkColumns[rows.table].map(([, width]) => width);
  const { columns } = rows;
  const texts = columns.filter((column) => !(column instanceof Float64Array));
  const fixedBytes = 2 + widths.reduce<number>((sum, width) => sum + 4 + fixed(width), 0);
  let buffer = Buffer.allocUnsafe(chunkBytes);
  let view = viewOf(buffer);
  let at = signature.copy(buffer);
  for (const row of order) {
    const wanted = texts.length === 0 ? fixedBytes : fixedBytes + textBytes(texts, row);
    if (at + wanted > buffer.length) {
      yield buffer.subarray(0, at);
      at = 0;
      if (wanted > buffer.length) {
        buffer = Buffer.allocUnsafe(wanted);
        view = viewOf(buffer);
      }
    }
    view.setInt16(at, widths.length);
    at += 2;
    // By index: this loop runs for every value that is loaded.
    for (let i = 0; i < widths.length; i++) {
      const width = widths[i] ?? "text";
      const value = columns[i]?.[row];
      at = width === "text" ? writeText(buffer, at, value) : writeWhole(view, at, value, width);
    }
  }
  yield buffer.subarray(0, at);
  yield trailer;
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
}

function fixed(width: ColumnWidth): number {
  return width === "text" ? 0 : width;
}

function textBytes(columns: readonly BulkRows["columns"][number][], row: number): number {
  return columns.reduce((sum, column) => sum + Buffer.byteLength(String(column[row])), 0);
}

function writeText(buffer: Buffer, start: number, value: unknown): number {
  const length = buffer.write(String(value), start + 4);
  buffer.writeInt32BE(length, start);
  return start + 4 + length;
}

/** A view writes several times faster than the buffer's own methods. */
function writeWhole(view: DataView, start: number, value: unknown, width: 8 | 2): number {
  if (!Number.isSafeInteger(value)) throw notWhole(value);
  const whole = value as number;
  view.setInt32(start, width);
  if (width === 2) {
    if (whole < -smallMax - 1 || whole > smallMax) throw notWhole(value);
    view.setInt16(start + 4, whole);
    return start + 6;
  }
  const high = Math.floor(whole / twoTo32);
  view.setInt32(start + 4, high);
  view.setUint32(start + 8, whole - high * twoTo32);
  return start + 12;
}

function notWhole(value: unknown): StoreError {
  return new StoreError("store_bad_value", `a whole number was expected, was ${String(value)}`);
}

/** The part of the driver's connection that COPY needs; its published types leave it out. */
type CopyConnection = Connection & {
  readonly stream: Writable;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
  sendCopyFail(message: string): void;
};

/** A COPY … FROM STDIN that the driver's client can be given; `done` settles with it. */
export class CopyRows implements Submittable {
  readonly done: Promise<void>;
  /** The driver wraps it to know when the statement is over. */
  callback: (error: Error | null) => void;
  readonly #text: string;
  readonly #chunks: Iterable<Buffer>;
  #isOver = false;
  #failure: Error | null = null;

  constructor(text: string, chunks: Iterable<Buffer>) {
    this.#text = text;
    this.#chunks = chunks;
    let settle: (error: Error | null) => void = () => undefined;
    this.done = new Promise((resolve, reject) => {
      settle = (error) => (error === null ? resolve() : reject(error));
    });
    this.callback = settle;
  }

  submit(connection: Connection): void {
    (connection as unknown as { query(text: string): void }).query(this.#text);
  }

  handleCopyInResponse(connection: CopyConnection): void {
    void this.#send(connection);
  }

  /** No faster than the server takes it, so that what waits stays small and both work at once. */
  async #send(connection: CopyConnection): Promise<void> {
    try {
      for (const chunk of this.#chunks) {
        // A chunk is copied by the driver before the next one is made.
        connection.sendCopyFromChunk(chunk);
        if (connection.stream.writableNeedDrain) await drained(connection.stream);
        // The server refused: what came now would belong to the next statement.
        if (this.#isOver) return;
      }
      connection.endCopyFrom();
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error));
      connection.sendCopyFail("the rows could not be encoded");
    }
  }

  handleError(error: Error): void {
    this.#isOver = true;
    this.callback(this.#failure ?? error);
    this.callback = () => undefined;
  }

  handleReadyForQuery(): void {
    this.#isOver = true;
    this.callback(this.#failure);
  }

  handleCommandComplete(): void {
    // Followed by "ready for query", which settles it.
  }
}

/** Resolves when the stream takes more, or will never take any. */
async function drained(stream: Writable): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  stream.once("drain", resolve);
  stream.once("close", resolve);
  await promise;
  stream.off("drain", resolve);
  stream.off("close", resolve);
}
