import { partMs, type TimedTable } from "./schema.ts";
import type { BookEventRow, MinuteBarRow, SnapshotRow, TradeRow } from "./tables.ts";

/** How a column travels in PostgreSQL's binary form: bytes of a whole number, or text. */
export type ColumnWidth = 8 | 2 | "text";

export type BulkColumns = readonly (readonly [name: string, width: ColumnWidth])[];

type RowOf = {
  readonly book_events: BookEventRow;
  readonly snapshots: SnapshotRow;
  readonly trades: TradeRow;
};

type ColumnsOf<Row> = readonly (readonly [name: keyof Row & string, width: ColumnWidth])[];

const levelColumns = [
  ["market_id", 8],
  ["ts", 8],
  ["seq", 8],
  ["part", 2],
  ["tape_id", 8],
  ["outcome", 2],
  ["side", 2],
  ["price_e4", 8],
  ["size_e6", 8],
] as const satisfies ColumnsOf<BookEventRow> & ColumnsOf<TradeRow>;

const snapshots: ColumnsOf<SnapshotRow> = [
  ["market_id", 8],
  ["ts", 8],
  ["seq", 8],
  ["part", 2],
  ["tape_id", 8],
  ["outcome", 2],
  ["tick_size_e4", 8],
  ["hash", "text"],
  ["bids", "text"],
  ["asks", "text"],
];

/** Columns of the tables that are filled in bulk, in their order; each begins with the market and the time. */
export const bulkColumns: Readonly<Record<TimedTable, BulkColumns>> = {
  book_events: levelColumns,
  snapshots,
  trades: levelColumns,
};

const marketColumn = 0;
const tsColumn = 1;

/** Rows of one table of market data, column by column: an object for each row costs more than the row. */
export type BulkRows = {
  readonly table: TimedTable;
  readonly count: number;
  /** As `bulkColumns` has them; values behind `count` mean nothing. */
  readonly columns: readonly (Float64Array | readonly string[])[];
};

/** Rows that were made one by one. */
export function bulkRows<Table extends TimedTable>(
  table: Table,
  rows: readonly RowOf[Table][],
): BulkRows {
  const values = rows as readonly Readonly<Record<string, unknown>>[];
  const columns = bulkColumns[table].map(([name, width]) =>
    width === "text"
      ? values.map((row) => String(row[name]))
      : Float64Array.from(values, (row) => Number(row[name])),
  );
  return { table, count: rows.length, columns };
}

/**
 * Numbers of the rows in the order of the key, so that neighbours in a batch are neighbours in the indexes: several times
 * faster there. Rows come in the order of their recording, so only the markets have to be brought together.
 */
export function inKeyOrder(rows: BulkRows): Uint32Array {
  const markets = rows.columns[marketColumn] as Float64Array;
  const counts = new Map<number, number>();
  for (let i = 0; i < rows.count; i++) {
    const market = markets[i] ?? 0;
    counts.set(market, (counts.get(market) ?? 0) + 1);
  }
  const nextOf = new Map<number, number>();
  let next = 0;
  for (const market of [...counts.keys()].toSorted((a, b) => a - b)) {
    nextOf.set(market, next);
    next += counts.get(market) ?? 0;
  }
  const order = new Uint32Array(rows.count);
  for (let i = 0; i < rows.count; i++) {
    const market = markets[i] ?? 0;
    const at = nextOf.get(market) ?? 0;
    order[at] = i;
    nextOf.set(market, at + 1);
  }
  return order;
}

/** Row numbers by the UTC day of the rows (days since 1970), in the order given. */
export function byDay(rows: BulkRows, order: Uint32Array): ReadonlyMap<number, Uint32Array> {
  const times = rows.columns[tsColumn] as Float64Array;
  const dayOf = (i: number) => Math.floor((times[i] ?? 0) / partMs);
  const counts = new Map<number, number>();
  for (const i of order) {
    const day = dayOf(i);
    counts.set(day, (counts.get(day) ?? 0) + 1);
  }
  // One day is by far the most frequent.
  if (counts.size === 1) return new Map([...counts.keys()].map((day) => [day, order]));
  const days = new Map<number, { readonly rows: Uint32Array; count: number }>();
  for (const [day, count] of counts) days.set(day, { rows: new Uint32Array(count), count: 0 });
  for (const i of order) {
    const day = days.get(dayOf(i));
    if (day !== undefined) day.rows[day.count++] = i;
  }
  return new Map([...days].map(([day, { rows: numbers }]) => [day, numbers]));
}

/** What a loader read of one recording since its checkpoint: kept whole or not at all. */
export type LoadBatch = {
  readonly rows: readonly BulkRows[];
  /** Joined with the bars of these minutes that are there. */
  readonly bars?: readonly MinuteBarRow[];
  readonly checkpoint: {
    readonly name: string;
    /** Where the loader believes the checkpoint to be; somebody who moved it meanwhile makes the load fail. */
    readonly from: number;
    readonly to: number;
    readonly atMs: number;
  };
};
