// What the tables beside the ledger promise in either home.
import { type Insertable, sql } from "kysely";
import { describe, expect, test } from "vitest";
import {
  type BulkRows,
  bulkColumns,
  bulkRows,
  type LoadBatch,
} from "../../src/adapters/storage/bulk-tables.ts";
import type { Store } from "../../src/adapters/storage/store.ts";
import type { BookEventRow, MarketRow, OrderRow } from "../../src/adapters/storage/tables.ts";
import { codeOf } from "../adapters/sqlite/support.ts";

const day = 86_400_000;
const firstMs = Date.UTC(2026, 10, 20, 23, 59, 0);

export function bookEvent(seq: number, more: Partial<BookEventRow> = {}): BookEventRow {
  return {
    market_id: 1 + (seq % 7),
    ts: firstMs + seq * 1000,
    seq,
    part: 0,
    tape_id: 1,
    outcome: 0,
    side: seq % 2 === 0 ? 0 : 1,
    price_e4: 100 + (seq % 9800),
    size_e6: seq * 1_000_003,
    ...more,
  };
}

function batch(rows: readonly BulkRows[], from: number, to: number, name = "tape a"): LoadBatch {
  return { rows, checkpoint: { name, from, to, atMs: 1 } };
}

const events = (rows: readonly BookEventRow[]): BulkRows => bulkRows("book_events", rows);

async function allEvents(store: Store): Promise<BookEventRow[]> {
  return store.db.selectFrom("book_events").selectAll().orderBy("seq").orderBy("part").execute();
}

