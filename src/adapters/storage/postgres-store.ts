import { Kysely, PostgresDialect } from "kysely";
import type { Pool, PoolClient } from "pg";
import { type BulkRows, bulkColumns, byDay, inKeyOrder, type LoadBatch } from "./bulk-tables.ts";
import { CopyRows, copyChunks } from "./copy-rows.ts";
import { attachDay, type Day, dayName, makeDay, missingDays } from "./day-tables.ts";
import { barStatements } from "./minute-bars.ts";
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
        await loadWhole(client, home, batch);
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

async function loadWhole(
  client: PoolClient,
  home: "postgres" | "timescale",
  { rows, bars, checkpoint }: LoadBatch,
): Promise<void> {
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
  await writeRows(client, home, rows);
  for (const { text, values } of barStatements("postgres", bars ?? [])) {
    await client.query(text, values);
  }
  await client.query("COMMIT");
}

/** Rows of one table and day; their numbers stand in the order in which they are written. */
type Stretch = Day & { readonly rows: BulkRows; readonly order: Uint32Array };

/** Straight into the tables; when some of the rows are there already, by way of tables of this transaction. */
async function writeRows(
  client: PoolClient,
  home: "postgres" | "timescale",
  batch: readonly BulkRows[],
): Promise<void> {
  const stretches = batch.flatMap((rows): Stretch[] =>
    [...byDay(rows, inKeyOrder(rows))].map(([day, order]) => ({
      table: rows.table,
      day,
      rows,
      order,
    })),
  );
  const missing = home === "postgres" ? await missingDays(client, stretches) : [];
  await client.query("SAVEPOINT straight");
  try {
    await writeStraight(client, stretches, missing);
    await client.query("RELEASE SAVEPOINT straight");
  } catch (error) {
    if ((error as { code?: string }).code !== uniqueViolation) throw error;
    await client.query("ROLLBACK TO SAVEPOINT straight");
    await writeStaged(client, stretches, missing);
  }
}

async function writeStraight(
  client: PoolClient,
  stretches: readonly Stretch[],
  missing: readonly Day[],
): Promise<void> {
  const fresh = new Set(missing.map(dayName));
  for (const stretch of stretches) {
    if (!fresh.has(dayName(stretch))) await copyInto(client, stretch.table, stretch, "");
  }
  for (const day of missing) await makeDay(client, day);
  for (const stretch of stretches) {
    // Nobody else ever sees these rows half written, so they need no marks of who may see them.
    if (fresh.has(dayName(stretch))) await copyInto(client, dayName(stretch), stretch, ", FREEZE");
  }
  for (const day of missing) await attachDay(client, day);
}

async function writeStaged(
  client: PoolClient,
  stretches: readonly Stretch[],
  missing: readonly Day[],
): Promise<void> {
  for (const day of missing) {
    await makeDay(client, day);
    await attachDay(client, day);
  }
  for (const stretch of stretches) {
    const { table } = stretch;
    const staged = `staged_${table}`;
    const columns = columnsOf(table);
    await client.query(`CREATE TEMP TABLE ${staged} (LIKE ${table}) ON COMMIT DROP`);
    await copyInto(client, staged, stretch, "");
    await client.query(
      `INSERT INTO ${table} (${columns}) SELECT ${columns} FROM ${staged} ON CONFLICT DO NOTHING`,
    );
    await client.query(`DROP TABLE ${staged}`);
  }
}

async function copyInto(
  client: PoolClient,
  into: string,
  { table, rows, order }: Stretch,
  more: "" | ", FREEZE",
): Promise<void> {
  const statement = new CopyRows(
    `COPY ${into} (${columnsOf(table)}) FROM STDIN (FORMAT binary${more})`,
    copyChunks(rows, order),
  );
  client.query(statement);
  await statement.done;
}

function columnsOf(table: Day["table"]): string {
  return bulkColumns[table].map(([name]) => name).join(", ");
}
