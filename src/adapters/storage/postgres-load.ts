import type { PoolClient } from "pg";
import { type BulkRows, bulkColumns, byDay, inKeyOrder, type LoadBatch } from "./bulk-tables.ts";
import { CopyRows, copyChunks } from "./copy-rows.ts";
import { attachDay, type Day, dayName, makeDay, missingDays } from "./day-tables.ts";
import { barStatements } from "./minute-bars.ts";
import { checkpointMoved } from "./store-error.ts";

const uniqueViolation = "23505";

/** Rows of one table and day; their numbers stand in the order in which they are written. */
type Stretch = Day & { readonly rows: BulkRows; readonly order: Uint32Array };

/**
 * One transaction with batches that follow each other in one recording. Days that it makes stay tables without indexes
 * until the last of their rows is there. Whatever fails in it, its connection must be ended, which takes everything back.
 */
export class PostgresLoad {
  readonly client: PoolClient;
  readonly #isSplit: boolean;
  readonly #name: string;
  #to: number;
  /** Days that were there, or are this transaction's, since its first batch. */
  readonly #days = new Set<string>();
  #fresh: readonly Day[] = [];
  #rows = 0;

  private constructor(client: PoolClient, home: "postgres" | "timescale", batch: LoadBatch) {
    this.client = client;
    this.#isSplit = home === "postgres";
    this.#name = batch.checkpoint.name;
    this.#to = batch.checkpoint.from;
  }

  /** Begins a transaction with a batch. @throws StoreError when the checkpoint is elsewhere */
  static async begin(
    client: PoolClient,
    home: "postgres" | "timescale",
    batch: LoadBatch,
  ): Promise<PostgresLoad> {
    const { name, from, atMs } = batch.checkpoint;
    await client.query("BEGIN");
    // What is acknowledged stays when the server dies; once for so many rows that costs next to nothing.
    await client.query(
      "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') <> 'remote_apply'",
    );
    await client.query(
      "INSERT INTO checkpoints (name, position, at_ms) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING",
      [name, atMs],
    );
    const found = await client.query<{ position: number }>(
      "SELECT position FROM checkpoints WHERE name = $1 FOR UPDATE",
      [name],
    );
    const position = found.rows[0]?.position ?? 0;
    if (position !== from) throw checkpointMoved(name, from, position);
    const load = new PostgresLoad(client, home, batch);
    const stretches = stretchesOf(batch);
    if (load.#isSplit) load.#fresh = await missingDays(client, stretches);
    for (const stretch of stretches) load.#days.add(dayName(stretch));
    for (const day of load.#fresh) await makeDay(client, day);
    await load.#write(batch, stretches);
    return load;
  }

  /** True when it makes days that a following batch may fill further. */
  get makesDays(): boolean {
    return this.#fresh.length > 0;
  }

  /** Rows written so far. */
  get rows(): number {
    return this.#rows;
  }

  /** Adds the batch; false when it does not belong into this transaction: another recording, or a day that is not its own. */
  async add(batch: LoadBatch): Promise<boolean> {
    const { name, from } = batch.checkpoint;
    if (name !== this.#name || from !== this.#to) return false;
    const stretches = stretchesOf(batch);
    // Days are asked for once in a transaction: two loaders that asked again could wait for each other.
    if (!stretches.every((stretch) => this.#days.has(dayName(stretch)))) return false;
    await this.#write(batch, stretches);
    return true;
  }

  /** Everything is kept, on the disk, when this resolves. */
  async commit(): Promise<void> {
    for (const day of this.#fresh) await this.#attach(day);
    await this.client.query("COMMIT");
  }

  async #write(batch: LoadBatch, stretches: readonly Stretch[]): Promise<void> {
    const fresh = new Set(this.#fresh.map(dayName));
    for (const stretch of stretches) {
      const name = dayName(stretch);
      this.#rows += stretch.order.length;
      // Nobody else ever sees these rows half written, so they need no marks of who may see them.
      if (fresh.has(name)) await copyInto(this.client, name, stretch, ", FREEZE");
      else await copy(this.client, stretch);
    }
    for (const { text, values } of barStatements("postgres", batch.bars ?? [])) {
      await this.client.query(text, values);
    }
    const { name, to, atMs } = batch.checkpoint;
    await this.client.query("UPDATE checkpoints SET position = $2, at_ms = $3 WHERE name = $1", [
      name,
      to,
      atMs,
    ]);
    this.#to = to;
  }

  /** The key of a day is built here: rows that came twice are found only now, and the first of them stays. */
  async #attach(day: Day): Promise<void> {
    const { client } = this;
    await client.query("SAVEPOINT attaching");
    try {
      await attachDay(client, day);
    } catch (error) {
      if ((error as { code?: string }).code !== uniqueViolation) throw error;
      await client.query("ROLLBACK TO SAVEPOINT attaching");
      const staged = `staged_${dayName(day)}`;
      await client.query(`ALTER TABLE ${dayName(day)} RENAME TO ${staged}`);
      await makeDay(client, day);
      await attachDay(client, day);
      await moveStaged(client, day.table, staged);
    }
  }
}

function stretchesOf(batch: LoadBatch): readonly Stretch[] {
  return batch.rows.flatMap((rows) =>
    [...byDay(rows, inKeyOrder(rows))].map(([day, order]) => ({
      table: rows.table,
      day,
      rows,
      order,
    })),
  );
}

/** Straight into the table; when some rows are there already, by way of a table of this transaction. */
async function copy(client: PoolClient, stretch: Stretch): Promise<void> {
  const { table } = stretch;
  await client.query("SAVEPOINT straight");
  try {
    await copyInto(client, table, stretch, "");
    await client.query("RELEASE SAVEPOINT straight");
  } catch (error) {
    if ((error as { code?: string }).code !== uniqueViolation) throw error;
    await client.query("ROLLBACK TO SAVEPOINT straight");
    const staged = `staged_${table}`;
    await client.query(`CREATE TEMP TABLE ${staged} (LIKE ${table}) ON COMMIT DROP`);
    await copyInto(client, staged, stretch, "");
    await moveStaged(client, table, staged);
  }
}

async function moveStaged(client: PoolClient, table: Day["table"], staged: string): Promise<void> {
  const columns = columnsOf(table);
  await client.query(
    `INSERT INTO ${table} (${columns}) SELECT ${columns} FROM ${staged} ON CONFLICT DO NOTHING`,
  );
  await client.query(`DROP TABLE ${staged}`);
}

async function copyInto(
  client: PoolClient,
  into: string,
  { table, rows, order }: Stretch,
  more: "" | ", FREEZE",
): Promise<void> {
  const statement = new CopyRows(
    `COPY ${into} (${columnsOf(table)}) FROM STDIN (FORMAT binary${more})`,
    copyChunks(rows, order),
  );
  client.query(statement);
  await statement.done;
}

function columnsOf(table: Day["table"]): string {
  return bulkColumns[table].map(([name]) => name).join(", ");
}
