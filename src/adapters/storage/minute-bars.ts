import type { Price } from "../../engine/domain/numbers.ts";
import { type PriceSpan, widened } from "../../engine/domain/price-span.ts";
import type { MinuteBarRow } from "./tables.ts";

const minuteMs = 60_000;

/** What stays the same for a row: its token and its recording. */
type Key = { readonly marketId: number; readonly outcome: 0 | 1; readonly tapeId: number };

type Bar = Key & {
  readonly ts: number;
  bid: PriceSpan;
  ask: PriceSpan;
  changes: number;
  books: number;
  trades: number;
};

/**
 * One-minute aggregates of what a loader has read since its last batch: best bid and ask as the venue names them, and how
 * much was told. Bars of a minute that two batches share are joined by the store.
 */
export class BarsOfBatch {
  /** By token, then by minute: nearly every event belongs to its token's newest bar. */
  readonly #newest = new Map<number, Bar>();
  #bars: Bar[] = [];
  #byName = new Map<string, Bar>();

  /** The bar of a token at a time in milliseconds since 1970. */
  at({ marketId, outcome }: Omit<Key, "tapeId">, tapeId: number, atMs: number): Bar {
    const ts = atMs - (atMs % minuteMs);
    const token = marketId * 2 + outcome;
    const newest = this.#newest.get(token);
    if (newest?.ts === ts) return newest;
    const name = `${token} ${ts}`;
    let bar = this.#byName.get(name);
    if (bar === undefined) {
      bar = {
        marketId,
        outcome,
        tapeId,
        ts,
        bid: null,
        ask: null,
        changes: 0,
        books: 0,
        trades: 0,
      };
      this.#byName.set(name, bar);
      this.#bars.push(bar);
    }
    this.#newest.set(token, bar);
    return bar;
  }

  /** Every bar as a row; begins anew. */
  take(): readonly MinuteBarRow[] {
    const rows = this.#bars.map(rowOf);
    this.#bars = [];
    this.#byName = new Map();
    this.#newest.clear();
    return rows;
  }
}

/** An empty side is no price. */
export function quoted(bar: Bar, bid: Price | null, ask: Price | null): void {
  bar.bid = widened(bar.bid, bid);
  bar.ask = widened(bar.ask, ask);
}

function rowOf({ marketId, outcome, tapeId, ts, bid, ask, ...counts }: Bar): MinuteBarRow {
  return {
    market_id: marketId,
    ts,
    outcome,
    tape_id: tapeId,
    bid_open_e4: bid?.open ?? null,
    bid_high_e4: bid?.high ?? null,
    bid_low_e4: bid?.low ?? null,
    bid_close_e4: bid?.close ?? null,
    ask_open_e4: ask?.open ?? null,
    ask_high_e4: ask?.high ?? null,
    ask_low_e4: ask?.low ?? null,
    ask_close_e4: ask?.close ?? null,
    ...counts,
  };
}

const columns = [
  "market_id",
  "ts",
  "outcome",
  "tape_id",
  "bid_open_e4",
  "bid_high_e4",
  "bid_low_e4",
  "bid_close_e4",
  "ask_open_e4",
  "ask_high_e4",
  "ask_low_e4",
  "ask_close_e4",
  "changes",
  "books",
  "trades",
] as const satisfies readonly (keyof MinuteBarRow)[];

/** Rows of one statement; SQLite takes at most 32,766 values, PostgreSQL 65,535. */
const rowsOfStatement = 500;

/** Statements that write bars and join them with those that are there, with their values. */
export function* barStatements(
  home: "sqlite" | "postgres",
  bars: readonly MinuteBarRow[],
): Generator<{ readonly text: string; readonly values: (number | null)[] }> {
  for (let at = 0; at < bars.length; at += rowsOfStatement) {
    const some = bars.slice(at, at + rowsOfStatement);
    const values = some.flatMap((bar) => columns.map((column) => bar[column]));
    let next = 0;
    const place = () => (home === "sqlite" ? "?" : `$${++next}::bigint`);
    const rows = some.map(() => `(${columns.map(place).join(", ")})`).join(", ");
    yield {
      text: `INSERT INTO minute_bars (${columns.join(", ")}) VALUES ${rows} ${joined(home)}`,
      values,
    };
  }
}

/** The two functions know no price differently: one is null with it, the other passes over it. */
function joined(home: "sqlite" | "postgres"): string {
  const [most, least] = home === "sqlite" ? ["max", "min"] : ["greatest", "least"];
  const sets = columns.slice(4).map((column) => {
    const [old, fresh] = [`minute_bars.${column}`, `excluded.${column}`];
    if (column.endsWith("_open_e4")) return `${column} = COALESCE(${old}, ${fresh})`;
    if (column.endsWith("_close_e4")) return `${column} = COALESCE(${fresh}, ${old})`;
    if (!column.endsWith("_e4")) return `${column} = ${old} + ${fresh}`;
    const pick = column.includes("_high_") ? most : least;
    return `${column} = COALESCE(${pick}(${old}, ${fresh}), ${old}, ${fresh})`;
  });
  return `ON CONFLICT (market_id, ts, outcome, tape_id) DO UPDATE SET ${sets.join(", ")}`;
}
