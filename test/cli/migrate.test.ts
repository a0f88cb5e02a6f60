import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ledgerSchema } from "../../src/adapters/postgres/schema.ts";
import { leaseSchema } from "../../src/adapters/postgres/session.ts";
import { acquireLease } from "../../src/adapters/sqlite/lease.ts";
import { openLedger } from "../../src/adapters/sqlite/ledger.ts";
import { ledgerMigrations } from "../../src/adapters/sqlite/ledger-file.ts";
import { openStoreFile } from "../../src/adapters/sqlite/store-file.ts";
import { storeMigrations } from "../../src/adapters/storage/schema.ts";
import { openSqliteStore } from "../../src/open-store.ts";
import { rows } from "../adapters/sqlite/support.ts";

const launcher = fileURLToPath(new URL("../../bin/pitboss.mjs", import.meta.url));

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "migrate-"));
  writeFileSync(join(dir, "service.toml"), '[service]\nstate_dir = "."\n');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function migrate(...args: readonly string[]) {
  const run = spawnSync(process.execPath, [launcher, "migrate", ...args], { encoding: "utf8" });
  return { code: run.status, out: run.stdout, err: run.stderr };
}

const config = () => ["--config", join(dir, "service.toml")];

/** Names and texts of everything in a file, but for how its statements were written. */
function schemaOf(file: string): unknown {
  const database = new Database(file, { readonly: true });
  const schema = database
    .prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name")
    .all();
  const marks = [
    database.pragma("user_version", { simple: true }),
    database.pragma("application_id", { simple: true }),
  ];
  database.close();
  return [schema, marks];
}

describe("migrate --print-sql and --apply", () => {
  test("make the same: the statements by hand, and the program", () => {
    const printed = migrate("--print-sql", ...config());
    expect(printed.code).toBe(0);
    expect(existsSync(join(dir, "store.db"))).toBe(false);
    const [, ledgerSql = "", storeSql = ""] = printed.out.split(/^-- .*version 0 to \d+$/mu);
    for (const [name, text] of [
      ["ledger", ledgerSql],
      ["store", storeSql],
    ] as const) {
      const byHand = new Database(join(dir, `${name}-by-hand.db`));
      byHand.exec(text);
      byHand.close();
    }
    expect(migrate("--apply", ...config())).toMatchObject({ code: 0, err: "" });
    for (const name of ["ledger", "store"]) {
      expect(schemaOf(join(dir, `${name}-by-hand.db`))).toEqual(schemaOf(join(dir, `${name}.db`)));
    }
    const again = migrate("--print-sql", ...config());
    expect(again.out).toBe("-- ledger.db, version 1: newest\n-- store.db, version 3: newest\n");
    expect(migrate("--apply", ...config()).out).toContain("is the newest");
  }, 240_000);

  test("print the statements of every home without a configuration", () => {
    expect(migrate("--print-sql", "--home", "postgres").out).toContain("PARTITION BY RANGE (ts)");
    const timescale = migrate("--print-sql", "--home", "timescale").out;
    expect(timescale).toContain("SELECT create_hypertable('book_events', 'ts'");
    expect(timescale).not.toContain("PARTITION BY");
    expect(migrate("--print-sql", "--home", "oracle").code).toBe(2);
    expect(migrate("--print-sql", "--apply").code).toBe(2);
    expect(migrate("--apply").code).toBe(2);
  }, 240_000);

  test("a running service is left alone", () => {
    const info = { pid: 7, sinceMs: 0, purpose: "run-service desk" };
    const lease = acquireLease(join(dir, "service.lease"), info);
    const refused = migrate("--apply", ...config());
    expect(refused.code).toBe(2);
    expect(refused.err).toContain("process 7 (run-service desk)");
    expect(existsSync(join(dir, "store.db"))).toBe(false);
    if (lease.ok) lease.lease.release();
  });

  test("a place of a newer program is refused and left as it is", async () => {
    await (await openLedger(join(dir, "ledger.db"))).close();
    await openSqliteStore(join(dir, "store.db")).close();
    const database = new Database(join(dir, "store.db"));
    database.pragma("user_version = 99");
    database.close();
    const refused = migrate("--apply", ...config());
    expect(refused).toMatchObject({ code: 1, out: "" });
    expect(refused.err).toContain("schema 99, this one knows 3");
  });
});

