import type {
  BackgroundBook,
  EventSpec,
  Exchange,
  Level,
  MarketSpec,
  MarketState,
  Side,
} from "../types.ts";
import { minOf, ONE, parseMicro } from "./amounts.ts";
import { applyMatch } from "./apply-match.ts";
import { Market } from "./market.ts";
import { newMarketFrame, tickSizeFrame } from "./market-events.ts";
import type { Taker } from "./match-plan.ts";
import { planMatch } from "./match-plan.ts";
import { resolveMarket } from "./positions.ts";
import { PaperVenueError } from "./venue-error.ts";
import type { VenueState } from "./venue-state.ts";
import { bookFrame } from "./wire.ts";
import type { Work } from "./work.ts";

function micro(text: string, what: string): bigint {
  const value = parseMicro(text);
  if (value === null) throw new PaperVenueError(`${what} is not a decimal: ${text}`);
  return value;
}

function levelMap(levels: readonly Level[]): Map<bigint, bigint> {
  return new Map(levels.map((level) => [micro(level.price, "price"), micro(level.size, "size")]));
}

/** The exchange as the world sees it: listings, background liquidity and crowd trades of outcome 0's book. */
export class PaperExchange implements Exchange {
  readonly #state: VenueState;
  /** The market that a script is moving right now, although it is held. */
  #moving: string | null = null;
  #announce = false;

  constructor(state: VenueState) {
    this.#state = state;
  }

  /** From now on new markets are announced on the sockets; before, they are part of the opening list. */
  startAnnouncing(): void {
    this.#announce = true;
  }

  /** Lets `move` change a held market. */
  whileMoving(conditionId: string, move: () => void): void {
    this.#moving = conditionId;
    try {
      move();
    } finally {
      this.#moving = null;
    }
  }

  addEvent(event: EventSpec): void {
    this.#state.markets.addEvent(event);
  }

