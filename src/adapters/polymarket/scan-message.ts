import { tickSizes } from "../../engine/domain/market.ts";
import type { MarketEvent } from "../../engine/domain/market-event.ts";
import {
  type Price,
  priceDecimals,
  priceOne,
  type Shares,
  sharesDecimals,
} from "../../engine/domain/numbers.ts";
import { unreachable } from "../../engine/lib/assert.ts";
import type { KnownMarkets } from "./known-markets.ts";
import { lastTradeOf } from "./parse-book.ts";
import { LevelRows, ScannedBook } from "./scan-levels.ts";
import { bestPriceOf } from "./scan-price-change.ts";
import { isAt, type Literal, literal, type TextBytes } from "./text-bytes.ts";

/** Members that this reader knows, in any order; of one that stands twice the last counts, as in JSON. */
const bit = {
  market: 1 << 0,
  token: 1 << 1,
  timestamp: 1 << 2,
  kind: 1 << 3,
  price: 1 << 4,
  size: 1 << 5,
  side: 1 << 6,
  hash: 1 << 7,
  bestBid: 1 << 8,
  bestAsk: 1 << 9,
  newTick: 1 << 10,
  oldTick: 1 << 11,
  spread: 1 << 12,
  feeRate: 1 << 13,
  transaction: 1 << 14,
  bids: 1 << 15,
  asks: 1 << 16,
  tick: 1 << 17,
  lastTrade: 1 << 18,
  minSize: 1 << 19,
  negRisk: 1 << 20,
} as const;

const head = bit.market | bit.token | bit.timestamp | bit.kind;

/** Members that a message must have and those that it may have; with any other one the simple path reads it. */
const shapes = {
  book: {
    needs: head | bit.hash | bit.bids | bit.asks,
    may: bit.tick | bit.lastTrade | bit.minSize | bit.negRisk,
  },
  trade: {
    needs: head | bit.price | bit.size | bit.side,
    may: bit.feeRate | bit.transaction,
  },
  quote: { needs: head | bit.bestBid | bit.bestAsk, may: bit.spread },
  tick: { needs: head | bit.newTick, may: bit.oldTick },
} as const;
type Kind = keyof typeof shapes;

const kinds: readonly (readonly [Kind, Literal])[] = [
  ["quote", literal('best_bid_ask"')],
  ["trade", literal('last_trade_price"')],
  ["tick", literal('tick_size_change"')],
];
/** Too short for a literal: with what must come before it. */
const bookKind = literal('"event_type":"book"');
const kindName = literal('"event_type":"');

/** What a message has said so far. */
type Fields = {
  kind: Kind;
  /** Number of the market. */
  market: number;
  /** Where the token's id is written: whose token it is may be known only later. */
  tokenAt: number;
  timestamp: string;
  hash: string | null;
  side: "buy" | "sell";
  price: number;
  size: number;
  bestBid: number;
  bestAsk: number;
  newTick: number;
  tick: number;
  minSize: number;
  negRisk: boolean;
  lastTrade: string | null;
};

/** Reads a value into its field; false for anything unusual, otherwise `text.end` is behind the value. */
type Read = (fields: Fields, text: TextBytes, at: number, known: KnownMarkets) => boolean;
type Member = { readonly key: Literal; readonly bit: number; readonly read: Read };

function member(key: string, has: number, read: Read): Member {
  return { key: literal(key), bit: has, read };
}

function priceMember(
  key: string,
  has: number,
  name: "price" | "newTick" | "tick" | "bestBid" | "bestAsk",
): Member {
  const isBest = name === "bestBid" || name === "bestAsk";
  return member(key, has, (fields, text, at) => {
    const value = text.decimal(at, priceDecimals);
    fields[name] = value;
    return isBest ? value >= 0 && value <= priceOne : value > 0 && value < priceOne;
  });
}

function sizeMember(key: string, has: number, name: "size" | "minSize"): Member {
  return member(key, has, (fields, text, at) => {
    fields[name] = text.decimal(at, sharesDecimals);
    return fields[name] >= 0;
  });
}

/** Says nothing to us. */
const skipped: Read = (_fields, text, at) => text.plainText(at) !== null;

const members: readonly Member[] = [
  member('"market":"', bit.market, (fields, text, at, known) => {
    fields.market = known.find(text, at);
    return fields.market >= 0;
  }),
  member('"asset_id":"', bit.token, (fields, text, at) => {
    fields.tokenAt = at;
    return text.skipDigits(at);
  }),
  member('"timestamp":"', bit.timestamp, (fields, text, at) => {
    fields.timestamp = text.timestamp(at);
    return fields.timestamp !== "";
  }),
  member('"hash":"', bit.hash, (fields, text, at) => {
    const hash = text.hash(at);
    fields.hash = hash ?? null;
    return hash !== undefined;
  }),
  member('"side":"', bit.side, (fields, text, at) => {
    const side = text.side(at);
    fields.side = side === 0 ? "buy" : "sell";
    return side >= 0;
  }),
  priceMember('"price":"', bit.price, "price"),
  sizeMember('"size":"', bit.size, "size"),
  priceMember('"best_bid":"', bit.bestBid, "bestBid"),
  priceMember('"best_ask":"', bit.bestAsk, "bestAsk"),
  priceMember('"new_tick_size":"', bit.newTick, "newTick"),
  priceMember('"tick_size":"', bit.tick, "tick"),
  sizeMember('"min_order_size":"', bit.minSize, "minSize"),
  member('"last_trade_price":"', bit.lastTrade, (fields, text, at) => {
    const written = text.plainText(at);
    fields.lastTrade = lastTradeOf(written);
    return written !== null;
  }),
  member('"old_tick_size":"', bit.oldTick, skipped),
  member('"spread":"', bit.spread, skipped),
  member('"fee_rate_bps":"', bit.feeRate, skipped),
  member('"transaction_hash":"', bit.transaction, skipped),
];
const bidsKey = literal('"bids":[');
const asksKey = literal('"asks":[');
const isNegRisk = literal('"neg_risk":true');
const isNotNegRisk = literal('"neg_risk":false');

