import type { Shares, Usd } from "../domain/numbers.ts";

/** Limits in force; every one is checked before an order exists. */
export type RiskLimits = {
  readonly maxNotionalPerOrderUsd: Usd;
  readonly maxExposurePerOutcomeUsd: Usd;
  readonly maxExposurePerMarketUsd: Usd;
  readonly maxExposurePerEventUsd: Usd;
  readonly maxExposurePerStrategyUsd: Usd;
  readonly maxExposureTotalUsd: Usd;
  /** Realised loss of a UTC day after which only sales are taken. */
  readonly maxDailyLossUsd: Usd;
  /** Dollars bought and sold in a UTC day, open orders included. */
  readonly maxDailyVolumeUsd: Usd;
  /** Refusals by the venue within a minute that halt trading. */
  readonly breakerRejectsPerMinute: number;
  /** Sends in a row without an answer that halt trading. */
  readonly breakerFailuresInRow: number;
  /** So many answers later than this within the window: no new risk until it has passed. */
  readonly breakerSlowAckMs: number;
  readonly breakerSlowAcks: number;
  readonly breakerSlowWindowMs: number;
  /** So many orders of one strategy, token and side that traded within the window stop it until a resume. */
  readonly repeatMaxExecutions: number;
  readonly repeatWindowMs: number;
  /** Requests about orders within the window above which new orders are refused. */
  readonly messageRateMax: number;
  readonly messageRateWindowMs: number;
  /** Orders within a minute that halt trading. */
  readonly breakerOrdersPerMinute: number;
  readonly maxOpenOrders: number;
  readonly priceCollarTicks: number;
  /** Within the period no price may lie further than this from any that was met in it. */
  readonly priceCollarPeriodCents: number;
  readonly priceCollarPeriodMs: number;
  readonly duplicateWindowMs: number;
  /** The gate refuses older books. */
  readonly bookMaxAgeMs: number;
  readonly minOrderUsd: Usd;
  /** Traders are told when our clock is further from the venue's. */
  readonly clockWarnMs: number;
  /** Orders are refused when our clock is further from the venue's. */
  readonly clockMaxMs: number;
};

/** Waits of the protocol with the venue, in milliseconds, already divided by the time scale. */
export type VenueWaits = {
  /** No byte of an order is sent later than this after its approval. */
  readonly orderDeadlineMs: number;
  /** A price change whose old order is not gone after this long leaves no new order. */
  readonly replaceDeadlineMs: number;
  /** "Not found" is believed only after this long and so many clean reads. */
  readonly quarantineMs: number;
  readonly quarantineCleanReads: number;
  readonly queryBackoffMs: readonly number[];
  readonly reconcileIntervalMs: number;
  /** An order or fill unsettled for this long raises an alert. */
  readonly settleAlarmMs: number;
  readonly killCleanSnapshots: number;
  readonly killWindowMs: number;
  readonly feedLostAfterMs: number;
  /** After a 425 and this long without another one, the venue's restart is assumed to be over. */
  readonly restartQuietMs: number;
  /** How long the venue takes only post-only orders after a restart, unless it names the time. */
  readonly postOnlyMs: number;
  /** Wait before the next order is tried at a venue whose trading is off; doubles up to the second one. */
  readonly venueProbeMs: number;
  readonly venueProbeMaxMs: number;
};

export type DutchSettings = {
  readonly minProfitUsd: Usd;
  readonly safetyMarginUsd: Usd;
  /** Parts per million of cost on top of the venue's own fee. */
  readonly extraFeePpm: number;
  readonly slippageTicks: number;
  readonly allowOther: boolean;
  readonly minSize: Shares;
  readonly maxSize: Shares;
};

/** Bounds and waits of calls on the position contracts; waits already divided by the time scale. */
export type ContractSettings = {
  /** A call whose gas could cost more is refused. */
  readonly maxGasPerActionUsd: Usd;
  /** How often a sent call is looked at. */
  readonly pollMs: number;
  /** The same bytes may be sent again this long after the approval. */
  readonly resendWindowMs: number;
  readonly maxResends: number;
};

export type EngineSettings = {
  /** The hash of every n-th group of changes of a book is checked; 1 checks each. */
  readonly hashEvery: number;
  readonly mode: "paper" | "dry-run" | "live";
  readonly startHalted: boolean;
  readonly configHash: string;
  readonly codeVersion: string;
  readonly cardTtlMs: number;
  readonly setCardTtlMs: number;
  readonly resumeWaitMs: number;
  readonly resumeTtlMs: number;
  /** Resuming needs a one-time code, and too many wrong ones lock it for so long; null: two steps are enough. */
  readonly resumeCode: { readonly lockMs: number } | null;
  readonly slippagePpm: number;
  readonly risk: RiskLimits;
  readonly waits: VenueWaits;
  readonly dutch: DutchSettings;
  readonly contracts: ContractSettings;
};
