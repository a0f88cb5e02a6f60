// One-time codes of an authenticator app: RFC 6238 over RFC 4226 with what every app speaks, SHA-1, 30 s, 6 digits.
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const bitsPerLetter = 5;
/** Length of an HMAC-SHA-1, which RFC 4226 recommends for the secret. */
const secretBytes = 20;
const stepMs = 30_000;
const digits = 6;
/** Steps by which phone and desk may differ, each way (RFC 6238, 5.2). */
const drift = 1;

/** A new secret at random, as base32 text: what an authenticator app takes. */
export function newTotpSecret(): string {
  // 20 bytes are 32 letters exactly, and 256 is a multiple of 32: no padding, no bias.
  return Array.from(randomBytes((secretBytes * 8) / bitsPerLetter), (byte) =>
    alphabet.charAt(byte % alphabet.length),
  ).join("");
}

/** The URI that authenticator apps read, as text or as a QR code. `account` names the desk there. */
export function totpUri(secret: string, account: string): string {
  const label = encodeURIComponent(`Pitboss:${account}`);
  return `otpauth://totp/${label}?secret=${secret}&issuer=Pitboss&algorithm=SHA1&digits=${digits}&period=${stepMs / 1000}`;
}

/** The bytes of a base32 text (RFC 4648), in either case; bits that fill no byte are dropped. */
function base32Bytes(text: string): Buffer {
  const bytes: number[] = [];
  let bits = 0;
  let value = 0;
  for (const letter of text.toUpperCase().replace(/=+$/u, "")) {
    value = (value << bitsPerLetter) | alphabet.indexOf(letter);
    bits += bitsPerLetter;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((value >>> bits) & 0xff);
    value &= (1 << bits) - 1;
  }
  return Buffer.from(bytes);
}

/** The 30-second step of a moment: whole steps since 1970. */
export function totpStep(atMs: number): number {
  return Math.floor(atMs / stepMs);
}

/** The six digits of a step. `secret` is base32 text that the configuration has checked. */
export function totpCode(secret: string, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", base32Bytes(secret)).update(counter).digest();
  // RFC 4226, 5.3: the last four bits say where the 31 bits of the code begin.
  const offset = (mac.at(-1) ?? 0) & 0xf;
  const number = (mac.readUInt32BE(offset) & 0x7fff_ffff) % 10 ** digits;
  return String(number).padStart(digits, "0");
}

/**
 * The step that typed digits belong to at a moment, or "wrong". All candidates are compared in full, so that the time
 * taken tells nothing of the code.
 */
export function matchTotp(secret: string, typed: string, atMs: number): number | "wrong" {
  const now = totpStep(atMs);
  const given = Buffer.alloc(digits);
  given.write(typed, "latin1");
  let found: number | "wrong" = "wrong";
  for (let step = now - drift; step <= now + drift; step++) {
    if (timingSafeEqual(Buffer.from(totpCode(secret, step), "latin1"), given)) found = step;
  }
  return typed.length === digits ? found : "wrong";
}
