import { defaultTimeouts } from "../../../src/adapters/polymarket/create-polymarket.ts";
import {
  defaultFeedLimits,
  defaultFeedTimings,
  type FeedLimits,
  type FeedTimings,
} from "../../../src/adapters/polymarket/feed-timings.ts";
import { createHttpClient } from "../../../src/adapters/polymarket/http-client.ts";
import { createMarketFeed, type MarketFeed } from "../../../src/adapters/polymarket/market-feed.ts";
import type { MarketEvent } from "../../../src/engine/domain/market-event.ts";
import type { FeedEvent } from "../../../src/engine/ports/market-data.ts";
import { collectingLog, type LogLine, until } from "./paper-desk.ts";
import { markets, ScriptedVenue } from "./scripted-venue.ts";

/** So long that it never ends in a test; the longest that a timer takes is a little more. */
export const neverMs = 2_000_000_000;

type Heard = MarketEvent | FeedEvent;

/** The real feed on the sockets of a venue whose answers the test writes. */
export class FeedRig {
  readonly venue = new ScriptedVenue();
  readonly events: Heard[] = [];
  lines: LogLine[] = [];
  #feed: MarketFeed | null = null;

  get feed(): MarketFeed {
    if (this.#feed === null) throw new TypeError("start it first");
    return this.#feed;
  }

  /** Resolves when the books of the first `count` markets have come. */
  async start(
    timings: Partial<FeedTimings> = {},
    limits: Partial<FeedLimits> = {},
    count = 1,
  ): Promise<void> {
    const address = await this.venue.listen();
    const { log, lines } = collectingLog();
    this.lines = lines;
    this.#feed = createMarketFeed({
      wsUrl: `ws://${address}`,
      http: createHttpClient({
        baseUrl: `http://${address}`,
        timeouts: defaultTimeouts,
        connections: 16,
      }),
      timings: { ...defaultFeedTimings, backOffFirstMs: 20, ...timings },
      limits: { ...defaultFeedLimits, ...limits },
      log,
    });
    this.#feed.start((batch) => this.events.push(...batch));
    this.#feed.watch(markets(count));
    if (this.venue.autoAnswer) await this.books(count);
  }

  ofKind<K extends Heard["kind"]>(kind: K): Extract<Heard, { readonly kind: K }>[] {
    return this.events.filter(
      (event): event is Extract<Heard, { readonly kind: K }> => event.kind === kind,
    );
  }

  /** Resolves when so many books have come, since the start. */
  async books(count: number): Promise<void> {
    await until(`${count} books`, () => (this.ofKind("book.snapshot").length >= count ? 1 : null));
  }

  /** The venue says this on one of its connections, the first one being 0. */
  send(socket: number, text: string): void {
    this.venue.sockets[socket]?.send(text);
  }

  /** Members of the log lines of this event. */
  logged(event: string): LogLine["fields"][] {
    return this.lines.filter((line) => line.event === event).map((line) => line.fields);
  }

  /** Round trips to the venue: what was on its way has come. The read names no market that is followed. */
  async roundTrips(count: number): Promise<void> {
    const [stranger] = markets(1, 800_000);
    for (let i = 0; i < count; i++) if (stranger !== undefined) await this.feed.readBook(stranger);
  }

  async close(): Promise<void> {
    await this.#feed?.close();
    await this.venue.close();
  }
}
