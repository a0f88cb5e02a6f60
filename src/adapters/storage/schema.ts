// The store's schema for each home, version by version.

/** A store's home: files of SQLite, PostgreSQL, or PostgreSQL that has the Timescale extension. */
export type StoreHome = "sqlite" | "postgres" | "timescale";

/** Tables that grow with market data: split by time where the home can. */
export const timedTables = ["book_events", "snapshots", "trades"] as const;
export type TimedTable = (typeof timedTables)[number];

/** One part of a timed table. */
export const partMs = 86_400_000;

type Words = {
  /** Whole number of eight bytes; of two bytes; a key that the database counts up. */
  readonly int: string;
  readonly small: string;
  readonly counted: string;
  readonly end: string;
  readonly timedEnd: string;
};

const words: Readonly<Record<StoreHome, Words>> = {
  sqlite: {
    int: "INTEGER",
    small: "INTEGER",
    counted: "INTEGER PRIMARY KEY",
    end: " STRICT",
    // The key is the table: no second copy of every row.
    timedEnd: " STRICT, WITHOUT ROWID",
  },
  postgres: {
    int: "BIGINT",
    small: "SMALLINT",
    counted: "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    end: "",
    timedEnd: " PARTITION BY RANGE (ts)",
  },
  timescale: {
    int: "BIGINT",
    small: "SMALLINT",
    counted: "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    end: "",
    timedEnd: "",
  },
};

/** One statement list for each version, oldest first. Entries are never changed, only added. */
export function storeMigrations(home: StoreHome): readonly string[] {
  return [versionOne(home), catalogColumns(words[home]), minuteBars(words[home])];
}

function versionOne(home: StoreHome): string {
  return [
    catalogTables(words[home]),
    marketDataTables(words[home]),
    ...(home === "timescale" ? timedTables.map(hypertable) : []),
    orderTables(words[home]),
    deskTables(words[home]),
  ].join("\n");
}

function hypertable(table: TimedTable): string {
  return `SELECT create_hypertable('${table}', 'ts', chunk_time_interval => ${partMs}, create_default_indexes => false);`;
}

function catalogTables({ int, small, counted, end }: Words): string {
  return `CREATE TABLE markets (
  market_id ${counted},
  condition_id TEXT NOT NULL UNIQUE,
  slug TEXT NOT NULL,
  question TEXT NOT NULL,
  group_id TEXT,
  tick_size_e4 ${int} NOT NULL,
  min_order_size_e6 ${int} NOT NULL,
  neg_risk ${small} NOT NULL,
  version TEXT NOT NULL,
  tradable ${small} NOT NULL,
  end_at_ms ${int},
  rule_hash TEXT,
  updated_ms ${int} NOT NULL
)${end};
CREATE TABLE outcomes (
  token_id TEXT NOT NULL PRIMARY KEY,
  market_id ${int} NOT NULL,
  outcome ${small} NOT NULL,
  name TEXT NOT NULL,
  UNIQUE (market_id, outcome)
)${end};
CREATE TABLE market_status (
  market_id ${int} NOT NULL,
  ts ${int} NOT NULL,
  status TEXT NOT NULL,
  detail TEXT NOT NULL,
  PRIMARY KEY (market_id, ts, status)
)${end};
CREATE TABLE tapes (
  tape_id ${counted},
  name TEXT NOT NULL UNIQUE
)${end};
CREATE TABLE checkpoints (
  name TEXT NOT NULL PRIMARY KEY,
  position ${int} NOT NULL,
  at_ms ${int} NOT NULL
)${end};`;
}

// The primary keys begin with (market_id, seq), so they are the index by sequence too; a partitioned table wants its time
// in every key.
function marketDataTables({ int, small, timedEnd }: Words): string {
  return `CREATE TABLE book_events (
  market_id ${int} NOT NULL,
  ts ${int} NOT NULL,
  seq ${int} NOT NULL,
  part ${small} NOT NULL,
  tape_id ${int} NOT NULL,
  outcome ${small} NOT NULL,
  side ${small} NOT NULL,
  price_e4 ${int} NOT NULL,
  size_e6 ${int} NOT NULL,
  PRIMARY KEY (market_id, seq, part, tape_id, ts)
)${timedEnd};
CREATE INDEX book_events_market_ts ON book_events (market_id, ts);
CREATE INDEX book_events_market_side_price ON book_events (market_id, side, price_e4);
CREATE TABLE snapshots (
  market_id ${int} NOT NULL,
  ts ${int} NOT NULL,
  seq ${int} NOT NULL,
  part ${small} NOT NULL,
  tape_id ${int} NOT NULL,
  outcome ${small} NOT NULL,
  tick_size_e4 ${int} NOT NULL,
  hash TEXT NOT NULL,
  bids TEXT NOT NULL,
  asks TEXT NOT NULL,
  PRIMARY KEY (market_id, seq, part, tape_id, ts)
)${timedEnd};
CREATE INDEX snapshots_market_ts ON snapshots (market_id, ts);
CREATE TABLE trades (
  market_id ${int} NOT NULL,
  ts ${int} NOT NULL,
  seq ${int} NOT NULL,
  part ${small} NOT NULL,
  tape_id ${int} NOT NULL,
  outcome ${small} NOT NULL,
  side ${small} NOT NULL,
  price_e4 ${int} NOT NULL,
  size_e6 ${int} NOT NULL,
  PRIMARY KEY (market_id, seq, part, tape_id, ts)
)${timedEnd};
CREATE INDEX trades_market_ts ON trades (market_id, ts);`;
}

