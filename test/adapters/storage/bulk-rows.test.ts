// Rows as columns, and the order in which they are written.
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type BulkRows,
  bulkColumns,
  bulkRows,
  byDay,
  inKeyOrder,
} from "../../../src/adapters/storage/bulk-tables.ts";
import { LevelRows } from "../../../src/adapters/storage/level-rows.ts";
import { partMs } from "../../../src/adapters/storage/schema.ts";
import type { BookEventRow } from "../../../src/adapters/storage/tables.ts";

/** In the order of a recording, over some markets and days. */
const recorded = fc
  .array(fc.record({ market: fc.integer({ min: 1, max: 5 }), ts: fc.nat({ max: 3 * partMs }) }))
  .map((some) =>
    some.map(
      ({ market, ts }, i): BookEventRow => ({
        market_id: market,
        ts,
        seq: Math.floor(i / 2),
        part: i % 2,
        tape_id: 1,
        outcome: 0,
        side: 1,
        price_e4: 5_000 + i,
        size_e6: Number.MAX_SAFE_INTEGER - i,
      }),
    ),
  );

function rowsOf({ table, numbers }: BulkRows, order: Iterable<number>): unknown[] {
  const names = bulkColumns[table].map(([name]) => name);
  return Array.from(order, (row) =>
    Object.fromEntries(names.map((name, i) => [name, numbers[row * names.length + i]])),
  );
}

test("rows that are collected are the same as rows that are given, however many, and are taken once", () => {
  const row = (i: number): BookEventRow => ({
    market_id: i,
    ts: i + 1,
    seq: i + 2,
    part: 3,
    tape_id: 4,
    outcome: 1,
    side: 0,
    price_e4: i + 5,
    size_e6: i + 6,
  });
  const rows = Array.from({ length: 5_000 }, (_, i) => row(i));
  const collected = new LevelRows();
  for (let round = 0; round < 2; round++) {
    for (const one of rows) collected.add(one);
    expect(collected.count).toBe(rows.length);
    const taken = collected.take();
    expect(taken.count).toBe(rows.length);
    expect(rowsOf(taken, rows.keys())).toEqual(rows);
    expect(collected.count).toBe(0);
  }
});

test("a recording's rows come in the order of the key, each once", () => {
  fc.assert(
    fc.property(recorded, (rows) => {
      const bulk = bulkRows("book_events", rows);
      const sorted = rows.toSorted(
        (a, b) => a.market_id - b.market_id || a.seq - b.seq || a.part - b.part,
      );
      expect(rowsOf(bulk, inKeyOrder(bulk))).toEqual(sorted);
    }),
  );
});

test("days share the rows out and keep their order", () => {
  fc.assert(
    fc.property(recorded, (rows) => {
      const bulk = bulkRows("book_events", rows);
      const order = inKeyOrder(bulk);
      const days = byDay(bulk, order);
      for (const [day, numbers] of days) {
        const own = order.filter((i) => Math.floor((rows[i]?.ts ?? 0) / partMs) === day);
        expect([...numbers]).toEqual([...own]);
      }
      const count = [...days.values()].reduce((sum, { length }) => sum + length, 0);
      expect(count).toBe(rows.length);
    }),
  );
});
