import { parseMarketFrame } from "../adapters/polymarket/parse-market-frame.ts";
import { rowKind } from "../adapters/tape/block-builder.ts";
import type { BlockView } from "../adapters/tape/block-view.ts";
import { changeFlag } from "../adapters/tape/delta-layout.ts";
import type { BlockMarket } from "../adapters/tape/market-table.ts";
import type { MarketEvent } from "../engine/domain/market-event.ts";
import { formatPrice, type Price, priceOne } from "../engine/domain/numbers.ts";
import { type PriceSpan, widened } from "../engine/domain/price-span.ts";

type Bar = {
  readonly minuteMs: number;
  readonly conditionId: string;
  readonly tokenId: string;
  bid: PriceSpan;
  ask: PriceSpan;
  changes: number;
  books: number;
  trades: number;
};

const minuteMs = 60_000;
const columns = [
  "minute_utc",
  "condition_id",
  "token_id",
  ...["bid", "ask"].flatMap((side) =>
    ["open", "high", "low", "close"].map((name) => `${side}_${name}`),
  ),
  "changes",
  "books",
  "trades",
];

/** The first line of a file of bars. */
export const barsHeading = `${columns.join(",")}\n`;

/**
 * Best bid and ask of each token in each minute, and how much was told about it, from the rows of a tape: what the venue
 * itself names as best prices, so no book has to be known.
 */
export class MinuteBars {
  readonly #bars = new Map<string, Bar>();
  readonly #write: (line: string) => void;
  count = 0;

  /** `write` gets each bar as a line of CSV once its minute is over. */
  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  block(view: BlockView): void {
    const cursor = view.cursor();
    while (cursor.row < view.head.rows) {
      if (view.rowKinds[cursor.row] !== rowKind.delta) {
        const row = view.next(cursor);
        if (row.kind !== "frame") continue;
        for (const event of parseMarketFrame(row.text).events) this.#event(event, row.atMs);
        continue;
      }
      const market = view.markets[view.deltaMarkets[cursor.delta] ?? 0];
      const from = cursor.change;
      view.skipDelta(cursor);
      if (market === undefined) continue;
      for (let i = from; i < cursor.change; i++) {
        const flags = view.flags[i] ?? 0;
        const [bid, ask] = [view.bestBids[i] ?? 0, view.bestAsks[i] ?? 0];
        const token = flags & changeFlag.token1;
        this.#change(market, token, { bid, ask, atMs: cursor.atMs });
        if ((flags & changeFlag.mirrored) === 0) continue;
        const mirror = { bid: priceOne - ask, ask: priceOne - bid, atMs: cursor.atMs };
        this.#change(market, token ^ changeFlag.token1, mirror);
      }
    }
  }

  #change(
    { conditionId, tokenIds }: BlockMarket,
    token: number,
    change: { readonly bid: number; readonly ask: number; readonly atMs: number },
  ): void {
    const bar = this.#bar(conditionId, tokenIds[token] ?? "", change.atMs);
    bar.changes++;
    best(bar, bestOf(change.bid), bestOf(change.ask));
  }

  /** Writes the bars that are still open. */
  end(): void {
    for (const bar of this.#bars.values()) this.#close(bar);
    this.#bars.clear();
  }

  #event(event: MarketEvent, atMs: number): void {
    if (event.kind === "book.delta") {
      for (const change of event.changes) {
        const bar = this.#bar(event.conditionId, change.tokenId, atMs);
        bar.changes++;
        best(bar, change.bestBid ?? null, change.bestAsk ?? null);
      }
      return;
    }
    if (!("tokenId" in event)) return;
    const bar = this.#bar(event.conditionId, event.tokenId, atMs);
    if (event.kind === "book.snapshot") {
      bar.books++;
      const prices = (levels: readonly { readonly price: Price }[]) =>
        levels.map(({ price }) => price);
      const [bids, asks] = [prices(event.bids), prices(event.asks)];
      best(
        bar,
        bids.length === 0 ? null : (Math.max(...bids) as Price),
        asks.length === 0 ? null : (Math.min(...asks) as Price),
      );
    } else if (event.kind === "trade.printed") bar.trades++;
    else if (event.kind === "quote.printed") best(bar, event.bestBid, event.bestAsk);
  }

  /** The bar of this moment; one of an earlier minute is over. A clock that went back stays in the newer minute. */
  #bar(conditionId: string, tokenId: string, atMs: number): Bar {
    const startMs = atMs - (atMs % minuteMs);
    const known = this.#bars.get(tokenId);
    if (known !== undefined && known.minuteMs >= startMs) return known;
    if (known !== undefined) this.#close(known);
    const none = { bid: null, ask: null, changes: 0, books: 0, trades: 0 };
    const bar: Bar = { minuteMs: startMs, conditionId, tokenId, ...none };
    this.#bars.set(tokenId, bar);
    return bar;
  }

  #close({ minuteMs: startMs, conditionId, tokenId, ...bar }: Bar): void {
    this.count++;
    const span = (one: PriceSpan) =>
      one === null ? ["", "", "", ""] : [one.open, one.high, one.low, one.close].map(formatPrice);
    const cells = [
      new Date(startMs).toISOString(),
      conditionId,
      tokenId,
      ...span(bar.bid),
      ...span(bar.ask),
      bar.changes,
      bar.books,
      bar.trades,
    ];
    this.#write(`${cells.join(",")}\n`);
  }
}

/** An empty side is no price. */
function bestOf(at: number): Price | null {
  return at === 0 || at === priceOne ? null : (at as Price);
}

function best(bar: Bar, bid: Price | null, ask: Price | null): void {
  bar.bid = widened(bar.bid, bid);
  bar.ask = widened(bar.ask, ask);
}
