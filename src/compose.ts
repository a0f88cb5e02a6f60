import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Config } from "../config/config.ts";
import { watchAccess } from "./access-watch.ts";
import type { ApiCredentials } from "./adapters/polymarket/auth.ts";
import type { ChainId } from "./adapters/polymarket/contracts.ts";
import type { Polymarket } from "./adapters/polymarket/create-polymarket.ts";
import { createPolymarket } from "./adapters/polymarket/create-polymarket.ts";
import { type OpenedScheme, openOrderScheme } from "./adapters/polymarket/open-scheme.ts";
import type { OrderScheme } from "./adapters/polymarket/signed-order.ts";
import { acquireLeases, type Lease, leaseFiles } from "./adapters/sqlite/lease.ts";
import { openLedger } from "./adapters/sqlite/ledger.ts";
import { systemClock } from "./adapters/system/clock.ts";
import { systemEntropy } from "./adapters/system/entropy.ts";
import { createFaultPoints } from "./adapters/system/fault-points.ts";
import { killFileIn } from "./adapters/system/kill-file.ts";
import { createLogger, type Logger } from "./adapters/telemetry/logger.ts";
import { keepApiKey, readApiKey } from "./api-key-file.ts";
import { Desk, type DeskDeps } from "./engine/runtime/desk.ts";
import { Engine } from "./engine/runtime/engine.ts";
import { engineSettings } from "./engine-settings.ts";
import { keepToConfiguredHosts } from "./outbound.ts";
import { ServiceError } from "./service-error.ts";
import { openSigningKey, type SigningKeyResult } from "./signing-key.ts";
import { keepWarm } from "./warm-up.ts";

/** How often one live book is compared with a REST read of it. */
const canaryMs = 15_000;

/** Everything of a running service that has to be ended, in one value. */
export type Service = {
  readonly config: Config;
  readonly engine: Engine;
  readonly polymarket: Polymarket;
  /** What orders are hashed and signed with, and why when it is not the fast way. */
  readonly signing: OpenedScheme;
  readonly logger: Logger;
  readonly signer: string;
  readonly funder: string;
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
  const key = await openSigningKey(config);
  mkdirSync(service.stateDir, { recursive: true, mode: 0o700 });
  const logger = openLogger(config, key.secrets);
  const openDoors = keepToConfiguredHosts(config, logger);
  const signing = await openSigning(config, logger);
  const polymarket = openPolymarket(config, key, signing.scheme, logger);
  const { account } = polymarket.venue;
  const lease = takeLease(config, account.signer);
  const faultPoints = createFaultPoints(options.faultPoints);
  const log = await openLedger(join(service.stateDir, "ledger.db"), {
    onClosing: () => faultPoints.hit("K16"),
    onLargeLog: (bytes) => logger.error("ledger.log-large", { bytes }),
  }).catch((error: unknown) => {
    lease.release();
    throw error;
  });
  const deps: DeskDeps = {
    settings: engineSettings(config),
    log,
    venue: polymarket.venue,
    marketData: polymarket.marketData,
    catalog: polymarket.catalog,
    hasher: polymarket.hasher,
    clock: systemClock,
    entropy: systemEntropy,
    faultPoints,
    logger,
    leaseHeld: lease.isHeld,
    keepKill: killFileIn(service.stateDir).write,
    tickMs: service.tickMs,
    snapshotWaitMs: service.snapshotWaitMs,
    bookRefreshAgeMs: config.risk.bookRefreshAgeMs,
    ledgerCommitMaxMs: config.venueWaits.ledgerCommitMaxMs,
    canaryMs,
    maxSetMarkets: config.dutch.maxSets,
  };
  const end = async (): Promise<void> => {
    await polymarket.close();
    lease.release();
    openDoors();
    await logger.close();
  };
  // A ledger that cannot be folded must end the process; its thread and its lease would keep it alive.
  const prepared = await Desk.prepare(deps).catch(async (error: unknown) => {
    await log.close();
    await end();
    throw error;
  });
  const engine = new Engine(deps, prepared);
  const coolDown = keepWarm(deps.settings, polymarket);
  const stop = async (): Promise<void> => {
    coolDown();
    await engine.stop();
    await end();
  };
  const { signer, funder } = account;
  return {
    config,
    engine,
    polymarket,
    signing,
    logger,
    signer,
    funder,
    watchAccess: accessWatch(config, polymarket, engine, logger),
    stop,
  };
}

