import { closeSync, fsyncSync, openSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import { readOwnFile } from "../config/own-file.ts";
import type { ApiCredentials } from "./adapters/polymarket/auth.ts";

const fileName = "api-key.json";
const ownerOnly = 0o600;

/** Whose key it is: another venue or another signer makes the stored one worthless. */
export type ApiKeyOwner = {
  readonly stateDir: string;
  readonly venueHost: string;
  /** Address of the EOA that derived it. */
  readonly signer: string;
};

/**
 * The API key that an earlier run derived, so that a start asks the venue for none; null when there is none for this
 * venue and signer. Throws ConfigError when others can read the file.
 */
export function readApiKey(owner: ApiKeyOwner): ApiCredentials | null {
  const text = readOwnFile(join(owner.stateDir, fileName));
  const stored = text === null ? null : parsed(text);
  if (stored === null) return null;
  const { venueHost, signer, apiKey, secret, passphrase } = stored;
  if (venueHost !== owner.venueHost || signer !== owner.signer) return null;
  return typeof apiKey === "string" && typeof secret === "string" && typeof passphrase === "string"
    ? { apiKey, secret, passphrase }
    : null;
}

/** Keeps the key, mode 0600; the old file stays whole until the new one is. */
export function keepApiKey(owner: ApiKeyOwner, credentials: ApiCredentials): void {
  const { venueHost, signer } = owner;
  const { apiKey, secret, passphrase } = credentials;
  const path = join(owner.stateDir, fileName);
  const handle = openSync(`${path}.new`, "w", ownerOnly);
  try {
    writeSync(handle, JSON.stringify({ v: 1, venueHost, signer, apiKey, secret, passphrase }));
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(`${path}.new`, path);
}

/** A file that was cut short is as good as none: the key can always be derived again. */
function parsed(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
