import { Interface } from "ethers/abi";
import { keccak256, type SigningKey } from "ethers/crypto";
import { hashMessage, TypedDataEncoder } from "ethers/hash";
import { concat, getBytes, toBeHex } from "ethers/utils";
import { unreachable } from "../../engine/lib/assert.ts";
import type { AddressBook } from "./address-book.ts";
import type { EncodedCall } from "./encode-call.ts";

/** How the account that holds the money is kept: the venue's signature types 1, 2 and 3. */
export type WalletKind = "PROXY" | "SAFE" | "WALLET";

export type RelayParts = {
  readonly kind: WalletKind;
  readonly chainId: number;
  /** EOA that signs. */
  readonly owner: string;
  readonly wallet: string;
  readonly nonce: string;
  /** Address of the relayer that will send it; signed by proxies only. */
  readonly relay: string;
  readonly call: EncodedCall;
  readonly addresses: AddressBook;
  /** Seconds since 1970; deposit wallets only. */
  readonly deadlineS: number;
  /** Signed with a proxy's request. */
  readonly gasLimit: number;
};

export type RelayRequest = { readonly body: string; readonly signedHash: string };

const zeroAddress = `0x${"0".repeat(40)}`;

const safeTypes = {
  SafeTx: [
    { name: "to", type: "address" },
    { name: "value", type: "uint256" },
    { name: "data", type: "bytes" },
    { name: "operation", type: "uint8" },
    { name: "safeTxGas", type: "uint256" },
    { name: "baseGas", type: "uint256" },
    { name: "gasPrice", type: "uint256" },
    { name: "gasToken", type: "address" },
    { name: "refundReceiver", type: "address" },
    { name: "nonce", type: "uint256" },
  ],
};

const walletTypes = {
  Call: [
    { name: "target", type: "address" },
    { name: "value", type: "uint256" },
    { name: "data", type: "bytes" },
  ],
  Batch: [
    { name: "wallet", type: "address" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
    { name: "calls", type: "Call[]" },
  ],
};

const proxyAbi = new Interface([
  "function proxy((uint8 typeCode, address to, uint256 value, bytes data)[] calls) returns (bytes[])",
]);

/** The relayer's request for one call, signed by the owner as the venue's own clients do. */
export function relayRequest(parts: RelayParts, key: SigningKey): RelayRequest {
  switch (parts.kind) {
    case "WALLET":
      return walletRequest(parts, key);
    case "SAFE":
      return safeRequest(parts, key);
    case "PROXY":
      return proxyRequest(parts, key);
    default:
      return unreachable(parts.kind);
  }
}

/** What is not signed stands beside it: the name under which the request is found again. */
function finish(fields: Readonly<Record<string, unknown>>, signedHash: string): RelayRequest {
  const metadata = relayTag(signedHash);
  return { body: JSON.stringify({ ...fields, metadata }), signedHash };
}

/** Kept by the relayer with the transaction; two requests with one tag carry the same signature. */
export function relayTag(signedHash: string): string {
  return `pitboss:${signedHash}`;
}

function walletRequest(parts: RelayParts, key: SigningKey): RelayRequest {
  const { owner, wallet, nonce, call, chainId, addresses } = parts;
  const deadline = String(parts.deadlineS);
  const calls = [{ target: call.to, value: "0", data: call.data }];
  const domain = { name: "DepositWallet", version: "1", chainId, verifyingContract: wallet };
  const hash = TypedDataEncoder.hash(domain, walletTypes, { wallet, nonce, deadline, calls });
  return finish(
    {
      type: "WALLET",
      from: owner,
      to: addresses.depositWalletFactory,
      nonce,
      signature: key.sign(hash).serialized,
      depositWalletParams: { depositWallet: wallet, deadline, calls },
    },
    hash,
  );
}

function safeRequest(parts: RelayParts, key: SigningKey): RelayRequest {
  const { owner, wallet, nonce, call, chainId } = parts;
  const message = {
    to: call.to,
    value: 0,
    data: call.data,
    operation: 0,
    safeTxGas: 0,
    baseGas: 0,
    gasPrice: 0,
    gasToken: zeroAddress,
    refundReceiver: zeroAddress,
    nonce,
  };
  const hash = TypedDataEncoder.hash({ chainId, verifyingContract: wallet }, safeTypes, message);
  const signature = key.sign(hashMessage(getBytes(hash)));
  // A Safe knows a signed message from a signed hash by 4 on top of v.
  const packed = concat([signature.r, signature.s, toBeHex(signature.v + 4, 1)]);
  return finish(
    {
      type: "SAFE",
      from: owner,
      to: call.to,
      proxyWallet: wallet,
      data: call.data,
      nonce,
      signature: packed,
      signatureParams: {
        baseGas: "0",
        gasPrice: "0",
        gasToken: zeroAddress,
        operation: "0",
        refundReceiver: zeroAddress,
        safeTxnGas: "0",
      },
    },
    hash,
  );
}

function proxyRequest(parts: RelayParts, key: SigningKey): RelayRequest {
  const { owner, wallet, nonce, call, addresses, relay, gasLimit } = parts;
  const data = proxyAbi.encodeFunctionData("proxy", [
    [{ typeCode: 1, to: call.to, value: 0, data: call.data }],
  ]);
  const word = (value: number | string) => toBeHex(BigInt(value), 32);
  const { proxyFactory, relayHub } = addresses;
  // "rlx:", then what the relay hub checks: no fee and no gas price of ours.
  const hash = keccak256(
    concat([
      "0x726c783a",
      owner,
      proxyFactory,
      data,
      word(0),
      word(0),
      word(gasLimit),
      word(nonce),
      relayHub,
      relay,
    ]),
  );
  return finish(
    {
      type: "PROXY",
      from: owner,
      to: proxyFactory,
      proxyWallet: wallet,
      data,
      nonce,
      signature: key.sign(hashMessage(getBytes(hash))).serialized,
      signatureParams: {
        gasPrice: "0",
        gasLimit: String(gasLimit),
        relayerFee: "0",
        relayHub,
        relay,
      },
    },
    hash,
  );
}
