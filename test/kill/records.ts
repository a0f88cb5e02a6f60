// What the two sides wrote down, read from their own files: the service's ledger and the paper venue's tables.
import { join } from "node:path";
import Database from "better-sqlite3";
import { decodeRecord } from "../../src/adapters/paper-venue/exchange/records.ts";
import { applyFact } from "../../src/engine/state/apply-fact.ts";
import { createState, type EngineState } from "../../src/engine/state/engine-state.ts";
import type { Fact } from "../../src/engine/state/fact.ts";

type LedgerRow = { readonly seq: number; readonly at_ms: number; readonly body: string };

/** The ledger as far as it was read: its state, folded by the service's own code, and its facts in order. */
export class LedgerRecord {
  readonly state: EngineState = createState();
  readonly facts: { readonly atMs: number; readonly fact: Fact }[] = [];
  readonly #file: string;

  constructor(stateDir: string) {
    this.#file = join(stateDir, "ledger.db");
  }

  /**
   * Reads the rows that are new. The file is opened for each reading only, so that no connection of ours stands beside
   * the service's recovery. Throws when rows that were there before are gone.
   */
  read(): void {
    const rows = readOnly(this.#file, (database) => {
      const last = database.prepare("SELECT max(seq) FROM ledger").pluck().get() as number | null;
      if ((last ?? 0) < this.facts.length) {
        throw new Error(`the ledger ends at row ${last}, it had ${this.facts.length} rows before`);
      }
      return database
        .prepare<[number], LedgerRow>(
          "SELECT seq, at_ms, body FROM ledger WHERE seq > ? ORDER BY seq",
        )
        .all(this.facts.length);
    });
    for (const row of rows) {
      const fact = JSON.parse(row.body) as Fact;
      applyFact(this.state, fact, row.at_ms);
      this.facts.push({ atMs: row.at_ms, fact });
    }
  }
}

type FactOf<K extends Fact["kind"]> = Extract<Fact, { readonly kind: K }>;

/** The facts of one kind, in order. */
export function factsOf<K extends Fact["kind"]>(
  facts: LedgerRecord["facts"],
  kind: K,
): { readonly atMs: number; readonly fact: FactOf<K> }[] {
  return facts.flatMap(({ atMs, fact }) =>
    fact.kind === kind ? [{ atMs, fact: fact as FactOf<K> }] : [],
  );
}

/** One of our orders as the venue has it; amounts in millionths. */
export type VenueOrder = {
  readonly id: string;
  readonly tokenId: string;
  readonly status: string;
  readonly matched: bigint;
};

type VenueMaker = {
  readonly account: string | null;
  readonly orderId: string;
  readonly matched: bigint;
};
type VenueTrade = {
  readonly id: string;
  readonly account: string | null;
  readonly takerOrderId: string;
  readonly size: bigint;
  readonly status: string;
  readonly makers: readonly VenueMaker[];
};

/** Our part of one trade. */
export type VenueFill = {
  readonly tradeId: string;
  readonly orderId: string;
  readonly size: bigint;
  readonly status: string;
};

export type VenueRecord = {
  readonly orders: readonly VenueOrder[];
  readonly fills: readonly VenueFill[];
  /** Micro-dollars. */
  readonly cash: bigint;
  /** Micro-shares by token, those with none left out. */
  readonly shares: ReadonlyMap<string, bigint>;
};

/** Everything that the venue holds; a desk's venue has one account. */
export function readVenue(stateDir: string): VenueRecord {
  type Record = { readonly record: string };
  return readOnly(join(stateDir, "venue", "venue.db"), (database) => {
    const orders = database.prepare<[], Record>("SELECT record FROM orders ORDER BY rowid").all();
    const trades = database.prepare<[], Record>("SELECT record FROM trades ORDER BY seq").all();
    const cash = database.prepare("SELECT cash FROM accounts").pluck().get() as string | undefined;
    const held = database
      .prepare<[], { token: string; size: string }>("SELECT token, size FROM positions")
      .all();
    const shares = held.map(({ token, size }) => [token, BigInt(size)] as const);
    return {
      orders: orders.map(({ record }) => decodeRecord<VenueOrder>(record)),
      fills: trades.flatMap(({ record }) => fillsOf(decodeRecord<VenueTrade>(record))),
      cash: BigInt(cash ?? 0),
      shares: new Map(shares.filter(([, size]) => size !== 0n)),
    };
  });
}

function fillsOf(trade: VenueTrade): VenueFill[] {
  const { id: tradeId, status } = trade;
  const asTaker =
    trade.account === null
      ? []
      : [{ tradeId, orderId: trade.takerOrderId, size: trade.size, status }];
  const asMaker = trade.makers.flatMap(({ account, orderId, matched }) =>
    account === null ? [] : [{ tradeId, orderId, size: matched, status }],
  );
  return [...asTaker, ...asMaker];
}

function readOnly<T>(file: string, work: (database: Database.Database) => T): T {
  const database = new Database(file, { readonly: true, fileMustExist: true });
  try {
    // One moment of the file for all that is read.
    return database.transaction(() => work(database))();
  } finally {
    database.close();
  }
}
