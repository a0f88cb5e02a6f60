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
  /** Shortest time between two fresh subscriptions of one market. */
  readonly resyncEveryMs: number;
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
  resyncEveryMs: 250,
  snapshotLimitMs: 2_000,
};
