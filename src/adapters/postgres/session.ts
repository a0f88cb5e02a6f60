// One writer: an advisory lock that the server gives back when the session that holds it ends, however it ends.
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import type { LeaseInfo } from "../../engine/ports/lease.ts";
import { LogError } from "../../engine/ports/log-error.ts";
import {
  abandon,
  connectPostgres,
  type PostgresOptions,
  placeOf,
  requireDurable,
} from "./connection.ts";
import { logErrorOf } from "./postgres-error.ts";
import { migrate, type SchemaPart } from "./schema.ts";

/** First half of every lock's number: "PBLG", as in the SQLite file's header. */
const lockClass = 0x50_42_4c_47;
const ghostWaitMs = 50;

export const leaseSchema: SchemaPart = {
  name: "lease",
  migrations: [
    `CREATE TABLE lease (
       name TEXT PRIMARY KEY,
       -- Grows with every holder: whoever finds another number than his own was replaced.
       epoch BIGINT NOT NULL,
       pid BIGINT NOT NULL,
       host TEXT NOT NULL,
       since_ms BIGINT NOT NULL,
       purpose TEXT NOT NULL,
       -- The server's process that holds the lock for this epoch.
       backend BIGINT NOT NULL
     );`,
  ],
};

type LeaseRow = {
  readonly epoch: number;
  readonly pid: number;
  readonly host: string;
  readonly since_ms: number;
  readonly purpose: string;
  readonly backend: number;
};

/** A connection that holds the lock of its name. */
export type LeasedSession = {
  readonly client: Client;
  readonly epoch: number;
  /** The server's own number of this session. */
  readonly backend: number;
};

export type SessionResult =
  | { readonly ok: true; readonly session: LeasedSession }
  | { readonly ok: false; readonly heldBy: LeaseInfo | null };

/** Connects, proves that the server keeps what it acknowledges, and takes the lease in a new epoch; never waits for it. */
export async function openSession(
  options: PostgresOptions,
  name: string,
  info: LeaseInfo,
  onLost: () => void,
): Promise<SessionResult> {
  return withClient(options, onLost, async (client, place) => {
    if (!(await tryLock(client, name))) {
      return { ok: false, heldBy: infoOf(await leaseRow(client, name).catch(() => null)) };
    }
    await migrate(client, leaseSchema, place);
    const { rows } = await client.query<{ epoch: number; backend: number }>(
      `INSERT INTO lease (name, epoch, pid, host, since_ms, purpose, backend)
       VALUES ($1, 1, $2, $3, $4, $5, pg_backend_pid())
       ON CONFLICT (name) DO UPDATE SET epoch = lease.epoch + 1, pid = excluded.pid, host = excluded.host,
         since_ms = excluded.since_ms, purpose = excluded.purpose, backend = excluded.backend
       RETURNING epoch, backend`,
      [name, info.pid, hostname(), info.sinceMs, info.purpose],
    );
    const [row] = rows;
    if (row === undefined) throw new LogError("ledger_failed", "the lease was not written");
    return { ok: true, session: { client, ...row } };
  });
}

/**
 * Connects again after a loss and takes the lock back in the same epoch. What the lost session may still be doing is
 * ended first, so that afterwards the outcome of its last statement stands. Rejects with "ledger_second_writer" when
 * somebody else held the lease meanwhile, and with "ledger_rows_lost" when the server does not know this epoch.
 */
export async function reopenSession(
  options: PostgresOptions,
  name: string,
  before: Pick<LeasedSession, "epoch" | "backend">,
  onLost: () => void,
  untilMs: number,
): Promise<LeasedSession> {
  return withClient(options, onLost, async (client, place) => {
    while (!(await tryLock(client, name))) {
      requireEpoch(await leaseRow(client, name), before.epoch, place);
      // Only while that process holds our lock: its number may belong to somebody else by now.
      await client.query(
        `SELECT pg_terminate_backend(pid) FROM pg_locks
          WHERE locktype = 'advisory' AND classid = $1::int::oid AND objid = hashtext($2)::oid AND pid = $3::int`,
        [lockClass, name, before.backend],
      );
      if (performance.now() > untilMs) {
        throw new LogError(
          "ledger_unreachable",
          `database ${place}: the lost session does not end`,
        );
      }
      await sleep(ghostWaitMs);
    }
    requireEpoch(await leaseRow(client, name), before.epoch, place);
    const { rows } = await client.query<{ backend: number }>(
      "UPDATE lease SET backend = pg_backend_pid() WHERE name = $1 RETURNING backend",
      [name],
    );
    return { client, epoch: before.epoch, backend: rows[0]?.backend ?? 0 };
  });
}

/** Opens, prepares, and closes again when preparing fails or the lease is refused. */
async function withClient<T extends object>(
  options: PostgresOptions,
  onLost: () => void,
  prepare: (client: Client, place: string) => Promise<T>,
): Promise<T> {
  const place = placeOf(options.url);
  const client = await connectPostgres(options, onLost);
  let result: T;
  try {
    await requireDurable(client, place);
    result = await prepare(client, place);
  } catch (error) {
    abandon(client);
    throw logErrorOf(error, `database ${place}`);
  }
  if ("ok" in result && result.ok === false) await client.end();
  return result;
}

async function tryLock(client: Client, name: string): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>(
    "SELECT pg_try_advisory_lock($1::int, hashtext($2)) AS locked",
    [lockClass, name],
  );
  return rows[0]?.locked === true;
}

async function leaseRow(client: Client, name: string): Promise<LeaseRow | null> {
  const { rows } = await client.query<LeaseRow>("SELECT * FROM lease WHERE name = $1", [name]);
  return rows[0] ?? null;
}

function requireEpoch(row: LeaseRow | null, epoch: number, place: string): void {
  if (row?.epoch === epoch) return;
  if (row === null || row.epoch < epoch) {
    throw new LogError(
      "ledger_rows_lost",
      `database ${place} knows lease epoch ${row?.epoch ?? "none"}, this service holds ${epoch}: it is a server without the last commits, or an old backup`,
    );
  }
  throw new LogError(
    "ledger_second_writer",
    `database ${place}: process ${row.pid} on ${row.host} (${row.purpose}) took the lease while the connection was away`,
  );
}

function infoOf(row: LeaseRow | null): LeaseInfo | null {
  if (row === null) return null;
  return { pid: row.pid, sinceMs: row.since_ms, purpose: row.purpose };
}
