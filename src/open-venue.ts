import { mkdirSync } from "node:fs";
import type { Config } from "../config/config.ts";
import { secretsIn } from "../config/secrets.ts";
import type { ApiCredentials } from "./adapters/polymarket/auth.ts";
import type { ChainId } from "./adapters/polymarket/contracts.ts";
import {
  createPolymarket,
  type Polymarket,
  type PolymarketOptions,
} from "./adapters/polymarket/create-polymarket.ts";
import type { FeedTimings } from "./adapters/polymarket/feed-timings.ts";
import { type OpenedScheme, openOrderScheme } from "./adapters/polymarket/open-scheme.ts";
import { createLogger, type Logger } from "./adapters/telemetry/logger.ts";
import { keepApiKey, readApiKey } from "./api-key-file.ts";
import { keepToConfiguredHosts } from "./outbound.ts";
import { ServiceError } from "./service-error.ts";
import { openSigningKey, type SigningKeyResult } from "./signing-key.ts";

/** Markets with money in them are followed beyond `max_markets`: the feed's own bound, a last defence, lies above it. */
const roomForMoney = 1_000;

/** The venue with its key and its log, as the service and the commands beside it use them. */
export type OpenedVenue = {
  readonly key: SigningKeyResult;
  readonly logger: Logger;
  readonly signing: OpenedScheme;
  readonly polymarket: Polymarket;
  /** Who is told, beside the log, that some code wanted a foreign host; also of attempts before this call. */
  readonly onForeignHost: (listener: (destination: string) => void) => void;
  readonly close: () => Promise<void>;
};

/** Opens key, log and venue; nothing is sent yet. From here on the process reaches the configured hosts alone. @throws ConfigError, ServiceError */
export async function openVenue(
  config: Config,
  options: { readonly readOnly?: boolean } & Pick<PolymarketOptions, "recording"> = {},
): Promise<OpenedVenue> {
  const key = await openSigningKey(config);
  mkdirSync(config.service.stateDir, { recursive: true, mode: 0o700 });
  const logger = openLogger(config, key.secrets);
  const doors = keepToConfiguredHosts(config, logger);
  const signing = await openSigning(config, logger);
  // The key was judged by what the file says; a command that only reads then cannot do more.
  const asked = options.readOnly === true ? readingOnly(config) : config;
  const polymarket = openPolymarket(
    asked,
    key,
    { ...options, orderScheme: signing.scheme },
    logger,
  );
  const close = async (): Promise<void> => {
    await polymarket.close();
    doors.open();
    await logger.close();
  };
  return { key, logger, signing, polymarket, onForeignHost: doors.onRefused, close };
}

/** For a command whose lines are for a person: only errors are logged, and beside them. */
export function withoutLog(config: Config): Config {
  const { service, telemetry } = config;
  return {
    ...config,
    service: { ...service, logLevel: "error" },
    telemetry: { ...telemetry, logFile: null },
  };
}

function readingOnly(config: Config): Config {
  return { ...config, relayer: { ...config.relayer, dryRun: true } };
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
  const { service, telemetry } = config;
  return createLogger({
    level: service.logLevel,
    target: telemetry.logFile === null ? { kind: "stderr" } : logFile(config),
    secrets: [...keySecrets, ...secretsIn(config)],
  });
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
  parts: Pick<PolymarketOptions, "orderScheme" | "recording">,
  logger: Logger,
): Polymarket {
  const { relayer, venueWaits, venueLimits, marketData } = config;
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
    ...(parts.orderScheme !== undefined && { orderScheme: parts.orderScheme }),
    ...(parts.recording !== undefined && { recording: parts.recording }),
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
    ...(relayer.heartbeat === "auto" && {
      heartbeat: {
        intervalMs: venueWaits.heartbeatIntervalMs,
        lateMs: venueWaits.heartbeatLateMs,
      },
    }),
    rateLimits: {
      orders: { perSecond: venueLimits.ordersPerSecond, burst: venueLimits.ordersBurst },
      cancels: { perSecond: venueLimits.cancelsPerSecond, burst: venueLimits.cancelsBurst },
      killCancels: {
        perSecond: venueLimits.killCancelsPerSecond,
        burst: venueLimits.killCancelsBurst,
      },
    },
    feedTimings: feedTimingsOf(config),
    feedLimits: {
      tokensPerConnection: marketData.tokensPerConnection,
      maxMarkets: marketData.maxMarkets + roomForMoney,
      resyncs: { perSecond: marketData.resyncsPerSecond, burst: marketData.resyncsBurst },
    },
    log: logger,
  });
}

function feedTimingsOf({ venueWaits }: Config): FeedTimings {
  return {
    pingEveryMs: venueWaits.feedPingMs,
    silenceLimitMs: venueWaits.feedSilenceMs,
    handshakeLimitMs: venueWaits.feedHandshakeMs,
    backOffFirstMs: venueWaits.feedBackoffFirstMs,
    backOffLongestMs: venueWaits.feedBackoffLongestMs,
    steadyAfterMs: venueWaits.feedSteadyMs,
    dataSilenceMs: venueWaits.feedDataSilenceMs,
    lagMaxMs: venueWaits.feedLagMaxMs,
    resyncEveryMs: venueWaits.resyncEveryMs,
    resyncLongestMs: venueWaits.resyncLongestMs,
    snapshotLimitMs: venueWaits.snapshotLimitMs,
  };
}
