import type {
  BackgroundBook,
  EventSpec,
  Exchange,
  Level,
  MarketSpec,
  MarketState,
  Side,
} from "../../../../src/adapters/paper-venue/types.ts";

/** A real, small exchange for the worlds' own tests: keeps every book, refuses crossed ones, lists every call. */
export class RecordingExchange implements Exchange {
  readonly calls: string[] = [];
  changes = 0;
  private readonly byId = new Map<string, Entry>();
  private readonly eventList: EventSpec[] = [];

  addEvent(event: EventSpec): void {
    if (this.eventList.some(({ id }) => id === event.id))
      throw new TypeError(`event ${event.id} twice`);
    this.eventList.push(event);
  }

  addMarket(spec: MarketSpec, book: BackgroundBook): void {
    if (this.byId.has(spec.conditionId)) throw new TypeError(`market ${spec.slug} twice`);
    if (!this.eventList.some(({ id }) => id === spec.eventId))
      throw new TypeError(`market ${spec.slug} without its event`);
    const entry = new Entry(spec);
    entry.replace(book);
    this.byId.set(spec.conditionId, entry);
    this.calls.push(`add ${spec.slug}`);
  }

  setBackgroundLevel(conditionId: string, side: Side, price: string, size: string): void {
    const entry = this.entry(conditionId);
    entry.set(side, price, size);
    this.changes++;
    this.calls.push(`set ${entry.spec.slug} ${side} ${price} ${size}`);
  }

  replaceBackground(conditionId: string, book: BackgroundBook): void {
    const entry = this.entry(conditionId);
    entry.replace(book);
    this.changes++;
    this.calls.push(`replace ${entry.spec.slug} ${JSON.stringify(book)}`);
  }

  crowdTrade(conditionId: string, side: Side, limitPrice: string, size: string): void {
    const entry = this.entry(conditionId);
    entry.trade(side, Number(limitPrice), Number(size));
    this.changes++;
    this.calls.push(`trade ${entry.spec.slug} ${side} ${limitPrice} ${size}`);
  }

  changeTickSize(conditionId: string, tickSize: string): void {
    this.entry(conditionId).tickSize = tickSize;
    this.calls.push(`tick ${this.entry(conditionId).spec.slug} ${tickSize}`);
  }

  setAcceptingOrders(conditionId: string, accepting: boolean): void {
    this.entry(conditionId).acceptingOrders = accepting;
  }

  resolve(conditionId: string, winningIndex: 0 | 1): void {
    this.entry(conditionId).resolved = winningIndex;
    this.calls.push(`resolve ${this.entry(conditionId).spec.slug} ${winningIndex}`);
  }

  market(conditionId: string): MarketState | null {
    return this.byId.get(conditionId)?.state() ?? null;
  }

  markets(): readonly MarketState[] {
    return [...this.byId.values()].map((entry) => entry.state());
  }

  events(): readonly EventSpec[] {
    return this.eventList;
  }

  hold(conditionId: string, held: boolean): void {
    this.entry(conditionId).held = held;
  }

  /** Bids ascending and asks descending, as the venue writes them. */
  book(conditionId: string): { readonly bids: Level[]; readonly asks: Level[] } {
    const entry = this.entry(conditionId);
    return { bids: entry.levels("BUY"), asks: entry.levels("SELL") };
  }

  bySlug(slug: string): MarketState {
    const found = this.markets().find(({ spec }) => spec.slug === slug);
    if (found === undefined) throw new TypeError(`no market ${slug}`);
    return found;
  }

  private entry(conditionId: string): Entry {
    const entry = this.byId.get(conditionId);
    if (entry === undefined) throw new TypeError(`no market ${conditionId}`);
    return entry;
  }
}

class Entry {
  readonly spec: MarketSpec;
  tickSize: string;
  acceptingOrders: boolean;
  resolved: 0 | 1 | null = null;
  held = false;
  private bids = new Map<string, string>();
  private asks = new Map<string, string>();
  private lastTradePrice = "";

  constructor(spec: MarketSpec) {
    this.spec = spec;
    this.tickSize = spec.tickSize;
    this.acceptingOrders = spec.acceptingOrders;
  }

  replace(book: BackgroundBook): void {
    this.bids = new Map(book.bids.map(({ price, size }) => [price, size]));
    this.asks = new Map(book.asks.map(({ price, size }) => [price, size]));
    this.lastTradePrice = book.lastTradePrice;
    this.checkUncrossed();
  }

  set(side: Side, price: string, size: string): void {
    const levels = side === "BUY" ? this.bids : this.asks;
    if (Number(size) === 0) levels.delete(price);
    else levels.set(price, size);
    this.checkUncrossed();
  }

  trade(side: Side, limit: number, size: number): void {
    const levels = side === "BUY" ? this.asks : this.bids;
    let left = size;
    const order = this.levels(side === "BUY" ? "SELL" : "BUY").toReversed();
    for (const level of order) {
      const price = Number(level.price);
      if (left <= 0 || (side === "BUY" ? price > limit : price < limit)) break;
      const taken = Math.min(left, Number(level.size));
      left -= taken;
      const rest = Number((Number(level.size) - taken).toFixed(6));
      if (rest === 0) levels.delete(level.price);
      else levels.set(level.price, String(rest));
      this.lastTradePrice = price.toFixed(3);
    }
  }

  levels(side: Side): Level[] {
    const sign = side === "BUY" ? 1 : -1;
    return [...(side === "BUY" ? this.bids : this.asks)]
      .map(([price, size]) => ({ price, size }))
      .toSorted((a, b) => sign * (Number(a.price) - Number(b.price)));
  }

  state(): MarketState {
    return {
      spec: this.spec,
      tickSize: this.tickSize,
      acceptingOrders: this.acceptingOrders,
      resolved: this.resolved,
      held: this.held,
      bestBid: this.levels("BUY").at(-1)?.price ?? null,
      bestAsk: this.levels("SELL").at(-1)?.price ?? null,
      lastTradePrice: this.lastTradePrice,
    };
  }

  private checkUncrossed(): void {
    const bid = this.levels("BUY").at(-1)?.price ?? "0";
    const ask = this.levels("SELL").at(-1)?.price ?? "1";
    if (Number(bid) >= Number(ask)) throw new RangeError(`${this.spec.slug}: ${bid} x ${ask}`);
  }
}
