import { sql } from "kysely";
import { partMs, type TimedTable, timedTables } from "./schema.ts";
import type { Store } from "./store.ts";
import { StoreError } from "./store-error.ts";

/** What left one table. Bytes are null where they are known only afterwards. */
export type PrunedTable = {
  readonly table: TimedTable;
  readonly rows: number;
  readonly bytes: number | null;
};

/** The moment before which rows of a table go, in milliseconds since 1970. */
export type PruneBefore = Readonly<Record<TimedTable, number>>;

/**
 * Removes market data of whole UTC days that lie before the given moments; the one-minute aggregates, the catalog and what
 * the ledger says stay. PostgreSQL drops a day's table, SQLite deletes market by market, so that nobody waits for long.
 * A dry run only counts. @throws StoreError
 */
export async function pruneStore(
  store: Store,
  before: PruneBefore,
  dryRun: boolean,
): Promise<readonly PrunedTable[]> {
  const pruned: PrunedTable[] = [];
  try {
    for (const table of timedTables) {
      const beforeMs = before[table] - (before[table] % partMs);
      pruned.push({ table, ...(await pruneTable(store, table, beforeMs, dryRun)) });
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new StoreError("store_failed", `${store.place}: ${message}`, error);
  }
  return pruned;
}

type Freed = { readonly rows: number; readonly bytes: number | null };

function pruneTable(
  store: Store,
  table: TimedTable,
  beforeMs: number,
  dryRun: boolean,
): Promise<Freed> {
  if (store.home === "postgres") return dropParts(store, table, beforeMs, dryRun);
  if (store.home === "timescale") return dropChunks(store, table, beforeMs, dryRun);
  return deleteRows(store, table, beforeMs, dryRun);
}

async function dropParts(
  { db }: Store,
  table: TimedTable,
  beforeMs: number,
  dryRun: boolean,
): Promise<Freed> {
  const { rows: parts } = await sql<{ name: string; bytes: number }>`
    SELECT relname AS name, pg_total_relation_size(pg_class.oid) AS bytes
      FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
     WHERE inhparent = ${table}::regclass ORDER BY relname`.execute(db);
  const freed = { rows: 0, bytes: 0 };
  for (const { name, bytes } of parts) {
    const endMs = partEndMs(table, name);
    if (endMs === null || endMs > beforeMs) continue;
    freed.rows += await countOf(db, name, null);
    freed.bytes += bytes;
    if (!dryRun) await sql`DROP TABLE ${sql.table(name)}`.execute(db);
  }
  return freed;
}

/** The end of the day whose rows a part holds; null for a table that somebody else made. */
function partEndMs(table: TimedTable, name: string): number | null {
  const day = new RegExp(`^${table}_p(\\d{4})(\\d{2})(\\d{2})$`, "u").exec(name);
  return day === null ? null : Date.UTC(Number(day[1]), Number(day[2]) - 1, Number(day[3]) + 1);
}

async function dropChunks(
  { db }: Store,
  table: TimedTable,
  beforeMs: number,
  dryRun: boolean,
): Promise<Freed> {
  const rows = await countOf(db, table, beforeMs);
  if (dryRun) return { rows, bytes: null };
  const size = async () => {
    const found = await sql<{ bytes: number }>`SELECT hypertable_size(${table}) AS bytes`.execute(
      db,
    );
    return found.rows[0]?.bytes ?? 0;
  };
  const bytesBefore = await size();
  await sql`SELECT drop_chunks(${table}, older_than => ${beforeMs}::bigint)`.execute(db);
  return { rows, bytes: bytesBefore - (await size()) };
}

async function deleteRows(
  { db }: Store,
  table: TimedTable,
  beforeMs: number,
  dryRun: boolean,
): Promise<Freed> {
  if (dryRun) return { rows: await countOf(db, table, beforeMs), bytes: null };
  const freeBefore = await freeBytes(db);
  let rows = 0;
  let last: number | null = null;
  for (;;) {
    // From market to market by the index: no list of them all is made.
    let query = db.selectFrom(table).select((is) => is.fn.min("market_id").as("next"));
    if (last !== null) query = query.where("market_id", ">", last);
    last = (await query.executeTakeFirst())?.next ?? null;
    if (last === null) break;
    const gone = await db
      .deleteFrom(table)
      .where("market_id", "=", last)
      .where("ts", "<", beforeMs)
      .executeTakeFirst();
    rows += Number(gone.numDeletedRows);
  }
  return { rows, bytes: Math.max(0, (await freeBytes(db)) - freeBefore) };
}

async function freeBytes(db: Store["db"]): Promise<number> {
  const pages = await sql<{ freelist_count: number }>`PRAGMA freelist_count`.execute(db);
  const size = await sql<{ page_size: number }>`PRAGMA page_size`.execute(db);
  return (pages.rows[0]?.freelist_count ?? 0) * (size.rows[0]?.page_size ?? 0);
}

async function countOf(db: Store["db"], table: string, beforeMs: number | null): Promise<number> {
  const where = beforeMs === null ? sql`` : sql`WHERE ts < ${beforeMs}`;
  const { rows } = await sql<{
    count: number;
  }>`SELECT count(*) AS count FROM ${sql.table(table)} ${where}`.execute(db);
  return rows[0]?.count ?? 0;
}
