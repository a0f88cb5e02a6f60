import { shares, usd } from "../../../src/engine/domain/numbers.ts";
import type {
  ContractSettings,
  DutchSettings,
  EngineSettings,
  RiskLimits,
  VenueWaits,
} from "../../../src/engine/protocol/settings.ts";

export function dollars(amount: number) {
  return usd(Math.round(amount * 1_000_000));
}

const risk: RiskLimits = {
  maxNotionalPerOrderUsd: dollars(100),
  maxExposurePerOutcomeUsd: dollars(250),
  maxExposurePerMarketUsd: dollars(400),
  maxExposurePerEventUsd: dollars(10_000),
  maxExposurePerStrategyUsd: dollars(10_000),
  maxDailyLossUsd: dollars(10_000),
  maxDailyVolumeUsd: dollars(100_000),
  breakerRejectsPerMinute: 1_000,
  repeatMaxExecutions: 10_000,
  repeatWindowMs: 60_000,
  messageRateMax: 100_000,
  messageRateWindowMs: 10_000,
  breakerFailuresInRow: 1_000,
  breakerSlowAckMs: 3_000,
  breakerSlowAcks: 5,
  breakerSlowWindowMs: 60_000,
  breakerOrdersPerMinute: 10_000,
  maxExposureTotalUsd: dollars(800),
  maxOpenOrders: 50,
  priceCollarTicks: 10,
  priceCollarPeriodCents: 20,
  priceCollarPeriodMs: 60_000,
  duplicateWindowMs: 1_500,
  bookMaxAgeMs: 5_000,
  minOrderUsd: dollars(1),
  clockWarnMs: 1_000,
  clockMaxMs: 2_000,
};

const waits: VenueWaits = {
  orderDeadlineMs: 15_000,
  replaceDeadlineMs: 30_000,
  quarantineMs: 90_000,
  quarantineCleanReads: 3,
  queryBackoffMs: [500, 1_000, 2_000, 5_000],
  reconcileIntervalMs: 15_000,
  settleAlarmMs: 60_000,
  killCleanSnapshots: 3,
  killWindowMs: 60_000,
  feedLostAfterMs: 10_000,
  restartQuietMs: 30_000,
  postOnlyMs: 120_000,
  venueProbeMs: 30_000,
  venueProbeMaxMs: 300_000,
};

const dutch: DutchSettings = {
  minProfitUsd: dollars(0.02),
  safetyMarginUsd: dollars(0.005),
  extraFeePpm: 0,
  slippageTicks: 1,
  allowOther: false,
  minSize: shares(5_000_000),
  maxSize: shares(500_000_000),
};

const contracts: ContractSettings = {
  maxGasPerActionUsd: dollars(0.5),
  pollMs: 2_000,
  resendWindowMs: 600_000,
  maxResends: 5,
};

export type SettingsOver = {
  readonly hashEvery?: number;
  readonly mode?: EngineSettings["mode"];
  readonly startHalted?: boolean;
  readonly resumeWaitMs?: number;
  readonly resumeCode?: EngineSettings["resumeCode"];
  readonly risk?: Partial<RiskLimits>;
  readonly waits?: Partial<VenueWaits>;
  readonly dutch?: Partial<DutchSettings>;
  readonly contracts?: Partial<ContractSettings>;
};

/** The production waits and the default limits, with what a test changes. */
export function testSettings(over: SettingsOver = {}): EngineSettings {
  return {
    hashEvery: over.hashEvery ?? 1,
    mode: over.mode ?? "paper",
    startHalted: over.startHalted ?? false,
    configHash: "c".repeat(64),
    codeVersion: "test",
    cardTtlMs: 45_000,
    setCardTtlMs: 15_000,
    resumeWaitMs: over.resumeWaitMs ?? 3_000,
    resumeTtlMs: 60_000,
    resumeCode: over.resumeCode ?? null,
    slippagePpm: 20_000,
    risk: { ...risk, ...over.risk },
    waits: { ...waits, ...over.waits },
    dutch: { ...dutch, ...over.dutch },
    contracts: { ...contracts, ...over.contracts },
  };
}