function orderTables({ int, small, end }: Words): string {
  return `CREATE TABLE orders (
  client_oid TEXT NOT NULL PRIMARY KEY,
  plan_id TEXT NOT NULL,
  leg ${int} NOT NULL,
  order_hash TEXT NOT NULL,
  market_id ${int} NOT NULL,
  token_id TEXT NOT NULL,
  outcome ${small} NOT NULL,
  side ${small} NOT NULL,
  time_in_force TEXT NOT NULL,
  limit_e4 ${int} NOT NULL,
  size_e6 ${int} NOT NULL,
  spend_e6 ${int},
  strategy TEXT NOT NULL,
  user_id ${int} NOT NULL,
  command_id TEXT NOT NULL,
  status TEXT NOT NULL,
  reason TEXT,
  filled_e6 ${int} NOT NULL,
  filled_usd_e6 ${int} NOT NULL,
  fees_usd_e6 ${int} NOT NULL,
  created_ms ${int} NOT NULL,
  seq ${int} NOT NULL
)${end};
CREATE INDEX orders_market_status ON orders (market_id, status);
CREATE TABLE fills (
  fill_id TEXT NOT NULL PRIMARY KEY,
  trade_id TEXT NOT NULL,
  order_hash TEXT NOT NULL,
  client_oid TEXT,
  market_id ${int} NOT NULL,
  token_id TEXT NOT NULL,
  outcome ${small} NOT NULL,
  side ${small} NOT NULL,
  size_e6 ${int} NOT NULL,
  money_usd_e6 ${int} NOT NULL,
  fee_usd_e6 ${int} NOT NULL,
  is_maker ${small} NOT NULL,
  status TEXT NOT NULL,
  at_ms ${int} NOT NULL,
  seq ${int} NOT NULL
)${end};
CREATE INDEX fills_market_at ON fills (market_id, at_ms);
CREATE TABLE positions (
  token_id TEXT NOT NULL PRIMARY KEY,
  market_id ${int} NOT NULL,
  outcome ${small} NOT NULL,
  confirmed_e6 ${int} NOT NULL,
  provisional_bought_e6 ${int} NOT NULL,
  provisional_sold_e6 ${int} NOT NULL,
  cost_usd_e6 ${int} NOT NULL,
  realized_usd_e6 ${int} NOT NULL,
  seq ${int} NOT NULL
)${end};`;
}

function deskTables({ int, small, end }: Words): string {
  return `CREATE TABLE execution_audit (
  seq ${int} PRIMARY KEY,
  at_ms ${int} NOT NULL,
  kind TEXT NOT NULL,
  plan_id TEXT,
  client_oid TEXT,
  correlation_id TEXT NOT NULL,
  config_hash TEXT NOT NULL,
  code_version TEXT NOT NULL,
  body TEXT NOT NULL
)${end};
CREATE INDEX execution_audit_client_oid ON execution_audit (client_oid, seq);
CREATE TABLE commands (
  command_id TEXT NOT NULL PRIMARY KEY,
  user_id ${int} NOT NULL,
  chat_id ${int} NOT NULL,
  kind TEXT NOT NULL,
  text TEXT NOT NULL,
  sent_ms ${int} NOT NULL,
  received_ms ${int} NOT NULL,
  verdict TEXT,
  reason TEXT,
  answered_ms ${int}
)${end};
CREATE TABLE notices (
  notice_id ${int} PRIMARY KEY,
  at_ms ${int} NOT NULL,
  chat_id ${int},
  kind TEXT NOT NULL,
  body TEXT NOT NULL
)${end};
CREATE TABLE source_events (
  source TEXT NOT NULL,
  event_id TEXT NOT NULL,
  market_id ${int} NOT NULL,
  ts ${int} NOT NULL,
  outcome ${small} NOT NULL,
  side ${small} NOT NULL,
  price_e4 ${int} NOT NULL,
  size_e6 ${int} NOT NULL,
  PRIMARY KEY (source, event_id)
)${end};
CREATE INDEX source_events_market_ts ON source_events (market_id, ts);`;
}

/** Version 2: what the catalog knows of a market beside its name, and the groups. */
function catalogColumns({ int, small, end }: Words): string {
  const columns = [
    `winner ${small}`,
    `fee_rate_e6 ${int}`,
    `taker_delay_ms ${int}`,
    `is_other ${small}`,
    `is_placeholder ${small}`,
    "window_coin TEXT",
    `window_start_ms ${int}`,
    `window_end_ms ${int}`,
    `window_strike_usd_e6 ${int}`,
  ];
  return `${columns.map((column) => `ALTER TABLE markets ADD COLUMN ${column};`).join("\n")}
CREATE INDEX markets_updated ON markets (tradable, updated_ms);
CREATE TABLE market_groups (
  group_id TEXT NOT NULL PRIMARY KEY,
  slug TEXT NOT NULL,
  title TEXT NOT NULL,
  neg_risk ${small} NOT NULL,
  augmented ${small} NOT NULL,
  condition_ids TEXT NOT NULL,
  updated_ms ${int} NOT NULL
)${end};`;
}

/** Version 3: one-minute aggregates, which stay when the market data that they are made of goes. */
function minuteBars({ int, small, end }: Words): string {
  const prices = ["bid", "ask"].flatMap((side) =>
    ["open", "high", "low", "close"].map((name) => `  ${side}_${name}_e4 ${int},\n`),
  );
  return `CREATE TABLE minute_bars (
  market_id ${int} NOT NULL,
  ts ${int} NOT NULL,
  outcome ${small} NOT NULL,
  tape_id ${int} NOT NULL,
${prices.join("")}  changes ${int} NOT NULL,
  books ${int} NOT NULL,
  trades ${int} NOT NULL,
  PRIMARY KEY (market_id, ts, outcome, tape_id)
)${end};`;
}
