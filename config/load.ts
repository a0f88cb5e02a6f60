// Reads a config file and its secrets overlay into one checked, camelCase value. No environment variable is read.
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parse } from "smol-toml";
import type { Config, Plain, Urls } from "./config.ts";
import { ConfigError } from "./config-error.ts";
import { schemaFaults, tomlFault } from "./faults.ts";
import { crossFaults, liveFaults, serviceFaults } from "./rules.ts";
import { type ConfigFile, configSchema } from "./schema.ts";
import { readSecrets, type Secrets, secretKeys, secretsFile } from "./secrets.ts";

const fileCharsMax = 1_000_000;

/** What the paper venue listens on when nothing else is said, and where the real one lives. */
const defaultUrls: Readonly<Record<"fake" | "real", Urls>> = {
  fake: {
    baseUrl: "http://127.0.0.1:8790",
    relayerUrl: "http://127.0.0.1:8790",
    gammaUrl: "http://127.0.0.1:8790/gamma",
    dataUrl: "http://127.0.0.1:8790/data",
    wsUrl: "ws://127.0.0.1:8790/ws",
    geoblockUrl: "http://127.0.0.1:8790",
  },
  real: {
    baseUrl: "https://clob.polymarket.com",
    relayerUrl: "https://relayer-v2.polymarket.com",
    gammaUrl: "https://gamma-api.polymarket.com",
    dataUrl: "https://data-api.polymarket.com",
    wsUrl: "wss://ws-subscriptions-clob.polymarket.com/ws",
    geoblockUrl: "https://polymarket.com",
  },
};

/**
 * Loads and checks a config file with the secrets beside it. `purpose` "service" also asks for everything that trading
 * needs: keys, tokens and a whitelist. Throws ConfigError with every fault found.
 */
export function loadConfig(file: string, purpose: "service" | "command" = "command"): Config {
  const path = resolve(file);
  const parsed = configSchema.safeParse(readToml(path));
  const faults = parsed.success
    ? crossFaults(path, parsed.data)
    : schemaFaults(path, configSchema, parsed.error, secretKeys);
  let secrets: Secrets | null = null;
  try {
    secrets = readSecrets(secretsFile(path));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    faults.push(...error.faults);
  }
  if (parsed.success && secrets !== null) {
    const config = assemble(path, parsed.data, secrets);
    faults.push(...liveFaults(config));
    if (purpose === "service") faults.push(...serviceFaults(config));
    if (faults.length === 0) return config;
  }
  throw new ConfigError(faults);
}

function readToml(path: string): unknown {
  let contents: string;
  try {
    contents = readFileSync(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unreadable";
    throw new ConfigError([
      `${path}: cannot be read (${code}): name an existing file with --config, such as config/paper.toml`,
    ]);
  }
  if (contents.length > fileCharsMax)
    throw new ConfigError([`${path}: is longer than ${fileCharsMax} characters`]);
  try {
    return parse(contents, { unsafeKeyBehaviour: "throw", maxDepth: 8 });
  } catch (error) {
    // A token pasted into the wrong file must not be repeated on a terminal, so the line itself is not shown.
    throw new ConfigError([tomlFault(path, error)]);
  }
}

function assemble(path: string, file: ConfigFile, secrets: Secrets): Config {
  const plain = camel(file) as Plain;
  const { market: _, ...rest } = plain;
  const base = dirname(path);
  const { relayer, service, telemetry } = plain;
  const urls = defaultUrls[relayer.type];
  return {
    ...rest,
    file: path,
    service: {
      ...service,
      stateDir: resolve(base, service.stateDir),
      startHalted: service.startHalted || (relayer.type === "real" && !relayer.dryRun),
    },
    markets: plain.market.map((market) => {
      const { slug, conditionId, strategies, ...overrides } = market;
      const given = Object.entries(overrides).filter(([, value]) => value !== undefined);
      const spread = { ...service.spread, ...Object.fromEntries(given) };
      return { slug, conditionId, strategies, spread };
    }),
    relayer: {
      ...relayer,
      baseUrl: relayer.baseUrl ?? urls.baseUrl,
      // The paper venue is its own relayer.
      relayerUrl:
        relayer.relayerUrl ??
        (relayer.type === "fake" ? (relayer.baseUrl ?? urls.baseUrl) : urls.relayerUrl),
      gammaUrl: relayer.gammaUrl ?? urls.gammaUrl,
      dataUrl: relayer.dataUrl ?? urls.dataUrl,
      wsUrl: relayer.wsUrl ?? urls.wsUrl,
      // A paper venue answers for itself wherever it listens.
      geoblockUrl:
        relayer.geoblockUrl ??
        (relayer.type === "fake" ? (relayer.baseUrl ?? urls.baseUrl) : urls.geoblockUrl),
      keystore: placed(base, relayer.keystore),
      keystorePasswordFile: placed(base, relayer.keystorePasswordFile),
      privateKey: secrets.privateKey,
      relayerApiKey: secrets.relayerApiKey,
    },
    venueWaits: scaled(plain.venueWaits, plain.venueWaits.timeScale),
    catalog: scaled(plain.catalog, plain.venueWaits.timeScale),
    telegram: {
      ...plain.telegram,
      botToken: secrets.botToken,
      webhookSecret: secrets.webhookSecret,
      totpSecret: secrets.totpSecret,
    },
    storage: {
      ...plain.storage,
      caFile: placed(base, plain.storage.caFile),
      tapeDir: placed(base, plain.storage.tapeDir),
      snapshotDir: placed(base, plain.storage.snapshotDir),
      databasePassword: secrets.databasePassword,
    },
    telemetry: {
      ...telemetry,
      logFile: placed(base, telemetry.logFile),
    },
  };
}

/** A path of the file, relative to the folder that the file is in. */
function placed(base: string, path: string | null): string | null {
  return path === null ? null : resolve(base, path);
}

/** Every wait divided by the scale, rounded up to a whole millisecond; counts stay as they are. */
function scaled<T extends Plain["venueWaits"] | Plain["catalog"]>(waits: T, timeScale: number): T {
  const shorter = (ms: number) => Math.ceil(ms / timeScale);
  const entries = Object.entries(waits).map(
    ([key, value]: [string, number | readonly number[]]) => {
      if (!key.endsWith("Ms")) return [key, value];
      return [key, typeof value === "number" ? shorter(value) : value.map(shorter)];
    },
  );
  return Object.fromEntries(entries) as T;
}

function camel(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camel);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key.replace(/_([a-z0-9])/g, (_, first: string) => first.toUpperCase()),
      camel(inner),
    ]),
  );
}
