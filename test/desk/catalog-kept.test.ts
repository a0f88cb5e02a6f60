// The running service leaves what its crawl brings in the store, beside its ledger.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { storeFileName } from "../../src/store-place.ts";
import { DeskRig } from "./desk-rig.ts";

function storeIn(dir: string): string | undefined {
  const names = readdirSync(dir, { recursive: true, encoding: "utf8" });
  const name = names.find((one) => one.endsWith(storeFileName));
  return name === undefined ? undefined : join(dir, name);
}

test("every market of the paper venue gets its row, its outcomes and the begin of its life", {
  timeout: 120_000,
}, async () => {
  await using rig = await DeskRig.open();
  const count = (statement: string): number => {
    const file = storeIn(rig.dir);
    if (file === undefined) return 0;
    const database = new Database(file, { readonly: true });
    try {
      return Number(database.prepare(statement).pluck().get());
    } catch {
      // Its tables are being made.
      return 0;
    } finally {
      database.close();
    }
  };
  const described = "SELECT count(*) FROM markets WHERE rule_hash IS NOT NULL AND updated_ms > 0";
  const windows = "SELECT count(*) FROM markets WHERE window_coin IS NOT NULL";
  await rig.until("the catalog is kept", () => count(described) > 10 && count(windows) > 0);
  const markets = count(described);
  expect(count("SELECT count(*) FROM outcomes")).toBeGreaterThanOrEqual(2 * markets);
  expect(count("SELECT count(*) FROM market_status WHERE status = 'open'")).toBeGreaterThan(10);
});
