import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openPool } from "../../src/adapters/postgres/connection.ts";
import { bulkRows } from "../../src/adapters/storage/bulk-tables.ts";
import { loadTape } from "../../src/adapters/storage/load-tape.ts";
import { postgresStore } from "../../src/adapters/storage/postgres-store.ts";
import type { Store } from "../../src/adapters/storage/store.ts";
import { openPostgresStore, openSqliteStore } from "../../src/open-store.ts";
import { projectLedger } from "../../src/project-ledger.ts";
import { describeCatalog } from "../contract/catalog-contract.ts";
import { describeCrash, expectWholeLoad, startLoad } from "../contract/crash-contract.ts";
import { describeExport } from "../contract/export-contract.ts";
import { postgresWaits } from "../contract/homes.ts";
import { durableSeq } from "../contract/ledger-contract.ts";
import { contentsOf, describeLoading, tapeFrames } from "../contract/load-contract.ts";
import { describeNumbers } from "../contract/numbers-contract.ts";
import { describePrune } from "../contract/prune-contract.ts";
import { bookEvent, describeStore } from "../contract/store-contract.ts";
import { tradedLedger } from "../contract/traded-ledger.ts";
import { PostgresServer } from "./postgres.ts";

/** A busy disk takes its time with a server's folder. */
const hookMs = 300_000;

const firstOfDay = Date.UTC(2026, 10, 20);

let server: PostgresServer;
const records = tradedLedger();
let loads = 0;
const made = new Set<number>();

beforeAll(async () => {
  server = await PostgresServer.open();
}, hookMs);

afterAll(async () => {
  await server[Symbol.asyncDispose]();
}, hookMs);

