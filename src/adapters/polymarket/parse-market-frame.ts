import { tickSizes } from "../../engine/domain/market.ts";
import type { LevelChange, MarketEvent } from "../../engine/domain/market-event.ts";
import type { Price } from "../../engine/domain/numbers.ts";
import { bestOf, hashOf, parseBook, priceOf, type RefusalReason, sizeOf } from "./parse-book.ts";
import {
  arrayOf,
  conditionIdOf,
  type Fields,
  fieldsOf,
  freeText,
  jsonOf,
  sideOf,
  timestampOf,
  tokenIdOf,
} from "./wire.ts";

/** A message that gave no event. `conditionId` when the market it spoke of could still be read. */
export type FrameRefusal = {
  readonly reason: RefusalReason;
  readonly conditionId: string | null;
};

/** Refusals that no fault of the stream explains: they are counted by reason and make no frame invalid. */
export const harmless: ReadonlySet<RefusalReason> = new Set([
  "foreign",
  "unknown_event",
  "unasked",
]);

export type MarketFrame = {
  readonly events: readonly MarketEvent[];
  readonly refused: readonly FrameRefusal[];
};

type Draft = { readonly events: MarketEvent[]; readonly refused: FrameRefusal[] };

/** Characters of one frame; the socket's own limit is 8 MiB. */
export const maxFrameLength = 8 * 1024 * 1024;
/** Arrays in arrays and envelopes in envelopes that are followed. */
const maxDepth = 6;
/** Messages of one frame: an initial dump of 200 books is the largest one known. */
export const maxMessages = 10_000;
/** Level changes of one message. */
export const maxChanges = 20_000;

/** Texts that are no message: keep-alive answers, empty frames, "NO NEW ASSETS" after a subscription. */
function isControlText(text: string): boolean {
  if (text === "PONG" || text === "pong" || text.trim() === "") return true;
  return text.length < 200 && text.toUpperCase().includes("NO NEW ASSETS");
}

/** Reads one frame of the market channel. Total: whatever the text is, the answer is events and counted refusals. */
export function parseMarketFrame(text: string): MarketFrame {
  const draft: Draft = { events: [], refused: [] };
  if (isControlText(text)) return draft;
  if (text.length > maxFrameLength) return refuse(draft, "too_large", null);
  const value = jsonOf(text);
  if (value === undefined) return refuse(draft, "not_json", null);
  readValue(draft, value, 0);
  return draft;
}

/** The same for a frame that is a value already (tapes). */
export function parseMarketValue(value: unknown): MarketFrame {
  const draft: Draft = { events: [], refused: [] };
  readValue(draft, value, 0);
  return draft;
}

function refuse(draft: Draft, reason: RefusalReason, conditionId: string | null): Draft {
  draft.refused.push({ reason, conditionId });
  return draft;
}

function readValue(draft: Draft, value: unknown, depth: number): void {
  if (depth > maxDepth) {
    refuse(draft, "too_deep", null);
    return;
  }
  const list = arrayOf(value);
  if (list !== null) {
    if (draft.events.length + draft.refused.length + list.length > maxMessages) {
      refuse(draft, "too_many", null);
      return;
    }
    for (const item of list) readValue(draft, item, depth + 1);
    return;
  }
  const fields = fieldsOf(value);
  if (fields === null) refuse(draft, "bad_shape", null);
  else readObject(draft, fields, depth);
}

function readObject(draft: Draft, fields: Fields, depth: number): void {
  const inner = fields["data"] ?? fields["payload"];
  if (typeof inner === "object" && inner !== null && fields["market"] === undefined) {
    readWrapped(draft, fields, inner, depth);
    return;
  }
  const kind = kindOf(fields);
  if (kind === null) {
    refuse(draft, "foreign", null);
    return;
  }
  const read = readers[kind];
  if (read === undefined) {
    refuse(draft, "unknown_event", conditionIdOf(fields["market"]));
    return;
  }
  const event = read(fields);
  if (typeof event === "string") refuse(draft, event, conditionIdOf(fields["market"]));
  else draft.events.push(event);
}

/** An envelope may name the kind of message that its data leaves out. */
function readWrapped(draft: Draft, outer: Fields, inner: object, depth: number): void {
  const named = outer["event_type"] ?? outer["type"];
  const fields = fieldsOf(inner);
  if (fields !== null && fields["event_type"] === undefined && typeof named === "string") {
    if (Object.hasOwn(readers, named)) {
      readObject(draft, { ...fields, event_type: named }, depth + 1);
      return;
    }
  }
  readValue(draft, inner, depth + 1);
}

/** Kind of a message; initial books of early captures have no event_type. Null for messages of another service. */
function kindOf(fields: Fields): string | null {
  const named = fields["event_type"];
  if (typeof named === "string") return named;
  if (Array.isArray(fields["bids"]) && Array.isArray(fields["asks"])) return "book";
  if (fields["price_changes"] !== undefined || fields["changes"] !== undefined)
    return "price_change";
  return null;
}

type Reader = (fields: Fields) => MarketEvent | RefusalReason;

