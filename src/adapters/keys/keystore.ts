// The encrypted key file that wallets share (JSON v3), with scrypt alone: the other key derivation of the format is weak.
import { randomBytes, SigningKey } from "ethers/crypto";
import { computeAddress } from "ethers/transaction";
import { decryptKeystoreJson, encryptKeystoreJson } from "ethers/wallet";

/** Work of the key derivation; less makes a stolen file worth guessing at (reliability 4). */
export const scryptNMin = 131_072;
/** More would take gigabytes of memory: a file that asks for it is a trap. */
const scryptNMax = 1_048_576;
const scryptRMax = 16;
const scryptPMax = 4;

/** A keystore that must not or cannot be used. The message is for the operator and never holds a secret. */
export class KeystoreError extends Error {
  override readonly name = "KeystoreError";
}

export type OpenKey = {
  /** 0x and 64 hex digits. */
  readonly privateKey: string;
  /** Checksummed. */
  readonly address: string;
};

/** Looks at the file without opening it: version, kind and work of the key derivation. @throws KeystoreError */
export function checkKeystore(text: string): void {
  const file = record(parsed(text));
  if (file?.["version"] !== 3) throw new KeystoreError("is not a keystore of version 3");
  const crypto = record(file["crypto"] ?? file["Crypto"]);
  if (crypto?.["kdf"] !== "scrypt") {
    throw new KeystoreError("is not locked with scrypt: make a new one with  pitboss key-import");
  }
  const { n, r, p } = record(crypto["kdfparams"]) ?? {};
  const isWhole = (value: unknown, most: number): value is number =>
    typeof value === "number" && Number.isSafeInteger(value) && value >= 1 && value <= most;
  if (!isWhole(n, scryptNMax) || !isWhole(r, scryptRMax) || !isWhole(p, scryptPMax)) {
    throw new KeystoreError("asks for a key derivation that is out of bounds");
  }
  if (n < scryptNMin || r < 8) {
    throw new KeystoreError(
      `is locked too weakly (scrypt N = ${n}, at least ${scryptNMin} with r = 8): make a new one with  pitboss key-import`,
    );
  }
}

/** Opens a keystore. Takes about half a second of work. @throws KeystoreError */
export async function openKeystore(text: string, password: string): Promise<OpenKey> {
  checkKeystore(text);
  try {
    // Also refuses a file whose address is not that of the key in it.
    const { privateKey } = await decryptKeystoreJson(text, password);
    return { privateKey, address: addressOfKey(privateKey) };
  } catch {
    // The cause is dropped: libraries hang inputs on their errors.
    throw new KeystoreError("does not open: the password is wrong, or the file is damaged");
  }
}

/** The key as the text of a keystore. @throws KeystoreError for a value that is no key */
export async function sealKeystore(privateKey: string, password: string): Promise<string> {
  const address = addressOfKey(privateKey);
  const scrypt = { N: scryptNMin, r: 8, p: 1 };
  return encryptKeystoreJson({ address, privateKey }, password, { scrypt });
}

/** Checksummed address of a private key. @throws KeystoreError */
export function addressOfKey(privateKey: string): string {
  try {
    return computeAddress(new SigningKey(privateKey));
  } catch {
    throw new KeystoreError("that is not a private key: 64 hex digits, with or without 0x");
  }
}

/** A new private key from the system's own chance. */
export function newPrivateKey(): string {
  for (;;) {
    const key = `0x${Buffer.from(randomBytes(32)).toString("hex")}`;
    try {
      addressOfKey(key);
      return key;
    } catch {
      // Zero or beyond the curve's order: once in 2^128.
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : null;
}
