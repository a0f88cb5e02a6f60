import { expect } from "vitest";
import {
  type MarketFrame,
  parseMarketFrame,
} from "../../../src/adapters/polymarket/parse-market-frame.ts";
import { MarketFrameReader } from "../../../src/adapters/polymarket/scan-market-frame.ts";
import type { BookSnapshot, MarketEvent } from "../../../src/engine/domain/market-event.ts";
import { formatPrice, formatShares, type Price } from "../../../src/engine/domain/numbers.ts";
import {
  applySnapshot,
  createOrderBook,
  type Level,
  levelsText,
} from "../../../src/engine/domain/order-book.ts";
import type { WatchedMarket } from "../../../src/engine/ports/market-data.ts";

export function readerOf(markets: readonly WatchedMarket[]): MarketFrameReader {
  const reader = new MarketFrameReader();
  reader.learn(markets);
  return reader;
}

/** Reads one frame both ways; the simple way is the reference. */
export function expectSame(reader: MarketFrameReader, frame: Buffer): void {
  const expected = parseMarketFrame(frame.toString("utf8"));
  const read = reader.read(frame);
  expect(plainEvents(read)).toStrictEqual(expected.events);
  expect(read.refused).toStrictEqual(expected.refused);
  for (const event of read.events) if (event.kind === "book.snapshot") expectCanonical(event);
}

/** Text that came with a scanned book is what the book hash covers, or it is not there. */
function expectCanonical({ rows, bids, asks }: BookSnapshot): void {
  if (rows === undefined) return;
  const row = ({ price, size }: Level) =>
    `{"price":"${formatPrice(price)}","size":"${formatShares(size)}"}`;
  const ladder = createOrderBook(1 as Price);
  applySnapshot(ladder, 0, bids, asks);
  const text = { bids: levelsText(ladder, 0, "buy"), asks: levelsText(ladder, 0, "sell") };
  const isAsSent = text.bids === bids.map(row).join() && text.asks === asks.map(row).join();
  if (rows.text !== null) expect({ ...rows.text, isAsSent }).toEqual({ ...text, isAsSent: true });
}

/** Events as plain objects: a scanned book makes its levels when asked. */
function plainEvents(frame: MarketFrame): unknown[] {
  return frame.events.map((event) => plainEvent(event));
}

function plainEvent(event: MarketEvent): unknown {
  if (event.kind !== "book.snapshot") return event;
  const { rows: _rows, ...rest } = event;
  return { ...rest, bids: event.bids, asks: event.asks };
}
