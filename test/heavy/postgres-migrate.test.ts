// Schema steps on a real server: forward with rows, whole or not at all, by hand or by the command.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate, schemaVersion } from "../../src/adapters/postgres/schema.ts";
import { storeMigrations } from "../../src/adapters/storage/schema.ts";
import { PostgresServer } from "./postgres.ts";

const launcher = fileURLToPath(new URL("../../bin/pitboss.mjs", import.meta.url));
let server: PostgresServer;
let databases = 0;

beforeAll(async () => {
  server = await PostgresServer.open();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

async function withDatabase(work: (client: Client, url: string) => Promise<void>): Promise<void> {
  const name = `steps${databases++}`;
  const admin = new Client({ connectionString: server.url() });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  await admin.end();
  const client = new Client({ connectionString: server.url(name) });
  await client.connect();
  try {
    await work(client, server.url(name));
  } finally {
    await client.end();
  }
}

const first = { name: "store", migrations: storeMigrations("postgres").slice(0, 1) };
const second = {
  name: "store",
  migrations: [
    ...first.migrations,
    "ALTER TABLE tapes ADD COLUMN note TEXT; UPDATE tapes SET note = 'of ' || name;",
  ],
};

test("forward from the first version with its rows; a step that fails leaves everything; newer is refused", () =>
  withDatabase(async (client) => {
    await migrate(client, first, "here");
    await client.query("INSERT INTO tapes (name) VALUES ('a'), ('b')");
    const broken = {
      ...second,
      migrations: [...second.migrations, "DELETE FROM tapes; SELECT nowhere;"],
    };
    await expect(migrate(client, broken, "here")).rejects.toThrow(/nowhere/u);
    expect(await schemaVersion(client, first)).toBe(1);
    await migrate(client, second, "here");
    expect((await client.query("SELECT name, note FROM tapes ORDER BY name")).rows).toEqual([
      { name: "a", note: "of a" },
      { name: "b", note: "of b" },
    ]);
    await expect(migrate(client, first, "here")).rejects.toMatchObject({
      code: "ledger_newer_schema",
    });
    await migrate(client, second, "here");
    expect(await schemaVersion(client, second)).toBe(2);
  }));

test("the released versions follow each other with their rows", () =>
  withDatabase(async (client) => {
    await migrate(client, first, "here");
    await client.query(
      "INSERT INTO markets (condition_id, slug, question, tick_size_e4, min_order_size_e6, neg_risk, version, tradable, updated_ms) VALUES ('0xaa', 's', 'q', 100, 5, 0, 'v1', 1, 9)",
    );
    await migrate(client, { name: "store", migrations: storeMigrations("postgres") }, "here");
    const { rows } = await client.query("SELECT * FROM markets");
    expect(rows).toMatchObject([
      { condition_id: "0xaa", updated_ms: "9", winner: null, window_coin: null },
    ]);
  }));

test("the command makes the same by --apply as its statements do by hand", async () => {
  const dir = mkdtempSync(join(tmpdir(), "pg-migrate-"));
  const run = (...args: readonly string[]) => {
    const done = spawnSync(process.execPath, [launcher, "migrate", ...args], { encoding: "utf8" });
    return { code: done.status, out: done.stdout, err: done.stderr };
  };
  try {
    await withDatabase(async (byHand) => {
      await byHand.query(run("--print-sql", "--home", "postgres").out);
      await withDatabase(async (made, url) => {
        const file = join(dir, "service.toml");
        writeFileSync(
          file,
          `[service]\nstate_dir = "."\n[storage]\nkind = "postgres"\nurl = "${url}"\n`,
        );
        expect(run("--apply", "--config", file)).toMatchObject({ code: 0, err: "" });
        expect(run("--print-sql", "--config", file).out).toBe(
          "-- lease, version 1: newest\n-- ledger, version 1: newest\n-- store, version 3: newest\n",
        );
        const columns =
          "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2";
        const indexes =
          "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2";
        for (const text of [columns, indexes]) {
          const { rows } = await made.query(text);
          expect(rows.length).toBeGreaterThan(20);
          expect((await byHand.query(text)).rows).toEqual(rows);
        }
      });
    });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}, 120_000);
