import { mulDivFloor } from "../lib/mul-div.ts";
import type { ConditionId, OutcomeIndex, Side, TokenId } from "./market.ts";
import type { Shares, Usd } from "./numbers.ts";

/** Provisional until the venue says CONFIRMED; a FAILED one is reversed. */
export type FillStatus = "provisional" | "confirmed" | "failed";

/** Our part of one venue trade. Identified by trade id and order hash: one trade can fill several of our orders. */
export type Fill = {
  readonly fillId: string;
  readonly tradeId: string;
  readonly orderHash: string;
  readonly conditionId: ConditionId;
  readonly tokenId: TokenId;
  readonly outcome: OutcomeIndex;
  readonly side: Side;
  readonly size: Shares;
  /** Dollars paid (buy) or got (sell), before the fee. */
  readonly money: Usd;
  readonly fee: Usd;
  /** What the shares of a sale had cost, so that its reversal puts exactly that back; 0 for a buy. */
  readonly costOfSold: Usd;
  readonly isMaker: boolean;
  readonly status: FillStatus;
  readonly atMs: number;
  /** Set when an order of somebody else on our account made it. */
  readonly external?: true;
  /** Set when a correction had taken its shares off before it was reported: it moves no shares, then or later. */
  readonly absorbed?: true;
  /** Set while nobody has read its market: market, outcome and fee are not known yet, the fee counts as 0. */
  readonly unread?: true;
};

/** What the venue reported about a trade, as far as one of our orders took part. */
export type FillReport = Omit<
  Fill,
  "fillId" | "fee" | "costOfSold" | "conditionId" | "outcome" | "external" | "absorbed" | "unread"
> & {
  /** The trade's market, for a fill of which we do not know the order. */
  readonly conditionId?: ConditionId;
};

/** Shares of one outcome token and what they cost, kept as (cost, size). */
export type Position = {
  readonly tokenId: TokenId;
  readonly conditionId: ConditionId;
  readonly outcome: OutcomeIndex;
  readonly confirmed: Shares;
  /** Bought but not yet confirmed: counts in exposure, may not be sold. */
  readonly provisionalBought: Shares;
  /** Sold but not yet confirmed: may not be sold again. */
  readonly provisionalSold: Shares;
  /** Dollars paid for the shares held, fees included. */
  readonly cost: Usd;
  readonly realizedUsd: Usd;
  /** Shares bought less shares sold on this account by somebody else; part of the figures above. */
  readonly external: number;
  /** Shares that the venue holds for us beyond these: counted and shown, never sold by this desk. */
  readonly unexplained: Shares;
  /** Part of `provisionalSold` whose sale is confirmed, taken from the next shares that are confirmed. */
  readonly owed?: number;
  /** How often the position was corrected to the venue's. */
  readonly corrections: number;
  /** What corrections took off and no sale has explained yet; a sale from before `atMs` is part of it. */
  readonly gone?: { readonly size: Shares; readonly cost: Usd; readonly atMs: number };
};

/** Part of a position's cost that belongs to `size` of its shares, at the average of all that are held. */
export function costOfShares(position: Position, size: Shares): Usd {
  const held = position.confirmed + position.provisionalBought - position.provisionalSold;
  if (held <= 0) return 0 as Usd;
  return mulDivFloor(position.cost, Math.min(size, held), held) as Usd;
}
