/** One row of the ledger: a fact, already encoded. */
export type LogRecord = {
  readonly seq: number;
  readonly atMs: number;
  readonly kind: string;
  /** Groups the facts of one step; equal for all rows of a step. */
  readonly stepId: number;
  readonly correlationId: string;
  /** JSON text of the fact. */
  readonly body: string;
};

/** The ledger's storage. Rows become durable in order and in whole batches; there is one writer. */
export type DurableLog = {
  /** Resolves when the rows are on the disk; rejects with LogError when they are not (the gate closes first). */
  append(records: readonly LogRecord[]): Promise<void>;
  /** All rows from `seq` on, in order, in pages. Used once, at the start. */
  read(fromSeq: number, limit: number): Promise<readonly LogRecord[]>;
  lastSeq(): Promise<number>;
  close(): Promise<void>;
};
