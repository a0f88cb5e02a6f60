import { Kysely, PostgresDialect } from "kysely";
import type { Pool } from "pg";
import type { LoadBatch } from "./bulk-tables.ts";
import { PostgresLoad } from "./postgres-load.ts";
import type { Store } from "./store.ts";
import { StoreError } from "./store-error.ts";
import type { StoreTables } from "./tables.ts";

/** A day that is larger is kept in parts: what comes behind so many rows finds a table with indexes. */
const rowsOfTransactionMax = 20_000_000;

/** The store in a database whose schema is the newest. The pool is closed with it. */
export function postgresStore(
  pool: Pool,
  place: string,
  home: "postgres" | "timescale",
  rowsMax = rowsOfTransactionMax,
): Store {
  const loads = new Loads(pool, place, { home, rowsMax });
  return {
    home,
    place,
    db: new Kysely<StoreTables>({ dialect: new PostgresDialect({ pool }) }),
    load: (batch) => loads.load(batch),
    settle: () => loads.settle(),
    close: async () => {
      loads.abandon();
      await pool.end();
    },
  };
}

/** Batches one after another; a transaction stays open for the batches that are to follow. */
class Loads {
  readonly #pool: Pool;
  readonly #place: string;
  readonly #options: { readonly home: "postgres" | "timescale"; readonly rowsMax: number };
  #open: PostgresLoad | null = null;

  constructor(
    pool: Pool,
    place: string,
    options: { readonly home: "postgres" | "timescale"; readonly rowsMax: number },
  ) {
    this.#pool = pool;
    this.#place = place;
    this.#options = options;
  }

  async load(batch: LoadBatch): Promise<void> {
    if (!(await this.#added(batch))) {
      await this.settle();
      await this.#begin(batch);
    }
    // Only the indexes of a new day gain by waiting for more of its rows.
    const open = this.#open;
    const mayStay = open?.makesDays === true && open.rows < this.#options.rowsMax;
    if (batch.isFollowed !== true || !mayStay) await this.settle();
  }

  async settle(): Promise<void> {
    const open = this.#open;
    if (open === null) return;
    await this.#guarded(open, () => open.commit());
    this.#open = null;
    open.client.release();
  }

  /** What is open is taken back. */
  abandon(): void {
    this.#open?.client.release(true);
    this.#open = null;
  }

  async #added(batch: LoadBatch): Promise<boolean> {
    const open = this.#open;
    return open !== null && (await this.#guarded(open, () => open.add(batch)));
  }

  async #begin(batch: LoadBatch): Promise<void> {
    const client = await this.#pool.connect();
    this.#open = await this.#guarded({ client }, () =>
      PostgresLoad.begin(client, this.#options.home, batch),
    );
  }

  /** A connection in doubt is not given to the next one; with it the server takes everything back. */
  async #guarded<T>({ client }: Pick<PostgresLoad, "client">, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.#open = null;
      client.release(true);
      if (error instanceof StoreError) throw error;
      const message = error instanceof Error ? error.message : String(error);
      throw new StoreError("store_failed", `${this.#place}: ${message}`, error);
    }
  }
}
