import type { PoolClient } from "pg";
import { partMs, type TimedTable, timedTables } from "./schema.ts";

/** One UTC day of a table, in days since 1970: in PostgreSQL a table of its own. */
export type Day = { readonly table: TimedTable; readonly day: number };

/** For each index that is built; with the server's usual 64 MB only one more of its processes would help. */
const buildMemory = "128MB";

/**
 * Those of the days that are not there, in the order in which they are to be attached. They are this transaction's to make:
 * another loader that needs them waits here until it is over, and finds them. Nobody else makes or drops a day meanwhile.
 */
export async function missingDays(
  client: PoolClient,
  days: readonly Day[],
): Promise<readonly Day[]> {
  const tables = timedTables.map((table) => `ONLY ${table}`).join(", ");
  await client.query(`LOCK TABLE ${tables} IN ROW EXCLUSIVE MODE`);
  const wanted = await notThere(client, days);
  if (wanted.length === 0) return wanted;
  // All at once and everywhere in one order, so that no two loaders wait for each other.
  await client.query(
    `SELECT pg_advisory_xact_lock(hashtext('pitboss day'), key)
       FROM (SELECT DISTINCT hashtext(name) AS key FROM unnest($1::text[]) AS name ORDER BY key) AS days`,
    [wanted.map(dayName)],
  );
  // A backend looks at what others made meanwhile when it takes a lock on a table that it does not have yet, not before.
  await client.query(`LOCK TABLE ${tables} IN ACCESS SHARE MODE`);
  return notThere(client, wanted);
}

async function notThere(client: PoolClient, days: readonly Day[]): Promise<readonly Day[]> {
  const { rows } = await client.query<{ name: string }>(
    "SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NULL",
    [days.map(dayName)],
  );
  const names = new Set(rows.map(({ name }) => name));
  return days
    .filter((day) => names.has(dayName(day)))
    .toSorted(
      (a, b) => timedTables.indexOf(a.table) - timedTables.indexOf(b.table) || a.day - b.day,
    );
}

/** A day's table by itself: without key and index, seen by this transaction alone. */
export async function makeDay(client: PoolClient, day: Day): Promise<void> {
  await client.query(`CREATE TABLE ${dayName(day)} (LIKE ${day.table})`);
}

/**
 * Makes a day's table a part of the whole, which builds its key and its indexes from all rows at once: several times
 * faster than row by row. Days are attached in the order of `missingDays`, behind everything that might wait for another loader.
 */
export async function attachDay(client: PoolClient, day: Day): Promise<void> {
  await client.query(
    "SELECT set_config('maintenance_work_mem', $1, true) WHERE pg_size_bytes(current_setting('maintenance_work_mem')) < pg_size_bytes($1)",
    [buildMemory],
  );
  const [from, to] = [day.day * partMs, (day.day + 1) * partMs];
  await client.query(
    `ALTER TABLE ${day.table} ATTACH PARTITION ${dayName(day)} FOR VALUES FROM (${from}) TO (${to})`,
  );
}

/** "book_events_p20261120" */
export function dayName({ table, day }: Day): string {
  const label = new Date(day * partMs).toISOString().slice(0, 10).replaceAll("-", "");
  return `${table}_p${label}`;
}
