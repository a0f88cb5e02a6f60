/**
 * What the world (books and metadata from a universe, a data folder or a tape) and the exchange (accounts,
 * matching, protocol) of the paper venue know of each other. Decimal values are strings as on the wire.
 */

export type Side = "BUY" | "SELL";

export type OutcomeSpec = { readonly tokenId: string; readonly name: string };

export type MarketSpec = {
  readonly conditionId: string;
  readonly questionId: string;
  /** Gamma's own id, a number in a string. */
  readonly gammaId: string;
  readonly slug: string;
  readonly question: string;
  readonly description: string;
  /** Index 0 is the token whose book is kept; index 1 is its mirror. */
  readonly outcomes: readonly [OutcomeSpec, OutcomeSpec];
  readonly tickSize: string;
  readonly minOrderSize: string;
  readonly negRisk: boolean;
  readonly negRiskMarketId: string | null;
  readonly negRiskOther: boolean;
  readonly groupItemTitle: string;
  readonly eventId: string;
  /** Taker fee rate such as "0.04", or null when fees are off; the exponent is always 1. */
  readonly feeRate: string | null;
  readonly feeType: string;
  readonly rebateRate: string;
  /** Gamma's version: "v1" trades CTF tokens (domain version 2), "v2" trades positions (domain version 3). */
  readonly version: "v1" | "v2";
  /** ISO time. */
  readonly endDate: string;
  readonly eventStartTime: string | null;
  readonly acceptingOrders: boolean;
  readonly closed: boolean;
  /** Seconds that taker orders are held before they match; 0 for none. */
  readonly secondsDelay: number;
  readonly tags: readonly string[];
  readonly volume: string;
  /** The recorded Gamma object to serve instead of a built one (times already shifted), or null. */
  readonly recordedGamma: Readonly<Record<string, unknown>> | null;
};

export type EventSpec = {
  readonly id: string;
  readonly slug: string;
  readonly title: string;
  readonly description: string;
  readonly negRisk: boolean;
  readonly negRiskAugmented: boolean;
  readonly negRiskMarketId: string | null;
  readonly endDate: string;
  readonly tags: readonly string[];
  readonly conditionIds: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>> | null;
  /** The recorded Gamma event to serve instead of a built one (times already shifted), when there is one. */
  readonly recordedGamma?: Readonly<Record<string, unknown>>;
};

export type Level = { readonly price: string; readonly size: string };

/** Recorded or generated liquidity of a market, seen on outcome 0. Own orders join it at the same level. */
export type BackgroundBook = {
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
  /** Three decimals, "" when never traded. */
  readonly lastTradePrice: string;
};

/** What a world may do to the exchange. Every change is published on the sockets by the exchange. */
export type Exchange = {
  addEvent(event: EventSpec): void;
  addMarket(spec: MarketSpec, book: BackgroundBook): void;
  /**
   * New total background size of one level of outcome 0's book; "0" removes it. Ends what takers consumed there.
   * A level that crosses own orders trades with them first; crossed background gives way.
   */
  setBackgroundLevel(conditionId: string, side: Side, price: string, size: string): void;
  replaceBackground(conditionId: string, book: BackgroundBook): void;
  /** A taker of the crowd on outcome 0: hits own resting orders and background in price-time order. */
  crowdTrade(conditionId: string, side: Side, limitPrice: string, size: string): void;
  changeTickSize(conditionId: string, tickSize: string): void;
  setAcceptingOrders(conditionId: string, accepting: boolean): void;
  /** Pays 1 a share of the winning outcome, cancels open orders, publishes market_resolved. */
  resolve(conditionId: string, winningIndex: 0 | 1): void;
  market(conditionId: string): MarketState | null;
  markets(): readonly MarketState[];
  events(): readonly EventSpec[];
};

export type MarketState = {
  readonly spec: MarketSpec;
  readonly tickSize: string;
  readonly acceptingOrders: boolean;
  readonly resolved: 0 | 1 | null;
  /** Held markets ignore the world's changes (scripts freeze a market to compare figures exactly). */
  readonly held: boolean;
  readonly bestBid: string | null;
  readonly bestAsk: string | null;
  readonly lastTradePrice: string;
};

/** A source of books that drives the exchange until stopped. */
export type World = {
  /** One line for people: what this world is and what was changed in recorded data (shifted times, new hashes). */
  readonly summary: string;
  start(): void;
  stop(): void;
  /** Moves a market by whole ticks at once, although it is held (scripts). */
  move(conditionId: string, ticks: number): void;
};
