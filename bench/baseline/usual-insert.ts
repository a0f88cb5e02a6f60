// How rows usually get into a database: one statement for each, or some hundred in one statement of the query builder.
import type { Store } from "../../src/adapters/storage/store.ts";
import type { BookEventRow } from "../../src/adapters/storage/tables.ts";

/** One statement a row, all in one transaction. */
export async function insertRowByRow(store: Store, rows: readonly BookEventRow[]): Promise<void> {
  await store.db.transaction().execute(async (work) => {
    for (const row of rows) await work.insertInto("book_events").values(row).execute();
  });
}

/** Some rows a statement, all in one transaction. */
export async function insertManyRows(
  store: Store,
  rows: readonly BookEventRow[],
  rowsOfStatement: number,
): Promise<void> {
  await store.db.transaction().execute(async (work) => {
    for (let at = 0; at < rows.length; at += rowsOfStatement) {
      const some = rows.slice(at, at + rowsOfStatement);
      await work.insertInto("book_events").values(some).execute();
    }
  });
}
