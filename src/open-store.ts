import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { Config } from "../config/config.ts";
import { openStoreFile } from "./adapters/sqlite/store-file.ts";
import { storeMigrations } from "./adapters/storage/schema.ts";
import { sqliteStore } from "./adapters/storage/sqlite-store.ts";
import type { Store } from "./adapters/storage/store.ts";
import { type StorePlace, storePlace } from "./store-place.ts";

/** Opens the store of the configured home and brings its tables to the newest version. @throws LogError */
export async function openConfiguredStore(config: Config): Promise<Store> {
  return openStoreAt(storePlace(config));
}

/** @throws LogError */
export async function openStoreAt(place: StorePlace): Promise<Store> {
  if (place.kind === "postgres") return openPostgresStore(place.options);
  mkdirSync(dirname(place.file), { recursive: true, mode: 0o700 });
  return openSqliteStore(place.file);
}

export function openSqliteStore(file: string): Store {
  return sqliteStore(openStoreFile(file, storeMigrations("sqlite")), file);
}

/** @throws LogError */
export async function openPostgresStore(options: {
  readonly url: string;
  readonly password: string | null;
  readonly caFile?: string | null;
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs: number;
}): Promise<Store> {
  const { connectPostgres, openPool, placeOf } = await import("./adapters/postgres/connection.ts");
  const { lockMigrations, migrate, timeSplit } = await import("./adapters/postgres/schema.ts");
  const { postgresStore } = await import("./adapters/storage/postgres-store.ts");
  const place = placeOf(options.url);
  const client = await connectPostgres(options);
  try {
    await lockMigrations(client);
    const home = await timeSplit(client);
    await migrate(client, { name: "store", migrations: storeMigrations(home) }, place);
    return postgresStore(openPool(options), place, home);
  } finally {
    await client.end();
  }
}
