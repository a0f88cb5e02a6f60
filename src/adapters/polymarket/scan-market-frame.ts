import type { MarketEvent } from "../../engine/domain/market-event.ts";
import type { WatchedMarket } from "../../engine/ports/market-data.ts";
import { KnownMarkets } from "./known-markets.ts";
import {
  type MarketFrame,
  maxFrameLength,
  maxMessages,
  parseMarketFrame,
} from "./parse-market-frame.ts";
import { MessageScanner } from "./scan-message.ts";
import { scanPriceChange } from "./scan-price-change.ts";
import { TextBytes } from "./text-bytes.ts";

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
  readonly #known = new KnownMarkets();
  readonly #messages = new MessageScanner(this.#text, this.#known);
  /** Frames that were scanned, and frames that went the simple way. */
  scanned = 0;
  parsed = 0;

  /** Frames about these markets may come; of others they are read the simple way. */
  learn(markets: readonly WatchedMarket[]): void {
    for (const market of markets) this.#known.add(market);
  }

  forget(markets: readonly WatchedMarket[]): void {
    this.#known.remove(markets.map((market) => market.conditionId));
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
    return scanPriceChange(text, this.#known, at) ?? this.#messages.scan(at + 1);
  }
}