async function query(database: string, text: string): Promise<readonly unknown[]> {
  const client = new Client({ connectionString: server.url(database) });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

async function open(place: number): Promise<Store> {
  const name = `store${place}`;
  if (!made.has(place)) await query("postgres", `CREATE DATABASE ${name}`);
  made.add(place);
  return openPostgresStore({ ...postgresWaits, url: server.url(name), password: null });
}

describeStore("a PostgreSQL database", open);

describeLoading(
  "a PostgreSQL database",
  () => open(2000 + loads++),
  () => records,
);

describeExport("a PostgreSQL database", () => open(2000 + loads++));
describePrune("a PostgreSQL database", () => open(2000 + loads++));
describeNumbers("a PostgreSQL database", () => open(2000 + loads++));
describeCatalog("a PostgreSQL database", () => open(2000 + loads++));

test("a day that is larger than a transaction may be is kept in parts", async () => {
  const place = 2000 + loads++;
  await (await open(place)).close();
  const url = server.url(`store${place}`);
  const pool = openPool({ url, password: null, connectTimeoutMs: 30_000 });
  const store = postgresStore(pool, "here", "postgres", 25);
  const kept = async () =>
    (await query(`store${place}`, "SELECT position FROM checkpoints")).map(
      (row) => (row as { position: string }).position,
    );
  const load = (from: number) =>
    store.load({
      isFollowed: true,
      rows: [
        bulkRows(
          "book_events",
          Array.from({ length: 10 }, (_, i) => bookEvent(from + i + 1, { ts: firstOfDay + from })),
        ),
      ],
      checkpoint: { name: "t", from, to: from + 10, atMs: 1 },
    });
  await load(0);
  await load(10);
  expect(await kept()).toEqual([]);
  await load(20);
  expect(await kept()).toEqual(["30"]);
  await load(30);
  await store.settle();
  const { rows } = await pool.query("SELECT count(*) AS n FROM book_events");
  expect(rows).toEqual([{ n: 40 }]);
  await store.close();
});

describeCrash("a PostgreSQL database", async () => {
  const name = `crash${loads++}`;
  await query("postgres", `CREATE DATABASE ${name}`);
  return placeAt(server.url(name));
});

function placeAt(url: string) {
  return {
    kind: "postgres",
    options: { ...postgresWaits, url, password: null, caFile: null },
  } as const;
}

test("kill -9 of the server amid a load: every acknowledged batch is there whole, and the load goes on", {
  timeout: 240_000,
}, async () => {
  await using own = await PostgresServer.open();
  let acknowledged = 0;
  for (let crash = 0; crash < 3; crash++) {
    const loop = startLoad(placeAt(own.url()));
    const wanted = 2 + crash * 3;
    const kills: Promise<void>[] = [];
    loop.child.stdout?.on("data", () => {
      if (loop.lines.length > wanted && kills.length === 0) kills.push(own.kill());
    });
    await loop.ended;
    await Promise.all(kills);
    expect(kills.length).toBe(1);
    expect(loop.lines.at(-1)).toBe("failed store_failed");
    const before = acknowledged;
    acknowledged = Math.max(acknowledged, durableSeq(loop.lines));
    expect(acknowledged).toBeGreaterThan(before);
    await own.start();
    const store = await openPostgresStore(placeAt(own.url()).options);
    expect(await expectWholeLoad(store)).toBeGreaterThanOrEqual(acknowledged);
    await store.close();
  }
});

test("kill -9 of the server while a day gets its indexes: all of it is there or nothing, and it is loaded again", {
  timeout: 240_000,
}, async () => {
  await using own = await PostgresServer.open();
  const count = 200_000;
  const rows = Array.from({ length: count }, (_, i) => bookEvent(i + 1, { ts: firstOfDay + i }));
  const batch = {
    isFollowed: true,
    rows: [bulkRows("book_events", rows)],
    checkpoint: { name: "t", from: 0, to: count, atMs: 1 },
  };
  const store = await openPostgresStore(placeAt(own.url()).options);
  await store.load(batch);
  const watcher = new Client({ connectionString: own.url() });
  watcher.on("error", () => undefined);
  await watcher.connect();
  let outcome: "kept" | "failed" | null = null;
  const settled = store.settle().then(
    () => (outcome = "kept"),
    () => (outcome = "failed"),
  );
  const building =
    "SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'ALTER TABLE % ATTACH %'";
  // Ended as well when it was too fast to be seen: what must hold then is the same.
  const isSeen = async () => outcome !== null || (await watcher.query(building)).rowCount === 1;
  await expect.poll(isSeen, { timeout: 120_000, interval: 1 }).toBe(true);
  await own.kill();
  const isKept = (await settled) === "kept";
  await store.close();
  await watcher.end().catch(() => undefined);
  await own.start();
  const again = await openPostgresStore(placeAt(own.url()).options);
  const left = await again.db.selectFrom("checkpoints").selectAll().execute();
  const tables = await sql`SELECT FROM pg_tables WHERE tablename ~ '_p[0-9]{8}$'`.execute(again.db);
  expect(tables.rows.length).toBe(left.length);
  if (isKept) expect(left.length).toBe(1);
  if (left.length === 0) await again.load({ ...batch, isFollowed: false });
  const found = await again.db
    .selectFrom("book_events")
    .select((is) => is.fn.countAll<number>().as("count"))
    .execute();
  expect(found).toEqual([{ count }]);
  await again.close();
});

test("both homes hold the same rows of one ledger and one recording", async () => {
  const folder = mkdtempSync(join(tmpdir(), "both-homes-"));
  const stores = [await open(3000), openSqliteStore(join(folder, "store.db"))];
  try {
    const contents: unknown[] = [];
    for (const store of stores) {
      await projectLedger(
        { read: (from, limit) => Promise.resolve(records.slice(from - 1, from - 1 + limit)) },
        store,
        1,
      );
      await loadTape(store, { name: "a" }, tapeFrames(300), 1);
      contents.push(await contentsOf(store));
    }
    expect(contents[0]).toEqual(contents[1]);
  } finally {
    for (const store of stores) await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

describe("the store's parts in PostgreSQL", () => {
  test("loaders that need the same new days at once all get their rows in", {
    timeout: 240_000,
  }, async () => {
    const loaders = 4;
    const batches = 6;
    const stores: Store[] = [];
    for (let i = 0; i < loaders; i++) stores.push(await open(1001));
    // Each of them goes through the days in another order.
    const load = async (store: Store, tape: number) => {
      for (let i = 0; i < batches; i++) {
        const rows = [0, 1, 2].map((step) =>
          bookEvent(i * 3 + step + 1, {
            tape_id: tape,
            ts: Date.UTC(2026, 10, 1) + ((i * (tape + 1) + step * tape) % 7) * 86_400_000,
          }),
        );
        await store.load({
          isFollowed: i % 2 === 0,
          rows: [bulkRows("trades", rows), bulkRows("book_events", rows)],
          checkpoint: { name: `tape ${tape}`, from: i * 3, to: i * 3 + 3, atMs: 1 },
        });
      }
      await store.settle();
    };
    await Promise.all(stores.map((store, i) => load(store, i + 1)));
    for (const table of ["book_events", "trades"]) {
      const counts = await query(
        "store1001",
        `SELECT tape_id::int AS tape, count(*)::int AS count FROM ${table} GROUP BY tape_id ORDER BY 1`,
      );
      expect(counts).toEqual([1, 2, 3, 4].map((tape) => ({ tape, count: batches * 3 })));
    }
    for (const store of stores) await store.close();
  });

  test("a day that is made has the key and the indexes of the whole, and what is not settled leaves nothing", async () => {
    const store = await open(1002);
    const rows = [1, 2].map((seq) => bookEvent(seq, { market_id: 1 }));
    const batch = {
      isFollowed: true,
      rows: [bulkRows("book_events", rows)],
      checkpoint: { name: "t", from: 0, to: 2, atMs: 1 },
    };
    await store.load(batch);
    await store.close();
    const again = await open(1002);
    // It waits for the lost connection, whose rows go.
    await again.load({ ...batch, isFollowed: false });
    expect((await again.db.selectFrom("book_events").selectAll().execute()).length).toBe(2);
    await again.close();
    const indexes = (table: string) =>
      query(
        "store1002",
        `SELECT regexp_replace(indexdef, '^.* USING ', '') AS def, indisvalid AS valid
           FROM pg_indexes JOIN pg_index ON indexrelid = indexname::regclass
          WHERE tablename = '${table}' ORDER BY 1`,
      );
    const wanted = await indexes("book_events");
    expect(wanted.length).toBe(3);
    expect(await indexes("book_events_p20261120")).toEqual(wanted);
    expect(wanted).not.toContainEqual(expect.objectContaining({ valid: false }));
  });

  test("each day is a table of its own, which a query of that day alone reads", async () => {
    const store = await open(1000);
    const dayMs = 86_400_000;
    const rows = [0, 1, 2].map((day) =>
      bookEvent(day + 1, { ts: Date.UTC(2026, 10, 20) + day * dayMs, market_id: 1 }),
    );
    await store.load({
      rows: [bulkRows("book_events", rows)],
      checkpoint: { name: "t", from: 0, to: 1, atMs: 1 },
    });
    await store.close();
    const parts = await query(
      "store1000",
      "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'book_events'::regclass ORDER BY 1",
    );
    expect(parts).toEqual([
      { name: "book_events_p20261120" },
      { name: "book_events_p20261121" },
      { name: "book_events_p20261122" },
    ]);
    const plan = await query(
      "store1000",
      `EXPLAIN SELECT * FROM book_events WHERE market_id = 1 AND ts >= ${Date.UTC(2026, 10, 21)} AND ts < ${Date.UTC(2026, 10, 22)}`,
    );
    const text = JSON.stringify(plan);
    expect(text).toContain("book_events_p20261121");
    expect(text).not.toContain("book_events_p20261120");
  });
});
