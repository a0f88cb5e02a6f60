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

/** Rows of one table of market data without an object for each, which would cost more than the row. */
export type BulkRows = {
  readonly table: TimedTable;
  readonly count: number;
  /** Whole numbers, row after row; what stands behind `count` rows means nothing. */
  readonly numbers: Float64Array;
  /** Texts, row after row: their columns are the last ones. */
  readonly texts: readonly string[];
};

/** Rows that were made one by one. */
export function bulkRows<Table extends TimedTable>(
  table: Table,
  rows: readonly RowOf[Table][],
): BulkRows {
  const values = rows as readonly Readonly<Record<string, unknown>>[];
  const namesOf = (isText: boolean) =>
    bulkColumns[table].filter(([, width]) => (width === "text") === isText).map(([name]) => name);
  const [numbers, texts] = [namesOf(false), namesOf(true)];
  return {
    table,
    count: rows.length,
    numbers: Float64Array.from(values.flatMap((row) => numbers.map((name) => Number(row[name])))),
    texts: values.flatMap((row) => texts.map((name) => String(row[name]))),
  };
}

/** Whole numbers in each row of a table. */
export function numbersOfRow(table: TimedTable): number {
  return bulkColumns[table].filter(([, width]) => width !== "text").length;
}

/**
 * Numbers of the rows in the order of the key, so that neighbours in a batch are neighbours in the indexes: several times
 * faster there. Rows come in the order of their recording, so only the markets have to be brought together.
 */
export function inKeyOrder(rows: BulkRows): Uint32Array {
  const { count, numbers } = rows;
  const step = numbersOfRow(rows.table);
  const places = new Map<number, number>();
  const placeOf = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const market = numbers[i * step + marketColumn] ?? 0;
    let place = places.get(market);
    if (place === undefined) places.set(market, (place = places.size));
    placeOf[i] = place;
  }
  const counts = new Uint32Array(places.size);
  for (const place of placeOf) counts[place] = (counts[place] ?? 0) + 1;
  const next = new Uint32Array(places.size);
  let at = 0;
  for (const [, place] of [...places].toSorted(([a], [b]) => a - b)) {
    next[place] = at;
    at += counts[place] ?? 0;
  }
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const place = placeOf[i] ?? 0;
    order[next[place] ?? 0] = i;
    next[place] = (next[place] ?? 0) + 1;
  }
  return order;
}

/** Row numbers by the UTC day of the rows (days since 1970), in the order given. */
export function byDay(rows: BulkRows, order: Uint32Array): ReadonlyMap<number, Uint32Array> {
  const { numbers } = rows;
  const step = numbersOfRow(rows.table);
  const days = new Set<number>();
  let fromMs = Number.NaN;
  for (let at = tsColumn; at < rows.count * step; at += step) {
    const ts = numbers[at] ?? 0;
    if (ts >= fromMs && ts < fromMs + partMs) continue;
    days.add(Math.floor(ts / partMs));
    fromMs = Math.floor(ts / partMs) * partMs;
  }
  // Nearly every batch is of one day.
  if (days.size === 1) return new Map([...days].map((day) => [day, order]));
  const dayOf = (row: number) => Math.floor((numbers[row * step + tsColumn] ?? 0) / partMs);
  return new Map([...days].map((day) => [day, order.filter((row) => dayOf(row) === day)]));
}

/** What a loader read of one recording since its checkpoint: kept whole or not at all. */
export type LoadBatch = {
  /** The next batch of the recording comes at once: both may be kept together, or neither. */
  readonly isFollowed?: boolean;
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
