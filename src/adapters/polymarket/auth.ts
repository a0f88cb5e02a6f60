import { createHmac, createSecretKey, type KeyObject } from "node:crypto";

/** The API key of a signer. Secret: never logged, stored by the service in its own state. */
export type ApiCredentials = {
  readonly apiKey: string;
  /** base64 or base64url. */
  readonly secret: string;
  readonly passphrase: string;
};

export type RequestToSign = {
  readonly method: "GET" | "POST" | "DELETE";
  /** Path without its query. */
  readonly path: string;
  /** The exact JSON text that is sent, or null. */
  readonly body: string | null;
};

/** L1 headers: proof of the wallet itself, for creating and deriving the API key. */
export function walletHeaders(
  address: string,
  signature: string,
  timestampS: string,
  nonce: number,
): Record<string, string> {
  return {
    POLY_ADDRESS: address,
    POLY_SIGNATURE: signature,
    POLY_TIMESTAMP: timestampS,
    POLY_NONCE: String(nonce),
  };
}

const keyObjects = new WeakMap<ApiCredentials, KeyObject>();

/** The secret as a key that is decoded once: what an HMAC needs, kept as long as the credentials are. */
function keyOf(credentials: ApiCredentials): KeyObject {
  const known = keyObjects.get(credentials);
  if (known !== undefined) return known;
  // Node decodes base64 and base64url with the same decoder.
  const key = createSecretKey(Buffer.from(credentials.secret, "base64"));
  keyObjects.set(credentials, key);
  return key;
}

/** L2 headers: an HMAC over time, method, path and body with the API key's secret (polymarket-trading 4). */
export function keyHeaders(
  address: string,
  credentials: ApiCredentials,
  timestampS: string,
  request: RequestToSign,
): Record<string, string> {
  const signature = createHmac("sha256", keyOf(credentials))
    .update(`${timestampS}${request.method}${request.path}${request.body ?? ""}`)
    .digest("base64")
    .replaceAll("+", "-")
    .replaceAll("/", "_");
  return {
    POLY_ADDRESS: address,
    POLY_SIGNATURE: signature,
    POLY_TIMESTAMP: timestampS,
    POLY_API_KEY: credentials.apiKey,
    POLY_PASSPHRASE: credentials.passphrase,
  };
}
