import type { BackgroundBook, Exchange, Level, MarketSpec, Side } from "../types.ts";
import { formatScaled, mirrorPrice, parseScaled } from "./decimal.ts";
import { moveBook } from "./recorded-book.ts";
import type { TapeBook, TapeChange, TapeEvent } from "./tape-frames.ts";
import { onOutcome0 } from "./tape-markets.ts";

type Change = { readonly side: Side; readonly price: string; readonly size: string };

function opposite(side: Side): Side {
  return side === "BUY" ? "SELL" : "BUY";
}

/** One market of a playing tape: what the recorded venue's book holds now, seen on outcome 0. */
export class TapeMarket {
  private readonly exchange: Exchange;
  private readonly spec: MarketSpec;
  private readonly bids = new Map<string, string>();
  private readonly asks = new Map<string, string>();
  private lastTradePrice = "";
  private bookAtMs: number;
  /** Changes that came while a script held the market; made good at its first change afterwards. */
  private behind = false;

  constructor(exchange: Exchange, spec: MarketSpec, book: BackgroundBook, bookAtMs: number) {
    this.exchange = exchange;
    this.spec = spec;
    this.bookAtMs = bookAtMs;
    this.load(book);
  }

  /** Plays the events of one frame for this market. */
  play(events: readonly TapeEvent[]): void {
    const changes = new Map<string, Change>();
    for (const event of events) {
      if (event.kind === "change") {
        // Both tokens' entries say the same; the later one wins.
        const change = this.onOutcome0(event);
        changes.set(`${change.side} ${change.price}`, change);
      }
    }
    const { held } = this;
    if (this.behind && !held) {
      this.behind = false;
      this.exchange.replaceBackground(this.spec.conditionId, this.book());
    }
    for (const change of changes.values()) this.change(change, held);
    for (const event of events) this.playOne(event, held);
    if (held) this.behind = true;
  }

  /** Moves the background by whole ticks until the tape says otherwise. */
  move(ticks: number): void {
    const tick = this.exchange.market(this.spec.conditionId)?.tickSize ?? this.spec.tickSize;
    this.load(moveBook(this.book(), BigInt(ticks) * parseScaled(tick, 6)));
    this.exchange.replaceBackground(this.spec.conditionId, this.book());
  }

  private get held(): boolean {
    return this.exchange.market(this.spec.conditionId)?.held ?? true;
  }

  private playOne(event: TapeEvent, held: boolean): void {
    switch (event.kind) {
      case "book":
        this.replace(event, held);
        break;
      case "trade":
        if (!held) this.trade(event);
        break;
      case "tick":
        if (!held) this.exchange.changeTickSize(this.spec.conditionId, event.tickSize);
        break;
      case "resolved":
        this.exchange.resolve(
          this.spec.conditionId,
          event.winningAssetId === this.spec.outcomes[0].tokenId ? 0 : 1,
        );
        break;
      case "change":
        break;
    }
  }

  private replace(event: TapeBook, held: boolean): void {
    const atMs = event.recorded.timestampMs ?? this.bookAtMs;
    const mirrored = event.recorded.assetId !== this.spec.outcomes[0].tokenId;
    // The other token's book repeats ours; only a newer one says something.
    if (mirrored && atMs <= this.bookAtMs) return;
    this.bookAtMs = atMs;
    this.load(onOutcome0(this.spec, event));
    if (!held) this.exchange.replaceBackground(this.spec.conditionId, this.book());
  }

  private change({ side, price, size }: Change, held: boolean): void {
    const own = side === "BUY" ? this.bids : this.asks;
    if (size === "0") own.delete(price);
    else own.set(price, size);
    if (held) return;
    this.exchange.setBackgroundLevel(this.spec.conditionId, side, price, size);
  }

  /**
   * The tape tells of a trade after the change of the level it took. The traded size is put back for a moment and
   * taken by the crowd, so that own orders take part and the trade is published; then the levels are restated.
   */
  private trade(event: Extract<TapeEvent, { kind: "trade" }>): void {
    const { side, price, size } = this.onOutcome0(event);
    const { conditionId } = this.spec;
    const book = side === "BUY" ? this.asks : this.bids;
    const rest = book.get(price) ?? "0";
    const before = formatScaled(parseScaled(rest, 6) + parseScaled(size, 6), 6);
    const makers = opposite(side);
    if (this.crossesTape(makers, price)) return;
    this.exchange.setBackgroundLevel(conditionId, makers, price, before);
    this.exchange.crowdTrade(conditionId, side, price, size);
    for (const [level, total] of book)
      if (this.within(side, level, price))
        this.exchange.setBackgroundLevel(conditionId, makers, level, total);
    if (!book.has(price)) this.exchange.setBackgroundLevel(conditionId, makers, price, "0");
  }

  private within(takerSide: Side, level: string, limit: string): boolean {
    return takerSide === "BUY" ? Number(level) <= Number(limit) : Number(level) >= Number(limit);
  }

  /** Whether the recorded book itself would cross at this price (frames of one action arrive one by one). */
  private crossesTape(side: Side, price: string): boolean {
    return side === "BUY"
      ? [...this.asks.keys()].some((ask) => Number(ask) <= Number(price))
      : [...this.bids.keys()].some((bid) => Number(bid) >= Number(price));
  }

  private onOutcome0(event: TapeChange | Extract<TapeEvent, { kind: "trade" }>): Change {
    const { side, price, size } = event;
    return event.assetId === this.spec.outcomes[0].tokenId
      ? { side, price, size }
      : { side: opposite(side), price: mirrorPrice(price), size };
  }

  private load(book: BackgroundBook): void {
    this.bids.clear();
    this.asks.clear();
    for (const { price, size } of book.bids) this.bids.set(price, size);
    for (const { price, size } of book.asks) this.asks.set(price, size);
    if (book.lastTradePrice !== "") this.lastTradePrice = book.lastTradePrice;
  }

  private book(): BackgroundBook {
    const levels = (ladder: ReadonlyMap<string, string>): Level[] =>
      [...ladder].map(([price, size]) => ({ price, size }));
    return {
      bids: levels(this.bids).toSorted((a, b) => Number(a.price) - Number(b.price)),
      asks: levels(this.asks).toSorted((a, b) => Number(b.price) - Number(a.price)),
      lastTradePrice:
        this.exchange.market(this.spec.conditionId)?.lastTradePrice || this.lastTradePrice,
    };
  }
}
