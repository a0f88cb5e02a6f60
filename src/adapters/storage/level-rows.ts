import { type BulkRows, numbersOfRow } from "./bulk-tables.ts";
import type { BookEventRow } from "./tables.ts";

const roomAtFirst = 4_096;
const table = "book_events";
const step = numbersOfRow(table);

/** Book events that are being collected. */
export class LevelRows {
  #count = 0;
  #numbers = new Float64Array(roomAtFirst * step);

  get count(): number {
    return this.#count;
  }

  add(row: BookEventRow): void {
    let at = this.#count * step;
    if (at === this.#numbers.length) this.#grow();
    const numbers = this.#numbers;
    // In the order of `bulkColumns`.
    numbers[at++] = row.market_id;
    numbers[at++] = row.ts;
    numbers[at++] = row.seq;
    numbers[at++] = row.part;
    numbers[at++] = row.tape_id;
    numbers[at++] = row.outcome;
    numbers[at++] = row.side;
    numbers[at++] = row.price_e4;
    numbers[at] = row.size_e6;
    this.#count++;
  }

  /** Every row; begins anew. */
  take(): BulkRows {
    const rows = { table, count: this.#count, numbers: this.#numbers, texts: [] } as const;
    this.#count = 0;
    this.#numbers = new Float64Array(this.#numbers.length);
    return rows;
  }

  #grow(): void {
    const more = new Float64Array(2 * this.#numbers.length);
    more.set(this.#numbers);
    this.#numbers = more;
  }
}
