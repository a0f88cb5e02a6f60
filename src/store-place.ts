import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../config/config.ts";
import { postgresOptions } from "./open-ledger.ts";

/** Stands beside the ledger in the state folder. */
export const storeFileName = "store.db";

/** Where a store is, as plain values, so that a thread of its own can open it. */
export type StorePlace =
  | { readonly kind: "sqlite"; readonly file: string }
  | { readonly kind: "postgres"; readonly options: ReturnType<typeof postgresOptions> };

/** The store of the configured home. */
export function storePlace(config: Config): StorePlace {
  return config.storage.kind === "sqlite"
    ? { kind: "sqlite", file: join(config.service.stateDir, storeFileName) }
    : { kind: "postgres", options: postgresOptions(config) };
}

/** Whether there may be something in it: a database always counts, a file that is not there holds nothing. */
export function hasConfiguredStore(config: Config): boolean {
  const place = storePlace(config);
  return place.kind === "postgres" || existsSync(place.file);
}
