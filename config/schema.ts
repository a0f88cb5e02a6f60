// Every key that a config file may hold: its unit (in its name), its bounds and its safe default. Unknown keys are refused.
import { z } from "zod";
import {
  choice,
  flag,
  listenAddress,
  listOf,
  oneOf,
  optionalText,
  optionalUrl,
  sharesBetween,
  text,
  url,
  usdBetween,
  whole,
  wholeIn,
  wholeOneOf,
} from "./fields.ts";

const address = /^0x[0-9a-fA-F]{40}$/;
const slug = /^[a-z0-9][a-z0-9-]{0,199}$/;
const conditionId = /^0x[0-9a-f]{62}(?:[0-9a-f]{2})?$/;
const chatUserMax = 2 ** 52; // Telegram: ids have at most 52 significant bits.

const spreadKeys = {
  min_change_ticks: whole(1, 100, 1),
  replace_interval_ms: whole(100, 600_000, 1000),
  max_cancels_per_minute: whole(1, 3000, 60),
  min_quote_lifetime_ms: whole(0, 600_000, 500),
  stale_ms: whole(100, 60_000, 5000),
  min_spread_ticks: whole(1, 1000, 2),
  size: sharesBetween(5, 100_000, 20),
};

const service = z.strictObject({
  name: text(
    /^[a-z0-9][a-z0-9-]{0,31}$/,
    'up to 32 small letters, digits and hyphens, such as "desk"',
    "pitboss",
  ),
  state_dir: text(/^[^\0]{1,400}$/, "a folder, relative to this file or absolute", "./state"),
  log_level: choice(["debug", "info", "warn", "error"], "info"),
  start_halted: flag(false),
  allow_root: flag(false),
  preflight_max_age_hours: whole(1, 168, 24),
  update_mode: choice(["stream", "poll"], "stream"),
  message_max_age_ms: whole(1000, 600_000, 60_000),
  tick_ms: whole(10, 10_000, 200),
  snapshot_wait_ms: whole(100, 30_000, 3000),
  health_interval_ms: whole(100, 600_000, 5000),
  watchdog_interval_ms: whole(100, 60_000, 1000),
  stall_ms: whole(1000, 600_000, 3000),
  crash_loop_crashes: whole(0, 20, 3),
  crash_loop_window_ms: whole(1000, 86_400_000, 300_000),
  spread: z.strictObject(spreadKeys).prefault({}),
});

const market = z.strictObject({
  slug: optionalText(slug, 'the market\'s slug, such as "fed-decision-in-december"'),
  condition_id: optionalText(conditionId, "the market's condition id: 0x and 64 hex digits"),
  strategies: listOf(oneOf(["spread", "dutch", "copy"]), "a list of strategies", 3),
  ...overridable(spreadKeys),
});

const relayer = z.strictObject({
  type: choice(["fake", "real"], "fake"),
  base_url: optionalUrl(["http", "https"]),
  gamma_url: optionalUrl(["http", "https"]),
  data_url: optionalUrl(["http", "https"]),
  ws_url: optionalUrl(["ws", "wss"]),
  geoblock_url: optionalUrl(["http", "https"]),
  rpc_url: optionalUrl(["http", "https"]),
  relayer_url: optionalUrl(["http", "https"]),
  chain_id: wholeOneOf([137, 80_002], 137),
  dry_run: flag(true),
  heartbeat: choice(["auto", "off"], "auto"),
  signature_type: wholeOneOf([0, 1, 2, 3], 0),
  funder: optionalText(address, "the address that holds the money: 0x and 40 hex digits"),
  signer: optionalText(address, "the address of the key that signs: 0x and 40 hex digits"),
  keystore: optionalText(/^[^\0]{1,400}$/, "a file, relative to this file or absolute"),
  keystore_password_file: optionalText(
    /^[^\0]{1,400}$/,
    "a file, relative to this file or absolute",
  ),
});