const comma = 0x2c;
const closeBrace = 0x7d;

/** Reads messages about one token (books, trades, best prices, tick sizes) with their members in any order. */
export class MessageScanner {
  readonly #text: TextBytes;
  readonly #known: KnownMarkets;
  readonly #rows = new LevelRows();
  #seen = 0;
  readonly #fields: Fields = {
    kind: "book",
    market: 0,
    tokenAt: 0,
    timestamp: "",
    hash: null,
    side: "buy",
    price: 0,
    size: 0,
    bestBid: 0,
    bestAsk: 0,
    newTick: 0,
    tick: 0,
    minSize: 0,
    negRisk: false,
    lastTrade: null,
  };

  constructor(text: TextBytes, known: KnownMarkets) {
    this.#text = text;
    this.#known = known;
  }

  /** The message from behind its opening brace, `text.end` behind the closing one; null for anything else. */
  scan(from: number): MarketEvent | null {
    const text = this.#text;
    this.#seen = 0;
    for (let at = from; ; at = text.end + 1) {
      if (!this.#member(at)) return null;
      const next = text.byte(text.end);
      if (next === closeBrace) break;
      if (next !== comma) return null;
    }
    const end = text.end + 1;
    const { kind, market, tokenAt } = this.#fields;
    const { needs, may } = shapes[kind];
    if ((this.#seen & ~may) !== needs) return null;
    const outcome = this.#known.token(market, text, tokenAt);
    text.end = end;
    return outcome < 0 ? null : this.#event(outcome as 0 | 1);
  }

  #member(at: number): boolean {
    const text = this.#text;
    const { view } = text;
    for (const { key, bit: has, read } of members) {
      if (!isAt(view, at, key)) continue;
      this.#seen |= has;
      return read(this.#fields, text, at + key.length, this.#known);
    }
    if (isAt(view, at, kindName)) return this.#kind(at);
    if (isAt(view, at, bidsKey)) {
      this.#seen |= bit.bids;
      return this.#rows.bids.scan(text, at + bidsKey.length);
    }
    if (isAt(view, at, asksKey)) {
      this.#seen |= bit.asks;
      return this.#rows.asks.scan(text, at + asksKey.length);
    }
    const negRisk = isAt(view, at, isNegRisk);
    if (!negRisk && !isAt(view, at, isNotNegRisk)) return false;
    this.#seen |= bit.negRisk;
    this.#fields.negRisk = negRisk;
    text.end = at + (negRisk ? isNegRisk.length : isNotNegRisk.length);
    return true;
  }

  #kind(at: number): boolean {
    const text = this.#text;
    this.#seen |= bit.kind;
    if (isAt(text.view, at, bookKind)) {
      this.#fields.kind = "book";
      text.end = at + bookKind.length;
      return true;
    }
    for (const [kind, name] of kinds) {
      if (!isAt(text.view, at + kindName.length, name)) continue;
      this.#fields.kind = kind;
      text.end = at + kindName.length + name.length;
      return true;
    }
    return false;
  }

  #event(outcome: 0 | 1): MarketEvent | null {
    const fields = this.#fields;
    const about = {
      conditionId: this.#known.conditionId(fields.market),
      tokenId: this.#known.tokenId(fields.market, outcome),
      timestamp: fields.timestamp,
    };
    switch (fields.kind) {
      case "quote": {
        const bestBid = bestPriceOf(fields.bestBid);
        return { kind: "quote.printed", ...about, bestBid, bestAsk: bestPriceOf(fields.bestAsk) };
      }
      case "trade": {
        const price = fields.price as Price;
        const size = fields.size as Shares;
        return { kind: "trade.printed", ...about, price, size, takerSide: fields.side };
      }
      case "tick": {
        const tickSize = fields.newTick as Price;
        if (!tickSizes.includes(tickSize)) return null;
        return { kind: "tick-size.changed", ...about, tickSize };
      }
      case "book":
        return new ScannedBook(this.#rows.taken(this.#text, fields.hash !== null), {
          ...about,
          hash: fields.hash,
          tickSize: this.#has(bit.tick) ? (fields.tick as Price) : null,
          minOrderSize: this.#has(bit.minSize) ? (fields.minSize as Shares) : null,
          negRisk: this.#has(bit.negRisk) ? fields.negRisk : null,
          lastTradePrice: this.#has(bit.lastTrade) ? fields.lastTrade : null,
        });
      default:
        return unreachable(fields.kind);
    }
  }

  #has(what: number): boolean {
    return (this.#seen & what) !== 0;
  }
}
