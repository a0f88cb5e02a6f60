// PostgreSQL's COPY in its binary form: https://www.postgresql.org/docs/18/sql-copy.html (File Formats, Binary Format).
import type { Connection, Submittable } from "pg";
import type { ColumnWidth } from "./bulk-tables.ts";
import { StoreError } from "./store-error.ts";

const signature = Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1");
const trailer = Buffer.from([0xff, 0xff]);
const chunkBytes = 1 << 18;
const twoTo32 = 0x1_0000_0000;

type Columns = readonly (readonly [name: string, width: ColumnWidth])[];

/** Encodes rows into chunks that are valid until the next one is asked for. */
export function* copyChunks(
  columns: Columns,
  rows: readonly object[],
): Generator<Buffer, void, void> {
  const fixedBytes = 2 + columns.reduce((sum, [, width]) => sum + 4 + fixed(width), 0);
  let buffer = Buffer.allocUnsafe(chunkBytes);
  let at = signature.copy(buffer);
  for (const row of rows as readonly Readonly<Record<string, unknown>>[]) {
    const wanted = fixedBytes + textBytes(columns, row);
    if (at + wanted > buffer.length) {
      yield buffer.subarray(0, at);
      at = 0;
      if (wanted > buffer.length) buffer = Buffer.allocUnsafe(wanted);
    }
    at = buffer.writeInt16BE(columns.length, at);
    for (const [name, width] of columns) at = writeField(buffer, at, row[name], width);
  }
  yield buffer.subarray(0, at);
  yield trailer;
}

function fixed(width: ColumnWidth): number {
  return width === "text" ? 0 : width;
}

function textBytes(columns: Columns, row: Readonly<Record<string, unknown>>): number {
  let sum = 0;
  for (const [name, width] of columns) {
    if (width === "text") sum += Buffer.byteLength(String(row[name]));
  }
  return sum;
}

function writeField(buffer: Buffer, start: number, value: unknown, width: ColumnWidth): number {
  if (width === "text") {
    const length = buffer.write(String(value), start + 4);
    buffer.writeInt32BE(length, start);
    return start + 4 + length;
  }
  if (!Number.isSafeInteger(value)) {
    throw new StoreError("store_bad_value", `a whole number was expected, was ${String(value)}`);
  }
  const at = buffer.writeInt32BE(width, start);
  if (width === 2) return buffer.writeInt16BE(value as number, at);
  const high = Math.floor((value as number) / twoTo32);
  return buffer.writeUInt32BE((value as number) - high * twoTo32, buffer.writeInt32BE(high, at));
}

/** The part of the driver's connection that COPY needs; its published types leave it out. */
type CopyConnection = Connection & {
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
    try {
      // A chunk is copied by the driver before the next one is made.
      for (const chunk of this.#chunks) connection.sendCopyFromChunk(chunk);
      connection.endCopyFrom();
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error));
      connection.sendCopyFail("the rows could not be encoded");
    }
  }

  handleError(error: Error): void {
    this.callback(this.#failure ?? error);
    this.callback = () => undefined;
  }

  handleReadyForQuery(): void {
    this.callback(this.#failure);
  }

  handleCommandComplete(): void {
    // Followed by "ready for query", which settles it.
  }
}
