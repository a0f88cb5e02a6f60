// The file beside the ledger that holds what can be made again: market data of tapes, and what the ledger says in tables.
import { closeSync, existsSync, openSync } from "node:fs";
import Database from "better-sqlite3";
import { LogError } from "../../engine/ports/log-error.ts";
import { requireVersion } from "./ledger-file.ts";
import { logErrorOf } from "./sqlite-error.ts";

/** Marks the file as a store in SQLite's header ("PBST"). */
export const storeApplicationId = 0x50_42_53_54;
const busyTimeoutMs = 5000;
const cacheKiB = 65_536;
const ownerOnly = 0o600;

/** The file's schema version; 0 when there is none. */
export function storeFileVersion(file: string): number {
  if (!existsSync(file)) return 0;
  return withFile(file, (database) => {
    const version = versionOf(database);
    database.close();
    return version;
  });
}

/**
 * Opens or makes the file and brings its schema to the newest version, each version in a transaction of its own, so that a
 * failure leaves the one before. @throws LogError when it is foreign, damaged or of a newer program
 */
export function openStoreFile(file: string, migrations: readonly string[]): Database.Database {
  if (!existsSync(file)) closeSync(openSync(file, "wx", ownerOnly));
  return withFile(file, (database) => {
    const version = versionOf(database);
    if (version > migrations.length) {
      throw new LogError(
        "ledger_newer_schema",
        `store ${file} was written by a newer version of this program (schema ${version}, this one knows ${migrations.length}): start the newer version`,
      );
    }
    database.pragma("journal_mode = WAL");
    // What is acknowledged outlives a loss of power; once for so many rows that costs next to nothing.
    database.pragma("synchronous = FULL");
    database.pragma(`cache_size = -${cacheKiB}`);
    for (let next = version; next < migrations.length; next++) {
      database
        .transaction(() => {
          database.exec(migrations[next] ?? "");
          database.pragma(`application_id = ${storeApplicationId}`);
          database.pragma(`user_version = ${next + 1}`);
        })
        .immediate();
    }
    return database;
  });
}

function versionOf(database: Database.Database): number {
  const id = database.pragma("application_id", { simple: true });
  const tables = database.prepare("SELECT count(*) FROM sqlite_schema").pluck().get();
  if (id !== storeApplicationId && !(id === 0 && tables === 0)) {
    throw new LogError("ledger_corrupt", `${database.name} is not a store of this program`);
  }
  return Number(database.pragma("user_version", { simple: true }));
}

/** Closes again when the work fails. */
function withFile<T>(file: string, work: (database: Database.Database) => T): T {
  let database: Database.Database | null = null;
  try {
    database = new Database(file, { timeout: busyTimeoutMs });
    requireVersion(String(database.prepare("SELECT sqlite_version()").pluck().get()));
    return work(database);
  } catch (error) {
    database?.close();
    throw logErrorOf(error, `store ${file}`);
  }
}
