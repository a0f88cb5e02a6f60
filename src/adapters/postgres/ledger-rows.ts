import { crc32 } from "node:zlib";
import type { Client } from "pg";
import type { LogRecord } from "../../engine/ports/durable-log.ts";
import { LogError } from "../../engine/ports/log-error.ts";

/** The newest row: what the next one continues. */
export type LedgerTip = { readonly seq: number; readonly chain: number };

type Row = {
  readonly seq: number;
  readonly at_ms: number;
  readonly step_id: number;
  readonly kind: string;
  readonly correlation_id: string;
  readonly body: string;
  readonly chain: number;
};

/** Rows as columns, as one statement takes them, and the tip that they make. */
export type EncodedRows = {
  readonly columns: readonly (readonly (string | number)[])[];
  readonly tip: LedgerTip;
};

/** @throws LogError when the rows do not continue the tip */
export function encodeRows(rows: readonly LogRecord[], tip: LedgerTip): EncodedRows {
  let { seq, chain } = tip;
  const chains = rows.map((row) => {
    if (row.seq !== seq + 1) {
      throw new LogError(
        "ledger_sequence",
        `row ${row.seq} follows row ${seq}: a row is missing or repeated`,
      );
    }
    seq = row.seq;
    chain = chainOf(row, chain);
    return chain;
  });
  const columns = [
    rows.map((row) => row.seq),
    rows.map((row) => row.atMs),
    rows.map((row) => row.stepId),
    rows.map((row) => row.kind),
    rows.map((row) => row.correlationId),
    rows.map((row) => row.body),
    chains,
  ];
  return { columns, tip: { seq, chain } };
}

/**
 * One statement that is its own transaction: durable when it is answered. Writes nothing unless the newest row is the
 * one we wrote last and the lease is still ours. Returns whether it wrote.
 */
export async function insertRows(
  client: Client,
  { columns }: EncodedRows,
  before: LedgerTip,
  lease: { readonly name: string; readonly epoch: number },
): Promise<boolean> {
  const { rowCount } = await client.query({
    name: "ledger_append",
    text: `INSERT INTO ledger (seq, at_ms, step_id, kind, correlation_id, body, chain)
      SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::bigint[])
       WHERE COALESCE((SELECT seq FROM ledger ORDER BY seq DESC LIMIT 1), 0) = $8::bigint
         AND COALESCE((SELECT chain FROM ledger ORDER BY seq DESC LIMIT 1), 0) = $9::bigint
         AND (SELECT epoch FROM lease WHERE name = $10) = $11::bigint`,
    values: [...columns, before.seq, before.chain, lease.name, lease.epoch],
  });
  return rowCount === columns[0]?.length;
}

export async function readTip(client: Client): Promise<LedgerTip> {
  const { rows } = await client.query<LedgerTip>(
    "SELECT seq, chain FROM ledger ORDER BY seq DESC LIMIT 1",
  );
  return rows[0] ?? { seq: 0, chain: 0 };
}

/** Rows from `fromSeq` on, at most `limit`; throws LogError when a row is missing or is not what was written. */
export async function readRows(
  client: Client,
  fromSeq: number,
  limit: number,
): Promise<LogRecord[]> {
  const start = Math.max(1, fromSeq);
  // The row before the page carries the checksum that the page continues.
  const { rows } = await client.query<Row>(
    "SELECT * FROM ledger WHERE seq >= $1 ORDER BY seq LIMIT $2",
    [start - 1, limit + 1],
  );
  const before = rows[0]?.seq === start - 1 ? rows.shift() : undefined;
  if (rows.length > limit) rows.length = limit;
  let chain = before?.chain ?? 0;
  return rows.map((row, i) => {
    const record = recordOf(row);
    chain = chainOf(record, chain);
    if (row.chain !== chain) {
      throw new LogError(
        "ledger_corrupt",
        `ledger row ${start + i} is missing or is not what was written: restore the database from a backup`,
      );
    }
    return record;
  });
}

function recordOf(row: Row): LogRecord {
  return {
    seq: row.seq,
    atMs: row.at_ms,
    stepId: row.step_id,
    kind: row.kind,
    correlationId: row.correlation_id,
    body: row.body,
  };
}

/** The same checksum as in the SQLite file, so that a ledger can move from one home to the other as it is. */
function chainOf(row: LogRecord, before: number): number {
  const head = `${row.seq}|${row.atMs}|${row.stepId}|${row.kind}|${row.correlationId}|`;
  return crc32(row.body, crc32(head, before));
}
