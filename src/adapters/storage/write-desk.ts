import type { Insertable, Transaction } from "kysely";
import type { Store } from "./store.ts";
import { checkpointMoved } from "./store-error.ts";
import type {
  CommandRow,
  ExecutionAuditRow,
  FillRow,
  NoticeRow,
  OrderRow,
  PositionRow,
  StoreTables,
} from "./tables.ts";

/** What a stretch of the ledger says, as rows. */
export type DeskRows = {
  readonly orders: readonly OrderRow[];
  readonly fills: readonly FillRow[];
  /** All of them, as they are at the end of the stretch. */
  readonly positions: readonly PositionRow[];
  readonly audit: readonly ExecutionAuditRow[];
  readonly commands: readonly CommandRow[];
  readonly notices: readonly NoticeRow[];
};

const rowsOfStatement = 200;
/** The ledger's checkpoint: the newest of its rows that the tables show. */
export const deskCheckpoint = "ledger";

type Keys = {
  readonly orders: "client_oid";
  readonly fills: "fill_id";
  readonly execution_audit: "seq";
  readonly commands: "command_id";
  readonly notices: "notice_id";
};

/** Writes a stretch and moves the checkpoint behind it, in one transaction. @throws StoreError when somebody else moved it */
export async function writeDesk(
  store: Store,
  rows: DeskRows,
  stretch: { readonly from: number; readonly to: number; readonly atMs: number },
): Promise<void> {
  await store.db.transaction().execute(async (work) => {
    const { from, to, atMs } = stretch;
    const moved = await work
      .updateTable("checkpoints")
      .set({ position: to, at_ms: atMs })
      .where("name", "=", deskCheckpoint)
      .where("position", "=", from)
      .executeTakeFirst();
    if (moved.numUpdatedRows !== 1n) {
      throw checkpointMoved("the ledger", from, await deskPosition({ db: work }));
    }
    await upsert(work, "orders", "client_oid", rows.orders);
    await upsert(work, "fills", "fill_id", rows.fills);
    await upsert(work, "execution_audit", "seq", rows.audit);
    await upsert(work, "commands", "command_id", rows.commands);
    await upsert(work, "notices", "notice_id", rows.notices);
    await work.deleteFrom("positions").execute();
    for (const some of pages(rows.positions)) {
      await work.insertInto("positions").values(some).execute();
    }
  });
}

/** Makes the checkpoint when it is missing and says where it stands. */
export async function openDeskPosition(store: Store): Promise<number> {
  await store.db
    .insertInto("checkpoints")
    .values({ name: deskCheckpoint, position: 0, at_ms: 0 })
    .onConflict((clash) => clash.column("name").doNothing())
    .execute();
  return deskPosition(store);
}

async function deskPosition({
  db,
}: {
  readonly db: Pick<Store["db"], "selectFrom">;
}): Promise<number> {
  const row = await db
    .selectFrom("checkpoints")
    .select("position")
    .where("name", "=", deskCheckpoint)
    .executeTakeFirst();
  return row?.position ?? 0;
}

/** Every column of a row that is there already becomes that of the new one. */
async function upsert<T extends keyof Keys>(
  work: Transaction<StoreTables>,
  table: T,
  key: Keys[T],
  rows: readonly Insertable<StoreTables[T]>[],
): Promise<void> {
  const [first] = rows;
  if (first === undefined) return;
  const columns = Object.keys(first).filter((column) => column !== key);
  for (const some of pages(rows)) {
    await work
      .insertInto(table)
      .values(some)
      .onConflict((clash) =>
        clash.column(key as never).doUpdateSet(
          (row) =>
            // The rows' own keys are the columns, so each of them is a column of "excluded".
            Object.fromEntries(
              columns.map((column) => [column, row.ref(`excluded.${column}` as never)]),
            ) as never,
        ),
      )
      .execute();
  }
}

function* pages<T>(rows: readonly T[]): Generator<T[]> {
  for (let at = 0; at < rows.length; at += rowsOfStatement) {
    yield rows.slice(at, at + rowsOfStatement);
  }
}
