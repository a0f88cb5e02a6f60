import { type RawBuilder, sql } from "kysely";
import type { Store } from "./store.ts";
import { StoreError } from "./store-error.ts";
import type { StoreTables } from "./tables.ts";

/** What can be exported: the key that orders its rows, and where its time stands. */
const exported = {
  markets: { key: ["market_id"], time: "updated_ms" },
  outcomes: { key: ["token_id"], time: null },
  market_groups: { key: ["group_id"], time: "updated_ms" },
  market_status: { key: ["market_id", "ts", "status"], time: "ts" },
  book_events: { key: ["market_id", "seq", "part", "tape_id", "ts"], time: "ts" },
  snapshots: { key: ["market_id", "seq", "part", "tape_id", "ts"], time: "ts" },
  trades: { key: ["market_id", "seq", "part", "tape_id", "ts"], time: "ts" },
  minute_bars: { key: ["market_id", "ts", "outcome", "tape_id"], time: "ts" },
  orders: { key: ["client_oid"], time: "created_ms" },
  fills: { key: ["fill_id"], time: "at_ms" },
  positions: { key: ["token_id"], time: null },
  execution_audit: { key: ["seq"], time: "at_ms" },
  commands: { key: ["command_id"], time: "received_ms" },
  notices: { key: ["notice_id"], time: "at_ms" },
  source_events: { key: ["source", "event_id"], time: "ts" },
} as const satisfies Partial<
  Record<keyof StoreTables, { readonly key: readonly string[]; readonly time: string | null }>
>;

export type ExportTable = keyof typeof exported;

export const exportTables = Object.keys(exported) as ExportTable[];

/** Prices, sizes and money as exact decimal text; whole numbers and text as they are. */
export type ExportValue = string | number | null;

export type ExportColumn = { readonly name: string; readonly kind: "text" | "whole" };

export type ExportOptions = {
  readonly table: ExportTable;
  readonly sinceMs: number | null;
  /** A slug or a condition id. */
  readonly market: string | null;
};

export type Export = {
  readonly columns: readonly ExportColumn[];
  /** Pages of rows, each with a value for every column. */
  readonly pages: AsyncIterable<readonly (readonly ExportValue[])[]>;
};

const rowsOfPage = 5_000;

type Raw = Readonly<Record<string, ExportValue>>;
type Reader = { readonly column: ExportColumn; readonly read: (row: Raw) => ExportValue };

/** Opens a table for export, in the order of its key. @throws StoreError when the market or the choice makes no sense */
export async function openExport(store: Store, options: ExportOptions): Promise<Export> {
  const { table, sinceMs } = options;
  const { key, time } = exported[table];
  const found = await store.db.introspection.getTables();
  const names = found.find(({ name }) => name === table)?.columns.map(({ name }) => name) ?? [];
  if (sinceMs !== null && time === null) {
    throw new StoreError("store_bad_value", `${table} has no time: leave --since out`);
  }
  const conditions: RawBuilder<unknown>[] = [];
  if (sinceMs !== null && time !== null) conditions.push(sql`${sql.ref(time)} >= ${sinceMs}`);
  if (options.market !== null) {
    if (!names.includes("market_id")) {
      throw new StoreError("store_bad_value", `${table} names no market: leave --market out`);
    }
    const marketId = await marketNumber(store, options.market);
    conditions.push(sql`${sql.ref("market_id")} = ${marketId}`);
  }
  const conditionIds = names.includes("market_id") ? await conditionIdsOf(store) : new Map();
  const readers = names
    .filter((name) => !(table === "markets" && name === "market_id"))
    .map((name) => readerOf(name, conditionIds));
  return {
    columns: readers.map(({ column }) => column),
    pages: pagesOf(store, table, key, conditions, readers),
  };
}

async function* pagesOf(
  store: Store,
  table: ExportTable,
  key: readonly string[],
  conditions: readonly RawBuilder<unknown>[],
  readers: readonly Reader[],
): AsyncGenerator<readonly (readonly ExportValue[])[], void, void> {
  const keys = sql.join(key.map((name) => sql.ref(name)));
  let behind: RawBuilder<unknown>[] = [];
  for (;;) {
    const where = [...conditions, ...behind];
    const filter = where.length === 0 ? sql`` : sql`WHERE ${sql.join(where, sql` AND `)}`;
    const { rows } =
      await sql<Raw>`SELECT * FROM ${sql.table(table)} ${filter} ORDER BY ${keys} LIMIT ${sql.lit(rowsOfPage)}`.execute(
        store.db,
      );
    if (rows.length > 0) yield rows.map((row) => readers.map(({ read }) => read(row)));
    const last = rows.at(-1);
    if (last === undefined || rows.length < rowsOfPage) return;
    behind = [sql`(${keys}) > (${sql.join(key.map((name) => last[name] ?? null))})`];
  }
}

function readerOf(name: string, conditionIds: ReadonlyMap<number, string>): Reader {
  const text = (as: string, read: (value: ExportValue) => ExportValue): Reader => ({
    column: { name: as, kind: "text" },
    read: (row) => read(row[name] ?? null),
  });
  const unit = /^(.*)_e([46])$/u.exec(name);
  if (unit !== null) return text(unit[1] ?? name, (value) => decimalText(value, Number(unit[2])));
  if (name === "market_id") {
    return text("condition_id", (value) => conditionIds.get(value as number) ?? null);
  }
  if (name === "side") return text("side", (value) => (value === 0 ? "buy" : "sell"));
  const isWhole = wholeNames.test(name);
  return {
    column: { name, kind: isWhole ? "whole" : "text" },
    read: (row) => row[name] ?? null,
  };
}

/** Columns that hold whole numbers; every other one without a unit is text. */
const wholeNames =
  /^(ts|seq|part|tape_id|outcome|changes|books|trades|leg|neg_risk|tradable|winner|augmented|is_[a-z]+|user_id|chat_id|notice_id|.*_ms)$/u;

/** "-0.000001": a whole number of units as a decimal, digit by digit. */
export function decimalText(value: ExportValue, decimals: number): string | null {
  if (value === null) return null;
  const sign = String(value).startsWith("-") ? "-" : "";
  const digits = String(value)
    .replace("-", "")
    .padStart(decimals + 1, "0");
  return `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

async function marketNumber(store: Store, named: string): Promise<number> {
  const rows = await store.db
    .selectFrom("markets")
    .select("market_id")
    .where((is) => is.or([is("slug", "=", named), is("condition_id", "=", named)]))
    .execute();
  const [row] = rows;
  if (row === undefined) {
    throw new StoreError("store_bad_value", `the store knows no market ${named}: load fills it`);
  }
  return row.market_id;
}

async function conditionIdsOf(store: Store): Promise<Map<number, string>> {
  const rows = await store.db.selectFrom("markets").select(["market_id", "condition_id"]).execute();
  return new Map(rows.map((row) => [row.market_id, row.condition_id]));
}
