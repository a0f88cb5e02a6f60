// The catalog on its way into the store, by a thread of its own: bounded, told of every failure, in nobody's way.
import { mkdirSync, mkdtempSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CatalogKeeper, type CatalogKeeperOptions } from "../../src/catalog-keeper.ts";
import type { Market } from "../../src/engine/domain/market.ts";
import { openSqliteStore } from "../../src/open-store.ts";
import { collectingLog } from "../adapters/polymarket/paper-desk.ts";
import { group, marketOf, runners } from "../engine/support/markets.ts";

const waitMs = { timeout: 60_000 };
const many = (count: number): Market[] => Array.from({ length: count }, (_, n) => marketOf(n + 1));

let folder: string;
let keeper: CatalogKeeper | null;
let logged: ReturnType<typeof collectingLog>["lines"];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "keeper-"));
  keeper = null;
});
afterEach(async () => {
  await keeper?.close();
  rmSync(folder, { recursive: true, force: true });
});

const file = () => join(folder, "store.db");

function openKeeper(over: Partial<CatalogKeeperOptions> = {}): CatalogKeeper {
  const { log, lines } = collectingLog();
  logged = lines;
  keeper = new CatalogKeeper({
    place: { kind: "sqlite", file: file() },
    log,
    retryFirstMs: 1,
    ...over,
  });
  return keeper;
}

/** "slug tradable updated_ms" of every market. */
async function kept(): Promise<string[]> {
  const store = openSqliteStore(file());
  const rows = await store.db.selectFrom("markets").selectAll().orderBy("market_id").execute();
  await store.close();
  return rows.map((row) => `${row.slug} ${row.tradable} ${row.updated_ms}`);
}

const events = () => logged.map(({ event }) => event);

describe("the catalog's keeper", { timeout: 300_000 }, () => {
  test("writes what is listed, each market once while it waits, and closes what a whole crawl did not see", async () => {
    const open = openKeeper();
    open.listed(many(450), [], 100);
    open.listed(runners, [group], 100);
    // Those of before still wait: they are written as they are last, with their later time.
    open.listed(many(3), [], 150);
    open.crawled(120, 200);
    await open.idle();
    const found = await kept();
    expect(found.length).toBe(450);
    expect(found.filter((line) => line.endsWith(" 1 150"))).toEqual([
      "market-1 1 150",
      "market-2 1 150",
      "market-3 1 150",
    ]);
    expect(found.filter((line) => line.endsWith(" 0 100")).length).toBe(447);
    expect(open.figures()).toEqual({
      kept: 451,
      waiting: 0,
      leftOut: 0,
      contradictions: 0,
      failures: 0,
      keptAtMs: 150,
      failing: null,
    });
  });

  test("leaves out what does not fit, and then no crawl closes anything", async () => {
    const open = openKeeper({ waitingMax: 10 });
    open.listed(many(25), [], 100);
    open.crawled(50, 200);
    await open.idle();
    expect((await kept()).length).toBe(10);
    expect(open.figures()).toMatchObject({ kept: 10, leftOut: 15, waiting: 0 });
    open.listed(many(5), [], 300);
    open.crawled(250, 350);
    await open.idle();
    expect((await kept()).filter((line) => line.endsWith(" 0 100")).length).toBe(5);
  });

  test("a store that cannot be opened is told once and counted; once it can, everything is kept", async () => {
    mkdirSync(file());
    const open = openKeeper({ retryFirstMs: 20 });
    open.listed(many(3), [], 100);
    await expect.poll(() => open.figures().failures, waitMs).toBeGreaterThan(0);
    expect(open.figures().failing).toContain("store.db");
    expect(events()).toEqual(["catalog-store.failed"]);
    rmdirSync(file());
    await open.idle();
    expect((await kept()).length).toBe(3);
    expect(events()).toEqual(["catalog-store.failed", "catalog-store.back"]);
    expect(open.figures()).toMatchObject({ kept: 3, leftOut: 0, failing: null });
  });

  test("what fails again and again is given up, and the next crawl closes nothing for it", async () => {
    mkdirSync(file());
    const open = openKeeper();
    open.listed(many(2), [], 100);
    await open.idle();
    expect(open.figures()).toMatchObject({ kept: 0, leftOut: 2, waiting: 0, failures: 5 });
    open.crawled(90, 200);
    await open.idle();
    expect(open.figures().failures).toBe(5);
  });

  test("a store that hangs costs its thread, not what waits", async () => {
    await openSqliteStore(file()).close();
    const other = new Database(file());
    other.exec("BEGIN IMMEDIATE");
    const open = openKeeper({ answerMaxMs: 500, retryFirstMs: 10 });
    open.listed(many(2), [], 100);
    await expect.poll(() => open.figures().failing, waitMs).toContain("did not answer");
    other.exec("COMMIT");
    other.close();
    await open.idle();
    const { kept: count, leftOut } = open.figures();
    expect(count + leftOut).toBe(2);
  });

  test("its thread ends when nothing waits, and what comes later gets a new one", async () => {
    const open = openKeeper({ idleMaxMs: 1 });
    open.listed(many(3), [], 100);
    await open.idle();
    let atMs = 100;
    // A thread that lives on would write into the file that is gone; only a new one opens the name again.
    const keptAnew = async () => {
      for (const end of ["", "-wal", "-shm"]) rmSync(`${file()}${end}`, { force: true });
      open.listed(many(1), [], ++atMs);
      await open.idle();
      return kept();
    };
    await expect.poll(keptAnew, { ...waitMs, interval: 50 }).toHaveLength(1);
  });

  test("its thread is not ended under a batch, whether that came just before or just behind its end", async () => {
    const open = openKeeper({ idleMaxMs: 1 });
    const rounds = 40;
    for (let round = 1; round <= rounds; round++) {
      open.listed(many(100), [], round);
      await open.idle();
      // More and more turns of the loop: the next batch comes before the end, in it and behind it.
      for (let turn = 0; turn < 20 * (round % 10); turn++) await nextTurn();
    }
    expect(open.figures()).toMatchObject({ kept: 100 * rounds, failures: 0, leftOut: 0 });
  });

  test("closing ends it while a store fails, and nothing is taken any more", async () => {
    mkdirSync(file());
    const open = openKeeper({ retryFirstMs: 3_600_000 });
    open.listed(many(2), [], 100);
    await expect.poll(() => open.figures().failures, waitMs).toBe(1);
    await open.close();
    open.listed(many(5), [], 200);
    await open.idle();
    expect(open.figures().failures).toBe(1);
  });
});
