import { createHmac, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import { getAddress, isAddress } from "ethers/address";
import { verifyTypedData } from "ethers/hash";
import type { ApiKey } from "./records.ts";
import { unauthorized } from "./venue-error.ts";

/** How far a request's timestamp may be from the venue's clock; a second more, because it is cut to seconds. */
const TIMESTAMP_WINDOW_MS = 31_000;
const DIGITS = /^\d{1,20}$/;

export type Headers = (name: string) => string | undefined;

function freshTimestamp(timestamp: string | undefined, nowMs: number): timestamp is string {
  return (
    timestamp !== undefined &&
    DIGITS.test(timestamp) &&
    Math.abs(Number(timestamp) * 1000 - nowMs) <= TIMESTAMP_WINDOW_MS
  );
}

/** Checks the four L1 headers (EIP-712 ClobAuth). Returns who signed; throws 401. */
export function verifyL1(
  header: Headers,
  nowMs: number,
): { readonly address: string; readonly nonce: string } {
  const address = header("poly_address");
  const signature = header("poly_signature");
  const timestamp = header("poly_timestamp");
  const nonce = header("poly_nonce") ?? "0";
  const refused = unauthorized("Invalid L1 Request headers");
  if (!isAddress(address) || signature === undefined || !DIGITS.test(nonce)) throw refused;
  if (!freshTimestamp(timestamp, nowMs)) throw refused;
  try {
    const signer = verifyTypedData(
      { name: "ClobAuthDomain", version: "1", chainId: 137 },
      {
        ClobAuth: [
          { name: "address", type: "address" },
          { name: "timestamp", type: "string" },
          { name: "nonce", type: "uint256" },
          { name: "message", type: "string" },
        ],
      },
      {
        address,
        timestamp,
        nonce: BigInt(nonce),
        message: "This message attests that I control the given wallet",
      },
      signature,
    );
    if (signer !== getAddress(address)) throw refused;
  } catch {
    throw refused;
  }
  return { address: getAddress(address), nonce: BigInt(nonce).toString() };
}

/** The HMAC that a client of this key must send: timestamp, method, path without query, exact body. */
export function l2Signature(secret: string, message: string): string {
  const key = Buffer.from(secret.replaceAll("-", "+").replaceAll("_", "/"), "base64");
  const mac = createHmac("sha256", key).update(message).digest("base64");
  return mac.replaceAll("+", "-").replaceAll("/", "_");
}

function sameText(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

export type L2Request = {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly header: Headers;
};

/** Checks the five L2 headers against the key they name. Returns the key; throws 401. */
export function verifyL2(
  request: L2Request,
  nowMs: number,
  find: (key: string) => ApiKey | null,
): ApiKey {
  const name = request.header("poly_api_key");
  const timestamp = request.header("poly_timestamp");
  const signature = request.header("poly_signature");
  const address = request.header("poly_address");
  const key = name === undefined ? null : find(name);
  if (key === null || signature === undefined || !freshTimestamp(timestamp, nowMs)) {
    throw unauthorized();
  }
  if (!isAddress(address) || getAddress(address) !== key.account) throw unauthorized();
  if (!sameText(request.header("poly_passphrase") ?? "", key.passphrase)) throw unauthorized();
  const message = `${timestamp}${request.method}${request.path}${request.body}`;
  if (!sameText(l2Signature(key.secret, message), signature)) throw unauthorized();
  return key;
}

export function newApiKey(account: string, nonce: string): ApiKey {
  const secret = randomBytes(32).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
  return {
    key: randomUUID(),
    secret,
    passphrase: randomBytes(32).toString("hex"),
    account,
    nonce,
  };
}