const venueWaits = z.strictObject({
  time_scale: whole(1, 1000, 1),
  post_timeout_ms: whole(100, 60_000, 5000),
  read_timeout_ms: whole(100, 60_000, 4000),
  connect_timeout_ms: whole(100, 60_000, 3000),
  order_deadline_ms: whole(1000, 120_000, 15_000),
  replace_deadline_ms: whole(1000, 600_000, 30_000),
  quarantine_ms: whole(10_000, 900_000, 90_000),
  quarantine_clean_reads: whole(1, 20, 3),
  query_backoff_ms: listOf(
    wholeIn(50, 60_000, "a whole number from 50 to 60000"),
    "a list of waits in milliseconds, such as [500, 1000, 2000, 5000]",
    10,
  ).default([500, 1000, 2000, 5000]),
  reconcile_interval_ms: whole(1000, 600_000, 15_000),
  settle_alarm_ms: whole(1000, 3_600_000, 60_000),
  access_interval_ms: whole(1000, 3_600_000, 60_000),
  kill_clean_snapshots: whole(1, 20, 3),
  kill_window_ms: whole(1000, 600_000, 60_000),
  ledger_commit_max_ms: whole(50, 60_000, 2000),
  feed_lost_after_ms: whole(500, 120_000, 10_000),
  restart_quiet_ms: whole(1000, 600_000, 30_000),
  post_only_ms: whole(1000, 600_000, 120_000),
  venue_probe_ms: whole(1000, 600_000, 30_000),
  venue_probe_max_ms: whole(1000, 3_600_000, 300_000),
  clock_check_ms: whole(1000, 600_000, 30_000),
  heartbeat_interval_ms: whole(500, 9000, 5000),
  heartbeat_late_ms: whole(500, 9000, 7000),
  feed_ping_ms: whole(500, 60_000, 10_000),
  feed_silence_ms: whole(1000, 600_000, 30_000),
  feed_handshake_ms: whole(500, 60_000, 10_000),
  feed_backoff_first_ms: whole(50, 60_000, 250),
  feed_backoff_longest_ms: whole(250, 600_000, 30_000),
  feed_steady_ms: whole(1000, 600_000, 30_000),
  feed_data_silence_ms: whole(1000, 600_000, 15_000),
  feed_lag_max_ms: whole(500, 600_000, 5000),
  resync_every_ms: whole(50, 60_000, 250),
  resync_longest_ms: whole(250, 600_000, 30_000),
  snapshot_limit_ms: whole(100, 60_000, 2000),
  book_compare_ms: whole(1000, 600_000, 15_000),
  book_compare_round_ms: whole(10_000, 86_400_000, 600_000),
  contract_poll_ms: whole(250, 60_000, 2000),
  contract_resend_ms: whole(10_000, 3_600_000, 600_000),
});

/** What is followed of the public stream, and how closely it is checked. */
const marketData = z.strictObject({
  hash_check_every: whole(1, 1000, 1),
  tokens_per_connection: whole(1, 500, 200),
  max_markets: whole(1, 20_000, 5000),
  double_markets: whole(0, 200, 20),
  resyncs_per_second: whole(1, 1000, 50),
  resyncs_burst: whole(1, 1000, 200),
});

const contracts = z.strictObject({
  max_gas_per_action_usd: usdBetween("0", "1000", "0.50"),
  pol_price_max_usd: usdBetween("0.01", "1000", "2"),
  max_fee_gwei: whole(1, 100_000, 500),
  max_gas_per_call: whole(21_000, 20_000_000, 1_500_000),
  confirmations: whole(1, 500, 12),
  max_resends: whole(0, 50, 5),
});

/** Half of what the venue's lowest tier takes; a higher tier of the venue allows more. */
const venueLimits = z.strictObject({
  orders_per_second: whole(1, 100_000, 20),
  orders_burst: whole(1, 100_000, 30),
  cancels_per_second: whole(1, 100_000, 30),
  cancels_burst: whole(30, 100_000, 45),
  kill_cancels_per_second: whole(1, 100_000, 10),
  kill_cancels_burst: whole(1, 100_000, 15),
});

