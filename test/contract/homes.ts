// The two homes of the ledger behind one shape, so that the same tests run on both.
import { existsSync } from "node:fs";
import Database from "better-sqlite3";
import { Client } from "pg";
import { acquirePostgresLease } from "../../src/adapters/postgres/lease.ts";
import { openPostgresLedger } from "../../src/adapters/postgres/ledger.ts";
import { acquireLease } from "../../src/adapters/sqlite/lease.ts";
import { openLedger } from "../../src/adapters/sqlite/ledger.ts";
import type { DurableLog } from "../../src/engine/ports/durable-log.ts";
import type { LeaseInfo, LeaseResult } from "../../src/engine/ports/lease.ts";

/** One place for a ledger, as plain text, so that a child process can be told of it. */
export type LedgerPlace =
  | { readonly kind: "sqlite"; readonly file: string }
  | { readonly kind: "postgres"; readonly url: string; readonly witnessFile: string };

export const postgresWaits = {
  connectTimeoutMs: 30_000,
  statementTimeoutMs: 30_000,
  reconnectMaxMs: 60_000,
} as const;

/** One place for a lease, likewise. */
export type LeasePlace =
  | { readonly kind: "sqlite"; readonly file: string }
  | { readonly kind: "postgres"; readonly url: string; readonly name: string };

export async function acquirePlace(place: LeasePlace, info: LeaseInfo): Promise<LeaseResult> {
  if (place.kind === "sqlite") return acquireLease(place.file, info);
  return acquirePostgresLease(
    { ...postgresWaits, url: place.url, password: null },
    place.name,
    info,
  );
}

/** A database was expected to be free, and somebody holds it. */
export class HeldError extends Error {
  override readonly name = "HeldError";
  readonly code = "held";
}

export async function openPlace(place: LedgerPlace): Promise<DurableLog> {
  if (place.kind === "sqlite") return openLedger(place.file);
  const opened = await openPostgresLedger({
    ...postgresWaits,
    url: place.url,
    password: null,
    witnessFile: place.witnessFile,
    info: { pid: process.pid, sinceMs: Date.now(), purpose: "contract test" },
  });
  if (!opened.ok) throw new HeldError(`held by process ${opened.heldBy?.pid}`);
  return opened.log;
}

/** Runs statements on a connection of its own, as somebody who does not know the rules would. */
export async function meddle(place: LedgerPlace, sql: string): Promise<void> {
  if (place.kind === "sqlite") {
    if (!existsSync(place.file)) throw new HeldError(`${place.file} is not there`);
    const database = new Database(place.file);
    database.exec(sql);
    database.close();
    return;
  }
  const client = new Client({ connectionString: place.url });
  await client.connect();
  await client.query(sql);
  await client.end();
}
