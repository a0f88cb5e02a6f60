import { type BulkRows, bulkColumns } from "./bulk-tables.ts";
import type { BookEventRow } from "./tables.ts";

const roomAtFirst = 4_096;

/** Book events that are being collected, column by column. */
export class LevelRows {
  #count = 0;
  #room = roomAtFirst;
  #columns = newColumns(roomAtFirst);

  get count(): number {
    return this.#count;
  }

  add(row: BookEventRow): void {
    if (this.#count === this.#room) this.#grow();
    const at = this.#count++;
    const columns = this.#columns;
    columns.market_id[at] = row.market_id;
    columns.ts[at] = row.ts;
    columns.seq[at] = row.seq;
    columns.part[at] = row.part;
    columns.tape_id[at] = row.tape_id;
    columns.outcome[at] = row.outcome;
    columns.side[at] = row.side;
    columns.price_e4[at] = row.price_e4;
    columns.size_e6[at] = row.size_e6;
  }

  /** Every row; begins anew. */
  take(): BulkRows {
    const rows = {
      table: "book_events",
      count: this.#count,
      columns: inOrder(this.#columns),
    } as const;
    this.#count = 0;
    this.#columns = newColumns(this.#room);
    return rows;
  }

  #grow(): void {
    this.#room *= 2;
    const old = inOrder(this.#columns);
    this.#columns = newColumns(this.#room);
    for (const [i, column] of inOrder(this.#columns).entries()) column.set(old[i] ?? []);
  }
}

function newColumns(room: number) {
  const column = () => new Float64Array(room);
  return {
    market_id: column(),
    ts: column(),
    seq: column(),
    part: column(),
    tape_id: column(),
    outcome: column(),
    side: column(),
    price_e4: column(),
    size_e6: column(),
  } satisfies Record<keyof BookEventRow, Float64Array>;
}

/** In the order of `bulkColumns`. */
function inOrder(columns: ReturnType<typeof newColumns>): readonly Float64Array[] {
  return bulkColumns.book_events.map(([name]) => columns[name as keyof BookEventRow]);
}