const risk = z.strictObject({
  max_notional_per_order_usd: usdBetween("0.01", "1000000", "100"),
  max_exposure_per_outcome_usd: usdBetween("0.01", "10000000", "250"),
  max_exposure_per_market_usd: usdBetween("0.01", "10000000", "400"),
  max_exposure_per_event_usd: usdBetween("0.01", "10000000", "600"),
  max_exposure_per_strategy_usd: usdBetween("0.01", "10000000", "600"),
  max_exposure_total_usd: usdBetween("0.01", "10000000", "800"),
  max_daily_loss_usd: usdBetween("0.01", "10000000", "200"),
  max_daily_volume_usd: usdBetween("0.01", "100000000", "5000"),
  price_collar_ticks: whole(0, 1000, 10),
  price_collar_period_cents: whole(1, 99, 20),
  price_collar_period_ms: whole(1000, 600_000, 60_000),
  duplicate_window_ms: whole(0, 60_000, 1500),
  book_max_age_ms: whole(100, 60_000, 5000),
  book_refresh_age_ms: whole(50, 60_000, 2000),
  max_open_orders: whole(1, 2000, 200),
  breaker_rejects_per_minute: whole(1, 10_000, 30),
  repeat_max_executions: whole(1, 10_000, 40),
  repeat_window_ms: whole(1000, 3_600_000, 60_000),
  message_rate_max: whole(1, 100_000, 1000),
  message_rate_window_ms: whole(100, 60_000, 10_000),
  breaker_failures_in_row: whole(1, 1000, 6),
  breaker_slow_ack_ms: whole(50, 60_000, 3000),
  breaker_slow_acks: whole(1, 1000, 5),
  breaker_slow_window_ms: whole(1000, 3_600_000, 60_000),
  breaker_orders_per_minute: whole(1, 100_000, 300),
  clock_warn_ms: whole(100, 60_000, 1000),
  clock_max_ms: whole(100, 60_000, 2000),
});

const dutch = z.strictObject({
  min_profit_usdc: usdBetween("0", "10000", "0.02"),
  safety_margin_usdc: usdBetween("0", "10000", "0.005"),
  fee_bps: whole(0, 10_000, 0),
  slippage_ticks: whole(0, 100, 1),
  allow_other: flag(false),
  min_size: sharesBetween(5, 1_000_000, 5),
  max_size: sharesBetween(5, 1_000_000, 500),
  max_sets: whole(1, 5000, 400),
});

const catalog = z.strictObject({
  page_events: whole(1, 100, 50),
  max_pages: whole(1, 100_000, 4000),
  max_markets: whole(100, 1_000_000, 150_000),
  page_pause_ms: whole(0, 60_000, 250),
  whole_interval_ms: whole(60_000, 86_400_000, 1_800_000),
  newest_interval_ms: whole(1000, 3_600_000, 60_000),
  back_off_first_ms: whole(100, 60_000, 1000),
  back_off_max_ms: whole(1000, 3_600_000, 60_000),
  watched_interval_ms: whole(1000, 3_600_000, 30_000),
  resolution_look_ms: whole(500, 600_000, 5000),
  look_ttl_ms: whole(1000, 86_400_000, 900_000),
  max_watched: whole(10, 5000, 1000),
});

const copy = z.strictObject({
  enabled: flag(false),
  source_wallet: text(
    address,
    "the copied wallet: 0x and 40 hex digits",
    "0x1d0034134e339a309700ff2d34e99fa2d48b0313",
  ),
  copy_mode: choice(["intent_net"], "intent_net"),
  sizing: choice(["capped_proportional"], "capped_proportional"),
  execution_mode: choice(["marketable_limit"], "marketable_limit"),
  coalesce_ms: whole(0, 60_000, 300),
  net_opposite_trades: flag(true),
  near_expiry_cutoff_seconds: whole(0, 86_400, 25),
  max_notional_per_order_usd: usdBetween("0.01", "100000", "25"),
  max_notional_per_market_usd: usdBetween("0.01", "1000000", "150"),
  max_total_notional_per_15m_window_usd: usdBetween("0.01", "1000000", "400"),
  max_daily_volume_usd: usdBetween("0.01", "10000000", "1000"),
  min_order_notional_usd: usdBetween("0.01", "10000", "1"),
});

