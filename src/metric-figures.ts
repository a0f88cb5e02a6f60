import type { Figure, MetricFigures } from "./adapters/telemetry/metrics.ts";
import type { MarketHealthView } from "./engine/api/data-report.ts";
import { priceOne } from "./engine/domain/numbers.ts";
import type { ServiceReport } from "./service-report.ts";

/** Markets with labels of their own; the rest is added up, so that the page does not grow with what is followed. */
export const labelledMarketsMax = 50;
const restLabel = "other";
const dollars = 1_000_000;

type Add = (
  name: string,
  help: string,
  value: number,
  labels?: Readonly<Record<string, string>>,
) => void;

/** The figures of the metrics page; counters count since the start of the run. */
export function metricFigures(report: ServiceReport): MetricFigures {
  const counters: Figure[] = [];
  const gauges: Figure[] = [];
  const into =
    (list: Figure[]): Add =>
    (name, help, value, labels) => {
      list.push({ name, help, value, ...(labels !== undefined && { labels }) });
    };
  const count = into(counters);
  const gauge = into(gauges);
  addMarkets(report.markets, count, gauge);
  for (const [reason, value] of Object.entries(report.resyncs)) {
    count("resync", "Books replaced by a fresh one.", value, { reason });
  }
  gauge("books_live", "Books that may be traded on.", live(report.markets));
  gauge(
    "books_stale",
    "Books that are not believed.",
    report.markets.length - live(report.markets),
  );
  gauge(
    "hashes_trusted",
    "0 while book hashes fail everywhere.",
    Number(report.data.hashesTrusted),
  );
  gauge("orders_open", "Open orders.", report.openOrders);
  gauge(
    "trading_active",
    "1 while new orders are taken without restriction.",
    Number(report.tradingActive),
  );
  const { cancels, killCancels, orders } = report.rates;
  const held = "Requests held back by our limit.";
  count(
    "cancel_rate_limited",
    "Cancels held back by our limit or refused with 429.",
    cancels.heldBack + cancels.refused + killCancels.heldBack + killCancels.refused,
  );
  count("orders_held_back", held, orders.heldBack);
  count("orders_refused_429", "Orders that the venue answered with 429.", orders.refused);
  count("strategy_changes", "Changes of books that strategies listen to.", report.wakeUps.changes);
  count("strategy_wake_ups", "Wake-ups of strategies made of them.", report.wakeUps.wakeUps);
  addFeed(report, count, gauge);
  addCatalog(report, count, gauge);
  addTape(report, count, gauge);
  return { counters, gauges };
}

function live(markets: readonly MarketHealthView[]): number {
  return markets.filter((market) => market.status === "live").length;
}

function addMarkets(markets: readonly MarketHealthView[], count: Add, gauge: Add): void {
  const named = [...markets]
    .sort((a, b) => b.resyncsTotal - a.resyncsTotal || b.applied - a.applied)
    .slice(0, labelledMarketsMax);
  const own = new Set(named);
  const rest = markets.filter((market) => !own.has(market));
  const sum = (pick: (market: MarketHealthView) => number) =>
    rest.reduce((total, market) => total + pick(market), 0);
  const each = (name: string, help: string, pick: (market: MarketHealthView) => number) => {
    for (const market of named) count(name, help, pick(market), { market: market.slug });
    if (rest.length > 0) count(name, help, sum(pick), { market: restLabel });
  };
  each("frames_applied", "Frames applied to the book.", (market) => market.applied);
  each("frames_invalid", "Frames that could not be read.", (market) => market.invalid);
  each("market_resyncs", "Resyncs of the market.", (market) => market.resyncsTotal);
  for (const { slug: market, ageMs, bid, ask, bidDepthUsd, askDepthUsd } of named) {
    if (ageMs !== null)
      gauge("book_age_ms", "Time since the book was known to be right.", ageMs, { market });
    if (bid !== null) gauge("quotes_bid", "Best bid of outcome 0.", bid / priceOne, { market });
    if (ask !== null) gauge("quotes_ask", "Best ask of outcome 0.", ask / priceOne, { market });
    gauge("quotes_bid_depth_usd", "Dollars within 2 cents.", bidDepthUsd / dollars, { market });
    gauge("quotes_ask_depth_usd", "Dollars within 2 cents.", askDepthUsd / dollars, { market });
  }
}

function addFeed({ feed }: ServiceReport, count: Add, gauge: Add): void {
  if (feed === null) return;
  gauge(
    "connections_up",
    "Market connections that are open.",
    feed.connections.filter((one) => one.up).length,
  );
  gauge("connections", "Market connections.", feed.connections.length);
  gauge("markets_doubled", "Markets on two connections.", feed.doubled);
  count(
    "frames_duplicate",
    "Events that the second connection brought after the first.",
    feed.duplicates,
  );
  for (const [reason, value] of Object.entries(feed.losses)) {
    count("connection_losses", "Connections that ended.", value, { reason });
  }
  for (const [reason, value] of Object.entries(feed.refused)) {
    count("frames_refused", "Messages that were not believed.", value, { reason });
  }
  count("snapshots_asked", "Snapshots asked for.", feed.snapshots.asked);
  count("snapshots_throttled", "Requests for snapshots that waited.", feed.snapshots.throttled);
  const refused = "Reads of books that the venue answered with 429.";
  count("book_reads_refused", refused, feed.snapshots.readsRefused);
}

function addTape({ tape, atMs }: ServiceReport, count: Add, gauge: Add): void {
  if (tape === null) return;
  count("tape_rows", "Rows of the tape on the disk.", tape.rows);
  count("tape_frames", "Frames among them.", tape.frames);
  count("tape_bytes", "Bytes of the tape on the disk.", tape.bytes);
  count("tape_segments", "Segments begun.", tape.segments);
  count("tape_gaps", "Places where rows were lost.", tape.gaps);
  count("tape_lost_rows", "Rows that were lost there.", tape.lostRows);
  count("tape_journal_rows", "Rows of the engine's inputs.", tape.journalRows);
  count("tape_books_kept", "Own books written after gaps.", tape.booksKept);
  gauge("tape_waiting_bytes", "Bytes that wait for the disk.", tape.waitingBytes);
  gauge("tape_losing", "1 while rows are lost.", Number(tape.isLosing));
  gauge(
    "tape_failing",
    "1 while the disk refuses or nothing is recorded any more.",
    Number(tape.failing !== null),
  );
  if (tape.writtenAtMs !== null) {
    const help = "Time since the disk took a part of the tape.";
    gauge("tape_write_age_ms", help, Math.max(0, atMs - tape.writtenAtMs));
  }
}

function addCatalog({ catalogKept }: ServiceReport, count: Add, gauge: Add): void {
  if (catalogKept === null) return;
  const { kept, leftOut, failures, contradictions, waiting } = catalogKept;
  count("catalog_kept", "Markets and groups written into the store.", kept);
  count("catalog_left_out", "Markets and groups that were not written.", leftOut);
  count("catalog_contradictions", "Tokens unlike those of their market.", contradictions);
  count("catalog_store_failures", "Failed attempts to write the catalog.", failures);
  gauge("catalog_waiting", "Markets and groups that wait for the store.", waiting);
}
