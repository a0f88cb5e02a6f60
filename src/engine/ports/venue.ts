import type { FillReport } from "../domain/fill.ts";
import type { Shares } from "../domain/numbers.ts";
import type { OrderDraft, PreparedOrder } from "../domain/order.ts";
import type { Denial } from "../domain/reasons.ts";
import type { Result } from "../lib/result.ts";
import type {
  AccountBalance,
  AccountEvent,
  CancelOutcome,
  PostOutcome,
  QueryOutcome,
  VenueOrder,
} from "../protocol/venue-report.ts";

/** The two values that make an order unique; drawn by the caller so that they are recorded. */
export type OrderUniqueness = {
  /** At most 2^53 - 1. */
  readonly salt: number;
  readonly timestampMs: number;
};

/** The exchange as the engine uses it. No method throws; failures are outcomes. */
export type VenuePort = {
  /** EOA that signs, and the account that holds the money (the same for signature type 0). */
  readonly account: { readonly signer: string; readonly funder: string };
  /** Derives the API key when there is none yet, checks the clock. Must succeed before anything private. */
  connect(): Promise<Result<{ readonly clockOffsetMs: number }, string>>;
  /** The venue's time at the moment of the answer, corrected by half of the round trip. */
  readTime(): Promise<Result<{ readonly venueMs: number; readonly roundTripMs: number }, string>>;
  /** Builds and signs; no outside effect. The hash is the id that the venue will give the order. */
  prepare(draft: OrderDraft, unique: OrderUniqueness): PreparedOrder;
  /**
   * Sends the body as it is, once. `gate` is asked synchronously in the client's request-start hook, after which the
   * first byte is written; a denial aborts with `blocked`. Our own rate limit may hold it back for at most `waitMaxMs`;
   * then it is `blocked` with `rate_limited`, not sent.
   */
  post(order: PreparedOrder, gate: () => Denial | null, waitMaxMs?: number): Promise<PostOutcome>;
  cancel(orderHashes: readonly string[]): Promise<CancelOutcome>;
  cancelAll(): Promise<CancelOutcome>;
  queryOrder(orderHash: string): Promise<QueryOutcome>;
  openOrders(): Promise<Result<readonly VenueOrder[], string>>;
  /** Our part of trades since a time (seconds, inclusive), newest state of each. All pages, bounded. */
  fills(afterS: number): Promise<Result<readonly FillReport[], string>>;
  balance(): Promise<Result<AccountBalance, string>>;
  /** Confirmed shares of one token by the venue's account; a cross-check that may only reduce ours. */
  shares(tokenId: string, version: "v1" | "v2"): Promise<Result<Shares, string>>;
  /** Starts the private stream; ends with `close`. */
  listen(listener: (event: AccountEvent) => void): void;
  close(): Promise<void>;
};
