import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../config/config.ts";
import { openLedger } from "./adapters/sqlite/ledger.ts";
import type { Logger } from "./adapters/telemetry/logger.ts";
import type { DurableLog } from "./engine/ports/durable-log.ts";
import type { LeaseInfo } from "./engine/ports/lease.ts";
import { ServiceError } from "./service-error.ts";
import { leaseRefusal } from "./take-lease.ts";

export const ledgerFileName = "ledger.db";
/** Stands beside a ledger that is kept in a database. */
export const witnessFileName = "ledger.seen";
const leaseWaitMs = 100;

/** The ledger of the configured home, and whether its lease is still held. */
export type OpenedLedger = {
  readonly log: DurableLog;
  readonly isHeld: () => boolean;
};

/**
 * Opens the ledger to write it. Rejects with LogError when it cannot be trusted, and with ServiceError when somebody
 * else writes it or the state folder belongs to the other home.
 */
export async function openConfiguredLedger(
  config: Config,
  logger: Logger,
  info: LeaseInfo,
  onClosing: () => void,
): Promise<OpenedLedger> {
  const { service } = config;
  refuseOtherHome(config);
  if (config.storage.kind === "sqlite") {
    const log = await openLedger(join(service.stateDir, ledgerFileName), {
      onClosing,
      onLargeLog: (bytes) => logger.error("ledger.log-large", { bytes }),
    });
    return { log, isHeld: () => true };
  }
  const opened = await openLedgerInDatabase(config, info, {
    url: config.storage.url ?? "",
    witnessFile: join(service.stateDir, witnessFileName),
    onLink: (state) => logger.warn(`ledger.link-${state}`),
  });
  return { log: closedBy(opened.log, onClosing), isHeld: opened.isHeld };
}

/** Opens the ledger of a database, with the password and the waits of the configuration. Rejects likewise. */
export async function openLedgerInDatabase(
  config: Config,
  info: LeaseInfo,
  at: {
    readonly url: string;
    readonly witnessFile: string;
    readonly onLink: (state: "lost" | "back") => void;
  },
): Promise<OpenedLedger> {
  // Loaded only where it is wanted: the driver stays out of a process that needs no database.
  const { openPostgresLedger } = await import("./adapters/postgres/ledger.ts");
  const { connectTimeoutMs, reconnectMaxMs } = config.storage;
  const open = () =>
    openPostgresLedger({ ...postgresOptions(config), reconnectMaxMs, info, ...at });
  const untilMs = performance.now() + connectTimeoutMs;
  let result = await open();
  // A server takes a moment to notice that the service before this one died, and only then gives its lock back.
  while (!result.ok && performance.now() < untilMs) {
    await sleep(leaseWaitMs);
    result = await open();
  }
  if (!result.ok) throw leaseRefusal(result);
  return { log: result.log, isHeld: result.lease.isHeld };
}

/** The rows that a start would fold, to be read beside a running service; null when nothing was written yet. */
export async function openLedgerToRead(
  config: Config,
): Promise<(Pick<DurableLog, "read"> & { close(): Promise<void> }) | null> {
  refuseOtherHome(config);
  if (config.storage.kind === "sqlite") {
    const file = join(config.service.stateDir, ledgerFileName);
    return existsSync(file) ? openLedger(file) : null;
  }
  const { openPostgresReader } = await import("./adapters/postgres/ledger-reader.ts");
  return openPostgresReader(postgresOptions(config));
}

/** How to reach the configured database. */
export function postgresOptions({ storage }: Config) {
  const { url, databasePassword, caFile, connectTimeoutMs, statementTimeoutMs } = storage;
  return {
    url: url ?? "",
    password: databasePassword?.reveal() ?? null,
    caFile,
    connectTimeoutMs,
    statementTimeoutMs,
  };
}

/** A desk that changed its home would start empty: without its kill, its open orders and what it holds. */
function refuseOtherHome({ service, storage, file }: Config): void {
  const [other, wanted] =
    storage.kind === "sqlite" ? [witnessFileName, "postgres"] : [ledgerFileName, "sqlite"];
  const path = join(service.stateDir, other);
  if (!existsSync(path)) return;
  throw new ServiceError(
    "other_home",
    `${path} shows that this desk's ledger is kept by storage.kind = "${wanted}", but ${file} says "${storage.kind}": it would start without its orders, its positions and a kill. Write "${wanted}", or another state_dir for a new desk`,
  );
}

function closedBy(log: DurableLog, onClosing: () => void): DurableLog {
  return {
    append: (records) => log.append(records),
    read: (fromSeq, limit) => log.read(fromSeq, limit),
    lastSeq: () => log.lastSeq(),
    close: () => {
      const closed = log.close();
      onClosing();
      return closed;
    },
  };
}
