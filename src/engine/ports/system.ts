/** Time and chance come in from outside, so that a run can be repeated. */
export type Clock = {
  /** Wall clock, milliseconds since 1970. */
  nowMs(): number;
  /** Monotonic milliseconds, for deadlines inside one process. */
  monotonicMs(): number;
  /** Calls back once after a delay; the returned function cancels it. */
  after(delayMs: number, callback: () => void): () => void;
};

export type Entropy = {
  /** Lower-case hex digits of cryptographic randomness. */
  hex(bytes: number): string;
  /** Integer in [0, 2^53). */
  salt(): number;
};

/** Named points of the order path where a crash test may kill the process; does nothing in production. */
export type FaultPoints = { readonly hit: (point: FaultPoint) => void };

export type FaultPoint =
  | "K0"
  | "K1"
  | "K2"
  | "K3"
  | "K4"
  | "K5"
  | "K6"
  | "K7"
  | "K8"
  | "K9"
  | "K10"
  | "K11"
  | "K12"
  | "K13"
  | "K14"
  | "K15"
  | "K16"
  | "K17";

export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Structured log lines; secrets are redacted by the adapter. */
export type Log = {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
};

/**
 * Stages of an order in milliseconds after its command was received; "place" counts from the decision and "place_call"
 * from the first byte, both to the answer.
 */
export type StageName =
  | "decided"
  | "committed"
  | "sent"
  | "acknowledged"
  | "filled"
  | "place"
  | "place_call";

/** Orders of complete sets, and edits of the terms of markets that such a set may hold. */
export type CounterName = "dutch_orders_placed" | "dutch_rulehash_changed";

/** Where what is measured goes besides the status: the metrics page. */
export type Meter = {
  readonly observe: (stage: StageName, ms: number) => void;
  readonly count: (name: CounterName, by: number) => void;
};
