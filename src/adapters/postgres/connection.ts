import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { Client, type ClientConfig, type CustomTypesConfig, Pool, types } from "pg";
import { LogError } from "../../engine/ports/log-error.ts";
import { logErrorOf } from "./postgres-error.ts";

export type PostgresOptions = {
  /** "postgres://user@host/database"; a password stands in `password` alone. */
  readonly url: string;
  readonly password: string | null;
  /** PEM of the authority that signs the server's certificate; without it those that Node trusts. */
  readonly caFile?: string | null;
  /** Milliseconds for one attempt to connect. */
  readonly connectTimeoutMs: number;
  /** Milliseconds until a statement without an answer counts as a lost connection. */
  readonly statementTimeoutMs: number;
};

const loopback = /^(127(\.\d{1,3}){3}|localhost|\[?::1\]?)$/;
const keepAliveMs = 10_000;
const poolMax = 4;

/** Whole numbers of eight bytes as numbers: everything that is stored is a safe integer. */
const wholeNumbers: CustomTypesConfig = {
  getTypeParser: ((oid, format) =>
    oid === types.builtins.INT8
      ? safeInteger
      : types.getTypeParser(oid, format)) as typeof types.getTypeParser,
};

function safeInteger(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value;
  throw new LogError("ledger_corrupt", `the database gave ${text} where a whole number stands`);
}

/** Ends a connection without waiting for the server, which may not be there any more. */
export function abandon(client: Client): void {
  // An end in order is only asked for; a socket whose other side is gone would keep the process alive.
  client.end().catch(() => undefined);
  const { connection } = client as unknown as {
    readonly connection?: { readonly stream?: Socket };
  };
  connection?.stream?.destroy();
}

/** The database without user and password, for people: "db.example.org:5432/pitboss". */
export function placeOf(url: string): string {
  const { hostname, port, pathname } = new URL(url);
  return `${hostname}:${port === "" ? "5432" : port}${pathname}`;
}

function clientConfig(options: Omit<PostgresOptions, "statementTimeoutMs">): ClientConfig {
  const { caFile = null } = options;
  const isPlain = caFile === null && loopback.test(new URL(options.url).hostname);
  return {
    connectionString: options.url,
    ...(options.password !== null && { password: options.password }),
    ssl: isPlain ? false : trusting(caFile),
    connectionTimeoutMillis: options.connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveMs,
    application_name: "pitboss",
    types: wholeNumbers,
  };
}

function trusting(caFile: string | null): ConnectionOptions {
  return { rejectUnauthorized: true, ...(caFile !== null && { ca: readFileSync(caFile) }) };
}

/** Connections for work that may take long: loading, exporting. Encrypted and verified like every other. */
export function openPool(options: Omit<PostgresOptions, "statementTimeoutMs">): Pool {
  const pool = new Pool({ ...clientConfig(options), max: poolMax });
  // An idle connection that ends is replaced by the next one; without a listener it would end the process.
  pool.on("error", () => undefined);
  // One that ends while it is used fails its statement, and tells it a second time here.
  pool.on("connect", (client) => client.on("error", () => undefined));
  return pool;
}

/** @throws LogError when the authority's file cannot be read */
function newClient(options: PostgresOptions): Client {
  try {
    return new Client({ ...clientConfig(options), query_timeout: options.statementTimeoutMs });
  } catch (error) {
    throw logErrorOf(error, `database ${placeOf(options.url)}`);
  }
}

/**
 * A connection of its own. Outside this machine it is encrypted and the server's certificate is verified. Rejects with
 * LogError. `onLost` is called once, when the connection is gone, whatever took it away.
 */
export async function connectPostgres(
  options: PostgresOptions,
  onLost: () => void = () => undefined,
): Promise<Client> {
  const client = newClient(options);
  let lost = false;
  const lose = () => {
    if (lost) return;
    lost = true;
    onLost();
  };
  // Without a listener an error of the socket would end the process.
  client.on("error", lose);
  client.on("end", lose);
  try {
    await client.connect();
    return client;
  } catch (error) {
    abandon(client);
    throw logErrorOf(error, `database ${placeOf(options.url)}`);
  }
}

/**
 * Refuses a server that would acknowledge what a loss of power takes back, and one that is a replica. Sets the session
 * to wait for the disk when its default does not.
 */
export async function requireDurable(client: Client, place: string): Promise<void> {
  const { rows } = await client.query<{ fsync: string; full: string; replica: boolean }>(
    `SELECT current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full,
            pg_is_in_recovery() AS replica`,
  );
  const [found] = rows;
  const refuse = (what: string) => {
    throw new LogError("ledger_not_durable", `database ${place}: ${what}`);
  };
  if (found === undefined) return refuse("it does not tell its settings");
  if (found.replica) refuse("it is a replica: name the primary server");
  if (found.fsync !== "on") refuse("fsync is off: a loss of power would lose orders; set it to on");
  if (found.full !== "on") {
    refuse("full_page_writes is off: a loss of power could tear pages; set it to on");
  }
  // "remote_apply" waits for a replica as well; everything weaker than "on" becomes "on".
  await client.query(
    `SELECT set_config('synchronous_commit', 'on', false)
      WHERE current_setting('synchronous_commit') <> 'remote_apply'`,
  );
}
