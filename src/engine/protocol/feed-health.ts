/** One connection of the public stream. */
export type ConnectionHealth = {
  readonly id: number;
  /** The main connection of its markets, or the second one that carries them as well. */
  readonly role: "main" | "double";
  readonly up: boolean;
  readonly markets: number;
  readonly frames: number;
  readonly invalid: number;
  readonly losses: number;
  /** Milliseconds since the last event; null while it is down. */
  readonly quietMs: number | null;
  /** How late the newest frame came, against the promptest one of this connection. */
  readonly lagMs: number;
};

export type FeedHealth = {
  readonly connections: readonly ConnectionHealth[];
  /** Messages that were not believed, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  /** Connections that ended, by reason. */
  readonly losses: Readonly<Record<string, number>>;
  /** Events that a second connection brought after the first one. */
  readonly duplicates: number;
  readonly doubled: number;
  readonly snapshots: {
    readonly asked: number;
    readonly throttled: number;
    readonly waiting: number;
    /** REST reads of books that the venue answered with 429: none is made for as long as it says. */
    readonly readsRefused: number;
    /** Milliseconds from request to snapshot, newest last at most 512. */
    readonly durationsMs: readonly number[];
  };
};
