import { type Config, deskModeOf } from "../config/config.ts";
import { configHash } from "../config/config-hash.ts";
import { codeVersion } from "./code-version.ts";
import type { EngineSettings } from "./engine/protocol/settings.ts";
import type { CatalogSettings } from "./engine/runtime/catalog-reader.ts";

/** A set's prices move faster than one order's: its card lives a third as long. */
const setCardShare = 3;
const resumeTtlMs = 60_000;
const ppmPerBps = 100;

/** The engine's settings out of the checked configuration. */
export function engineSettings(config: Config): EngineSettings {
  const { risk, venueWaits, dutch, telegram, service } = config;
  const cardTtlMs = telegram.confirmTtlSeconds * 1000;
  return {
    hashEvery: config.marketData.hashCheckEvery,
    mode: deskModeOf(config),
    startHalted: service.startHalted,
    configHash: configHash(config),
    codeVersion: codeVersion(),
    cardTtlMs,
    setCardTtlMs: Math.ceil(cardTtlMs / setCardShare),
    resumeWaitMs: telegram.resumeWaitMs,
    resumeTtlMs,
    resumeCode: telegram.totpSecret === null ? null : { lockMs: telegram.totpLockMs },
    slippagePpm: telegram.defaultSlippagePpm,
    risk: { ...risk, minOrderUsd: telegram.minOrderUsd },
    waits: venueWaits,
    dutch: {
      minProfitUsd: dutch.minProfitUsdc,
      safetyMarginUsd: dutch.safetyMarginUsdc,
      extraFeePpm: dutch.feeBps * ppmPerBps,
      slippageTicks: dutch.slippageTicks,
      allowOther: dutch.allowOther,
      minSize: dutch.minSize,
      maxSize: dutch.maxSize,
    },
    contracts: {
      maxGasPerActionUsd: config.contracts.maxGasPerActionUsd,
      pollMs: venueWaits.contractPollMs,
      resendWindowMs: venueWaits.contractResendMs,
      maxResends: config.contracts.maxResends,
    },
  };
}

/** What is read of the venue's catalog and how often. */
export function catalogSettings({ catalog, dutch, markets }: Config): CatalogSettings {
  return {
    crawl: catalog,
    refresh: catalog,
    maxMarkets: catalog.maxMarkets,
    maxSetMarkets: dutch.maxSets,
    strategyMarkets: markets.filter((market) => market.strategies.length > 0),
  };
}
