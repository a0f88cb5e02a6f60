import { feeAtMost } from "./fees.ts";
import type { ConditionId, Market, OutcomeIndex, Side, TokenId } from "./market.ts";
import { costCeil, type Price, payoff, type Shares, shares, type Usd, usd } from "./numbers.ts";

/** An open order on our account that this desk did not place: a person on the website, another program. */
export type ExternalOrder = {
  readonly orderHash: string;
  readonly conditionId: ConditionId;
  readonly tokenId: TokenId;
  readonly outcome: OutcomeIndex;
  readonly side: Side;
  /** Null when the venue named none that we can read. */
  readonly price: Price | null;
  readonly size: Shares;
  readonly matched: Shares;
  readonly firstSeenAtMs: number;
};

/** Shares that it can still buy or sell. */
export function externalRest(order: ExternalOrder): Shares {
  return shares(Math.max(0, order.size - order.matched));
}

/** Dollars that an open foreign buy can still take, its highest fee included; 0 for a sale. */
export function externalReservedUsd(order: ExternalOrder, market: Market | undefined): Usd {
  if (order.side === "sell") return 0 as Usd;
  const rest = externalRest(order);
  // Without a price a share can cost a dollar at most.
  const money = order.price === null ? payoff(rest) : costCeil(order.price, rest);
  return usd(money + (market === undefined ? 0 : feeAtMost(market.fee, money)));
}
