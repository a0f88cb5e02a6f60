import Database from "better-sqlite3";
import type { Account } from "./account.ts";
import type { ActivityRow, ApiKey, OrderRecord, OutcomeIndex, TradeRecord } from "./records.ts";
import { decodeRecord, encodeRecord, isOpen } from "./records.ts";
import type { RelayRecord } from "./relays.ts";

/** Everything that one action changed, written in one transaction before anybody is answered. */
export type Changes = {
  readonly accounts: ReadonlySet<Account>;
  readonly funders: readonly { readonly address: string; readonly account: string }[];
  readonly keys: readonly ApiKey[];
  readonly orders: ReadonlySet<OrderRecord>;
  readonly trades: ReadonlySet<TradeRecord>;
  readonly activity: readonly ActivityRow[];
  readonly resolutions: readonly { readonly conditionId: string; readonly winner: OutcomeIndex }[];
  readonly relays: readonly RelayRecord[];
};

export type TradeFilter = {
  readonly id?: string;
  readonly makerAddress?: string;
  readonly market?: string;
  readonly assetId?: string;
  readonly afterS?: number;
  readonly beforeS?: number;
};

const SCHEMA = `
CREATE TABLE IF NOT EXISTS accounts (address TEXT PRIMARY KEY, cash TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS positions (account TEXT NOT NULL, token TEXT NOT NULL, size TEXT NOT NULL,
  PRIMARY KEY (account, token)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS funders (address TEXT PRIMARY KEY, account TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS api_keys (key TEXT PRIMARY KEY, secret TEXT NOT NULL, passphrase TEXT NOT NULL,
  account TEXT NOT NULL, nonce TEXT NOT NULL, UNIQUE (account, nonce)) STRICT;
CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, account TEXT NOT NULL, open INTEGER NOT NULL,
  created_ms INTEGER NOT NULL, record TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS orders_open ON orders (open) WHERE open = 1;
CREATE TABLE IF NOT EXISTS trades (id TEXT PRIMARY KEY, seq INTEGER NOT NULL, settled INTEGER NOT NULL,
  market TEXT NOT NULL, match_s INTEGER NOT NULL, record TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS trades_open ON trades (settled) WHERE settled = 0;
CREATE TABLE IF NOT EXISTS trade_parties (account TEXT NOT NULL, trade TEXT NOT NULL, token TEXT NOT NULL,
  maker_address TEXT NOT NULL, PRIMARY KEY (account, trade, token, maker_address)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS activity (seq INTEGER PRIMARY KEY, account TEXT NOT NULL, record TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS activity_account ON activity (account, seq);
CREATE TABLE IF NOT EXISTS relays (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS resolutions (condition_id TEXT PRIMARY KEY, winner INTEGER NOT NULL) STRICT;
`;

type RecordRow = { readonly record: string };

/** The venue's durable account state: SQLite in WAL mode, so a killed process loses nothing it answered. */
export class Store {
  readonly #db: Database.Database;
  readonly #write: (changes: Changes) => void;
  readonly #statements = new Map<string, Database.Statement>();

  constructor(path: string) {
    this.#db = new Database(path);
    this.#db.pragma("journal_mode = WAL");
    // NORMAL survives a killed process; only a power cut could lose the last transactions of a paper account.
    this.#db.pragma("synchronous = NORMAL");
    this.#db.exec(SCHEMA);
    this.#write = this.#db.transaction((changes: Changes) => this.#writeAll(changes));
  }

  commit(changes: Changes): void {
    this.#write(changes);
  }

  close(): void {
    this.#db.close();
  }

  accounts(): { readonly address: string; readonly cash: bigint }[] {
    const rows = this.#db.prepare<[], { address: string; cash: string }>("SELECT * FROM accounts");
    return rows.all().map((row) => ({ address: row.address, cash: BigInt(row.cash) }));
  }

  positions(): { readonly account: string; readonly token: string; readonly size: bigint }[] {
    type Row = { account: string; token: string; size: string };
    const rows = this.#db.prepare<[], Row>("SELECT * FROM positions").all();
    return rows.map((row) => ({ ...row, size: BigInt(row.size) }));
  }

  funders(): { readonly address: string; readonly account: string }[] {
    type Row = { address: string; account: string };
    return this.#db.prepare<[], Row>("SELECT * FROM funders").all();
  }

  apiKeys(): ApiKey[] {
    return this.#db.prepare<[], ApiKey>("SELECT * FROM api_keys").all();
  }

  openOrders(): OrderRecord[] {
    const sql = "SELECT record FROM orders WHERE open = 1 ORDER BY rowid";
    const rows = this.#db.prepare<[], RecordRow>(sql).all();
    return rows.map((row) => decodeRecord<OrderRecord>(row.record));
  }

  order(id: string): OrderRecord | null {
    const sql = "SELECT record FROM orders WHERE id = ?";
    const row = this.#db.prepare<[string], RecordRow>(sql).get(id);
    return row === undefined ? null : decodeRecord<OrderRecord>(row.record);
  }

  unsettledTrades(): TradeRecord[] {
    const sql = "SELECT record FROM trades WHERE settled = 0 ORDER BY seq";
    const rows = this.#db.prepare<[], RecordRow>(sql).all();
    return rows.map((row) => decodeRecord<TradeRecord>(row.record));
  }

