import { bulkRows, type LoadBatch } from "../../src/adapters/storage/bulk-tables.ts";
import type { BookEventRow } from "../../src/adapters/storage/tables.ts";

export const crashCheckpoint = "tape crash";
const rowsOfBatch = 2_000;
/** A new day begins in the middle of a batch, and again and again. */
const rowsOfDay = 5_000;
const dayMs = 86_400_000;
/** So many batches follow each other before one is acknowledged. */
const batchesOfCommit = 3;
const minuteMs = 60_000;
const startMs = Date.UTC(2026, 10, 20);

function row(seq: number): BookEventRow {
  return {
    market_id: 1 + (seq % 7),
    ts: startMs + Math.floor(seq / rowsOfDay) * dayMs + (seq % rowsOfDay),
    seq,
    part: 0,
    tape_id: 1,
    outcome: 0,
    side: 0,
    price_e4: 100 + (seq % 9_800),
    size_e6: seq * 1_000_003,
  };
}

/** The batch behind a position: its rows are numbered by it, and one bar counts them. */
export function crashBatch(from: number): LoadBatch {
  const rows = Array.from({ length: rowsOfBatch }, (_, i) => row(from + i + 1));
  const none = { bid_open_e4: null, bid_high_e4: null, bid_low_e4: null, bid_close_e4: null };
  const bar = {
    market_id: 1,
    ts: startMs - (startMs % minuteMs),
    outcome: 0 as const,
    tape_id: 1,
    ...none,
    ask_open_e4: null,
    ask_high_e4: null,
    ask_low_e4: null,
    ask_close_e4: null,
    changes: rowsOfBatch,
    books: 0,
    trades: 0,
  };
  return {
    isFollowed: (from / rowsOfBatch) % batchesOfCommit !== batchesOfCommit - 1,
    rows: [bulkRows("book_events", rows), bulkRows("trades", rows)],
    bars: [bar],
    checkpoint: { name: crashCheckpoint, from, to: from + rowsOfBatch, atMs: 1 },
  };
}
