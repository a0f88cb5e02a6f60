// Exports read back by readers of their own: every row, every digit.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";
import { describe, expect, test } from "vitest";
import { bulkRows } from "../../src/adapters/storage/bulk-tables.ts";
import { writeExport } from "../../src/adapters/storage/export-file.ts";
import { type ExportOptions, openExport } from "../../src/adapters/storage/export-rows.ts";
import type { Store } from "../../src/adapters/storage/store.ts";
import { codeOf } from "../adapters/sqlite/support.ts";

const dayMs = 86_400_000;
const startMs = Date.UTC(2026, 10, 20);
const rowCount = 6_000;
const odd = 'a "b", c\r\n\u{1f0a1}';

/** RFC 4180, read character by character. */
function parseCsv(text: string): (string | null)[][] {
  const rows: (string | null)[][] = [];
  let row: (string | null)[] = [];
  let at = 0;
  while (at < text.length) {
    let field: string | null = null;
    if (text[at] === '"') {
      field = "";
      for (at++; text[at] !== '"' || text[at + 1] === '"'; at++) {
        if (text[at] === '"') at++;
        field += text[at];
      }
      at++;
    } else {
      const end = text.slice(at).search(/,|\r\n/u) + at;
      if (end > at) field = text.slice(at, end);
      at = end;
    }
    row.push(field);
    if (text[at] === ",") at++;
    else {
      rows.push(row);
      row = [];
      at += 2;
    }
  }
  return rows;
}

async function fill(store: Store): Promise<void> {
  const market = {
    condition_id: "0xaa",
    slug: odd,
    question: "",
    group_id: null,
    tick_size_e4: 25,
    min_order_size_e6: 5_000_000,
    neg_risk: 0 as const,
    version: "v1",
    tradable: 1 as const,
    end_at_ms: null,
    rule_hash: null,
    updated_ms: startMs,
  };
  for (const conditionId of ["0xaa", "0xbb"]) {
    await store.db
      .insertInto("markets")
      .values({ ...market, condition_id: conditionId, slug: conditionId === "0xaa" ? odd : "b" })
      .execute();
  }
  const ids = await store.db
    .selectFrom("markets")
    .select("market_id")
    .orderBy("market_id")
    .execute();
  const rows = Array.from({ length: rowCount }, (_, i) => ({
    market_id: ids[i % 2]?.market_id ?? 0,
    ts: startMs + (i % 3) * dayMs,
    seq: i + 1,
    part: 0,
    tape_id: 1,
    outcome: 0 as const,
    side: i % 2 === 0 ? (0 as const) : (1 as const),
    price_e4: 1 + (i % 9999),
    size_e6: i === 7 ? Number.MAX_SAFE_INTEGER : i,
  }));
  await store.load({
    rows: [bulkRows("book_events", rows)],
    checkpoint: { name: "t", from: 0, to: rowCount, atMs: 1 },
  });
}

/** `open` gives a store in a fresh place. */
export function describeExport(home: string, open: () => Promise<Store>): void {
  async function withStore(work: (store: Store, folder: string) => Promise<void>): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), "pitboss-export-"));
    const store = await open();
    try {
      await fill(store);
      await work(store, folder);
    } finally {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    }
  }

  const all: ExportOptions = { table: "book_events", sinceMs: null, market: null };
  const names = [
    "condition_id",
    "ts",
    "seq",
    "part",
    "tape_id",
    "outcome",
    "side",
    "price",
    "size",
  ];
  const wanted = (i: number) => ({
    condition_id: i % 2 === 0 ? "0xaa" : "0xbb",
    ts: startMs + (i % 3) * dayMs,
    seq: i + 1,
    side: i % 2 === 0 ? "buy" : "sell",
    price: `0.${String(1 + (i % 9999)).padStart(4, "0")}`,
    size: i === 7 ? "9007199254.740991" : `0.${String(i).padStart(6, "0")}`,
  });

  describe(`an export from ${home}`, () => {
    test("as CSV holds every row once, with its decimals exact", () =>
      withStore(async (store, folder) => {
        const file = join(folder, "events.csv");
        expect(await writeExport(await openExport(store, all), "csv", file)).toBe(rowCount);
        const [head, ...rows] = parseCsv(readFileSync(file, "utf8"));
        expect(head).toEqual(names);
        const bySeq = rows.toSorted((a, b) => Number(a[2]) - Number(b[2]));
        expect(bySeq.length).toBe(rowCount);
        for (const [i, row] of bySeq.entries()) {
          const { condition_id: id, ts, seq, side, price, size } = wanted(i);
          expect(row).toEqual([id, `${ts}`, `${seq}`, "0", "1", "0", side, price, size]);
        }
      }));

    test("as Parquet gives another reader the same rows", () =>
      withStore(async (store, folder) => {
        const file = join(folder, "events.parquet");
        expect(await writeExport(await openExport(store, all), "parquet", file)).toBe(rowCount);
        const rows = await parquetReadObjects({ file: await asyncBufferFromFile(file) });
        const bySeq = rows.toSorted((a, b) => Number(a["seq"]) - Number(b["seq"]));
        expect(bySeq.length).toBe(rowCount);
        for (const [i, row] of bySeq.entries()) {
          const { ts, seq, ...texts } = wanted(i);
          expect(row).toEqual({
            ...texts,
            ts: BigInt(ts),
            seq: BigInt(seq),
            part: 0n,
            tape_id: 1n,
            outcome: 0n,
          });
        }
      }));

    test("keeps text and what has no value apart, in both formats", () =>
      withStore(async (store, folder) => {
        const markets: ExportOptions = { ...all, table: "markets" };
        const csv = join(folder, "m.csv");
        await writeExport(await openExport(store, markets), "csv", csv);
        const [head = [], first = []] = parseCsv(readFileSync(csv, "utf8"));
        const field = (name: string) => first[head.indexOf(name)];
        expect([field("slug"), field("question"), field("group_id")]).toEqual([odd, "", null]);
        expect([field("tick_size"), field("min_order_size")]).toEqual(["0.0025", "5.000000"]);
        const parquet = join(folder, "m.parquet");
        await writeExport(await openExport(store, markets), "parquet", parquet);
        const [row] = await parquetReadObjects({ file: await asyncBufferFromFile(parquet) });
        expect(row).toMatchObject({ slug: odd, question: "", tick_size: "0.0025" });
        expect(row?.["group_id"] ?? null).toBeNull();
      }));

    test("holds what was asked for: a market, a time, nothing", () =>
      withStore(async (store, folder) => {
        const count = async (more: Partial<ExportOptions>) =>
          writeExport(await openExport(store, { ...all, ...more }), "csv", join(folder, "x.csv"));
        expect(await count({ market: "b" })).toBe(rowCount / 2);
        expect(await count({ market: "0xaa" })).toBe(rowCount / 2);
        expect(await count({ sinceMs: startMs + dayMs })).toBe((rowCount * 2) / 3);
        expect(await count({ sinceMs: startMs + 9 * dayMs })).toBe(0);
        expect(readFileSync(join(folder, "x.csv"), "utf8")).toBe(`${names.join(",")}\r\n`);
        expect(await codeOf(count({ market: "nowhere" }))).toBe("store_bad_value");
        expect(await codeOf(count({ table: "commands", market: "b" }))).toBe("store_bad_value");
        expect(await codeOf(count({ table: "positions", sinceMs: 1 }))).toBe("store_bad_value");
      }));
  });
}
