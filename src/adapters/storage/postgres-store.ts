import { Kysely, PostgresDialect } from "kysely";
import type { Pool, PoolClient } from "pg";
import { type BulkRows, bulkColumns, inKeyOrder, type LoadBatch } from "./bulk-tables.ts";
import { CopyRows, copyChunks } from "./copy-rows.ts";
import { barStatements } from "./minute-bars.ts";
import { partMs, type TimedTable } from "./schema.ts";
import type { Store } from "./store.ts";
import { checkpointMoved, StoreError } from "./store-error.ts";
import type { StoreTables } from "./tables.ts";

const uniqueViolation = "23505";

/** The store in a database whose schema is the newest. The pool is closed with it. */
export function postgresStore(pool: Pool, place: string, home: "postgres" | "timescale"): Store {
  return {
    home,
    place,
    db: new Kysely<StoreTables>({ dialect: new PostgresDialect({ pool }) }),
    load: async (batch) => {
      const client = await pool.connect();
      let failure: Error | undefined;
      try {
        if (home === "postgres") await makeParts(client, batch);
        await loadWhole(client, batch);
      } catch (error) {
        failure = error instanceof Error ? error : new Error(String(error));
        if (error instanceof StoreError) throw error;
        throw new StoreError("store_failed", `${place}: ${failure.message}`, error);
      } finally {
        // A connection in doubt is not given to the next one.
        client.release(failure);
      }
    },
    close: () => pool.end(),
  };
}

async function loadWhole(client: PoolClient, { rows, bars, checkpoint }: LoadBatch): Promise<void> {
  const { name, from, to, atMs } = checkpoint;
  await client.query("BEGIN");
  // What is acknowledged stays when the server dies; once for so many rows that costs next to nothing.
  await client.query(
    "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') <> 'remote_apply'",
  );
  await client.query(
    "INSERT INTO checkpoints (name, position, at_ms) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING",
    [name, atMs],
  );
  const found = await client.query<{ position: number }>(
    "SELECT position FROM checkpoints WHERE name = $1 FOR UPDATE",
    [name],
  );
  const position = found.rows[0]?.position ?? 0;
  if (position !== from) throw checkpointMoved(name, from, position);
  await client.query("UPDATE checkpoints SET position = $2, at_ms = $3 WHERE name = $1", [
    name,
    to,
    atMs,
  ]);
  for (const part of rows) if (part.rows.length > 0) await copy(client, part);
  for (const { text, values } of barStatements("postgres", bars ?? [])) {
    await client.query(text, values);
  }
  await client.query("COMMIT");
}

/** Straight into the table; when some rows are there already, by way of a table of this transaction. */
async function copy(client: PoolClient, { table, rows }: BulkRows): Promise<void> {
  const columns = bulkColumns[table].map(([name]) => name).join(", ");
  await client.query("SAVEPOINT straight");
  try {
    await copyInto(client, table, { table, rows } as BulkRows);
    await client.query("RELEASE SAVEPOINT straight");
  } catch (error) {
    if ((error as { code?: string }).code !== uniqueViolation) throw error;
    await client.query("ROLLBACK TO SAVEPOINT straight");
    const staged = `staged_${table}`;
    await client.query(`CREATE TEMP TABLE ${staged} (LIKE ${table}) ON COMMIT DROP`);
    await copyInto(client, staged, { table, rows } as BulkRows);
    await client.query(
      `INSERT INTO ${table} (${columns}) SELECT ${columns} FROM ${staged} ON CONFLICT DO NOTHING`,
    );
    await client.query(`DROP TABLE ${staged}`);
  }
}

async function copyInto(client: PoolClient, into: string, part: BulkRows): Promise<void> {
  const columns = bulkColumns[part.table];
  const names = columns.map(([name]) => name).join(", ");
  const statement = new CopyRows(
    `COPY ${into} (${names}) FROM STDIN (FORMAT binary)`,
    copyChunks(columns, inKeyOrder(part)),
  );
  client.query(statement);
  await statement.done;
}

/**
 * Makes the days that the batch needs. Outside its transaction: two loaders that need the same day must not wait. Looked up
 * each time, because pruning may have taken one away.
 */
async function makeParts(client: PoolClient, batch: LoadBatch): Promise<void> {
  const wanted = new Map<string, string>();
  for (const { table, rows } of batch.rows) {
    const days = new Set(rows.map(({ ts }) => Math.floor(ts / partMs)));
    for (const day of days) wanted.set(partName(table, day), partSql(table, day));
  }
  const missing = await client.query<{ name: string }>(
    "SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NULL",
    [[...wanted.keys()]],
  );
  for (const { name } of missing.rows) await client.query(wanted.get(name) ?? "");
}

function partName(table: TimedTable, day: number): string {
  const label = new Date(day * partMs).toISOString().slice(0, 10).replaceAll("-", "");
  return `${table}_p${label}`;
}

function partSql(table: TimedTable, day: number): string {
  return `CREATE TABLE IF NOT EXISTS ${partName(table, day)} PARTITION OF ${table} FOR VALUES FROM (${day * partMs}) TO (${(day + 1) * partMs})`;
}
