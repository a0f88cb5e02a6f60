import type { Client } from "pg";
import { LogError } from "../../engine/ports/log-error.ts";

/** A part of the database with versions of its own: entry 0 makes version 1. Entries are never changed, only added. */
export type SchemaPart = {
  readonly name: string;
  readonly migrations: readonly string[];
};

/** What the ledger and its lease live in. */
export const ledgerSchema: SchemaPart = {
  name: "ledger",
  migrations: [
    `CREATE TABLE ledger (
       seq BIGINT PRIMARY KEY,
       at_ms BIGINT NOT NULL,
       step_id BIGINT NOT NULL,
       kind TEXT NOT NULL,
       correlation_id TEXT NOT NULL,
       body TEXT NOT NULL,
       -- CRC-32 of this row continued from the row before, as in the SQLite file.
       chain BIGINT NOT NULL
     );
     CREATE INDEX ledger_kind ON ledger (kind, seq);
     CREATE INDEX ledger_correlation_id ON ledger (correlation_id, seq);`,
  ],
};

const versionTable = `CREATE TABLE IF NOT EXISTS schema_version (
  part TEXT PRIMARY KEY,
  version INTEGER NOT NULL
);`;

/** The version that the database has of a part; 0 when it has nothing of it. */
export async function schemaVersion(client: Client, part: SchemaPart): Promise<number> {
  const known = await client.query<{ is: boolean }>(
    "SELECT to_regclass('schema_version') IS NOT NULL AS is",
  );
  if (known.rows[0]?.is !== true) return 0;
  const found = await client.query<{ version: number }>(
    "SELECT version FROM schema_version WHERE part = $1",
    [part.name],
  );
  return found.rows[0]?.version ?? 0;
}

/** The statements that bring a part from a version to the newest, as `migrate` runs them: one transaction. */
export function migrationSql(part: SchemaPart, from: number): string {
  const newest = part.migrations.length;
  if (from >= newest) return "";
  return [
    "BEGIN;",
    versionTable,
    ...part.migrations.slice(from),
    `INSERT INTO schema_version (part, version) VALUES ('${part.name}', ${newest})
       ON CONFLICT (part) DO UPDATE SET version = excluded.version;`,
    "COMMIT;",
  ].join("\n");
}

/** Brings a part to the newest version, whole or not at all. @throws LogError when the database is newer */
export async function migrate(client: Client, part: SchemaPart, place: string): Promise<void> {
  const version = await schemaVersion(client, part);
  const newest = part.migrations.length;
  if (version > newest) {
    throw new LogError(
      "ledger_newer_schema",
      `database ${place} was written by a newer version of this program (${part.name} schema ${version}, this one knows ${newest}): start the newer version`,
    );
  }
  if (version === newest) return;
  try {
    await client.query(migrationSql(part, version));
  } catch (error) {
    // A statement that failed leaves the transaction open, and the session useless.
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

/** Waits until nobody else changes the schema; given back with the connection. */
export async function lockMigrations(client: Client): Promise<void> {
  await client.query("SELECT pg_advisory_lock(hashtext('pitboss migrations'))");
}

/**
 * How the tables of market data are split: as they were made, whatever was installed since; in a new database by
 * Timescale where its extension is.
 */
export async function timeSplit(client: Client): Promise<"postgres" | "timescale"> {
  const { rows } = await client.query<{ kind: string | null; extension: boolean }>(
    `SELECT (SELECT relkind FROM pg_class WHERE oid = to_regclass('book_events')) AS kind,
            EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') AS extension`,
  );
  const [found] = rows;
  if (found?.kind === "p") return "postgres";
  return found?.kind === "r" || found?.extension === true ? "timescale" : "postgres";
}
