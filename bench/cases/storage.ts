import { join } from "node:path";
import { sql } from "kysely";
import type { LoadBatch } from "../../src/adapters/storage/bulk-tables.ts";
import { LevelRows } from "../../src/adapters/storage/level-rows.ts";
import { rowsOfBatchUsual } from "../../src/adapters/storage/load-tape.ts";
import type { Store } from "../../src/adapters/storage/store.ts";
import type { BookEventRow } from "../../src/adapters/storage/tables.ts";
import { openPostgresStore, openSqliteStore } from "../../src/open-store.ts";
import { PostgresServer, postgresBinaries } from "../../test/heavy/postgres.ts";
import { insertManyRows, insertRowByRow } from "../baseline/usual-insert.ts";
import {
  type Aim,
  type BenchCase,
  type BenchContext,
  type CaseResult,
  countText,
  type Row,
  rowsAgainst,
} from "../support/bench-case.ts";
import { demand } from "../support/bench-error.ts";
import { type Contender, type Round, race, type Timing } from "../support/race.ts";
import { scratchFolder } from "../support/scratch-folder.ts";
import { seeded } from "../support/seeded.ts";

/** Rows a second into the book events of each home, with every key and index, beside the usual ways. */
export const storageCase: BenchCase = { name: "storage", run };

const dayMs = 86_400_000;
const firstMs = Date.UTC(2026, 10, 20);
const marketCount = 1_000;
const newDayRows = rowsOfBatchUsual;
const laterRows = 50_000;
const bareRows = 200_000;
const sqliteRows = 100_000;
/** The usual ways are slower by so much that fewer rows say as much. */
const usualRows = 3_000;
/** Where PostgreSQL keeps the day of all rows. */
const dayTable = "book_events_p20261120";
const postgresWanted = 500_000;

type Ingest = {
  readonly rows: readonly Row[];
  readonly ratio: number;
  readonly notes: readonly string[];
};

async function run(context: BenchContext): Promise<CaseResult> {
  await using stack = new AsyncDisposableStack();
  const folder = scratchFolder(stack, "storage");
  let files = 0;
  const sqlite = await ingest(
    context,
    "SQLite",
    100,
    [
      loader(`ours, ${countText(sqliteRows)} rows into an empty file`, sqliteRows, () =>
        Promise.resolve(openSqliteStore(join(folder, `${files++}.db`))),
      ),
    ],
    () => Promise.resolve(openSqliteStore(join(folder, `${files++}.db`))),
  );
  const postgres = await postgresIngest(context, stack);
  return {
    title: `Storage: rows a second into book events, ${marketCount} markets in turn`,
    rows: [...sqlite.rows, ...(postgres?.rows ?? [])],
    notes: [
      ...sqlite.notes,
      ...(postgres?.notes ?? [
        "SKIPPED PostgreSQL: the heavy test parts are not installed (npm test installs them)",
      ]),
    ],
    ratios: {
      sqlite_ingest: sqlite.ratio,
      ...(postgres !== null && { postgres_ingest: postgres.ratio }),
    },
    aims: postgres?.aims ?? [],
  };
}

async function postgresIngest(
  context: BenchContext,
  stack: AsyncDisposableStack,
): Promise<(Ingest & { readonly aims: readonly Aim[] }) | null> {
  if (postgresBinaries() === null) return null;
  const server = stack.use(await PostgresServer.open());
  const options = {
    url: server.url(),
    password: null,
    connectTimeoutMs: 30_000,
    statementTimeoutMs: 600_000,
  };
  /** Nothing is there, the day's table neither. */
  const open = async (): Promise<Store> => {
    const store = await openPostgresStore(options);
    await sql`DROP TABLE IF EXISTS ${sql.table(dayTable)}`.execute(store.db);
    await sql`TRUNCATE checkpoints`.execute(store.db);
    return store;
  };
  const openDay = async (count: number): Promise<Store> => {
    const store = await open();
    await load(store, batchesOf(makeRows(count)));
    return store;
  };
  /** The usual ways make no day. */
  const openEmptyDay = async (): Promise<Store> => {
    const store = await openDay(1);
    await sql`TRUNCATE book_events, checkpoints`.execute(store.db);
    return store;
  };
  const all = await ingest(
    context,
    "PostgreSQL",
    1_000,
    [
      loader(
        `ours, a new day of ${countText(newDayRows)} rows with its key and indexes`,
        newDayRows,
        open,
      ),
      loader(
        `ours, ${countText(laterRows)} more into a day of as many`,
        laterRows,
        () => openDay(laterRows),
        laterRows,
      ),
    ],
    openEmptyDay,
  );
  const bare = await race(
    [loader("a new day without key and indexes", bareRows, openBare(open))],
    { rounds: context.rounds, warmUps: 1 },
    (text) => context.progress(`storage: PostgreSQL ${text}`),
  );
  const perSecond = bare[0]?.perSecond ?? 0;
  const rows = bare.map((timing) => ({ label: `PostgreSQL: ${timing.name}`, timing, ratio: null }));
  return {
    rows: [...all.rows, ...rows],
    ratio: all.ratio,
    notes: all.notes,
    aims: [
      {
        what: `PostgreSQL takes >= ${countText(postgresWanted)} rows/s without keys and indexes`,
        is: countText(perSecond),
        met: perSecond >= postgresWanted,
      },
      {
        what: `PostgreSQL takes >= ${countText(postgresWanted)} rows/s of a new day with every key and index`,
        is: countText(all.perSecond),
        met: all.perSecond >= postgresWanted,
      },
    ],
  };
}

