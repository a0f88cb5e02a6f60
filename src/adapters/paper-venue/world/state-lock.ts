import { mkdirSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { WorldError } from "./errors.ts";

export type StateLock = { release(): void };

/**
 * Holds a state directory for one venue process. The lock is an exclusive SQLite transaction on `venue.lock`, so
 * the system frees it when the process dies in whatever way. Throws `WorldError` when another venue holds it.
 */
export function lockState(stateDir: string): StateLock {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const database = new Database(join(stateDir, "venue.lock"), { timeout: 0 });
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if ((error as { code?: unknown }).code !== "SQLITE_BUSY") throw error;
    throw new WorldError(`another paper venue is running on ${stateDir}`);
  }
  return {
    release: () => {
      database.exec("ROLLBACK");
      database.close();
    },
  };
}
