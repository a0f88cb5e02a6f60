import type { Generated } from "kysely";

// The tables beside the ledger, as the query layer knows them. Units stand in the names: e4 is 1/10,000 of a dollar, e6
// a millionth of a dollar or of a share; _ms and ts are milliseconds since 1970. Flags are 0 and 1 in both homes.

/** 0 buy (or bid), 1 sell (or ask). */
export type SideCode = 0 | 1;

export type MarketRow = {
  /** Given by this store, in the order of arrival; the venue's id is the condition id. */
  market_id: Generated<number>;
  condition_id: string;
  slug: string;
  question: string;
  group_id: string | null;
  tick_size_e4: number;
  min_order_size_e6: number;
  neg_risk: 0 | 1;
  version: string;
  tradable: 0 | 1;
  end_at_ms: number | null;
  /** SHA-256 of what decides how it pays; null until the catalog told it. */
  rule_hash: string | null;
  /** When the catalog saw it last; 0 for a market that nobody has described yet. */
  updated_ms: number;
  winner: 0 | 1 | null;
  fee_rate_e6: number | null;
  taker_delay_ms: number | null;
  is_other: 0 | 1 | null;
  is_placeholder: 0 | 1 | null;
  /** The four of an up/down window; null for every other market, the strike also until it is known. */
  window_coin: string | null;
  window_start_ms: number | null;
  window_end_ms: number | null;
  window_strike_usd_e6: number | null;
};

/** Markets of which exactly one wins. `condition_ids` is a JSON array of every declared one, tradable or not. */
export type MarketGroupRow = {
  group_id: string;
  slug: string;
  title: string;
  neg_risk: 0 | 1;
  augmented: 0 | 1;
  condition_ids: string;
  updated_ms: number;
};

/** Which token a market's outcome 0 or 1 is: as the catalog says, else in the order in which they were first seen. */
export type OutcomeRow = {
  token_id: string;
  market_id: number;
  outcome: 0 | 1;
  name: string;
};

/**
 * A moment of a market's life. From the catalog: "open", "closed", "resolved" (detail: the token that won), "rules" (detail:
 * the hashes before and after, as JSON), "tick_size". Recordings add "resolved" and "tick_size" at the venue's own time.
 */
export type MarketStatusRow = {
  market_id: number;
  ts: number;
  status: string;
  detail: string;
};

/** One recording that rows were loaded from; its number tells equal sequence numbers of two recordings apart. */
export type TapeRow = { tape_id: Generated<number>; name: string };

/** New total of one level. `part` counts what one frame says, here and in the two tables below. */
export type BookEventRow = {
  market_id: number;
  ts: number;
  seq: number;
  part: number;
  tape_id: number;
  outcome: 0 | 1;
  side: SideCode;
  price_e4: number;
  size_e6: number;
};

/** A whole book as the venue sent it; levels are JSON arrays of [price_e4, size_e6], best first. */
export type SnapshotRow = {
  market_id: number;
  ts: number;
  seq: number;
  part: number;
  tape_id: number;
  outcome: 0 | 1;
  tick_size_e4: number;
  hash: string;
  bids: string;
  asks: string;
};

/** Somebody's trade as the market channel printed it. */
export type TradeRow = {
  market_id: number;
  ts: number;
  seq: number;
  part: number;
  tape_id: number;
  outcome: 0 | 1;
  side: SideCode;
  price_e4: number;
  size_e6: number;
};

/**
 * A minute of one token in one recording: the best prices that the venue named (null for a side without any), and how many
 * changes, whole books and trades it told. Stays when the rows that it was made of are pruned.
 */
export type MinuteBarRow = {
  market_id: number;
  ts: number;
  outcome: 0 | 1;
  tape_id: number;
  bid_open_e4: number | null;
  bid_high_e4: number | null;
  bid_low_e4: number | null;
  bid_close_e4: number | null;
  ask_open_e4: number | null;
  ask_high_e4: number | null;
  ask_low_e4: number | null;
  ask_close_e4: number | null;
  changes: number;
  books: number;
  trades: number;
};

export type OrderRow = {
  client_oid: string;
  plan_id: string;
  leg: number;
  order_hash: string;
  market_id: number;
  token_id: string;
  outcome: 0 | 1;
  side: SideCode;
  time_in_force: string;
  limit_e4: number;
  size_e6: number;
  spend_e6: number | null;
  strategy: string;
  user_id: number;
  command_id: string;
  status: string;
  reason: string | null;
  filled_e6: number;
  filled_usd_e6: number;
  fees_usd_e6: number;
  created_ms: number;
  /** Row of the ledger that changed it last. */
  seq: number;
};

export type FillRow = {
  fill_id: string;
  trade_id: string;
  order_hash: string;
  client_oid: string | null;
  market_id: number;
  token_id: string;
  outcome: 0 | 1;
  side: SideCode;
  size_e6: number;
  money_usd_e6: number;
  fee_usd_e6: number;
  is_maker: 0 | 1;
  status: string;
  at_ms: number;
  seq: number;
};

export type PositionRow = {
  token_id: string;
  market_id: number;
  outcome: 0 | 1;
  confirmed_e6: number;
  provisional_bought_e6: number;
  provisional_sold_e6: number;
  cost_usd_e6: number;
  realized_usd_e6: number;
  seq: number;
};

/** One fact of the order path with what it was about: who, which version, which settings. */
export type ExecutionAuditRow = {
  seq: number;
  at_ms: number;
  kind: string;
  plan_id: string | null;
  client_oid: string | null;
  correlation_id: string;
  config_hash: string;
  code_version: string;
  body: string;
};

export type CommandRow = {
  command_id: string;
  user_id: number;
  chat_id: number;
  kind: string;
  text: string;
  sent_ms: number;
  received_ms: number;
  verdict: string | null;
  reason: string | null;
  answered_ms: number | null;
};

export type NoticeRow = {
  notice_id: number;
  at_ms: number;
  chat_id: number | null;
  kind: string;
  body: string;
};

/** A fill of a wallet that is followed. */
export type SourceEventRow = {
  source: string;
  event_id: string;
  market_id: number;
  ts: number;
  outcome: 0 | 1;
  side: SideCode;
  price_e4: number;
  size_e6: number;
};

/** How far a loader or projector got, written in one transaction with its rows. */
export type CheckpointRow = { name: string; position: number; at_ms: number };

/** Every table of the store. */
export type StoreTables = {
  markets: MarketRow;
  outcomes: OutcomeRow;
  market_groups: MarketGroupRow;
  market_status: MarketStatusRow;
  tapes: TapeRow;
  book_events: BookEventRow;
  snapshots: SnapshotRow;
  trades: TradeRow;
  minute_bars: MinuteBarRow;
  orders: OrderRow;
  fills: FillRow;
  positions: PositionRow;
  execution_audit: ExecutionAuditRow;
  commands: CommandRow;
  notices: NoticeRow;
  source_events: SourceEventRow;
  checkpoints: CheckpointRow;
};
