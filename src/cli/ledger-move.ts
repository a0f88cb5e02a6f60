import { closeSync, existsSync, fsyncSync, openSync, renameSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Config } from "../../config/config.ts";
import { ConfigError } from "../../config/config-error.ts";
import { loadConfig } from "../../config/load.ts";
import { databaseUrl } from "../../config/schema.ts";
import { secretsIn } from "../../config/secrets.ts";
import { acquireLease } from "../adapters/sqlite/lease.ts";
import { openLedger } from "../adapters/sqlite/ledger.ts";
import { createLogger, type Logger } from "../adapters/telemetry/logger.ts";
import { type CopiedLedger, copyLedger } from "../copy-ledger.ts";
import type { DurableLog } from "../engine/ports/durable-log.ts";
import { LogError } from "../engine/ports/log-error.ts";
import {
  ledgerFileName,
  openConfiguredLedger,
  openLedgerInDatabase,
  witnessFileName,
} from "../open-ledger.ts";
import { ServiceError } from "../service-error.ts";
import { leaseInfo, leaseRefusal } from "../take-lease.ts";
import { exitDone, exitFailed, exitWrongUse, readArguments } from "./arguments.ts";

const help = `usage: pitboss ledger-move --config FILE --to postgres --url URL
       pitboss ledger-move --config FILE --to sqlite
Copies the ledger from the home that FILE names into the other one, row by row with its checksums, reads both back, compares
every row and the state that both fold to, and says what to change in FILE. The ledger it comes from stays as it is.
  --config FILE  names where the ledger is now; the service must be stopped
  --to HOME      postgres, or sqlite (a file in the state folder)
  --url URL      postgres://user@host:port/database, empty; its password stands in secrets.local.toml as [storage] password
A copy that was cut off goes on with the next run. Nothing starts on a copy before FILE was changed by hand.
exit code: 0 moved and proved, 1 it could not be done, 2 wrong use or configuration
example: pitboss ledger-move --config config/service.local.toml --to postgres --url postgres://pitboss@127.0.0.1:5432/pitboss`;

/** Ends the name of what belongs to an unfinished copy, so that no service takes it for a ledger. */
const unfinished = ".moving";

type Target = {
  readonly log: DurableLog;
  /** Makes the copy the one that a changed configuration starts from. */
  readonly finish: () => void;
  readonly advice: readonly string[];
};

/** `pitboss ledger-move`. Resolves to the exit code. */
export async function ledgerMoveCommand(args: readonly string[]): Promise<number> {
  const text = { type: "string" } as const;
  const read = readArguments(args, { config: text, to: text, url: text }, help);
  if (!read.ok) return read.exitCode;
  const { config: file, to, url } = read.values;
  const wrong = (what: string) => {
    process.stderr.write(`ledger-move: ${what}\n\n${help}\n`);
    return exitWrongUse;
  };
  if (file === undefined) return wrong("name the configuration with --config FILE");
  if (to !== "sqlite" && to !== "postgres") return wrong("--to is one of sqlite, postgres");
  if (to === "sqlite" && url !== undefined) return wrong("--url is only for --to postgres");
  if (to === "postgres" && (url === undefined || !databaseUrl.test(url))) {
    return wrong(
      "--to postgres needs --url postgres://user@host:port/database, without a password",
    );
  }
  try {
    const config = loadConfig(resolve(file));
    if (config.storage.kind === to)
      return wrong(`${file} says that the ledger is in ${to} already`);
    await move(config, url ?? null);
    return exitDone;
  } catch (error) {
    if (error instanceof ConfigError) {
      process.stderr.write(`configuration:\n${error.faults.map((one) => `  ${one}\n`).join("")}`);
      return exitWrongUse;
    }
    if (!(error instanceof LogError || error instanceof ServiceError)) throw error;
    process.stderr.write(
      `ledger-move: ${error.message}\nThe ledger that the configuration names was not changed.\n`,
    );
    return error instanceof ServiceError ? exitWrongUse : exitFailed;
  }
}

