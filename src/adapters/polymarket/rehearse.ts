import { randomBytes, randomUUID } from "node:crypto";
import type { OrderDraft, PreparedOrder } from "../../engine/domain/order.ts";
import { type ApiCredentials, keyHeaders } from "./auth.ts";
import type { ChainId } from "./contracts.ts";
import type { OrderScheme } from "./signed-order.ts";
import { OrderSigner } from "./signing.ts";

/** Builds, signs and authenticates orders as for a POST, with a key and credentials that guard nothing. */
export function createRehearsal(
  chainId: ChainId,
  scheme: OrderScheme,
): (draft: OrderDraft) => PreparedOrder {
  const signer = new OrderSigner({
    chainId,
    privateKey: `0x${randomBytes(32).toString("hex")}`,
    signatureType: 0,
    funder: "",
    scheme,
  });
  const credentials: ApiCredentials = {
    apiKey: randomUUID(),
    secret: randomBytes(32).toString("base64url"),
    passphrase: randomBytes(32).toString("hex"),
  };
  let salt = 0;
  return (draft) => {
    const timestampMs = Date.now();
    const prepared = signer.prepare(draft, { salt: ++salt, timestampMs }, credentials.apiKey);
    const timestampS = String(Math.floor(timestampMs / 1_000));
    const { body } = prepared;
    keyHeaders(signer.signer, credentials, timestampS, { method: "POST", path: "/order", body });
    return prepared;
  };
}
