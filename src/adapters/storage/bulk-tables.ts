import type { TimedTable } from "./schema.ts";
import type { BookEventRow, MinuteBarRow, SnapshotRow, TradeRow } from "./tables.ts";

/** How a column travels in PostgreSQL's binary form: bytes of a whole number, or text. */
export type ColumnWidth = 8 | 2 | "text";

type ColumnsOf<Row> = readonly (readonly [name: keyof Row & string, width: ColumnWidth])[];

const bookEvents: ColumnsOf<BookEventRow> = [
  ["market_id", 8],
  ["ts", 8],
  ["seq", 8],
  ["part", 2],
  ["tape_id", 8],
  ["outcome", 2],
  ["side", 2],
  ["price_e4", 8],
  ["size_e6", 8],
];

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

const trades: ColumnsOf<TradeRow> = [
  ["market_id", 8],
  ["ts", 8],
  ["seq", 8],
  ["part", 2],
  ["tape_id", 8],
  ["outcome", 2],
  ["side", 2],
  ["price_e4", 8],
  ["size_e6", 8],
];

/** Columns of the tables that are filled in bulk, in their order. */
export const bulkColumns: Readonly<
  Record<TimedTable, readonly (readonly [name: string, width: ColumnWidth])[]>
> = { book_events: bookEvents, snapshots, trades };

/** Rows of one table of market data. */
export type BulkRows =
  | { readonly table: "book_events"; readonly rows: readonly BookEventRow[] }
  | { readonly table: "snapshots"; readonly rows: readonly SnapshotRow[] }
  | { readonly table: "trades"; readonly rows: readonly TradeRow[] };

/** In the order of the key, so that neighbours in a batch are neighbours in the indexes: several times faster there. */
export function inKeyOrder(part: BulkRows): readonly object[] {
  type Keyed = { readonly market_id: number; readonly seq: number; readonly part: number };
  const rows: readonly Keyed[] = part.rows;
  return rows.toSorted((a, b) => a.market_id - b.market_id || a.seq - b.seq || a.part - b.part);
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
