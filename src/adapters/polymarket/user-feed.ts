import type { Log } from "../../engine/ports/system.ts";
import type { AccountEvent } from "../../engine/protocol/venue-report.ts";
import type { ApiCredentials } from "./auth.ts";
import type { FeedTimings } from "./feed-timings.ts";
import { parseUserFrame } from "./parse-user-frame.ts";
import { channelUrl, openSocketLink, type SocketLink } from "./socket-link.ts";

export type UserFeedOptions = {
  /** Base of the sockets, see channelUrl. */
  readonly wsUrl: string;
  readonly funder: string;
  /** The API key in use; null before the venue is connected. */
  readonly credentials: () => ApiCredentials | null;
  readonly timings: FeedTimings;
  readonly log: Log;
};

export type UserFeed = {
  /** Opens the private stream for all markets; frames are handed on in order, never dropped. */
  readonly start: (listener: (event: AccountEvent) => void) => void;
  readonly close: () => Promise<void>;
};

/** The private stream: our orders and trades. It has no snapshot: after each link.up the REST reads are the truth. */
export function createUserFeed(options: UserFeedOptions): UserFeed {
  let link: SocketLink | null = null;
  let epoch = 0;

  function start(listener: (event: AccountEvent) => void): void {
    if (link !== null) return;
    link = openSocketLink({
      url: channelUrl(options.wsUrl, "user"),
      timings: options.timings,
      onOpen(send) {
        const credentials = options.credentials();
        if (credentials === null) options.log.error("user_feed.no_credentials", {});
        // Without `markets` the stream covers all of them; naming one would narrow it.
        else send(JSON.stringify({ type: "user", auth: credentials }));
        listener({ kind: "link.up", feed: "user", epoch: ++epoch });
      },
      onText(text) {
        const apiKey = options.credentials()?.apiKey ?? "";
        const frame = parseUserFrame(text.toString("utf8"), { apiKey, funder: options.funder });
        for (const reason of frame.refused) options.log.warn("user_feed.refused", { reason });
        for (const event of frame.events) listener(event);
      },
      onLost: ({ detail }) => listener({ kind: "link.lost", feed: "user", detail }),
      onBinary: () => options.log.warn("user_feed.refused", { reason: "binary" }),
    });
  }

  return { start, close: async () => link?.close() };
}
