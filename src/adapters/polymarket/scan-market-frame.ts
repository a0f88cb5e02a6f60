import type { MarketEvent } from "../../engine/domain/market-event.ts";
import type { WatchedMarket } from "../../engine/ports/market-data.ts";
import { KnownIds } from "./known-ids.ts";
import {
  type MarketFrame,
  maxFrameLength,
  maxMessages,
  parseMarketFrame,
} from "./parse-market-frame.ts";
import { MessageScanner } from "./scan-message.ts";
import { type FrameIds, scanPriceChange } from "./scan-price-change.ts";
import { TextBytes } from "./text-bytes.ts";
import { conditionIdOf, tokenIdOf } from "./wire.ts";

const comma = 0x2c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;

const nothingRefused: MarketFrame["refused"] = [];

/**
 * Reads frames of the market channel from their bytes. What makes up the stream (compact JSON about markets that were
 * learnt, known members, strings as the venue writes them) is scanned without JSON.parse; everything else goes the simple
 * way, parse-market-frame, which alone decides what is invalid. Both ways give the same events.
 */
export class MarketFrameReader {
  readonly #text = new TextBytes(64 * 1024);
  readonly #ids: FrameIds = { markets: new KnownIds(), tokens: new KnownIds() };
  readonly #messages = new MessageScanner(this.#text, this.#ids);
  /** Frames that were scanned, and frames that went the simple way. */
  scanned = 0;
  parsed = 0;

  /** Frames about these markets may come; of others they are read the simple way. */
  learn(markets: readonly WatchedMarket[]): void {
    for (const { conditionId, tokenIds } of markets) {
      // An id in another form than the engine's would be accepted where the simple way refuses or rewrites it.
      if (conditionIdOf(conditionId) === conditionId) this.#ids.markets.add(conditionId);
      for (const id of tokenIds) if (tokenIdOf(id) === id) this.#ids.tokens.add(id);
    }
  }

  forget(markets: readonly WatchedMarket[]): void {
    this.#ids.markets.remove(markets.map((market) => market.conditionId));
    this.#ids.tokens.remove(markets.flatMap((market) => market.tokenIds));
  }

  /** Total, as parseMarketFrame is: whatever the bytes are, the answer is events and counted refusals. */
  read(frame: Buffer): MarketFrame {
    const events = this.#scan(frame);
    if (events === null) {
      this.parsed++;
      return parseMarketFrame(frame.toString("utf8"));
    }
    this.scanned++;
    return { events, refused: nothingRefused };
  }

  /** The events of a frame; null when the simple way has to read it. */
  #scan(frame: Buffer): MarketEvent[] | null {
    if (frame.length > maxFrameLength) return null;
    const text = this.#text;
    text.load(frame);
    const isList = text.byte(0) === openBracket;
    const events: MarketEvent[] = [];
    let at = isList ? 1 : 0;
    for (;;) {
      const event = this.#message(at);
      if (event === null) return null;
      events.push(event);
      at = text.end;
      if (!isList || text.byte(at) !== comma) break;
      if (events.length === maxMessages) return null;
      at++;
    }
    if (isList && text.byte(at++) !== closeBracket) return null;
    return at === frame.length ? events : null;
  }

  #message(at: number): MarketEvent | null {
    const text = this.#text;
    if (text.byte(at) !== openBrace) return null;
    return scanPriceChange(text, this.#ids, at) ?? this.#messages.scan(at + 1);
  }
}
