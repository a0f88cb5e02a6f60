import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Config, isLive } from "../config/config.ts";
import { ConfigError } from "../config/config-error.ts";
import { groupWritableFault, readOwnFile } from "../config/own-file.ts";
import { funderFaults } from "../config/rules.ts";
import { secretsFile } from "../config/secrets.ts";
import { addressOfKey, KeystoreError, openKeystore } from "./adapters/keys/keystore.ts";
import { coreDumpFault, hostFacts, hostFaults } from "./adapters/system/host-checks.ts";
import { askSecret } from "./adapters/system/secret-prompt.ts";

const credentialName = "keystore-password";
const credentialBytesMax = 4096;

export type SigningKeyResult = {
  /** 0x and 64 hex digits. */
  readonly privateKey: string;
  readonly signer: string;
  /** Values that no output may show: the key, and the password that opened it. */
  readonly secrets: readonly string[];
};

/**
 * The key that signs, from the keystore or from the secrets file. Refuses, with what to repair, on a host or in a place
 * where others could read it, and when its address is not the configured one. Throws ConfigError.
 */
export async function openSigningKey(config: Config): Promise<SigningKeyResult> {
  const { relayer, file } = config;
  const faults = relayer.type === "real" ? placeFaults(config) : [];
  // What the file says of itself is judged before half a second goes into opening the keystore.
  if (relayer.signer !== null) faults.push(...funderFaults(config, relayer.signer));
  if (faults.length > 0) throw new ConfigError(faults);
  const opened =
    relayer.keystore === null ? plainKey(config) : await lockedKey(relayer.keystore, config);
  const { signer } = opened;
  if (relayer.signer !== null && relayer.signer.toLowerCase() !== signer.toLowerCase()) {
    throw new ConfigError([
      `${file}: relayer.signer was "${relayer.signer}", but the key's address is ${signer}: write that address, or use the other key`,
    ]);
  }
  const contradictions = funderFaults(config, signer);
  if (contradictions.length > 0) throw new ConfigError(contradictions);
  return opened;
}

/** Reasons not to load a key that guards real money: the host, and folders that the group can write. */
function placeFaults(config: Config): string[] {
  const { relayer, service, file } = config;
  const facts = hostFacts(service.allowRoot);
  const faults = hostFaults(facts);
  const dump = isLive(config) ? coreDumpFault(facts) : null;
  if (dump !== null) faults.push(dump);
  if (!isLive(config)) return faults;
  for (const path of [relayer.keystore, relayer.keystorePasswordFile, secretsFile(file)]) {
    if (path === null || !existsSync(path)) continue;
    const fault = groupWritableFault(path);
    if (fault !== null) faults.push(fault);
  }
  return faults;
}

function plainKey(config: Config): SigningKeyResult {
  const privateKey = config.relayer.privateKey?.reveal();
  if (privateKey === undefined) {
    throw new ConfigError([
      `${config.file}: there is no signing key: put [relayer] private_key into secrets.local.toml, or make a keystore with  pitboss key-import`,
    ]);
  }
  try {
    return { privateKey, signer: addressOfKey(privateKey), secrets: [privateKey] };
  } catch (error) {
    // Zero, or beyond the curve's order: 64 hex digits, and still no key.
    if (!(error instanceof KeystoreError)) throw error;
    throw new ConfigError([`${secretsFile(config.file)}: relayer.private_key: ${error.message}`]);
  }
}

async function lockedKey(keystore: string, config: Config): Promise<SigningKeyResult> {
  const text = readOwnFile(keystore);
  if (text === null) {
    throw new ConfigError([
      `${keystore}: there is no such file: make it with  pitboss key-import --out ${keystore}`,
    ]);
  }
  const password = await passwordFor(keystore, config.relayer.keystorePasswordFile);
  try {
    const { privateKey, address } = await openKeystore(text, password);
    return { privateKey, signer: address, secrets: [privateKey, password] };
  } catch (error) {
    if (!(error instanceof KeystoreError)) throw error;
    throw new ConfigError([`${keystore}: ${error.message}`]);
  }
}

/** From systemd's credential, the password file, or the terminal: never from an argument or an environment variable. */
async function passwordFor(keystore: string, file: string | null): Promise<string> {
  const credential = systemdCredential();
  if (credential !== null) return credential;
  if (file !== null) {
    const text = readOwnFile(file);
    if (text === null) {
      throw new ConfigError([
        `${file}: there is no such file: write the keystore's password into it, mode 0600, or remove relayer.keystore_password_file to be asked`,
      ]);
    }
    return firstLine(text);
  }
  const typed = await askSecret(`password of ${keystore}: `);
  if (typed !== null) return typed;
  throw new ConfigError([
    `${keystore}: no password, and no terminal to ask on: set relayer.keystore_password_file, or give systemd's LoadCredential=${credentialName}:FILE`,
  ]);
}

/** systemd puts credentials into a folder in memory that only this unit can read; the variable names the folder alone. */
function systemdCredential(): string | null {
  const folder = process.env["CREDENTIALS_DIRECTORY"];
  if (folder === undefined) return null;
  const path = join(folder, credentialName);
  if (!existsSync(path) || statSync(path).size > credentialBytesMax) return null;
  return firstLine(readFileSync(path, "utf8"));
}

function firstLine(text: string): string {
  return text.split(/\r?\n/, 1)[0] ?? "";
}