  addMarket(spec: MarketSpec, book: BackgroundBook): void {
    const state = this.#state;
    if (state.markets.market(spec.conditionId) !== null) {
      throw new PaperVenueError(`market listed twice: ${spec.conditionId}`);
    }
    const market = new Market(spec, state.now());
    state.markets.add(market);
    market.book.lastTrade = book.lastTradePrice === "" ? 0n : micro(book.lastTradePrice, "price");
    market.resolved = state.resolutions.get(spec.conditionId) ?? null;
    if (market.resolved !== null) {
      market.acceptingOrders = false;
      return;
    }
    this.#restoreOrders(market);
    state.act((work) => {
      this.#replace(work, market, book);
      if (!this.#announce) return;
      const event = state.markets.event(spec.eventId);
      work.frame("new_market", [], newMarketFrame(market, event, work.nowMs));
    });
  }

  setBackgroundLevel(conditionId: string, side: Side, price: string, size: string): void {
    const market = this.#movable(conditionId);
    if (market === null) return;
    this.#state.act((work) => {
      this.#setLevel(work, market, side, micro(price, "price"), micro(size, "size"));
    });
  }

  replaceBackground(conditionId: string, book: BackgroundBook): void {
    const market = this.#movable(conditionId);
    if (market === null) return;
    this.#state.act((work) => {
      if (book.lastTradePrice !== "") {
        market.book.lastTrade = micro(book.lastTradePrice, "price");
        // The hash covers the last trade price, even when no level changes.
        market.book.stamp(work.nowMs);
      }
      this.#replace(work, market, book);
    });
  }

  crowdTrade(conditionId: string, side: Side, limitPrice: string, size: string): void {
    const market = this.#movable(conditionId);
    if (market === null) return;
    this.#state.act((work) => {
      this.#crowdTakes(work, market, side, micro(limitPrice, "price"), micro(size, "size"));
    });
  }

  changeTickSize(conditionId: string, tickSize: string): void {
    const market = this.#movable(conditionId);
    if (market === null || market.book.tickSize === tickSize) return;
    micro(tickSize, "tick size");
    this.#state.act((work) => {
      const old = market.book.tickSize;
      market.book.tickSize = tickSize;
      market.book.stamp(work.nowMs);
      for (const outcome of [0, 1] as const) {
        const tokens = [market.token(outcome)];
        work.frame("tick_size_change", tokens, tickSizeFrame(market, outcome, old));
        // A fresh book follows, because clients drop theirs when the grid changes.
        work.frame("book", tokens, bookFrame(market, outcome, false));
      }
    });
  }

  setAcceptingOrders(conditionId: string, accepting: boolean): void {
    const market = this.#movable(conditionId);
    if (market !== null) market.acceptingOrders = accepting;
  }

  resolve(conditionId: string, winningIndex: 0 | 1): void {
    const market = this.#state.markets.market(conditionId);
    if (market !== null) resolveMarket(this.#state, market, winningIndex);
  }

  hold(conditionId: string, held: boolean): void {
    const market = this.#state.markets.market(conditionId);
    if (market !== null) market.held = held;
  }

  market(conditionId: string): MarketState | null {
    return this.#state.markets.market(conditionId)?.state() ?? null;
  }

  markets(): readonly MarketState[] {
    return this.#state.markets.all().map((market) => market.state());
  }

  events(): readonly EventSpec[] {
    return this.#state.markets.events();
  }

  /** A market the world may change now: listed, not resolved, and not held unless a script moves it. */
  #movable(conditionId: string): Market | null {
    const market = this.#state.markets.market(conditionId);
    if (market === null || market.resolved !== null) return null;
    return market.held && this.#moving !== market.id ? null : market;
  }

  #restoreOrders(market: Market): void {
    for (const account of this.#state.accounts.all()) {
      for (const order of account.open.values()) {
        if (order.conditionId !== market.id) continue;
        market.open.set(order.id, order);
        if (order.status === "LIVE") market.book.rest(order);
      }
    }
  }

  /** New liquidity that crosses resting orders trades with them first; crossed background gives way. */
  #setLevel(work: Work, market: Market, side: Side, price: bigint, size: bigint): void {
    const isBid = side === "BUY";
    work.touched.add(market);
    if (size === 0n) {
      market.book.side(isBid).setBackground(price, 0n);
      return;
    }
    const opposite = market.book.side(!isBid);
    for (const other of opposite.backgroundPrices()) {
      if (isBid ? other <= price : other >= price) opposite.setBackground(other, 0n);
    }
    const filled = this.#crowdTakes(work, market, side, price, size);
    market.book.side(isBid).setBackground(price, size - filled);
  }

  #replace(work: Work, market: Market, book: BackgroundBook): void {
    work.touched.add(market);
    const wanted = { BUY: levelMap(book.bids), SELL: levelMap(book.asks) };
    for (const side of ["BUY", "SELL"] as const) {
      const levels = market.book.side(side === "BUY");
      for (const price of levels.backgroundPrices()) {
        if (!wanted[side].has(price)) levels.setBackground(price, 0n);
      }
    }
    for (const side of ["BUY", "SELL"] as const) {
      const levels = market.book.side(side === "BUY");
      for (const [price, size] of wanted[side]) {
        // A level that the world repeats unchanged keeps what takers consumed of it.
        if (levels.lastSet(price) !== size) this.#setLevel(work, market, side, price, size);
      }
    }
  }

  /** A taker of the crowd; returns the shares it traded. */
  #crowdTakes(work: Work, market: Market, side: Side, limit: bigint, size: bigint): bigint {
    const taker: Taker = {
      account: null,
      side,
      outcome: 0,
      limitCash: limit,
      limitShares: ONE,
      want: { unit: "shares", amount: size },
    };
    const plan = planMatch(market.book, taker);
    if (plan.shares === 0n) return 0n;
    applyMatch(this.#state, work, market, { order: null, side, outcome: 0 }, plan);
    return minOf(plan.shares, size);
  }
}
