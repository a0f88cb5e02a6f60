import { SigningKey } from "ethers/crypto";
import { TypedDataEncoder } from "ethers/hash";
import { concat, hexlify, toUtf8Bytes } from "ethers/utils";
import type { ChainId } from "./contracts.ts";
import {
  exchangeName,
  type OrderDomain,
  type OrderScheme,
  orderFields,
  type SignedOrder,
  walletFields,
  walletName,
  walletVersion,
} from "./signed-order.ts";

const orderEncoder = TypedDataEncoder.from({ Order: orderFields });
const walletTypes = { TypedDataSign: walletFields, Order: orderFields };
const zero32 = `0x${"00".repeat(32)}`;
/** The type string of Order, and its length as two bytes: what a deposit wallet's signature ends with. */
const orderTypeTail = tailOf(toUtf8Bytes(orderEncoder.encodeType("Order")));

function tailOf(text: Uint8Array): string {
  return concat([text, `0x${text.length.toString(16).padStart(4, "0")}`]);
}

/** Everything by ethers: the reference that faster ways are compared with, and what signs when they cannot. */
export function createEthersScheme(chainId: ChainId): OrderScheme {
  const domainOf = ({ version, exchange }: OrderDomain) => ({
    name: exchangeName,
    version,
    chainId,
    verifyingContract: exchange,
  });
  const hash = (order: SignedOrder, domain: OrderDomain) =>
    TypedDataEncoder.hash(domainOf(domain), { Order: orderFields }, order);
  return {
    name: "ethers",
    domainSeparator: (domain) => TypedDataEncoder.hashDomain(domainOf(domain)),
    hash,
    seal(order, domain, key) {
      const orderHash = hash(order, domain);
      const signingKey = new SigningKey(hexlify(key));
      if (order.signatureType !== 3) {
        return { orderHash, signature: signingKey.sign(orderHash).serialized };
      }
      const separator = TypedDataEncoder.hashDomain(domainOf(domain));
      const digest = TypedDataEncoder.hash(domainOf(domain), walletTypes, {
        contents: order,
        name: walletName,
        version: walletVersion,
        chainId,
        verifyingContract: order.signer,
        salt: zero32,
      });
      const inner = signingKey.sign(digest).serialized;
      const contents = orderEncoder.hash(order);
      return { orderHash, signature: concat([inner, separator, contents, orderTypeTail]) };
    },
  };
}
