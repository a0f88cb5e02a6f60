import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../config/config.ts";
import { configHash } from "../config/config-hash.ts";
import { codeVersion } from "./code-version.ts";
import { ServiceError } from "./service-error.ts";

const fileName = "preflight.json";
const hourMs = 3_600_000;

/** What a passed preflight leaves in the state folder. */
export type PreflightStamp = {
  readonly v: 1;
  readonly configHash: string;
  readonly codeVersion: string;
  readonly signer: string;
  /** When it passed, or when a service that it let start last found its access open. */
  readonly atMs: number;
  /** Condition id -> hash of the market's terms at that time. */
  readonly rules: Readonly<Record<string, string>>;
};

export function readStamp(stateDir: string): PreflightStamp | null {
  const path = join(stateDir, fileName);
  if (!existsSync(path)) return null;
  try {
    const value = JSON.parse(readFileSync(path, "utf8")) as Partial<PreflightStamp> | null;
    const isWhole =
      value?.v === 1 && typeof value.atMs === "number" && typeof value.rules === "object";
    return isWhole ? (value as PreflightStamp) : null;
  } catch {
    // A stamp that cannot be read is none: the check is made again.
    return null;
  }
}

/** Keeps the stamp of a check that passed for this configuration, this code and this key. */
export function writeStamp(
  config: Config,
  signer: string,
  atMs: number,
  rules: Readonly<Record<string, string>>,
): void {
  const stamp: PreflightStamp = {
    v: 1,
    configHash: configHash(config),
    codeVersion: codeVersion(),
    signer,
    atMs,
    rules,
  };
  keep(config.service.stateDir, stamp);
}

/** A service whose access is open keeps its stamp young, so that a crash after days does not keep it from coming back. */
export function renewStamp(stateDir: string, atMs: number): void {
  const stamp = readStamp(stateDir);
  if (stamp !== null) keep(stateDir, { ...stamp, atMs });
}

/** Real money starts only on a fresh check of exactly this configuration, code and key. @throws ServiceError */
export function requirePreflight(config: Config, signer: string, nowMs: number): void {
  const { service, file } = config;
  const stamp = readStamp(service.stateDir);
  const why = reasonAgainst(stamp, config, signer, nowMs);
  if (why === null) return;
  throw new ServiceError(
    "preflight",
    `live trading does not start: ${why}. Type  pitboss preflight --config ${file}`,
  );
}

function reasonAgainst(
  stamp: PreflightStamp | null,
  config: Config,
  signer: string,
  nowMs: number,
): string | null {
  if (stamp === null) return "no preflight has passed for this state folder";
  if (stamp.configHash !== configHash(config))
    return "the configuration changed since the preflight";
  if (stamp.codeVersion !== codeVersion()) return "the code changed since the preflight";
  if (stamp.signer !== signer) return "the preflight was made with another key";
  const hours = config.service.preflightMaxAgeHours;
  if (stamp.atMs > nowMs) return "the preflight lies in the future: the clock was set back";
  return nowMs - stamp.atMs > hours * hourMs ? `the preflight is older than ${hours} hours` : null;
}

function keep(stateDir: string, stamp: PreflightStamp): void {
  const path = join(stateDir, fileName);
  writeFileSync(`${path}.new`, JSON.stringify(stamp), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