describe("the store's file", () => {
  const twoSteps = [
    ...storeMigrations("sqlite"),
    "ALTER TABLE tapes ADD COLUMN note TEXT; UPDATE tapes SET note = 'of ' || name;",
  ];

  test("goes forward from every version with its rows", () => {
    const file = join(dir, "s.db");
    const first = openStoreFile(file, storeMigrations("sqlite").slice(0, 1));
    first.prepare("INSERT INTO tapes (name) VALUES ('a'), ('b')").run();
    first
      .prepare(
        "INSERT INTO markets VALUES (7, '0xaa', 'slug', 'q', NULL, 100, 5, 0, 'v1', 1, NULL, NULL, 9)",
      )
      .run();
    first.close();
    const second = openStoreFile(file, twoSteps);
    expect(second.prepare("SELECT * FROM markets").all()).toMatchObject([
      { market_id: 7, condition_id: "0xaa", updated_ms: 9, winner: null, window_coin: null },
    ]);
    expect(second.prepare("SELECT * FROM tapes").all()).toEqual([
      { tape_id: 1, name: "a", note: "of a" },
      { tape_id: 2, name: "b", note: "of b" },
    ]);
    second.close();
    expect(() => openStoreFile(file, storeMigrations("sqlite"))).toThrow(/newer version/u);
  });

  test("a step that fails leaves the version before it, with its rows", () => {
    const file = join(dir, "s.db");
    const first = openStoreFile(file, storeMigrations("sqlite"));
    first.prepare("INSERT INTO tapes (name) VALUES ('a')").run();
    first.close();
    const broken = [...twoSteps, "DELETE FROM tapes; SELECT * FROM nowhere;"];
    expect(() => openStoreFile(file, broken)).toThrow(/nowhere/u);
    const after = openStoreFile(file, twoSteps);
    expect(after.prepare("SELECT * FROM tapes").all()).toEqual([
      { tape_id: 1, name: "a", note: "of a" },
    ]);
    after.close();
  });

  test("another program's file is not touched", () => {
    const file = join(dir, "s.db");
    const other = new Database(file);
    other.exec("CREATE TABLE tapes (x INTEGER)");
    other.close();
    expect(() => openStoreFile(file, twoSteps)).toThrow(/not a store of this program/u);
  });
});

test("a ledger of the first version opens with its rows", async () => {
  const file = join(dir, "ledger.db");
  const first = new Database(file);
  first.exec(ledgerMigrations[0] ?? "");
  first.pragma("application_id = 1346522183");
  first.pragma("user_version = 1");
  first.close();
  const writer = await openLedger(file);
  await writer.append(rows(1, 5));
  await writer.close();
  const reader = await openLedger(file);
  expect(await reader.read(1, 10)).toEqual(rows(1, 5));
  await reader.close();
});

test("no released step was ever changed", () => {
  const digest = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 16);
  expect(ledgerMigrations.map(digest)).toEqual(["8245531b7fe74eed"]);
  expect(storeMigrations("sqlite").map(digest)).toEqual([
    "44691195a4fd3ed3",
    "356c61d9bbc8746e",
    "0d9fbf36d70f9f5b",
  ]);
  expect(storeMigrations("postgres").map(digest)).toEqual([
    "bc545d133dc7619e",
    "a2ca8fa7709682fa",
    "195576950186ace9",
  ]);
  expect(ledgerSchema.migrations.map(digest)).toEqual(["22c90004daaf038b"]);
  expect(leaseSchema.migrations.map(digest)).toEqual(["2abc193e35e1895d"]);
  expect(storeMigrations("timescale").map(digest)).toEqual([
    "40bbe23b238ce7c7",
    "a2ca8fa7709682fa",
    "195576950186ace9",
  ]);
});
