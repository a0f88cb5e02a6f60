import type { ConditionId, MarketWindow, OutcomeIndex, Side, TokenId } from "../domain/market.ts";
import type { Price, Shares, Usd } from "../domain/numbers.ts";
import type { OrderStatus, TimeInForce } from "../domain/order.ts";
import type { OrderTiming } from "../domain/order-timing.ts";
import type { Denial, HaltReason, ReducingReason, RejectReason } from "../domain/reasons.ts";
import type { DataView } from "./data-report.ts";

/** paper: the paper venue. dry-run: real data, nothing sent. live: money. First line of every trading message. */
export type DeskMode = "paper" | "dry-run" | "live";

export type MarketSummary = {
  readonly conditionId: ConditionId;
  readonly slug: string;
  readonly question: string;
  readonly groupTitle: string | null;
  readonly outcomeNames: readonly [string, string];
  /** From the live book when we have one, else the catalog's cached figures; null when unknown. Outcome 0. */
  readonly bestBid: Price | null;
  readonly bestAsk: Price | null;
  /** The prices are the catalog's, minutes old: to look at, never to trade on. */
  readonly cached?: true;
  /** Milliseconds since the book was last known to be right; null when it is not live. */
  readonly ageMs: number | null;
  readonly volumeUsd: number | null;
  readonly endAtMs: number | null;
  readonly tradable: boolean;
};

export type HoldingView = {
  readonly conditionId: ConditionId;
  readonly tokenId: TokenId;
  readonly question: string;
  readonly outcome: OutcomeIndex;
  readonly outcomeName: string;
  readonly confirmed: Shares;
  readonly provisional: Shares;
  /** Dollars paid for what is held, fees included. */
  readonly cost: Usd;
  /** Best bid now, null when there is none or the book is not live. */
  readonly bid: Price | null;
  /** How old that bid is; null without one. */
  readonly bidAgeMs: number | null;
  /** Shares at the best bid less cost; null without a bid. */
  readonly unrealizedUsd: Usd | null;
  readonly realizedUsd: Usd;
  /** Shares of it that somebody else bought on this account, less what somebody else sold. */
  readonly external: number;
  /** Shares that the venue holds beyond these, from nobody knows where: not sold by this desk. */
  readonly unexplained: Shares;
  /** At most so many may be sold now, by our account and the venue's. */
  readonly sellable: Shares;
  /** Less than the venue's smallest order: a resting sale of it is refused. */
  readonly dust: boolean;
};

export type MarketView = MarketSummary & {
  readonly tickSize: Price;
  readonly minOrderSize: Shares;
  readonly feeRatePpm: number;
  readonly negRisk: boolean;
  /** Best bid and ask of each outcome. */
  readonly quotes: readonly [QuoteView, QuoteView];
  /** Dollars resting within 2 cents of the best price, outcome 0. */
  readonly bidDepthUsd: Usd;
  readonly askDepthUsd: Usd;
  /** The newest edit of the terms, while nobody has accepted it. */
  readonly rulesEdit?: { readonly atMs: number; readonly ruleHash: string };
  /** Of an outcome of a group that may grow: what it stands for can change. */
  readonly mayChange?: true;
  /** Of an up/down market. */
  readonly window?: MarketWindow;
  readonly holdings: readonly HoldingView[];
};

export type QuoteView = { readonly bid: Price | null; readonly ask: Price | null };

export type RiskAfter = {
  readonly outcomeUsd: Usd;
  readonly outcomeCapUsd: Usd;
  readonly marketUsd: Usd;
  readonly marketCapUsd: Usd;
  /** All markets of the event, and the most that its worst outcome can still cost (at most that sum). */
  readonly eventUsd: Usd;
  readonly eventCapUsd: Usd;
  readonly eventWorstUsd: Usd;
  readonly totalUsd: Usd;
  readonly totalCapUsd: Usd;
  readonly cashLeftUsd: Usd;
};

/** A confirmation card: the dry run of exactly what will be sent. */
export type TradeCard = {
  /** One-time nonce of the Confirm button: `v1:ok:<nonce>`. */
  readonly nonce: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly mode: DeskMode;
  readonly conditionId: ConditionId;
  readonly question: string;
  readonly outcome: OutcomeIndex;
  readonly outcomeName: string;
  readonly side: Side;
  readonly timeInForce: TimeInForce;
  /** When a gtd order ends at the venue. */
  readonly goodTillMs: number | null;
  readonly tickSize: Price;
  readonly limit: Price;
  /** Marketable now: expected spend or proceeds before the fee; resting: size * limit. */
  readonly money: Usd;
  readonly shares: Shares;
  /** Part that would match at once; the rest would rest (gtc, gtd) or be dropped (fak). */
  readonly matchesNow: Shares;
  /** Worst price of the walk; null when nothing matches now. */
  readonly worst: Price | null;
  readonly best: Price | null;
  readonly fee: Usd;
  /** The fee rounded up, reserved by the gate. */
  readonly feeReserved: Usd;
  /** Most that can leave the account: spend at the limit plus reserved fee (buy); 0 for a sale. */
  readonly maxSpend: Usd;
  readonly maxLoss: Usd;
  /** What the shares pay if the outcome wins (buy). */
  readonly paysIfWin: Usd;
  readonly riskAfter: RiskAfter;
  readonly bookAgeMs: number;
  /** Set when a dollar amount was cut to what the book or the account allows. */
  readonly amountCutFrom: Usd | null;
  /** When the market's terms were edited, while nobody has accepted the edit. */
  readonly rulesEditedAtMs?: number;
  /** Of an up/down market. */
  readonly window?: MarketWindow;
  /** Shares at a limit, and what does not match at once is canceled. */
  readonly immediate?: true;
  /** Set on the card of a price change: the order that is canceled and proven gone before this one is sent. */
  readonly replaces?: {
    readonly clientOid: string;
    readonly shortId: string;
    readonly limit: Price;
  };
  readonly request: import("./requests.ts").TradeRequest;
};

