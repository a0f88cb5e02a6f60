import type { Kysely } from "kysely";
import type { LoadBatch } from "./bulk-tables.ts";
import type { StoreHome } from "./schema.ts";
import type { StoreTables } from "./tables.ts";

/** The tables beside the ledger in either home: queries through one layer, market data in bulk. */
export type Store = {
  readonly home: StoreHome;
  /** "store.db" or the database, for people. */
  readonly place: string;
  readonly db: Kysely<StoreTables>;
  /**
   * Writes a batch and moves its checkpoint in one transaction; rows that are there already stay as they are. One at a
   * time. A batch that is followed may stay open until the next one, or until `settle`. @throws StoreError
   */
  load(batch: LoadBatch): Promise<void>;
  /** Keeps what is still open. @throws StoreError */
  settle(): Promise<void>;
  /** What is still open is not kept. */
  close(): Promise<void>;
};