  /** An account's trades, newest first. */
  trades(account: string, filter: TradeFilter, offset: number, limit: number): TradeRecord[] {
    const where = ["p.account = @account"];
    if (filter.id !== undefined) where.push("t.id = @id");
    if (filter.market !== undefined) where.push("t.market = @market");
    if (filter.assetId !== undefined) where.push("p.token = @assetId");
    if (filter.makerAddress !== undefined) where.push("p.maker_address = @makerAddress");
    if (filter.afterS !== undefined) where.push("t.match_s > @afterS");
    if (filter.beforeS !== undefined) where.push("t.match_s < @beforeS");
    const sql = `SELECT DISTINCT t.record AS record, t.seq FROM trade_parties p JOIN trades t ON t.id = p.trade
      WHERE ${where.join(" AND ")} ORDER BY t.seq DESC LIMIT @limit OFFSET @offset`;
    const rows = this.#db.prepare<[Record<string, unknown>], RecordRow>(sql);
    const params = { ...filter, account, limit, offset };
    return rows.all(params).map((row) => decodeRecord<TradeRecord>(row.record));
  }

  activity(account: string, limit: number): ActivityRow[] {
    const sql = "SELECT record FROM activity WHERE account = ? ORDER BY seq DESC LIMIT ?";
    const rows = this.#db.prepare<[string, number], RecordRow>(sql).all(account, limit);
    return rows.map((row) => decodeRecord<ActivityRow>(row.record));
  }

  resolutions(): { readonly conditionId: string; readonly winner: OutcomeIndex }[] {
    type Row = { conditionId: string; winner: OutcomeIndex };
    const sql = "SELECT condition_id AS conditionId, winner FROM resolutions";
    return this.#db.prepare<[], Row>(sql).all();
  }

  /** Oldest first: their number is the next nonce of their wallet. */
  relays(): RelayRecord[] {
    const rows = this.#db.prepare<[], RecordRow>("SELECT record FROM relays ORDER BY rowid").all();
    return rows.map((row) => decodeRecord<RelayRecord>(row.record));
  }

  /** The highest sequence number used so far in trades and activity. */
  lastSeq(): number {
    type Row = { seq: number };
    const sql = `SELECT max(ifnull((SELECT max(seq) FROM trades), 0),
      ifnull((SELECT max(seq) FROM activity), 0)) AS seq`;
    return this.#db.prepare<[], Row>(sql).get()?.seq ?? 0;
  }

  #writeAll(changes: Changes): void {
    for (const account of changes.accounts) this.#writeAccount(account);
    for (const { address, account } of changes.funders) {
      this.#run("INSERT OR IGNORE INTO funders VALUES (?, ?)", address, account);
    }
    for (const key of changes.keys) {
      const { secret, passphrase, account, nonce } = key;
      const sql = "INSERT INTO api_keys VALUES (?, ?, ?, ?, ?)";
      this.#run(sql, key.key, secret, passphrase, account, nonce);
    }
    for (const order of changes.orders) {
      const sql = `INSERT INTO orders VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET open = excluded.open, record = excluded.record`;
      const open = isOpen(order) ? 1 : 0;
      this.#run(sql, order.id, order.account, open, order.createdAtMs, encodeRecord(order));
    }
    for (const trade of changes.trades) this.#writeTrade(trade);
    for (const row of changes.activity) {
      this.#run("INSERT INTO activity VALUES (?, ?, ?)", row.seq, row.account, encodeRecord(row));
    }
    for (const relay of changes.relays) {
      this.#run("INSERT INTO relays VALUES (?, ?)", relay.id, encodeRecord(relay));
    }
    for (const { conditionId, winner } of changes.resolutions) {
      this.#run("INSERT OR REPLACE INTO resolutions VALUES (?, ?)", conditionId, winner);
    }
  }

  #writeAccount(account: Account): void {
    const sql =
      "INSERT INTO accounts VALUES (?, ?) ON CONFLICT (address) DO UPDATE SET cash = excluded.cash";
    this.#run(sql, account.address, account.cash.toString());
    for (const token of account.takeChangedTokens()) {
      const size = account.shares(token);
      const upsert = `INSERT INTO positions VALUES (?, ?, ?)
        ON CONFLICT (account, token) DO UPDATE SET size = excluded.size`;
      this.#run(upsert, account.address, token, size.toString());
    }
  }

  #writeTrade(trade: TradeRecord): void {
    const sql = `INSERT INTO trades VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET settled = excluded.settled, record = excluded.record`;
    const settled = trade.nextAtMs === null ? 1 : 0;
    const matchS = Math.floor(trade.matchTimeMs / 1000);
    this.#run(sql, trade.id, trade.seq, settled, trade.conditionId, matchS, encodeRecord(trade));
    // Parties never change, so they are written with the first status only.
    if (trade.status !== "MATCHED") return;
    const party = "INSERT OR IGNORE INTO trade_parties VALUES (?, ?, ?, ?)";
    if (trade.account !== null) {
      this.#run(party, trade.account, trade.id, trade.tokenId, trade.makerAddress);
    }
    for (const maker of trade.makers) {
      if (maker.account === null) continue;
      this.#run(party, maker.account, trade.id, maker.tokenId, maker.makerAddress);
    }
  }

  #run(sql: string, ...values: readonly (string | number)[]): void {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    statement.run(...values);
  }
}
