// PostgreSQL's COPY in its binary form: https://www.postgresql.org/docs/18/sql-copy.html (File Formats, Binary Format).
import type { Writable } from "node:stream";
import type { Connection, Submittable } from "pg";
import { type BulkRows, bulkColumns, type ColumnWidth } from "./bulk-tables.ts";
import { StoreError } from "./store-error.ts";

const signature = Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1");
const trailer = Buffer.from([0xff, 0xff]);
const chunkBytes = 1 << 18;
/** Before each row: how many values it has. */
const countBytes = 2;
const twoTo32 = 0x1_0000_0000;

/** Encodes rows, in the order of the numbers given, into chunks that are valid until the next one is asked for. */
export function* copyChunks(rows: BulkRows, order: Uint32Array): Generator<Buffer, void, void> {
  const widths = bulkColumns[rows.table].map(([, width]) => width);
  const fixedBytes = widths.reduce<number>((sum, width) => sum + 4 + fixed(width), countBytes);
  const texts = widths.filter((width) => width === "text").length;
  const ends = new Uint32Array(Math.ceil(chunkBytes / fixedBytes));
  let buffer = Buffer.allocUnsafe(chunkBytes);
  let from = 0;
  yield signature;
  while (from < order.length) {
    // As many rows as there is room for; one at least, however long its texts are.
    let bytes = 0;
    let count = 0;
    for (; from + count < order.length; count++) {
      const wanted = fixedBytes + textBytes(rows, texts, order[from + count] ?? 0);
      if (count > 0 && bytes + wanted > chunkBytes) break;
      ends[count] = bytes;
      bytes += wanted;
    }
    if (bytes > buffer.length) buffer = Buffer.allocUnsafe(bytes);
    const chunk = buffer.subarray(0, bytes);
    writeRows(chunk, rows, widths, { order: order.subarray(from, from + count), ends });
    yield chunk;
    from += count;
  }
  yield trailer;
}

/** Rows of a chunk: their numbers, and for each how far it is written. */
type Written = { readonly order: Uint32Array; readonly ends: Uint32Array };

/** Column by column: a loop over values of one kind is several times faster than one over the kinds of a row. */
function writeRows(
  chunk: Buffer,
  { numbers, texts }: BulkRows,
  widths: readonly ColumnWidth[],
  written: Written,
): void {
  const { order, ends } = written;
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
  for (let i = 0; i < order.length; i++) {
    view.setInt16(ends[i] ?? 0, widths.length);
    ends[i] = (ends[i] ?? 0) + countBytes;
  }
  const whole = widths.filter((width) => width !== "text");
  const textCount = widths.length - whole.length;
  for (const [at, width] of whole.entries()) {
    const write = width === 2 ? writeSmall : writeWhole;
    write(view, numbers, { at, step: whole.length }, written);
  }
  for (let at = 0; at < textCount; at++) {
    writeTexts(chunk, texts, { at, step: textCount }, written);
  }
}

function fixed(width: ColumnWidth): number {
  return width === "text" ? 0 : width;
}

function textBytes({ texts }: BulkRows, step: number, row: number): number {
  let bytes = 0;
  for (let at = row * step; at < (row + 1) * step; at++) {
    bytes += Buffer.byteLength(texts[at] ?? "");
  }
  return bytes;
}

/** Where the values of a column stand: at `at` of each row, rows `step` apart. */
type Place = { readonly at: number; readonly step: number };

function writeTexts(
  chunk: Buffer,
  texts: readonly string[],
  { at, step }: Place,
  { order, ends }: Written,
): void {
  for (let i = 0; i < order.length; i++) {
    const end = ends[i] ?? 0;
    const length = chunk.write(texts[(order[i] ?? 0) * step + at] ?? "", end + 4);
    chunk.writeInt32BE(length, end);
    ends[i] = end + 4 + length;
  }
}

function writeSmall(
  view: DataView,
  numbers: Float64Array,
  { at, step }: Place,
  { order, ends }: Written,
): void {
  for (let i = 0; i < order.length; i++) {
    const value = numbers[(order[i] ?? 0) * step + at] ?? Number.NaN;
    const end = ends[i] ?? 0;
    if ((value << 16) >> 16 !== value) throw notWhole(value);
    view.setInt32(end, 2);
    view.setInt16(end + 4, value);
    ends[i] = end + 6;
  }
}

function writeWhole(
  view: DataView,
  numbers: Float64Array,
  { at, step }: Place,
  { order, ends }: Written,
): void {
  for (let i = 0; i < order.length; i++) {
    const value = numbers[(order[i] ?? 0) * step + at] ?? Number.NaN;
    const end = ends[i] ?? 0;
    view.setInt32(end, 8);
    if ((value | 0) === value) {
      view.setInt32(end + 4, value >> 31);
      view.setInt32(end + 8, value);
    } else {
      if (!Number.isSafeInteger(value)) throw notWhole(value);
      const high = Math.floor(value / twoTo32);
      view.setInt32(end + 4, high);
      view.setUint32(end + 8, value - high * twoTo32);
    }
    ends[i] = end + 12;
  }
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
