// Opening the ledger's file: a new one appears whole or not at all, an old one is proved before it is used.
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { LogError } from "../../engine/ports/log-error.ts";
import { logErrorOf } from "./sqlite-error.ts";

/** Marks the file as ours in SQLite's header ("PBLG"). */
export const ledgerApplicationId = 0x50_42_4c_47;
const busyTimeoutMs = 5000;
const cacheKiB = 4096;
const ownerOnly = 0o600;
/** The first version without the WAL-reset corruption bug of 3.7.0 to 3.51.2. */
const sqliteWanted = [3, 51, 3] as const;

/** One statement list for each schema version; entry 0 makes version 1. Entries are never changed, only added. */
export const ledgerMigrations: readonly string[] = [
  `CREATE TABLE ledger (
     seq INTEGER PRIMARY KEY,
     at_ms INTEGER NOT NULL,
     step_id INTEGER NOT NULL,
     kind TEXT NOT NULL,
     correlation_id TEXT NOT NULL,
     body TEXT NOT NULL,
     -- CRC-32 of this row continued from the row before: SQLite itself does not notice a bit that flips inside a text.
     chain INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX ledger_kind ON ledger (kind, seq);
   CREATE INDEX ledger_correlation_id ON ledger (correlation_id, seq);`,
];

/** Opens an existing ledger or makes a new one. Throws LogError for anything but a sound file of a known version, which it leaves as it is. */
export function openLedgerFile(file: string): Database.Database {
  try {
    if (!existsSync(file)) createLedgerFile(file);
    else if (statSync(file).size === 0) throw damaged(file, "it is empty");
    return withDatabase(file, (database) => {
      // Looked at before anything is set: even the journal mode is written into the file.
      prove(file, database);
      makeDurable(database);
      migrate(database);
    });
  } catch (error) {
    throw logErrorOf(error, `ledger ${file}`);
  }
}

/** The schema version of a ledger's file, without changing anything; 0 when there is none. @throws LogError */
export function ledgerFileVersion(file: string): number {
  if (!existsSync(file)) return 0;
  try {
    const database = new Database(file, { readonly: true, timeout: busyTimeoutMs });
    try {
      return schemaVersion(database);
    } finally {
      database.close();
    }
  } catch (error) {
    throw logErrorOf(error, `ledger ${file}`);
  }
}

/** Made under another name and renamed, so that a crash leaves no half-made file that would look empty. */
function createLedgerFile(file: string): void {
  for (const suffix of ["-wal", "-journal"]) {
    if (existsSync(`${file}${suffix}`)) {
      throw damaged(file, `it is missing while its ${suffix} file is still there`);
    }
  }
  const fresh = `${file}.new`;
  for (const suffix of ["", "-wal", "-shm", "-journal"])
    rmSync(`${fresh}${suffix}`, { force: true });
  // SQLite gives its log the same mode as the file.
  closeSync(openSync(fresh, "wx", ownerOnly));
  withDatabase(fresh, (database) => {
    makeDurable(database);
    database.pragma(`application_id = ${ledgerApplicationId}`);
    migrate(database);
  }).close();
  renameSync(fresh, file);
  syncFolder(dirname(file));
}

/** Opens and prepares; closes again when preparing fails. */
function withDatabase(
  file: string,
  prepare: (database: Database.Database) => void,
): Database.Database {
  const database = new Database(file, { timeout: busyTimeoutMs });
  try {
    requireVersion(String(database.prepare("SELECT sqlite_version()").pluck().get()));
    prepare(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function makeDurable(database: Database.Database): void {
  database.pragma("journal_mode = WAL");
  // With WAL this build may fall back to NORMAL, which can lose the last commits when the power fails.
  database.pragma("synchronous = FULL");
  database.pragma("foreign_keys = ON");
  database.pragma(`cache_size = -${cacheKiB}`);
  requireDurable(database);
}

/** Reads back what was asked for: SQLite ignores settings that it cannot follow without a word. */
export function requireDurable(database: Database.Database): void {
  readBack(database, "journal_mode", "wal");
  readBack(database, "synchronous", 2);
  readBack(database, "foreign_keys", 1);
  readBack(database, "busy_timeout", busyTimeoutMs);
}

function readBack(database: Database.Database, pragma: string, wanted: string | number): void {
  const found = database.pragma(pragma, { simple: true });
  if (found === wanted) return;
  throw new LogError(
    "ledger_not_durable",
    `SQLite did not take ${pragma} = ${wanted}, it is ${String(found)}: use a local file system`,
  );
}

/** Refuses SQLite versions that can corrupt a WAL database. */
export function requireVersion(version: string): void {
  const parts = version.split(".").map(Number);
  for (const [i, wanted] of sqliteWanted.entries()) {
    const part = parts[i] ?? 0;
    if (part > wanted) return;
    if (part < wanted || Number.isNaN(part)) {
      throw new LogError(
        "ledger_sqlite_too_old",
        `SQLite ${version} may corrupt the ledger: ${sqliteWanted.join(".")} or later is needed`,
      );
    }
  }
}

function prove(file: string, database: Database.Database): void {
  if (database.pragma("application_id", { simple: true }) !== ledgerApplicationId) {
    throw damaged(file, "it is not a ledger of this program");
  }
  requireKnownSchema(file, database);
  const findings = database.pragma("quick_check(3)", { simple: true });
  if (findings !== "ok") throw damaged(file, `SQLite's check found: ${String(findings)}`);
}

function requireKnownSchema(file: string, database: Database.Database): void {
  const version = schemaVersion(database);
  if (version <= ledgerMigrations.length) return;
  throw new LogError(
    "ledger_newer_schema",
    `ledger ${file} was written by a newer version of this program (schema ${version}, this one knows ${ledgerMigrations.length}): start the newer version`,
  );
}

function migrate(database: Database.Database): void {
  const version = schemaVersion(database);
  if (version === ledgerMigrations.length) return;
  database
    .transaction(() => {
      for (const statements of ledgerMigrations.slice(version)) database.exec(statements);
      database.pragma(`user_version = ${ledgerMigrations.length}`);
    })
    .immediate();
}

function schemaVersion(database: Database.Database): number {
  return Number(database.pragma("user_version", { simple: true }));
}

function damaged(file: string, what: string): LogError {
  return new LogError(
    "ledger_corrupt",
    `ledger ${file} is damaged: ${what}. Nothing was changed; restore it from a backup, or move it away to start with an empty one`,
  );
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