export type SetLegCard = {
  readonly conditionId: ConditionId;
  readonly question: string;
  readonly outcome: OutcomeIndex;
  readonly outcomeName: string;
  readonly limit: Price;
  readonly worst: Price;
  readonly money: Usd;
  readonly fee: Usd;
};

/** Card of a complete set: every leg buys the same number of shares. */
export type SetCard = {
  readonly nonce: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly mode: DeskMode;
  readonly setId: string;
  readonly title: string;
  readonly kind: SetKind;
  readonly shares: Shares;
  readonly legs: readonly SetLegCard[];
  readonly oldestBookMs: number;
  readonly cost: Usd;
  readonly fee: Usd;
  readonly profit: Usd;
  /** Dollars lost if only the dearest single leg fails and the rest is worth nothing: told, not hidden. */
  readonly maxLoss: Usd;
  readonly maxSpend: Usd;
  readonly riskAfter: RiskAfter;
};

/** binary: YES+NO of one market; neg-risk-long: every YES; neg-risk-convert: NOs converted by a contract call. */
export type SetKind = "binary" | "neg-risk-long" | "neg-risk-convert";

export type SetView = {
  readonly setId: string;
  readonly title: string;
  readonly kind: SetKind;
  readonly outcomes: number;
  readonly verdict: "profitable" | "refused" | "needs_convert";
  /** Why it is refused. */
  readonly refusal: Denial | null;
  /** Best size and figures at that size (at the minimum size when nothing is profitable); null without liquidity. */
  readonly shares: Shares | null;
  readonly cost: Usd | null;
  readonly fee: Usd | null;
  /** Payoff less cost, fee and safety margin; negative when it loses. */
  readonly profit: Usd | null;
  readonly oldestBookMs: number | null;
};

export type SetScanView = {
  readonly scannedSets: number;
  readonly scannedMarkets: number;
  readonly atMs: number;
  readonly sets: readonly SetView[];
};

export type OrderView = {
  readonly clientOid: string;
  /** First 8 hex digits of the venue order id after 0x, for people. */
  readonly shortId: string;
  readonly orderHash: string;
  readonly conditionId: ConditionId;
  readonly question: string;
  readonly outcome: OutcomeIndex;
  readonly outcomeName: string;
  readonly side: Side;
  readonly timeInForce: TimeInForce;
  readonly status: OrderStatus;
  readonly rejectReason: RejectReason | null;
  readonly limit: Price;
  readonly size: Shares;
  readonly spend: Usd | null;
  readonly filled: Shares;
  readonly filledUsd: Usd;
  readonly feesUsd: Usd;
  readonly reservedUsd: Usd;
  readonly createdAtMs: number;
  readonly planId: string;
  readonly leg: number;
  readonly strategy: "manual" | "dutch";
  readonly cancelAsked: boolean;
  readonly timing: OrderTiming;
  /** Held back by the venue before it matches: cannot be canceled now. */
  readonly delayed: boolean;
};

/** An open order on the account that this desk did not place. */
export type ExternalOrderView = {
  readonly orderHash: string;
  readonly shortId: string;
  readonly conditionId: ConditionId;
  readonly question: string;
  readonly outcomeName: string;
  readonly side: Side;
  /** Null when the venue named no price. */
  readonly price: Price | null;
  readonly size: Shares;
  readonly matched: Shares;
  readonly reservedUsd: Usd;
  readonly firstSeenAtMs: number;
};

export type FeedView = {
  readonly name: "market" | "user" | "catalog" | "chat";
  readonly up: boolean;
  /** Milliseconds since the last frame or answer; null when there was none. */
  readonly ageMs: number | null;
};

export type TradingView = {
  /** Reducing: only sales of held shares and cancels are taken. */
  readonly state: "active" | "reducing" | "halted" | "killed";
  readonly reason: HaltReason | null;
  /** Why new risk is refused although nobody halted or killed; empty when nothing asks for that. */
  readonly causes: readonly ReducingReason[];
  readonly sinceMs: number;
  /** Who killed, and what they said. */
  readonly byUserId: number | null;
  readonly note: string;
};

export type DeskView = {
  readonly mode: DeskMode;
  readonly atMs: number;
  readonly startedAtMs: number;
  readonly trading: TradingView;
  readonly cash: Usd;
  /** Dollars reserved by open buys, fees included. */
  readonly locked: Usd;
  readonly cashFree: Usd;
  /** At best bids; positions without a live bid count at zero and are named in `unpriced`. */
  readonly positionsUsd: Usd;
  readonly unpriced: number;
  /** The oldest of the bids that they are worth; null when none is counted. */
  readonly positionsAgeMs: number | null;
  readonly exposureUsd: Usd;
  readonly exposureCapUsd: Usd;
  readonly openOrders: number;
  readonly unknownOrders: number;
  readonly inFlightOrders: number;
  readonly positions: number;
  readonly feeds: readonly FeedView[];
  readonly lastOrderAtMs: number | null;
  readonly queue: number;
  readonly booksLive: number;
  readonly booksStale: number;
  readonly data: DataView;
  readonly ledgerSeq: number;
  /** Trading that is off takes a one-time code to turn on, not a button alone. */
  readonly resumeNeedsCode: boolean;
  readonly warnings: readonly string[];
};
