import type { ConditionId, OutcomeIndex, Side, TokenId } from "./market.ts";
import type { Price, Shares, Usd } from "./numbers.ts";
import type { OrderTiming } from "./order-timing.ts";
import type { RejectReason } from "./reasons.ts";

export type TimeInForce = "fak" | "fok" | "gtc" | "gtd";

/**
 * In flight: its bytes may have left. Unknown: they left and nobody said what became of them; the reservation stays.
 * Live and partially filled orders rest at the venue. The last three are left only by an explicit correction.
 */
export type OrderStatus =
  | "in_flight"
  | "unknown"
  | "live"
  | "partially_filled"
  | "filled"
  | "canceled"
  | "rejected";

/** What is to be sent, after risk said yes and before it is signed. */
export type OrderDraft = {
  readonly conditionId: ConditionId;
  readonly tokenId: TokenId;
  readonly outcome: OutcomeIndex;
  readonly side: Side;
  readonly timeInForce: TimeInForce;
  /** Worst price that may be paid or taken. */
  readonly limit: Price;
  /**
   * Dollars for a fak/fok buy, because the venue spends those; null otherwise.
   * A marketable buy of the venue spends its maker amount and only limits the price by its taker amount.
   */
  readonly spend: Usd | null;
  /** Shares for everything else (and the expected shares of a fak/fok buy). */
  readonly size: Shares;
  readonly tickSize: Price;
  readonly negRisk: boolean;
  readonly version: "v1" | "v2";
  /** Unix seconds, gtd only, the venue's own minute already added. */
  readonly expirationS: number | null;
  readonly postOnly: boolean;
  /**
   * A marketable limit order: shares at a limit that crosses. It goes out as a limit order, the only kind that is sized in
   * shares for a buy, and what did not match at once is canceled.
   */
  readonly immediate?: true;
};

/** A signed order: bytes that are sent as they are, however often, and the id that the venue will give them. */
export type PreparedOrder = {
  readonly orderHash: string;
  readonly body: string;
};

export type Refusal = { readonly reason: RejectReason; readonly detail: string };

export type Order = {
  /** hash(planId, leg): at most one order hash belongs to it, ever. */
  readonly clientOid: string;
  readonly planId: string;
  readonly leg: number;
  readonly orderHash: string;
  readonly draft: OrderDraft;
  readonly body: string;
  /** Highest fee that its fills can cost; part of the reservation. */
  readonly feeReserve: Usd;
  readonly createdAtMs: number;
  /** No byte is sent after this. */
  readonly deadlineMs: number;
  /** Who and what caused it: every order is attributable. */
  readonly userId: number;
  readonly chatId: number;
  readonly commandId: string;
  readonly strategy: "manual" | "dutch";
  readonly status: OrderStatus;
  readonly rejectReason: RejectReason | null;
  /** The venue's refusal, until one look by hash confirms that it holds nothing: the reservation stays that long. */
  readonly refusal: Refusal | null;
  /** When the last attempt to send ended without an answer; null when it was answered. */
  readonly unknownSinceMs: number | null;
  readonly cleanAbsences: number;
  readonly cancelAskedAtMs: number | null;
  readonly filled: Shares;
  /** Dollars of all fills that stand, before fees. */
  readonly filledUsd: Usd;
  readonly feesUsd: Usd;
  /** Shares matched by the venue's own account of the order; fills may still be on their way. */
  readonly venueMatched: Shares;
  /** True once the venue said that the order is over; it closes when the fills it named have arrived. */
  readonly venueDone: boolean;
  readonly timing: OrderTiming;
  /** The venue holds it back before it matches (taker delay): it may fill, and it cannot be canceled meanwhile. */
  readonly delayed: boolean;
};

/** True for an order of which nothing may rest: a leg of a set, a marketable limit order. */
export function restIsCanceled(order: Order): boolean {
  return order.strategy === "dutch" || order.draft.immediate === true;
}

export function isOpen(order: Order): boolean {
  return order.status !== "filled" && order.status !== "canceled" && order.status !== "rejected";
}

/** True while the order can rest at the venue, so that a cancel makes sense. */
export function isResting(order: Order): boolean {
  return order.status === "live" || order.status === "partially_filled";
}

/** How an order stands that the venue holds. */
export function restingStatus(order: Order): "live" | "partially_filled" {
  return order.filled > 0 ? "partially_filled" : "live";
}
