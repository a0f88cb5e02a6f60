import { type BookHasher, bookHashText } from "./book-hash.ts";
import type { MarketBook } from "./market-book.ts";

/** A book as it stands, of outcome 0, in the shape of the venue's own message and with its hash. */
export function bookMessage(book: MarketBook, hasher: BookHasher): string {
  const { conditionId, timestamp, minOrderSize, tickSize, negRisk, lastTradePrice } = book;
  const tokenId = book.tokenIds[0];
  const frame = { conditionId, tokenId, timestamp, minOrderSize, tickSize, negRisk };
  const { prefix, suffix } = bookHashText(book.ladder, 0, frame);
  const hash = hasher.sha1Hex(`${prefix}${lastTradePrice}${suffix}`);
  const hashed = prefix.replace('"hash":""', `"hash":"${hash}"`);
  return `{"event_type":"book",${hashed.slice(1)}${lastTradePrice}${suffix}`;
}
