import { join } from "node:path";
import type { Config } from "../config/config.ts";
import {
  ledgerApplicationId,
  ledgerFileVersion,
  ledgerMigrations,
} from "./adapters/sqlite/ledger-file.ts";
import { storeApplicationId, storeFileVersion } from "./adapters/sqlite/store-file.ts";
import { type StoreHome, storeMigrations } from "./adapters/storage/schema.ts";
import { ledgerFileName, postgresOptions } from "./open-ledger.ts";
import { storeFileName } from "./store-place.ts";

/** One part of the schema, with what would bring it to the newest version. */
export type PartPlan = {
  readonly part: string;
  readonly version: number;
  readonly newest: number;
  /** Empty when it is the newest already. */
  readonly sql: string;
};

/** What an empty place of a home gets. */
export async function plansFromNothing(home: StoreHome): Promise<readonly PartPlan[]> {
  if (home === "sqlite") return filePlans(0, 0);
  return databasePlans(home, () => Promise.resolve(0));
}

/** What the configured home lacks; nothing is changed. @throws LogError when it cannot be read */
export async function configuredPlans(config: Config): Promise<readonly PartPlan[]> {
  const { stateDir } = config.service;
  if (config.storage.kind === "sqlite") {
    return filePlans(
      ledgerFileVersion(join(stateDir, ledgerFileName)),
      storeFileVersion(join(stateDir, storeFileName)),
    );
  }
  const { connectPostgres } = await import("./adapters/postgres/connection.ts");
  const { schemaVersion, timeSplit } = await import("./adapters/postgres/schema.ts");
  const client = await connectPostgres(postgresOptions(config));
  try {
    const home = await timeSplit(client);
    return await databasePlans(home, (part) => schemaVersion(client, part));
  } finally {
    await client.end();
  }
}

function filePlans(ledger: number, store: number): readonly PartPlan[] {
  return [
    filePlan(ledgerFileName, ledger, ledgerApplicationId, ledgerMigrations),
    filePlan(storeFileName, store, storeApplicationId, storeMigrations("sqlite")),
  ];
}

function filePlan(
  part: string,
  version: number,
  applicationId: number,
  migrations: readonly string[],
): PartPlan {
  const steps = migrations.slice(version).map((text, i) => {
    const marks = `PRAGMA application_id = ${applicationId};\nPRAGMA user_version = ${version + i + 1};`;
    return `BEGIN;\n${text}\n${marks}\nCOMMIT;`;
  });
  return { part, version, newest: migrations.length, sql: steps.join("\n") };
}

async function databasePlans(
  home: "postgres" | "timescale",
  versionOf: (part: { name: string; migrations: readonly string[] }) => Promise<number>,
): Promise<readonly PartPlan[]> {
  const { ledgerSchema, migrationSql } = await import("./adapters/postgres/schema.ts");
  const { leaseSchema } = await import("./adapters/postgres/session.ts");
  const store = { name: "store", migrations: storeMigrations(home) };
  const plans: PartPlan[] = [];
  for (const part of [leaseSchema, ledgerSchema, store]) {
    const version = await versionOf(part);
    const newest = part.migrations.length;
    plans.push({ part: part.name, version, newest, sql: migrationSql(part, version) });
  }
  return plans;
}
