/** The waits of the two streams, in milliseconds. */
export type FeedTimings = {
  readonly pingEveryMs: number;
  /** Without any frame for this long a connection is taken for dead (the official client's limit). */
  readonly silenceLimitMs: number;
  readonly handshakeLimitMs: number;
  /** Bound of the first pause before a reconnect; it doubles with each attempt up to the longest. */
  readonly backOffFirstMs: number;
  readonly backOffLongestMs: number;
  /** A connection that lived this long makes the next back-off start from its beginning. */
  readonly steadyAfterMs: number;
  /** Without data for this long a market connection is compared with a REST book (polymarket-market-data 2.5). */
  readonly dataSilenceMs: number;
  /** Frames that come later than this after their time show a reader that cannot keep up. */
  readonly lagMaxMs: number;
  /** Shortest time between two fresh subscriptions of one market; it doubles while they do not help, up to the longest. */
  readonly resyncEveryMs: number;
  readonly resyncLongestMs: number;
  /** The stream gets this long to send a snapshot before the book is read by REST. */
  readonly snapshotLimitMs: number;
};

export const defaultFeedTimings: FeedTimings = {
  pingEveryMs: 10_000,
  silenceLimitMs: 30_000,
  handshakeLimitMs: 10_000,
  backOffFirstMs: 250,
  backOffLongestMs: 30_000,
  steadyAfterMs: 30_000,
  dataSilenceMs: 15_000,
  lagMaxMs: 5_000,
  resyncEveryMs: 250,
  resyncLongestMs: 30_000,
  snapshotLimitMs: 2_000,
};

/** How much is followed at once. */
export type FeedLimits = {
  /** Above 500 tokens a connection gets no books at all; 200 is safe (polymarket-market-data 2.2). */
  readonly tokensPerConnection: number;
  readonly maxMarkets: number;
  /** Fresh snapshots that are asked for, over all markets. */
  readonly resyncs: { readonly perSecond: number; readonly burst: number };
};

export const defaultFeedLimits: FeedLimits = {
  tokensPerConnection: 200,
  maxMarkets: 5_000,
  resyncs: { perSecond: 50, burst: 200 },
};
