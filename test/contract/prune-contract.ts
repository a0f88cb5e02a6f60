// What pruning takes away and what it never touches, in either home.
import { describe, expect, test } from "vitest";
import { bulkRows } from "../../src/adapters/storage/bulk-tables.ts";
import { loadTape } from "../../src/adapters/storage/load-tape.ts";
import { pruneStore } from "../../src/adapters/storage/prune-store.ts";
import type { Store } from "../../src/adapters/storage/store.ts";
import { projectLedger } from "../../src/project-ledger.ts";
import { contentsOf, tapeFrames } from "./load-contract.ts";
import { bookEvent } from "./store-contract.ts";
import { tradedLedger } from "./traded-ledger.ts";

const dayMs = 86_400_000;
const firstMs = Date.UTC(2026, 10, 10);
const days = 4;
const rowsOfDay = 400;
const pruned = ["book_events", "snapshots", "trades"] as const;

/** So many rows a day and table, over several markets; beside them a recording of another day and a ledger. */
async function fill(store: Store): Promise<void> {
  const rows = Array.from({ length: days * rowsOfDay }, (_, i) =>
    bookEvent(i + 1, { ts: firstMs + Math.floor((i / rowsOfDay) * dayMs), tape_id: 9 }),
  );
  const snapshots = rows.map(({ side: _side, price_e4: _price, size_e6: _size, ...row }) => ({
    ...row,
    tick_size_e4: 100,
    hash: "ab",
    bids: "[]",
    asks: "[]",
  }));
  await store.load({
    rows: [
      bulkRows("book_events", rows),
      bulkRows("trades", rows),
      bulkRows("snapshots", snapshots),
    ],
    checkpoint: { name: "tape z", from: 0, to: rows.length, atMs: 1 },
  });
  // 20 November: later than everything that is pruned here.
  await loadTape(store, { name: "a" }, tapeFrames(30), 1);
  const records = tradedLedger();
  await projectLedger(
    { read: (from, limit) => Promise.resolve(records.slice(from - 1, from - 1 + limit)) },
    store,
    1,
  );
}

async function countsByDay(store: Store, table: (typeof pruned)[number]): Promise<number[]> {
  const rows = await store.db.selectFrom(table).select("ts").where("tape_id", "=", 9).execute();
  return Array.from(
    { length: days },
    (_, day) => rows.filter(({ ts }) => Math.floor((ts - firstMs) / dayMs) === day).length,
  );
}

/** `open` gives a store in a fresh place. */
export function describePrune(home: string, open: () => Promise<Store>): void {
  async function filled(work: (store: Store) => Promise<void>): Promise<void> {
    const store = await open();
    try {
      await fill(store);
      await work(store);
    } finally {
      await store.close();
    }
  }

  describe(`pruning the store in ${home}`, () => {
    test("takes whole days by the age of each kind, says how many rows, and once only", () =>
      filled(async (store) => {
        // In the third day: it stays whole, the two before it go.
        const eventsBefore = firstMs + 2.5 * dayMs;
        const before = {
          book_events: eventsBefore,
          trades: eventsBefore,
          snapshots: firstMs + 4 * dayMs,
        };
        const counted = await pruneStore(store, before, true);
        expect(counted.map(({ table, rows }) => [table, rows])).toEqual([
          ["book_events", 2 * rowsOfDay],
          ["snapshots", 4 * rowsOfDay],
          ["trades", 2 * rowsOfDay],
        ]);
        expect(await countsByDay(store, "book_events")).toEqual(Array(days).fill(rowsOfDay));
        const gone = await pruneStore(store, before, false);
        expect(gone.map(({ rows }) => rows)).toEqual(counted.map(({ rows }) => rows));
        for (const { bytes } of gone) expect(bytes).toBeGreaterThan(0);
        expect(await countsByDay(store, "book_events")).toEqual([0, 0, rowsOfDay, rowsOfDay]);
        expect(await countsByDay(store, "trades")).toEqual([0, 0, rowsOfDay, rowsOfDay]);
        expect(await countsByDay(store, "snapshots")).toEqual([0, 0, 0, 0]);
        const again = await pruneStore(store, before, false);
        expect(again.map(({ rows }) => rows)).toEqual([0, 0, 0]);
      }));

    test("leaves one-minute aggregates, the catalog and everything that the ledger says", () =>
      filled(async (store) => {
        const was = await contentsOf(store);
        const later = Date.UTC(2027, 0, 1);
        await pruneStore(store, { book_events: later, snapshots: later, trades: later }, false);
        const is = await contentsOf(store);
        for (const table of pruned) expect(is[table]).toEqual([]);
        const rest = (contents: typeof was) =>
          Object.entries(contents).filter(([table]) => !pruned.some((one) => one === table));
        expect(rest(is)).toEqual(rest(was));
        expect((is["minute_bars"] as unknown[]).length).toBeGreaterThan(0);
        expect((is["orders"] as unknown[]).length).toBeGreaterThan(0);
      }));

    test("what is loaded afterwards finds room, also in a day that went", () =>
      filled(async (store) => {
        const later = Date.UTC(2027, 0, 1);
        await pruneStore(store, { book_events: later, snapshots: later, trades: later }, false);
        const again = [bookEvent(1, { ts: firstMs, tape_id: 9 })];
        await store.load({
          rows: [bulkRows("book_events", again)],
          checkpoint: { name: "tape y", from: 0, to: 1, atMs: 1 },
        });
        expect(await countsByDay(store, "book_events")).toEqual([1, 0, 0, 0]);
      }));
  });
}
