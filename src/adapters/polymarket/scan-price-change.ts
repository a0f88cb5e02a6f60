import type { BookDelta, LevelChange } from "../../engine/domain/market-event.ts";
import {
  type Price,
  priceDecimals,
  priceOne,
  type Shares,
  sharesDecimals,
} from "../../engine/domain/numbers.ts";
import type { KnownMarkets } from "./known-markets.ts";
import { maxChanges } from "./parse-market-frame.ts";
import { isAt, literal, type TextBytes } from "./text-bytes.ts";

/*
 * A price_change in the one order of members that every capture has (polymarket-market-data 2.3):
 *   {"market":"0x..","price_changes":[{"asset_id":"..","price":"..","size":"..","side":"BUY","hash":"..",
 *    "best_bid":"..","best_ask":".."},{..}],"timestamp":"..","event_type":"price_change"}
 * Another order costs time only: the simple path reads it.
 */
const market = literal('{"market":"');
const changesStart = literal(',"price_changes":[{');
const token = literal('"asset_id":"');
const price = literal(',"price":"');
const size = literal(',"size":"');
const side = literal(',"side":"');
const hash = literal(',"hash":"');
const bestBid = literal(',"best_bid":"');
const bestAsk = literal(',"best_ask":"');
const timestamp = literal('],"timestamp":"');
const kind = literal(',"event_type":"');
const kindName = literal('price_change"}');

const comma = 0x2c;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** A price_change that starts at this place, `text.end` behind it; null for anything else. */
export function scanPriceChange(
  text: TextBytes,
  known: KnownMarkets,
  from: number,
): BookDelta | null {
  if (!isAt(text.view, from, market)) return null;
  const id = known.find(text, from + market.length);
  let at = text.end;
  if (id < 0) return null;
  if (!isAt(text.view, at, changesStart)) return null;
  at += changesStart.length;
  const changes: LevelChange[] = [];
  for (;;) {
    const change = scanChange(text, known, id, at);
    if (change === null || changes.length === maxChanges) return null;
    changes.push(change);
    at = text.end;
    if (text.byte(at) !== comma) break;
    if (text.byte(at + 1) !== openBrace) return null;
    at += 2;
  }
  if (!isAt(text.view, at, timestamp)) return null;
  const time = text.timestamp(at + timestamp.length);
  at = text.end;
  if (time === "" || !isAt(text.view, at, kind)) return null;
  at += kind.length;
  if (!isAt(text.view, at, kindName)) return null;
  text.end = at + kindName.length;
  return { kind: "book.delta", conditionId: known.conditionId(id), timestamp: time, changes };
}

/** One change from behind its brace, `text.end` behind the closing one. */
function scanChange(
  text: TextBytes,
  known: KnownMarkets,
  id: number,
  from: number,
): LevelChange | null {
  const { view } = text;
  if (!isAt(view, from, token)) return null;
  const outcome = known.token(id, text, from + token.length);
  let at = text.end;
  if (outcome < 0) return null;
  if (!isAt(view, at, price)) return null;
  const atPrice = text.decimal(at + price.length, priceDecimals);
  if (atPrice <= 0 || atPrice >= priceOne || !isAt(view, text.end, size)) return null;
  const total = text.decimal(text.end + size.length, sharesDecimals);
  at = text.end;
  if (total < 0 || !isAt(view, at, side)) return null;
  const isSell = text.side(at + side.length);
  if (isSell < 0 || !isAt(view, text.end, hash)) return null;
  const hex = text.hash(text.end + hash.length);
  if (hex === undefined || !isAt(view, text.end, bestBid)) return null;
  const bid = text.decimal(text.end + bestBid.length, priceDecimals);
  at = text.end;
  if (bid < 0 || bid > priceOne || !isAt(view, at, bestAsk)) return null;
  const ask = text.decimal(at + bestAsk.length, priceDecimals);
  if (ask < 0 || ask > priceOne || text.byte(text.end++) !== closeBrace) return null;
  return {
    tokenId: known.tokenId(id, outcome as 0 | 1),
    side: isSell === 0 ? "buy" : "sell",
    price: atPrice as Price,
    size: total as Shares,
    hash: hex,
    bestBid: bestPriceOf(bid),
    bestAsk: bestPriceOf(ask),
  };
}

/** A side is empty when its best price is written as 0 or 1. */
export function bestPriceOf(value: number): Price | null {
  return value === 0 || value === priceOne ? null : (value as Price);
}
