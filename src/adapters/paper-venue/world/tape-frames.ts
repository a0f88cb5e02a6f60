import type { Side } from "../types.ts";
import { WorldError } from "./errors.ts";
import { isObject, type JsonObject, text } from "./json.ts";
import { normalPrice, parseRecordedBook, type RecordedBook } from "./recorded-book.ts";

export type TapeBook = {
  readonly kind: "book";
  readonly market: string;
  readonly recorded: RecordedBook;
  /** The raw message, for checks on its hash. */
  readonly raw: JsonObject;
};

export type TapeChange = {
  readonly kind: "change";
  readonly market: string;
  readonly assetId: string;
  readonly side: Side;
  readonly price: string;
  /** New total size of the level, "0" removes it. */
  readonly size: string;
};

export type TapeEvent =
  | TapeBook
  | TapeChange
  | {
      readonly kind: "trade";
      readonly market: string;
      readonly assetId: string;
      /** Side of the taker. */
      readonly side: Side;
      readonly price: string;
      readonly size: string;
    }
  | { readonly kind: "tick"; readonly market: string; readonly tickSize: string }
  | { readonly kind: "resolved"; readonly market: string; readonly winningAssetId: string };

export type TapeFrame = {
  /** Newest time in the frame in epoch ms; null for an opening book, whose time is that of its last change. */
  readonly atMs: number | null;
  readonly events: readonly TapeEvent[];
};

export type ParsedTape = {
  readonly frames: readonly TapeFrame[];
  /** Messages of other kinds or shapes, left out. */
  readonly skipped: number;
};

/** Members under which recorders wrap the venue's own message. */
const WRAPPERS = ["data", "frame", "message", "payload", "raw"];
const MAX_NESTING = 6;

/**
 * A tape from a file's text: a JSON array of frames or JSON lines, each an object, an array or a wrapped one.
 * Messages that are no market data are counted, not refused. Throws `WorldError` when nothing can be played.
 */
export function parseTape(content: string): ParsedTape {
  let skipped = 0;
  return parsed(
    rawFrames(content, () => skipped++),
    () => skipped,
  );
}

/** The same from the texts of frames, each one a message or an array of messages. */
export function parseFrames(texts: Iterable<string>): ParsedTape {
  let skipped = 0;
  return parsed(
    lineFrames(texts, () => skipped++),
    () => skipped,
  );
}

/** `unread`: pieces that were no JSON, once everything is read. */
function parsed(values: Iterable<unknown>, unread: () => number): ParsedTape {
  let skipped = 0;
  const frames: TapeFrame[] = [];
  for (const value of values) {
    const events: TapeEvent[] = [];
    let atMs: number | null = null;
    for (const message of messages(value, 0)) {
      const found = eventsOf(message);
      if (found === null) {
        skipped++;
        continue;
      }
      events.push(...found);
      const opening = found[0]?.kind === "book" && text(message, "tick_size") !== "";
      const ms = Number(text(message, "timestamp"));
      if (!opening && ms > 0) atMs = Math.max(atMs ?? 0, ms);
    }
    if (events.length > 0) frames.push({ atMs, events });
  }
  if (!frames.some(({ events }) => events.some(({ kind }) => kind === "book")))
    throw new WorldError("the tape holds no book, so there is nothing to open a market with");
  return { frames, skipped: skipped + unread() };
}

function* rawFrames(content: string, skip: () => void): Generator {
  const whole = tryJson(content);
  if (Array.isArray(whole)) {
    yield* whole as unknown[];
    return;
  }
  if (whole !== undefined) {
    yield whole;
    return;
  }
  yield* lineFrames(content.split("\n"), skip);
}

function* lineFrames(lines: Iterable<string>, skip: () => void): Generator {
  for (const line of lines) {
    if (line.trim() === "") continue;
    const value = tryJson(line);
    if (value === undefined) skip();
    else yield value;
  }
}

function tryJson(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}

/** Every object in a frame that could be a message: through arrays, JSON in strings and wrappers. */
function* messages(value: unknown, depth: number): Generator<JsonObject> {
  if (depth > MAX_NESTING) return;
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) yield* messages(item, depth + 1);
  } else if (typeof value === "string") {
    const parsed = tryJson(value);
    if (parsed !== undefined) yield* messages(parsed, depth + 1);
  } else if (isObject(value)) {
    const wrapper = WRAPPERS.find(
      (key) => typeof value[key] === "object" || isJsonText(value[key]),
    );
    if (kindOf(value) === "" && wrapper !== undefined) yield* messages(value[wrapper], depth + 1);
    else yield value;
  }
}

function isJsonText(value: unknown): boolean {
  return typeof value === "string" && /^\s*[[{]/.test(value);
}

function kindOf(message: JsonObject): string {
  const stated = text(message, "event_type") || text(message, "kind");
  if (stated !== "") return stated;
  // Some early captures had opening books without event_type.
  return Array.isArray(message["bids"]) && Array.isArray(message["asks"]) ? "book" : "";
}

function sideOf(message: JsonObject): Side | null {
  const side = text(message, "side").toUpperCase();
  return side === "BUY" || side === "SELL" ? side : null;
}

/** The events of one message, or null when it is of another kind or malformed. */
function eventsOf(message: JsonObject): TapeEvent[] | null {
  const market = text(message, "market");
  if (market === "") return null;
  try {
    switch (kindOf(message)) {
      case "book":
        return [
          { kind: "book", market, recorded: parseRecordedBook(message, "book"), raw: message },
        ];
      case "price_change":
        return changesOf(message, market);
      case "last_trade_price":
        return tradeOf(message, market);
      case "tick_size_change":
        return [{ kind: "tick", market, tickSize: text(message, "new_tick_size") }];
      case "market_resolved":
        return [{ kind: "resolved", market, winningAssetId: text(message, "winning_asset_id") }];
      default:
        return null;
    }
  } catch (error) {
    if (error instanceof WorldError) return null;
    throw error;
  }
}

function tradeOf(message: JsonObject, market: string): TapeEvent[] | null {
  const side = sideOf(message);
  const assetId = text(message, "asset_id");
  const size = text(message, "size");
  if (side === null || assetId === "" || size === "") return null;
  return [
    { kind: "trade", market, assetId, side, price: normalPrice(text(message, "price")), size },
  ];
}

/** Today's `price_changes[]`, the `changes[]` of before September 2025 and the still older single change. */
function changesOf(message: JsonObject, market: string): TapeEvent[] | null {
  const today = message["price_changes"];
  const old = message["changes"];
  const list: unknown[] = Array.isArray(today) ? today : Array.isArray(old) ? old : [message];
  const events: TapeChange[] = [];
  for (const change of list) {
    if (!isObject(change)) return null;
    const side = sideOf(change);
    const assetId = text(change, "asset_id") || text(message, "asset_id");
    if (side === null || assetId === "") return null;
    const price = normalPrice(text(change, "price"));
    // Sizes pass through the same check as prices: a decimal of at most six places.
    events.push({
      kind: "change",
      market,
      assetId,
      side,
      price,
      size: normalPrice(text(change, "size")),
    });
  }
  return events;
}