/** With the desk's lease, so that nobody trades meanwhile; a database's own lease is taken as it is opened. */
async function move(config: Config, url: string | null): Promise<void> {
  const { stateDir } = config.service;
  const ledgerFile = join(stateDir, ledgerFileName);
  if (config.storage.kind === "sqlite" && !existsSync(ledgerFile)) {
    throw new ServiceError("no_ledger", `${ledgerFile} is not there: there is nothing to move`);
  }
  const lease = acquireLease(join(stateDir, "service.lease"), leaseInfo(config, "ledger-move"));
  if (!lease.ok) throw leaseRefusal(lease);
  const target = { kind: "stderr" } as const;
  const logger = createLogger({ level: "error", target, secrets: secretsIn(config) });
  try {
    const { copied, advice } = await copyAll(config, url, logger);
    const { rows, digest, alreadyThere } = copied;
    const before = alreadyThere === 0 ? "" : ` (${alreadyThere} of them by an earlier run)`;
    process.stdout.write(
      `${rows} rows are in the copy${before}. Every row was read back from both, and both fold to the same state ${digest}\n${advice.join("\n")}\n`,
    );
  } finally {
    lease.lease.release();
    await logger.close();
  }
}

async function copyAll(
  config: Config,
  url: string | null,
  logger: Logger,
): Promise<{ readonly copied: CopiedLedger; readonly advice: readonly string[] }> {
  const info = leaseInfo(config, "ledger-move");
  const source = await openConfiguredLedger(config, logger, info, () => undefined);
  try {
    const target = await (url === null ? openFile(config) : openDatabase(config, url));
    try {
      const copied = await copyLedger(source.log, target.log);
      await target.log.close();
      target.finish();
      return { copied, advice: target.advice };
    } finally {
      await target.log.close();
    }
  } finally {
    await source.log.close();
  }
}

async function openDatabase(config: Config, url: string): Promise<Target> {
  const { service, file } = config;
  const seen = join(service.stateDir, witnessFileName);
  const isOurs = existsSync(`${seen}${unfinished}`);
  const { log } = await openLedgerInDatabase(config, leaseInfo(config, "ledger-move"), {
    url,
    witnessFile: `${seen}${unfinished}`,
    onLink: () => undefined,
  });
  await requireEmpty(log, isOurs, `the database ${url}`);
  const old = join(service.stateDir, ledgerFileName);
  return {
    log,
    finish: () => renameDurably(`${seen}${unfinished}`, seen, service.stateDir),
    advice: [
      `Now write into ${file}:\n  [storage]\n  kind = "postgres"\n  url = "${url}"`,
      `and move the old ledger away, for it says that this desk is at home there: mv ${old} ${old}.moved`,
      `To stay with SQLite, leave ${file} as it is and remove ${seen}.`,
      "The store's tables are filled anew by: pitboss load --config FILE",
    ],
  };
}

async function openFile(config: Config): Promise<Target> {
  const { service, file } = config;
  const ledgerFile = join(service.stateDir, ledgerFileName);
  if (existsSync(ledgerFile)) {
    throw new ServiceError(
      "target_not_empty",
      `${ledgerFile} is there already: move it away first`,
    );
  }
  const log = await openLedger(`${ledgerFile}${unfinished}`);
  const seen = join(service.stateDir, witnessFileName);
  return {
    log,
    finish: () => renameDurably(`${ledgerFile}${unfinished}`, ledgerFile, service.stateDir),
    advice: [
      `Now write into ${file}:\n  [storage]\n  kind = "sqlite"\nwithout a url,`,
      `and move the note of the database away, for it says that this desk is at home there: mv ${seen} ${seen}.moved`,
      `To stay with PostgreSQL, leave ${file} as it is and remove ${ledgerFile}.`,
      "The store's tables are filled anew by: pitboss load --config FILE",
    ],
  };
}

/** Only what an unfinished copy of this desk left may be there. */
async function requireEmpty(log: DurableLog, isOurs: boolean, place: string): Promise<void> {
  const rows = await log.lastSeq();
  if (rows === 0 || isOurs) return;
  await log.close();
  throw new ServiceError(
    "target_not_empty",
    `${place} holds a ledger of ${rows} rows already: name an empty database`,
  );
}

function renameDurably(from: string, to: string, folder: string): void {
  renameSync(from, to);
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
