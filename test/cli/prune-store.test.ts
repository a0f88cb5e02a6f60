import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openLedger } from "../../src/adapters/sqlite/ledger.ts";
import { bulkRows } from "../../src/adapters/storage/bulk-tables.ts";
import { openSqliteStore } from "../../src/open-store.ts";
import { rows } from "../adapters/sqlite/support.ts";
import { bookEvent } from "../contract/store-contract.ts";

const launcher = fileURLToPath(new URL("../../bin/pitboss.mjs", import.meta.url));
const dayMs = 86_400_000;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "prune-"));
  writeFileSync(
    join(dir, "service.toml"),
    '[service]\nstate_dir = "."\n[storage]\nevent_retention_days = 5\n',
  );
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function prune(...args: readonly string[]) {
  const config = join(dir, "service.toml");
  const run = spawnSync(process.execPath, [launcher, "prune", "--config", config, ...args], {
    encoding: "utf8",
  });
  return { code: run.status, out: run.stdout, err: run.stderr };
}

async function eventCount(): Promise<number> {
  const store = openSqliteStore(join(dir, "store.db"));
  const found = await store.db.selectFrom("book_events").select("seq").execute();
  await store.close();
  return found.length;
}

test("the configured store is pruned by its days, the ledger beside it is not touched", async () => {
  const ledger = await openLedger(join(dir, "ledger.db"));
  await ledger.append(rows(1, 7));
  await ledger.close();
  const store = openSqliteStore(join(dir, "store.db"));
  const events = [3, 8, 20].map((age, i) => bookEvent(i + 1, { ts: Date.now() - age * dayMs }));
  await store.load({
    rows: [bulkRows("book_events", events)],
    checkpoint: { name: "tape a", from: 0, to: 3, atMs: 1 },
  });
  await store.close();

  const dry = prune("--dry-run");
  expect(dry).toMatchObject({ code: 0, err: "" });
  expect(dry.out).toContain("table book_events: would free 2 rows\n");
  expect(await eventCount()).toBe(3);
  const far = JSON.parse(prune("--json", "--event-days", "10").out) as {
    readonly store: { readonly place: string; readonly tables: readonly { rows: number }[] };
  };
  expect(far.store.place).toBe(join(dir, "store.db"));
  expect(far.store.tables.map((one) => one.rows)).toEqual([1, 0, 0]);
  expect(prune().out).toContain("table book_events: freed 1 rows (");
  expect(await eventCount()).toBe(1);
  const after = await openLedger(join(dir, "ledger.db"));
  expect(await after.read(1, 100)).toEqual(rows(1, 7));
  await after.close();
}, 240_000);

test("nothing to prune is wrong use and makes no store", () => {
  const refused = prune();
  expect(refused.code).toBe(2);
  expect(refused.err).toContain("which folders?");
  expect(existsSync(join(dir, "store.db"))).toBe(false);
}, 120_000);
