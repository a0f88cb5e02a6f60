import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Config } from "../../config/config.ts";
import { ConfigError } from "../../config/config-error.ts";
import { loadConfig } from "../../config/load.ts";
import { secretsIn } from "../../config/secrets.ts";
import { acquireLease } from "../adapters/sqlite/lease.ts";
import { createLogger } from "../adapters/telemetry/logger.ts";
import { LogError } from "../engine/ports/log-error.ts";
import { openConfiguredLedger } from "../open-ledger.ts";
import { openConfiguredStore } from "../open-store.ts";
import { configuredPlans, type PartPlan, plansFromNothing } from "../schema-plan.ts";
import { ServiceError } from "../service-error.ts";
import { leaseInfo, leaseRefusal } from "../take-lease.ts";
import { exitDone, exitFailed, exitWrongUse, readArguments } from "./arguments.ts";

const help = `usage: pitboss migrate --print-sql [--config FILE | --home sqlite|postgres|timescale]
       pitboss migrate --apply --config FILE
Shows or makes the tables of the ledger and of the store beside it, in the home that the configuration names.
  --print-sql   what --apply would run from the version that is there; with --home, for an empty place
  --apply       bring everything to this program's version, each step whole or not at all; the service must be stopped
A place that a newer program made is refused and left as it is. A start of the service migrates its ledger by itself.
exit code: 0 done, 1 it could not be done, 2 wrong use or configuration
example: pitboss migrate --print-sql --home postgres`;

const homes = ["sqlite", "postgres", "timescale"] as const;

/** `pitboss migrate`. Resolves to the exit code. */
export async function migrateCommand(args: readonly string[]): Promise<number> {
  const read = readArguments(
    args,
    {
      "print-sql": { type: "boolean" },
      apply: { type: "boolean" },
      config: { type: "string" },
      home: { type: "string" },
    },
    help,
  );
  if (!read.ok) return read.exitCode;
  const { values } = read;
  const wrong = (what: string) => {
    process.stderr.write(`migrate: ${what}\n\n${help}\n`);
    return exitWrongUse;
  };
  if (values["print-sql"] === values.apply) return wrong("say one of --print-sql and --apply");
  if (values.apply && values.config === undefined) return wrong("--apply needs --config FILE");
  const home = homes.find((one) => one === (values.home ?? "sqlite"));
  if (home === undefined) return wrong(`--home is one of ${homes.join(", ")}`);
  if (values.home !== undefined && values.config !== undefined) {
    return wrong("--home is for an empty place; --config names its own");
  }
  try {
    const config = values.config === undefined ? null : loadConfig(resolve(values.config));
    if (values.apply && config !== null) await apply(config);
    else {
      print(await (config === null ? plansFromNothing(home) : configuredPlans(config)));
    }
    return exitDone;
  } catch (error) {
    if (error instanceof ConfigError) {
      process.stderr.write(`configuration:\n${error.faults.map((one) => `  ${one}\n`).join("")}`);
      return exitWrongUse;
    }
    if (!(error instanceof LogError || error instanceof ServiceError)) throw error;
    process.stderr.write(`migrate: ${error.message}\n`);
    return error instanceof ServiceError ? exitWrongUse : exitFailed;
  }
}

function print(plans: readonly PartPlan[]): void {
  for (const { part, version, newest, sql } of plans) {
    const what =
      version < newest ? `version ${version} to ${newest}` : `version ${version}: newest`;
    const newer = version > newest ? ` (made by a newer program, this one knows ${newest})` : "";
    process.stdout.write(`-- ${part}, ${what}${newer}\n${sql === "" ? "" : `${sql}\n`}`);
  }
}

/** Opens everything as the service would, which migrates it, and closes it again. */
async function apply(config: Config): Promise<void> {
  const before = await configuredPlans(config);
  const { stateDir } = config.service;
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const info = leaseInfo(config, "migrate");
  const lease = acquireLease(join(stateDir, "service.lease"), info);
  if (!lease.ok) throw leaseRefusal(lease);
  const logger = createLogger({
    level: "error",
    target: { kind: "stderr" },
    secrets: secretsIn(config),
  });
  try {
    const ledger = await openConfiguredLedger(config, logger, info, () => undefined);
    await ledger.log.close();
    const store = await openConfiguredStore(config);
    await store.close();
  } finally {
    lease.lease.release();
    await logger.close();
  }
  for (const { part, version, newest } of before) {
    const what = version === newest ? "is the newest" : `was ${version}`;
    process.stdout.write(`${part}: version ${newest} (${what})\n`);
  }
}