/** The stored API key, and what becomes of a new one: no log line may show it, and the next start finds it. */
function apiKeyOf(config: Config, signer: string, logger: Logger) {
  const { service, relayer } = config;
  const owner = { stateDir: service.stateDir, venueHost: new URL(relayer.baseUrl).host, signer };
  const hide = ({ secret, passphrase }: ApiCredentials) => {
    logger.addSecret(secret);
    logger.addSecret(passphrase);
  };
  const credentials = readApiKey(owner);
  if (credentials !== null) hide(credentials);
  const onCredentials = (fresh: ApiCredentials) => {
    hide(fresh);
    try {
      keepApiKey(owner, fresh);
    } catch (error) {
      // Trading goes on with it; the next start derives it again.
      logger.failure("api-key.unkept", error);
    }
  };
  return { credentials, onCredentials };
}

/** Hides the signing key and every token from the first line on. */
function openLogger(config: Config, keySecrets: readonly string[]): Logger {
  const { service, telegram, telemetry } = config;
  const tokens = [telegram.botToken, telegram.webhookSecret].flatMap((one) =>
    one === null ? [] : [one.reveal()],
  );
  return createLogger({
    level: service.logLevel,
    target: telemetry.logFile === null ? { kind: "stderr" } : logFile(config),
    secrets: [...keySecrets, ...tokens],
  });
}

function accessWatch(
  config: Config,
  { readAccess }: Polymarket,
  { degrade }: Engine,
  logger: Logger,
): () => () => void {
  const intervalMs = config.venueWaits.accessIntervalMs;
  return () => watchAccess({ readAccess, degrade, intervalMs, logger, onOpen: () => undefined });
}

function logFile(config: Config) {
  const { telemetry } = config;
  return {
    kind: "file" as const,
    path: telemetry.logFile ?? "",
    bytesMax: telemetry.logFileMaxBytes,
    kept: telemetry.logFilesKept,
  };
}

/** The fast way to sign, once it is proved equal to ethers here and now; else ethers, and nobody has to guess why. */
async function openSigning(config: Config, logger: Logger): Promise<OpenedScheme> {
  const signing = await openOrderScheme(chainOf(config));
  if (signing.fallback === null) logger.info("signing.ready", { scheme: signing.scheme.name });
  else logger.warn("signing.slow", { scheme: signing.scheme.name, detail: signing.fallback });
  return signing;
}

function chainOf({ relayer }: Config): ChainId {
  if (relayer.chainId === 137 || relayer.chainId === 80_002) return relayer.chainId;
  throw new ServiceError("chain", `chain_id ${String(relayer.chainId)} is not supported: use 137`);
}

function openPolymarket(
  config: Config,
  key: SigningKeyResult,
  orderScheme: OrderScheme,
  logger: Logger,
): Polymarket {
  const { relayer, venueWaits, venueLimits } = config;
  const { signatureType } = relayer;
  if (signatureType !== 0 && signatureType !== 1 && signatureType !== 2 && signatureType !== 3) {
    throw new ServiceError("signature_type", "signature_type is 0, 1, 2 or 3");
  }
  return createPolymarket({
    urls: {
      clob: relayer.baseUrl,
      gamma: relayer.gammaUrl,
      ws: relayer.wsUrl,
      geoblock: relayer.geoblockUrl,
    },
    chainId: chainOf(config),
    privateKey: key.privateKey,
    orderScheme,
    ...apiKeyOf(config, key.signer, logger),
    signatureType,
    funder: relayer.funder,
    dryRun: relayer.dryRun,
    keepSpares: !relayer.dryRun,
    timeouts: {
      connectMs: venueWaits.connectTimeoutMs,
      headersMs: venueWaits.postTimeoutMs,
      bodyMs: venueWaits.readTimeoutMs,
      totalMs: venueWaits.postTimeoutMs + venueWaits.connectTimeoutMs,
    },
    rateLimits: {
      orders: { perSecond: venueLimits.ordersPerSecond, burst: venueLimits.ordersBurst },
      cancels: { perSecond: venueLimits.cancelsPerSecond, burst: venueLimits.cancelsBurst },
      killCancels: {
        perSecond: venueLimits.killCancelsPerSecond,
        burst: venueLimits.killCancelsBurst,
      },
    },
    log: logger,
  });
}

/** One writer, one signer: a second service on this state folder or this key says who holds it. */
function takeLease(config: Config, signer: string): Lease {
  const { service, relayer } = config;
  const files = leaseFiles({
    stateDir: service.stateDir,
    venueHost: new URL(relayer.baseUrl).host,
    signer,
    userStateDir: process.env["XDG_STATE_HOME"] ?? join(homedir(), ".local", "state"),
  });
  const info = { pid: process.pid, sinceMs: Date.now(), purpose: `run-service ${service.name}` };
  const result = acquireLeases(files, info);
  if (result.ok) return result.lease;
  const { heldBy } = result;
  const who =
    heldBy === null
      ? "another process"
      : `process ${heldBy.pid} (${heldBy.purpose}) since ${new Date(heldBy.sinceMs).toISOString()}`;
  throw new ServiceError(
    "lease_held",
    `${who} trades with this key or state folder already (${result.file}): stop it first, two writers would double orders`,
  );
}