const telegram = z.strictObject({
  transport: choice(["polling", "webhook"], "polling"),
  api_root: url(["http", "https"], "https://api.telegram.org"),
  webhook_url: optionalUrl(["http", "https"]),
  webhook_listen: listenAddress("127.0.0.1:8081"),
  whitelist: listOf(
    wholeIn(1, chatUserMax, "a Telegram user id (a whole number above 0, never a username)"),
    "a list of Telegram user ids, such as [123456789]",
    100,
  ),
  min_order_usd: usdBetween("0.01", "100000", "1"),
  confirm_ttl_seconds: whole(5, 300, 45),
  default_slippage_ppm: whole(0, 500_000, 20_000),
  resume_wait_ms: whole(0, 600_000, 5000),
  totp_lock_ms: whole(60_000, 86_400_000, 900_000),
  trouble_clear_ms: whole(1000, 3_600_000, 60_000),
});

/** "postgres://user@host:port/database"; a password never stands in it. */
export const databaseUrl =
  /^postgres(ql)?:\/\/(?:[\w.-]{1,63}@)?[^@\s?#:]{1,253}(?::\d{1,5})?\/[\w.-]{1,63}$/;

const storage = z.strictObject({
  kind: choice(["sqlite", "postgres"], "sqlite"),
  url: optionalText(databaseUrl, "postgres://user@host:port/database, without a password"),
  ca_file: optionalText(/^[^\0]{1,400}$/, "a file, relative to this file or absolute"),
  connect_timeout_ms: whole(100, 60_000, 5000),
  statement_timeout_ms: whole(100, 60_000, 5000),
  reconnect_max_ms: whole(100, 600_000, 15_000),
  keep_catalog: flag(true),
  tape_dir: optionalText(/^[^\0]{1,400}$/, "a folder, relative to this file or absolute"),
  snapshot_dir: optionalText(/^[^\0]{1,400}$/, "a folder, relative to this file or absolute"),
  tape_retention_days: whole(1, 3650, 14),
  event_retention_days: whole(1, 3650, 14),
  snapshot_retention_days: whole(1, 3650, 7),
});

const telemetry = z.strictObject({
  metrics_listen: listenAddress("127.0.0.1:9464"),
  metrics_enabled: flag(false),
  log_file: optionalText(/^[^\0]{1,400}$/, "a file, relative to this file or absolute"),
  log_file_max_bytes: whole(100_000, 10_000_000_000, 50_000_000),
  log_files_kept: whole(1, 100, 5),
});

/** The shape of a config file. Comes out with the file's own key names; `loadConfig` turns them into camelCase. */
export const configSchema = z.strictObject({
  service: service.prefault({}),
  market: z.array(market).max(500).default([]),
  relayer: relayer.prefault({}),
  venue_waits: venueWaits.prefault({}),
  market_data: marketData.prefault({}),
  venue_limits: venueLimits.prefault({}),
  contracts: contracts.prefault({}),
  risk: risk.prefault({}),
  dutch: dutch.prefault({}),
  catalog: catalog.prefault({}),
  copy: copy.prefault({}),
  telegram: telegram.prefault({}),
  storage: storage.prefault({}),
  telemetry: telemetry.prefault({}),
});

/** The checked file, keys as written. */
export type ConfigFile = z.output<typeof configSchema>;

type Overridable<T> = {
  [K in keyof T]: T[K] extends z.ZodDefault<infer Inner> ? z.ZodOptional<Inner> : never;
};

/** The same keys without defaults, for a [[market]] that overrides some of them. */
function overridable<T extends Readonly<Record<string, z.ZodDefault<z.ZodType>>>>(
  keys: T,
): Overridable<T> {
  const entries = Object.entries(keys).map(([key, field]) => [key, field.unwrap().optional()]);
  return Object.fromEntries(entries) as Overridable<T>;
}
