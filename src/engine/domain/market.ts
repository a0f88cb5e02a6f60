import type { FeeSchedule } from "./fees.ts";
import type { Price, Shares, Usd } from "./numbers.ts";

/** 0x and 64 hex digits. Gamma shows 62 for version "v2"; the adapter pads right, as the CLOB wants it. */
export type ConditionId = string;
/** Decimal text of up to 78 digits; never a JavaScript number. */
export type TokenId = string;
/** Index of an outcome inside its market. The book is kept for 0 and mirrored for 1. */
export type OutcomeIndex = 0 | 1;
export type Side = "buy" | "sell";

/** SHA-256 (hex) of what decides how a market pays: question, description, resolution source, outcomes and dates. */
export type RuleHash = string;

/** An up/down window: whether a coin's price at its end is at or above the one at its start. */
export type MarketWindow = {
  /** Lower case, such as "btc". */
  readonly coin: string;
  readonly startMs: number;
  readonly endMs: number;
  /** Price at the start in micro-dollars; null until Gamma tells it. */
  readonly strike: Usd | null;
};

export type OutcomeToken = { readonly tokenId: TokenId; readonly name: string };

/** One binary market as the engine needs it; the catalog's source is Gamma, checked against the CLOB. */
export type Market = {
  readonly conditionId: ConditionId;
  readonly slug: string;
  readonly question: string;
  readonly outcomes: readonly [OutcomeToken, OutcomeToken];
  readonly tickSize: Price;
  readonly minOrderSize: Shares;
  readonly negRisk: boolean;
  readonly fee: FeeSchedule;
  /** Gamma's version: "v1" signs under domain version 2, "v2" under 3. Any other is refused by the adapter. */
  readonly version: "v1" | "v2";
  readonly groupId: string | null;
  readonly groupTitle: string | null;
  readonly groupItemTitle: string;
  /** The outcome that won, once the market is resolved. */
  readonly winner?: OutcomeIndex;
  /** bytes32 of the neg-risk market that this is a question of, and its index there. */
  readonly negRiskMarketId?: string;
  readonly questionIndex?: number;
  /** True for the "Other" outcome of an augmented group, whose meaning can change. */
  readonly isOther: boolean;
  /** True for an outcome of an augmented group that is not named yet ("Person B"): it may become anything. */
  readonly isPlaceholder?: true;
  /** Absent in what was kept before it was known. */
  readonly ruleHash?: RuleHash;
  readonly window?: MarketWindow;
  /** Tradable = active, not closed, accepting orders, book enabled. */
  readonly tradable: boolean;
  readonly endAtMs: number | null;
  /** Time a taker order is held before it matches; it cannot be canceled meanwhile. */
  readonly takerDelayMs: number;
  readonly volumeUsd: number | null;
};

/** Several markets of which exactly one wins (the venue says "neg-risk event"). */
export type MarketGroup = {
  readonly groupId: string;
  readonly slug: string;
  readonly title: string;
  readonly negRisk: boolean;
  /** Outcomes may be added later: buying every YES is then not a complete set. */
  readonly augmented: boolean;
  /** Every declared market of the group, tradable or not. */
  readonly conditionIds: readonly ConditionId[];
};

export const tickSizes: readonly Price[] = [
  1000, 100, 50, 25, 10, 1,
] as readonly number[] as readonly Price[];

/** Lowest and highest price that the market takes. */
export function isOnGrid(market: Market, at: Price): boolean {
  return at % market.tickSize === 0 && at >= market.tickSize && at <= 10_000 - market.tickSize;
}

export function floorToTick(value: number, tickSize: Price): Price {
  return (value - (value % tickSize)) as Price;
}

export function ceilToTick(value: number, tickSize: Price): Price {
  const rest = value % tickSize;
  return (rest === 0 ? value : value - rest + tickSize) as Price;
}

/**
 * Shares of one leg of a complete set come in multiples of this, so that size * price has at most two decimals of a
 * dollar at each tick (the venue's accuracy rule for marketable buys).
 */
export function setSizeStep(tickSize: Price): Shares {
  const whole =
    tickSize >= 100 ? 1 : tickSize >= 50 ? 2 : tickSize >= 25 ? 4 : tickSize >= 10 ? 10 : 100;
  return (whole * 1_000_000) as Shares;
}
