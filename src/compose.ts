import { type Config, isLive } from "../config/config.ts";
import { watchAccess } from "./access-watch.ts";
import type { Polymarket } from "./adapters/polymarket/create-polymarket.ts";
import type { OpenedScheme } from "./adapters/polymarket/open-scheme.ts";
import { systemClock } from "./adapters/system/clock.ts";
import { systemEntropy } from "./adapters/system/entropy.ts";
import { createFaultPoints } from "./adapters/system/fault-points.ts";
import { killFileIn } from "./adapters/system/kill-file.ts";
import type { Logger } from "./adapters/telemetry/logger.ts";
import { createMetrics, type Metrics } from "./adapters/telemetry/metrics.ts";
import { type CatalogKept, openCatalogKeeping } from "./catalog-keeper.ts";
import type { Lease } from "./engine/ports/lease.ts";
import { Desk } from "./engine/runtime/desk.ts";
import type { DeskDeps } from "./engine/runtime/desk-deps.ts";
import { Engine } from "./engine/runtime/engine.ts";
import { catalogSettings, engineSettings } from "./engine-settings.ts";
import { openContracts } from "./open-contracts.ts";
import { type OpenedLedger, openConfiguredLedger } from "./open-ledger.ts";
import { openVenue } from "./open-venue.ts";
import { renewStamp, requirePreflight } from "./preflight-stamp.ts";
import { leaseInfo, takeLease } from "./take-lease.ts";
import { createServiceTape, type TapeFigures } from "./tape-recording.ts";
import { keepWarm } from "./warm-up.ts";

/** Everything of a running service that has to be ended, in one value. */
export type Service = {
  readonly config: Config;
  readonly engine: Engine;
  readonly polymarket: Polymarket;
  /** What orders are hashed and signed with, and why when it is not the fast way. */
  readonly signing: OpenedScheme;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly signer: string;
  readonly funder: string;
  /** What of the catalog is kept in the store; null when none is. */
  catalogKept(): CatalogKept | null;
  /** How the tape fares; null when none is recorded. */
  tapeFigures(): TapeFigures | null;
  /** Follows whether this place and this account may trade; returns what ends it. */
  watchAccess(): () => void;
  stop(): Promise<void>;
};

export type ComposeOptions = {
  /** Crash tests only: named points obey the parent's channel. */
  readonly faultPoints: boolean;
};

/** Names every concrete adapter. Rejects with ServiceError when the service must not run. */
export async function composeService(config: Config, options: ComposeOptions): Promise<Service> {
  const { service } = config;
  const tape = createServiceTape(config, systemClock);
  const opened = await openVenue(config, { recording: tape.recording });
  const { logger, signing, polymarket, onForeignHost, close } = opened;
  const { account } = polymarket.venue;
  if (isLive(config)) requirePreflight(config, account.signer, systemClock.nowMs());
  const lease = takeLease(config, account.signer, "run-service");
  const faultPoints = createFaultPoints(options.faultPoints);
  const ledger = await ledgerUnder(lease, config, logger, () => faultPoints.hit("K16"));
  const contracts = openContracts(config, opened);
  const metrics = createMetrics();
  const catalog = openCatalogKeeping(config, logger);
  const deps: DeskDeps = {
    settings: engineSettings(config),
    log: ledger.log,
    venue: polymarket.venue,
    ...(contracts !== null && { contracts }),
    ...(catalog.sink !== null && { catalogSink: catalog.sink }),
    marketData: polymarket.marketData,
    catalog: polymarket.catalog,
    hasher: polymarket.hasher,
    heartbeat: polymarket.heartbeat,
    clock: systemClock,
    entropy: systemEntropy,
    faultPoints,
    logger,
    leaseHeld: () => lease.isHeld() && ledger.isHeld(),
    meter: metrics.meter,
    ...tape.deskParts,
    keepKill: killFileIn(service.stateDir).write,
    ...boundsOf(config),
  };
  const end = async (): Promise<void> => {
    await close();
    await catalog.close();
    await tape.close();
    lease.release();
  };
  // A ledger that cannot be folded must end the process; its thread and its lease would keep it alive.
  const abandon = async (error: unknown): Promise<never> => {
    await ledger.log.close();
    await end();
    throw error;
  };
  const prepared = await Desk.prepare(deps).catch(abandon);
  await tape.open(logger).catch(abandon);
  const engine = new Engine(deps, prepared);
  onForeignHost((destination) => void engine.degrade("outbound", destination));
  const coolDown = keepWarm(engine, polymarket);
  const stop = async (): Promise<void> => {
    coolDown();
    await engine.stop();
    await end();
  };
  return {
    config,
    engine,
    polymarket,
    signing,
    logger,
    metrics,
    signer: account.signer,
    funder: account.funder,
    catalogKept: catalog.figures,
    tapeFigures: tape.figures,
    watchAccess: accessWatch(config, polymarket, engine, logger),
    stop,
  };
}

/** A ledger that does not open gives the lease back. */
async function ledgerUnder(
  lease: Lease,
  config: Config,
  logger: Logger,
  onClosing: () => void,
): Promise<OpenedLedger> {
  try {
    return await openConfiguredLedger(config, logger, leaseInfo(config, "run-service"), onClosing);
  } catch (error) {
    lease.release();
    throw error;
  }
}

function boundsOf(config: Config) {
  return {
    tickMs: config.service.tickMs,
    snapshotWaitMs: config.service.snapshotWaitMs,
    bookRefreshAgeMs: config.risk.bookRefreshAgeMs,
    ledgerCommitMaxMs: config.venueWaits.ledgerCommitMaxMs,
    canaryMs: config.venueWaits.bookCompareMs,
    canaryRoundMs: config.venueWaits.bookCompareRoundMs,
    maxBooks: config.marketData.maxMarkets,
    doubledBooks: config.marketData.doubleMarkets,
    stallMs: config.service.stallMs,
    clockCheckMs: config.venueWaits.clockCheckMs,
    catalogSettings: catalogSettings(config),
  };
}

function accessWatch(
  config: Config,
  { readAccess }: Polymarket,
  { degrade }: Engine,
  logger: Logger,
): () => () => void {
  const intervalMs = config.venueWaits.accessIntervalMs;
  const onOpen = () => {
    if (isLive(config)) renewStamp(config.service.stateDir, systemClock.nowMs());
  };
  return () => watchAccess({ readAccess, degrade, intervalMs, logger, onOpen });
}
