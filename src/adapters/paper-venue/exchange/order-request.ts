import { isAddress } from "ethers/address";
import { isHexString } from "ethers/utils";
import type { Side } from "../types.ts";
import type { SignedFields } from "./order-signature.ts";
import type { OrderType } from "./records.ts";
import { badRequest } from "./venue-error.ts";

/** A POST /order body after its shape was checked; nothing about its meaning is known yet. */
export type OrderRequest = {
  readonly fields: SignedFields;
  readonly tokenId: string;
  readonly side: Side;
  readonly signature: string;
  readonly expirationS: number;
  readonly owner: string;
  readonly orderType: OrderType;
  readonly postOnly: boolean;
  readonly hasV1Fields: boolean;
};

const DIGITS = /^\d{1,78}$/;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function digits(value: unknown): bigint | null {
  return typeof value === "string" && DIGITS.test(value) ? BigInt(value) : null;
}

function isOrderType(value: unknown): value is OrderType {
  return value === "GTC" || value === "GTD" || value === "FOK" || value === "FAK";
}

function signedFields(order: Record<string, unknown>): SignedFields | null {
  const tokenId = digits(order.tokenId);
  const makerAmount = digits(order.makerAmount);
  const takerAmount = digits(order.takerAmount);
  const timestamp = digits(order.timestamp ?? "0");
  const { salt, maker, signer, side, signatureType } = order;
  const metadata = order.metadata ?? `0x${"00".repeat(32)}`;
  const builder = order.builder ?? `0x${"00".repeat(32)}`;
  if (tokenId === null || makerAmount === null || takerAmount === null || timestamp === null) {
    return null;
  }
  // The salt is a JSON number on the wire; a string answers "Invalid order payload".
  if (typeof salt !== "number" || !Number.isSafeInteger(salt) || salt < 0) return null;
  if (!isAddress(maker) || !isAddress(signer)) return null;
  if (side !== "BUY" && side !== "SELL") return null;
  if (typeof signatureType !== "number" || ![0, 1, 2, 3].includes(signatureType)) return null;
  if (!isHexString(metadata, 32) || !isHexString(builder, 32)) return null;
  return {
    salt: BigInt(salt),
    maker,
    signer,
    tokenId,
    makerAmount,
    takerAmount,
    side: side === "BUY" ? 0 : 1,
    signatureType,
    timestamp,
    metadata,
    builder,
  };
}

/** Reads one order of a body; throws `Invalid order payload` (400) when its shape is wrong. */
export function parseOrderRequest(value: unknown): OrderRequest {
  const refused = badRequest("Invalid order payload");
  if (!isObject(value) || !isObject(value.order)) throw refused;
  const { order, owner, orderType } = value;
  const fields = signedFields(order);
  const expiration = digits(order.expiration ?? "0");
  if (fields === null || expiration === null || expiration > 10n ** 12n) throw refused;
  if (typeof owner !== "string" || !isOrderType(orderType)) throw refused;
  const { signature } = order;
  if (typeof signature !== "string" || !isHexString(signature)) throw refused;
  return {
    fields,
    tokenId: fields.tokenId.toString(),
    side: fields.side === 0 ? "BUY" : "SELL",
    signature,
    expirationS: Number(expiration),
    owner,
    orderType,
    postOnly: value.postOnly === true,
    hasV1Fields: "feeRateBps" in order || "nonce" in order,
  };
}