/** The same table as a heap alone: what COPY itself can do. */
function openBare(open: () => Promise<Store>): () => Promise<Store> {
  return async () => {
    const store = await open();
    await sql`ALTER TABLE book_events DROP CONSTRAINT IF EXISTS book_events_pkey`.execute(store.db);
    await sql`DROP INDEX IF EXISTS book_events_market_ts, book_events_market_side_price`.execute(
      store.db,
    );
    return store;
  };
}

/** Our ways, the first of them the one that is compared, beside the usual ones. */
async function ingest(
  context: BenchContext,
  home: string,
  rowsOfStatement: number,
  ours: readonly Contender[],
  open: () => Promise<Store>,
): Promise<Ingest & { readonly perSecond: number }> {
  await demandSame(home, rowsOfStatement, open);
  const timings = await race(
    [
      ...ours,
      contender(
        `query builder, ${rowsOfStatement} rows a statement`,
        usualRows,
        open,
        (store, rows) => insertManyRows(store, rows, rowsOfStatement),
      ),
      contender("query builder, a statement a row", usualRows, open, insertRowByRow),
    ],
    { rounds: context.rounds, warmUps: 1 },
    (text) => context.progress(`storage: ${home} ${text}`),
  );
  const { rows, ratio } = rowsAgainst(home, timings);
  return { rows, ratio, perSecond: timings[0]?.perSecond ?? 0, notes: [noteOf(home, timings)] };
}

function noteOf(home: string, timings: readonly Timing[]): string {
  const [ours, many] = [timings[0], timings.at(-2)].map((timing) => timing?.perSecond);
  return `${home}: ${countText(ours ?? 0)} rows/s, ${((ours ?? 0) / (many ?? 1)).toFixed(1)}x the query builder's many rows a statement`;
}

/** One round fills what `open` made; making that and the rows is not counted. */
function contender(
  name: string,
  count: number,
  open: () => Promise<Store>,
  work: (store: Store, rows: readonly BookEventRow[]) => Promise<void>,
): Contender {
  return {
    name,
    round: async () => {
      const store = await open();
      const rows = makeRows(count);
      return timed(store, count, () => work(store, rows));
    },
  };
}

/** Batches as a loader makes them, behind so many rows that are there. */
function loader(name: string, count: number, open: () => Promise<Store>, from = 0): Contender {
  const batches = batchesOf(makeRows(count), from);
  return {
    name,
    round: async () => {
      const store = await open();
      return timed(store, count, () => load(store, batches));
    },
  };
}

async function timed(store: Store, count: number, work: () => Promise<void>): Promise<Round> {
  const startedAt = performance.now();
  await work();
  const eachNs = ((performance.now() - startedAt) * 1e6) / count;
  await store.close();
  return { samplesNs: Float64Array.of(eachNs), elapsedNs: eachNs };
}

function batchesOf(rows: readonly BookEventRow[], from = 0): readonly LoadBatch[] {
  const collected = new LevelRows();
  const batches: LoadBatch[] = [];
  for (let at = 0; at < rows.length; at += rowsOfBatchUsual) {
    const some = rows.slice(at, at + rowsOfBatchUsual);
    for (const row of some) collected.add({ ...row, seq: row.seq + from });
    batches.push({
      isFollowed: true,
      rows: [collected.take()],
      checkpoint: { name: "bench", from: from + at, to: from + at + some.length, atMs: 0 },
    });
  }
  return batches;
}

/** Over when every row is kept. */
async function load(store: Store, batches: readonly LoadBatch[]): Promise<void> {
  for (const batch of batches) await store.load(batch);
  await store.settle();
}

/** Every way leaves the same rows behind. */
async function demandSame(
  home: string,
  rowsOfStatement: number,
  open: () => Promise<Store>,
): Promise<void> {
  const rows = makeRows(2_500);
  const ways = [
    (store: Store) => load(store, batchesOf(rows)),
    (store: Store) => insertManyRows(store, rows, rowsOfStatement),
    (store: Store) => insertRowByRow(store, rows),
  ];
  for (const way of ways) {
    const store = await open();
    await way(store);
    const found = await store.db.selectFrom("book_events").selectAll().orderBy("seq").execute();
    demand(JSON.stringify(found) === JSON.stringify(rows), `${home}: the rows of every way`);
    await store.close();
  }
}

function makeRows(count: number): readonly BookEventRow[] {
  const draw = seeded(11);
  return Array.from(
    { length: count },
    (_, i): BookEventRow => ({
      market_id: 1 + draw(marketCount),
      ts: firstMs + Math.floor((i / count) * dayMs),
      seq: i + 1,
      part: 0,
      tape_id: 1,
      outcome: 0,
      side: draw(2) === 0 ? 0 : 1,
      price_e4: 10 * (1 + draw(999)),
      size_e6: draw(100_000) * 10_000,
    }),
  );
}
