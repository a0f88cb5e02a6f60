// The bytes of a COPY, beside the plainest way to write them.
import { once } from "node:events";
import { Writable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type BulkColumns,
  bulkColumns,
  bulkRows,
} from "../../../src/adapters/storage/bulk-tables.ts";
import { CopyRows, copyChunks } from "../../../src/adapters/storage/copy-rows.ts";
import type { TimedTable } from "../../../src/adapters/storage/schema.ts";

type Row = Readonly<Record<string, number | string>>;

/** https://www.postgresql.org/docs/18/sql-copy.html, Binary Format, field by field. */
function plainly(columns: BulkColumns, rows: readonly Row[]): Buffer {
  const parts: Buffer[] = [Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1")];
  const field = (value: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(value.length);
    parts.push(length, value);
  };
  for (const row of rows) {
    const count = Buffer.alloc(2);
    count.writeInt16BE(columns.length);
    parts.push(count);
    for (const [name, width] of columns) {
      if (width === "text") field(Buffer.from(String(row[name])));
      else {
        const value = Buffer.alloc(width);
        if (width === 2) value.writeInt16BE(Number(row[name]));
        else value.writeBigInt64BE(BigInt(row[name] ?? 0));
        field(value);
      }
    }
  }
  return Buffer.concat([...parts, Buffer.from([0xff, 0xff])]);
}

/** The rows from last to first; each chunk is overwritten by the next one. */
function encoded(table: TimedTable, rows: readonly Row[]): Buffer {
  const chunks: Buffer[] = [];
  for (const chunk of copyChunks(
    bulkRows(table, rows as never),
    Uint32Array.from(rows.keys()).reverse(),
  ))
    chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

const values = {
  8: fc.oneof(
    fc.maxSafeInteger(),
    fc.constantFrom(0, -1, 2 ** 32, -(2 ** 32), Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  ),
  2: fc.integer({ min: -32_768, max: 32_767 }),
  text: fc.oneof(fc.string({ unit: "grapheme" }), fc.constant("ü".repeat(150_000))),
} as const;

test("whatever the rows, they are written as the plainest way writes them", () => {
  const table = fc.constantFrom(...(["book_events", "snapshots", "trades"] as const));
  const rowsOf = table.chain((name) => {
    const columns = bulkColumns[name];
    const row = fc.record(Object.fromEntries(columns.map(([key, width]) => [key, values[width]])));
    return fc.tuple(fc.constant(name), fc.array(row, { maxLength: 40 }));
  });
  fc.assert(
    fc.property(rowsOf, ([name, rows]) => {
      const plain = plainly(bulkColumns[name], rows.toReversed());
      expect(encoded(name, rows).equals(plain)).toBe(true);
    }),
    { numRuns: 60 },
  );
}, 300_000);

test("a value that its column cannot hold is refused", () => {
  const row = Object.fromEntries(bulkColumns.trades.map(([name]) => [name, 1]));
  for (const bad of [
    { size_e6: 0.5 },
    { size_e6: 2 ** 53 },
    { part: 32_768 },
    { ts: Number.NaN },
  ]) {
    expect(() => encoded("trades", [{ ...row, ...bad }])).toThrow(/whole number/u);
  }
});

test("a refusal ends the sending: what came now would be taken for the next statement's rows", async () => {
  const sent: string[] = [];
  let take = (): void => undefined;
  const stream = new Writable({
    highWaterMark: 1,
    write: (_chunk, _encoding, taken) => {
      take = taken;
    },
  });
  const connection = {
    stream,
    sendCopyFromChunk: (chunk: Buffer) => {
      sent.push(chunk.toString());
      stream.write(chunk);
    },
    endCopyFrom: () => sent.push("end"),
    sendCopyFail: () => sent.push("fail"),
  };
  const copy = new CopyRows("COPY", [Buffer.from("first"), Buffer.from("second")]);
  copy.handleCopyInResponse(connection as never);
  copy.handleError(new RangeError("refused"));
  await expect(copy.done).rejects.toThrow("refused");
  const drained = once(stream, "drain");
  take();
  await drained;
  await setImmediate();
  expect(sent).toEqual(["first"]);
});
