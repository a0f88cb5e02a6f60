import type Database from "better-sqlite3";
import { Kysely, SqliteDialect } from "kysely";
import {
  type BulkRows,
  bulkColumns,
  inKeyOrder,
  type LoadBatch,
  numbersOfRow,
} from "./bulk-tables.ts";
import { barStatements } from "./minute-bars.ts";
import type { TimedTable } from "./schema.ts";
import type { Store } from "./store.ts";
import { checkpointMoved, StoreError } from "./store-error.ts";
import type { StoreTables } from "./tables.ts";

/** Rows of one statement: SQLite takes at most 32,766 values in one. */
const rowsOfStatement = 100;

/** The store in an open file whose schema is the newest. */
export function sqliteStore(database: Database.Database, place: string): Store {
  const load = database.transaction((batch: LoadBatch) => {
    moveCheckpoint(database, batch.checkpoint);
    for (const rows of batch.rows) insertAll(database, rows);
    for (const { text, values } of barStatements("sqlite", batch.bars ?? [])) {
      database.prepare(text).run(values);
    }
  });
  return {
    home: "sqlite",
    place,
    db: new Kysely<StoreTables>({ dialect: new SqliteDialect({ database }) }),
    load: async (batch) => {
      try {
        load.immediate(batch);
      } catch (error) {
        if (error instanceof StoreError) throw error;
        const message = error instanceof Error ? error.message : String(error);
        throw new StoreError("store_failed", `${place}: ${message}`, error);
      }
    },
    // Every batch is kept at once.
    settle: () => Promise.resolve(),
    close: async () => {
      database.close();
    },
  };
}

function moveCheckpoint(
  database: Database.Database,
  { name, from, to, atMs }: LoadBatch["checkpoint"],
): void {
  const found = database
    .prepare<unknown[], { position: number }>("SELECT position FROM checkpoints WHERE name = ?")
    .get(name);
  const position = found?.position ?? 0;
  if (position !== from) throw checkpointMoved(name, from, position);
  database
    .prepare(
      "INSERT INTO checkpoints (name, position, at_ms) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET position = excluded.position, at_ms = excluded.at_ms",
    )
    .run(name, to, atMs);
}

function insertAll(database: Database.Database, rows: BulkRows): void {
  if (rows.count === 0) return;
  const { table } = rows;
  const order = inKeyOrder(rows);
  const many = database.prepare(insertText(table, rowsOfStatement));
  const whole = order.length - (order.length % rowsOfStatement);
  const values: unknown[] = [];
  for (let start = 0; start < whole; start += rowsOfStatement) {
    fill(values, rows, order.subarray(start, start + rowsOfStatement));
    many.run(values);
  }
  if (whole === order.length) return;
  const rest: unknown[] = [];
  fill(rest, rows, order.subarray(whole));
  database.prepare(insertText(table, order.length - whole)).run(rest);
}

function fill(values: unknown[], { table, numbers, texts }: BulkRows, order: Uint32Array): void {
  const step = numbersOfRow(table);
  const textStep = bulkColumns[table].length - step;
  let at = 0;
  for (const row of order) {
    for (let i = row * step; i < (row + 1) * step; i++) values[at++] = numbers[i];
    for (let i = row * textStep; i < (row + 1) * textStep; i++) values[at++] = texts[i];
  }
}

function insertText(table: TimedTable, rows: number): string {
  const columns = bulkColumns[table].map(([name]) => name);
  const row = `(${columns.map(() => "?").join(", ")})`;
  const all = Array.from({ length: rows }, () => row).join(", ");
  return `INSERT INTO ${table} (${columns.join(", ")}) VALUES ${all} ON CONFLICT DO NOTHING`;
}