const readers: Readonly<Record<string, Reader | undefined>> = Object.assign(
  // Without a prototype "constructor" and the like are unknown events.
  Object.create(null) as Record<string, Reader>,
  {
    book: readBook,
    price_change: readPriceChange,
    last_trade_price: readTrade,
    tick_size_change: readTickSize,
    best_bid_ask: readQuote,
    new_market: readOpened,
    market_resolved: readResolved,
  } satisfies Record<string, Reader>,
);

function readBook(fields: Fields): MarketEvent | RefusalReason {
  const book = parseBook(fields, "stream");
  return book.ok ? book.value : book.error;
}

function readPriceChange(fields: Fields): MarketEvent | RefusalReason {
  const conditionId = conditionIdOf(fields["market"]);
  if (conditionId === null) return "bad_market";
  const timestamp = timestampOf(fields["timestamp"]);
  if (timestamp === null) return "bad_timestamp";
  const current = arrayOf(fields["price_changes"]);
  const old = arrayOf(fields["changes"]);
  const list = current ?? old ?? (fields["price"] === undefined ? null : [fields]);
  if (list === null || list.length === 0) return "bad_shape";
  if (list.length > maxChanges) return "too_many";
  const changes: LevelChange[] = [];
  for (const item of list) {
    const entry = fieldsOf(item);
    if (entry === null) return "bad_shape";
    // The old shapes name token and hash once for all entries.
    const change = readChange(entry, current === null ? fields : entry);
    if (typeof change === "string") return change;
    changes.push(change);
  }
  return { kind: "book.delta", conditionId, timestamp, changes };
}

function readChange(entry: Fields, owner: Fields): LevelChange | RefusalReason {
  const tokenId = tokenIdOf(owner["asset_id"]);
  if (tokenId === null) return "bad_token";
  const side = sideOf(entry["side"]);
  if (side === null) return "bad_side";
  const at = priceOf(entry["price"]);
  if (at === null) return "bad_price";
  const size = sizeOf(entry["size"]);
  if (size === null) return "bad_size";
  const hash = hashOf(owner["hash"]);
  if (hash === undefined) return "bad_hash";
  const bestBid = bestOf(entry["best_bid"]);
  const bestAsk = bestOf(entry["best_ask"]);
  if (bestBid === "bad" || bestAsk === "bad") return "bad_price";
  return { tokenId, side, price: at, size, hash, bestBid, bestAsk };
}

/** Market, token and time: what every message about one token carries. */
type Head = { readonly conditionId: string; readonly tokenId: string; readonly timestamp: string };

function headOf(fields: Fields): Head | RefusalReason {
  const conditionId = conditionIdOf(fields["market"]);
  if (conditionId === null) return "bad_market";
  const tokenId = tokenIdOf(fields["asset_id"]);
  if (tokenId === null) return "bad_token";
  const timestamp = timestampOf(fields["timestamp"]);
  if (timestamp === null) return "bad_timestamp";
  return { conditionId, tokenId, timestamp };
}

function readTrade(fields: Fields): MarketEvent | RefusalReason {
  const head = headOf(fields);
  if (typeof head === "string") return head;
  const at = priceOf(fields["price"]);
  if (at === null) return "bad_price";
  const size = sizeOf(fields["size"]);
  if (size === null) return "bad_size";
  const takerSide = sideOf(fields["side"]);
  if (takerSide === null) return "bad_side";
  return { kind: "trade.printed", ...head, price: at, size, takerSide };
}

/** A tick of the known set; another one would give prices that we cannot sign. */
export function tickOf(value: unknown): Price | null {
  const tick = priceOf(value);
  return tick !== null && tickSizes.includes(tick) ? tick : null;
}

function readTickSize(fields: Fields): MarketEvent | RefusalReason {
  const head = headOf(fields);
  if (typeof head === "string") return head;
  const tickSize = tickOf(fields["new_tick_size"]);
  return tickSize === null ? "bad_tick" : { kind: "tick-size.changed", ...head, tickSize };
}

function readQuote(fields: Fields): MarketEvent | RefusalReason {
  const head = headOf(fields);
  if (typeof head === "string") return head;
  const bestBid = bestOf(fields["best_bid"]) ?? null;
  const bestAsk = bestOf(fields["best_ask"]) ?? null;
  if (bestBid === "bad" || bestAsk === "bad") return "bad_price";
  return { kind: "quote.printed", ...head, bestBid, bestAsk };
}

function readOpened(fields: Fields): MarketEvent | RefusalReason {
  const conditionId = conditionIdOf(fields["condition_id"]) ?? conditionIdOf(fields["market"]);
  if (conditionId === null) return "bad_market";
  const timestamp = timestampOf(fields["timestamp"]);
  if (timestamp === null) return "bad_timestamp";
  return { kind: "market.opened", conditionId, slug: freeText(fields["slug"]), timestamp };
}

function readResolved(fields: Fields): MarketEvent | RefusalReason {
  const conditionId = conditionIdOf(fields["market"]) ?? conditionIdOf(fields["condition_id"]);
  if (conditionId === null) return "bad_market";
  const winningTokenId = tokenIdOf(fields["winning_asset_id"]);
  if (winningTokenId === null) return "bad_token";
  const timestamp = timestampOf(fields["timestamp"]);
  if (timestamp === null) return "bad_timestamp";
  return { kind: "market.resolved", conditionId, winningTokenId, timestamp };
}