/** `open` gives a store in a fresh place, and the same one again for the same number. */
export function describeStore(home: string, open: (place: number) => Promise<Store>): void {
  let places = 0;

  async function withStore(work: (store: Store, place: number) => Promise<void>): Promise<void> {
    const place = places++;
    const store = await open(place);
    try {
      await work(store, place);
    } finally {
      await store.close();
    }
  }

  describe(`the store in ${home}`, () => {
    test("keeps book events, snapshots and trades over days, whatever the values", () =>
      withStore(async (store) => {
        const wide = Array.from({ length: 250 }, (_, i) =>
          bookEvent(i + 1, { ts: firstMs + i * day * 0.02 }),
        );
        const extremes = [
          bookEvent(1001, { size_e6: Number.MAX_SAFE_INTEGER, price_e4: 1 }),
          bookEvent(1002, { size_e6: 0, part: 32_767 }),
        ];
        const odd = '[[5000,1],["é🂡\\\\",2]]';
        const snapshot = {
          market_id: 3,
          ts: firstMs,
          seq: 9,
          part: 0,
          tape_id: 1,
          outcome: 1,
          tick_size_e4: 25,
          hash: "",
          bids: odd,
          asks: "x".repeat(600_000),
        } as const;
        const trade = {
          market_id: 3,
          ts: firstMs + day,
          seq: 10,
          part: 1,
          tape_id: 1,
          outcome: 0,
          side: 1,
          price_e4: 9999,
          size_e6: 5,
        } as const;
        await store.load(
          batch(
            [
              events([...wide, ...extremes]),
              bulkRows("snapshots", [snapshot]),
              bulkRows("trades", [trade]),
            ],
            0,
            1002,
          ),
        );
        expect(await allEvents(store)).toEqual([...wide, ...extremes]);
        expect(await store.db.selectFrom("snapshots").selectAll().execute()).toEqual([snapshot]);
        expect(await store.db.selectFrom("trades").selectAll().execute()).toEqual([trade]);
      }));

    test("rows that are there already stay as they are, the others of the batch come in", () =>
      withStore(async (store) => {
        const first = Array.from({ length: 10 }, (_, i) => bookEvent(i + 1));
        await store.load(batch([events(first)], 0, 10));
        const again = Array.from({ length: 20 }, (_, i) => bookEvent(i + 1, { size_e6: 7 }));
        await store.load(batch([events(again)], 0, 20, "the same tape under another name"));
        expect(await allEvents(store)).toEqual([...first, ...again.slice(10)]);
      }));

    test("of rows that one batch has twice the first stays", () =>
      withStore(async (store) => {
        const rows = [1, 2, 2, 3].map((seq, i) => bookEvent(seq, { size_e6: i }));
        await store.load(batch([events(rows)], 0, 3));
        const kept = rows.filter((_, i) => i !== 2);
        expect(await allEvents(store)).toEqual(kept);
        // What is loaded behind it finds the day in order.
        await store.load(batch([events([bookEvent(3), bookEvent(4)])], 3, 4));
        expect(await allEvents(store)).toEqual([...kept, bookEvent(4)]);
      }));

    test("batches that are followed are kept by settling, over days and recordings, or not at all", () =>
      withStore(async (store, place) => {
        const followed = (seq: number, ts: number): LoadBatch => ({
          ...batch([events([bookEvent(seq, { ts })])], seq - 1, seq),
          isFollowed: true,
        });
        const moments = [0, 1, day, day + 1, 1, day + 2, 2 * day];
        const other = [events([bookEvent(1, { tape_id: 2, ts: firstMs + 9 * day })])];
        await store.load(batch(other, 0, 1, "tape b"));
        const load = (i: number) => store.load(followed(i + 1, firstMs + (moments[i] ?? 0)));
        for (const i of moments.keys()) await load(i);
        // Neither another recording's batch belongs to what is open, nor one of another place of the recording.
        const sameDay = [events([bookEvent(1, { tape_id: 2, ts: firstMs + 2 * day })])];
        const notThere = batch(sameDay, moments.length, moments.length + 1, "tape b");
        expect(await codeOf(store.load(notThere))).toBe("store_checkpoint_moved");
        await load(moments.push(3 * day) - 1);
        expect(await codeOf(store.load(followed(99, firstMs + 3 * day)))).toBe(
          "store_checkpoint_moved",
        );
        await load(moments.push(4 * day) - 1);
        await store.settle();
        await store.settle();
        const again = await open(place);
        expect((await allEvents(again)).length).toBe(moments.length + 1);
        const checkpoints = await again.db
          .selectFrom("checkpoints")
          .select(["name", "position"])
          .orderBy("name")
          .execute();
        expect(checkpoints).toEqual([
          { name: "tape a", position: moments.length },
          { name: "tape b", position: 1 },
        ]);
        await again.close();
      }));

    test(
      "a batch of many chunks comes in whole, also when its first row is there already",
      {
        timeout: 300_000,
      },
      () =>
        withStore(async (store) => {
          const count = 60_000;
          const many = Array.from({ length: count }, (_, i) =>
            bookEvent(i + 1, { market_id: 1, ts: firstMs + i }),
          );
          const [first = bookEvent(1)] = many;
          await store.load(batch([events([first])], 0, 1, "the first row"));
          await store.load(batch([events(many)], 0, count));
          const found = await sql<{ rows: number; sum: number; last: number }>`
          SELECT count(*) AS rows, CAST(sum(seq) AS BIGINT) AS sum, max(seq) AS last
            FROM book_events`.execute(store.db);
          const sum = (count * (count + 1)) / 2;
          expect(found.rows[0]).toEqual({ rows: count, sum, last: count });
        }),
    );

    test("a batch and its checkpoint are kept together, and a second loader is refused", () =>
      withStore(async (store, place) => {
        await store.load(batch([events([bookEvent(1)])], 0, 5));
        expect(await codeOf(store.load(batch([events([bookEvent(2)])], 0, 9)))).toBe(
          "store_checkpoint_moved",
        );
        const bad = [bookEvent(3), bookEvent(4, { price_e4: 0.5 })];
        expect(await codeOf(store.load(batch([events(bad)], 5, 9)))).toMatch(
          /^store_(bad_value|failed)$/u,
        );
        const other = await open(place);
        expect(await allEvents(other)).toEqual([bookEvent(1)]);
        const checkpoints = await other.db.selectFrom("checkpoints").selectAll().execute();
        expect(checkpoints).toEqual([{ name: "tape a", position: 5, at_ms: 1 }]);
        await other.close();
        await store.load(batch([events([bookEvent(2)])], 5, 9));
        expect((await allEvents(store)).length).toBe(2);
      }));

    test("markets get a number of their own, orders are found by market and status", () =>
      withStore(async (store) => {
        const market: Insertable<MarketRow> = {
          condition_id: "0xaa",
          slug: "a'; DROP TABLE markets; --",
          question: "Ä \u202e?",
          group_id: null,
          tick_size_e4: 100,
          min_order_size_e6: 5_000_000,
          neg_risk: 0,
          version: "v1",
          tradable: 1,
          end_at_ms: null,
          rule_hash: null,
          updated_ms: 1,
        };
        for (const conditionId of ["0xaa", "0xbb"]) {
          await store.db
            .insertInto("markets")
            .values({ ...market, condition_id: conditionId })
            .execute();
        }
        const ids = await store.db
          .selectFrom("markets")
          .select(["market_id", "slug", "question"])
          .orderBy("market_id")
          .execute();
        expect(ids).toEqual([
          { market_id: 1, slug: market.slug, question: market.question },
          { market_id: 2, slug: market.slug, question: market.question },
        ]);
        const order = (clientOid: string, marketId: number, status: string): OrderRow => ({
          client_oid: clientOid,
          plan_id: "p",
          leg: 0,
          order_hash: "h",
          market_id: marketId,
          token_id: "1".repeat(77),
          outcome: 1,
          side: 0,
          time_in_force: "gtc",
          limit_e4: 6200,
          size_e6: 10_000_000,
          spend_e6: null,
          strategy: "manual",
          user_id: 5_000_000_000,
          command_id: "tg:1",
          status,
          reason: null,
          filled_e6: 0,
          filled_usd_e6: 0,
          fees_usd_e6: 0,
          created_ms: firstMs,
          seq: 1,
        });
        const orders = [order("a", 1, "live"), order("b", 1, "filled"), order("c", 2, "live")];
        await store.db.insertInto("orders").values(orders).execute();
        const live = store.db
          .selectFrom("orders")
          .selectAll()
          .where("market_id", "=", 1)
          .where("status", "=", "live");
        expect(await live.execute()).toEqual([orders[0]]);
      }));

    test("the indexes of the documents are there", () =>
      withStore(async (store) => {
        const statement =
          store.home === "sqlite"
            ? sql<{
                table: string;
                def: string;
              }>`SELECT tbl_name AS "table", sql AS def FROM sqlite_schema WHERE sql IS NOT NULL`
            : sql<{
                table: string;
                def: string;
              }>`SELECT tablename AS "table", indexdef AS def FROM pg_indexes`;
        const { rows } = await statement.execute(store.db);
        const of = (table: string, columns: string) =>
          rows.some((row) => row.table === table && row.def.includes(`(${columns}`));
        expect(of("book_events", "market_id, ts)")).toBe(true);
        expect(of("book_events", "market_id, seq, ")).toBe(true);
        expect(of("book_events", "market_id, side, price_e4)")).toBe(true);
        expect(of("orders", "market_id, status)")).toBe(true);
        expect(of("orders", "market_id, price)")).toBe(false);
      }));

    test("every table of the query layer is there with its columns", () =>
      withStore(async (store) => {
        const found = (await store.db.introspection.getTables()).filter(
          ({ name }) => !/_p\d{8}$|^schema_version$/u.test(name),
        );
        for (const [table, columns] of Object.entries(bulkColumns)) {
          const inHome = found.find(({ name }) => name === table)?.columns.map(({ name }) => name);
          expect(inHome, table).toEqual(columns.map(([name]) => name));
        }
        const tables = found.map(({ name }) => name).sort();
        expect(tables).toEqual([
          "book_events",
          "checkpoints",
          "commands",
          "execution_audit",
          "fills",
          "market_groups",
          "market_status",
          "markets",
          "minute_bars",
          "notices",
          "orders",
          "outcomes",
          "positions",
          "snapshots",
          "source_events",
          "tapes",
          "trades",
        ]);
      }));

    test("opening it again changes nothing", () =>
      withStore(async (store, place) => {
        await store.load(batch([events([bookEvent(1)])], 0, 1));
        const again = await open(place);
        expect(await allEvents(again)).toEqual([bookEvent(1)]);
        await again.close();
      }));
  });
}
