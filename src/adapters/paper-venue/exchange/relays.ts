import { randomBytes, randomUUID } from "node:crypto";
import { getAddress } from "ethers/address";
import { keccak256 } from "ethers/crypto";
import { hashMessage, TypedDataEncoder, verifyTypedData } from "ethers/hash";
import { recoverAddress } from "ethers/transaction";
import { concat, getBytes, toBeHex } from "ethers/utils";
import type { Account } from "./account.ts";
import { relayedCall } from "./relayed-call.ts";
import { badRequest, unauthorized, VenueError } from "./venue-error.ts";
import type { VenueState } from "./venue-state.ts";

export type RelayType = "SAFE" | "PROXY" | "WALLET";

/** One request that the relayer took. Its call is done at once; only the telling takes time. */
export type RelayRecord = {
  readonly id: string;
  /** The EOA whose account it draws on. */
  readonly account: string;
  readonly wallet: string;
  readonly type: RelayType;
  readonly nonce: string;
  readonly metadata: string;
  readonly transactionHash: string;
  readonly createdAtMs: number;
  /** Why the contracts undid it; null when it took effect. */
  readonly failure: string | null;
};

export type RelayState = "STATE_NEW" | "STATE_MINED" | "STATE_CONFIRMED" | "STATE_FAILED";

export function relayState(record: RelayRecord, nowMs: number, settleMs: number): RelayState {
  const ageMs = nowMs - record.createdAtMs;
  if (ageMs < settleMs) return "STATE_NEW";
  if (record.failure !== null) return "STATE_FAILED";
  return ageMs < 2 * settleMs ? "STATE_MINED" : "STATE_CONFIRMED";
}

const chainId = 137n;
const proxyFactory = "0xaB45c5A4B0c941a2F231C04C3f49182e1A254052";
const depositWalletFactory = "0x00000000000Fb5C9ADea0298D729A0CB3823Cc07";
const relayHub = "0xD216153c06E857cD7f72665E0aF1d7D82172F494";
/** The relayer's own sender, which a proxy's owner signs along. */
export const relayAddress = "0x00000000000000000000000000000000000be1a9";
const maxDeadlineS = 3600;

type Fields = Readonly<Record<string, unknown>>;

function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== "string" || value === "") throw badRequest(`${name} is missing`);
  return value;
}

function fieldsIn(value: unknown, name: string): Fields {
  if (typeof value !== "object" || value === null) throw badRequest(`${name} is missing`);
  return value as Fields;
}

type Signed = {
  readonly signer: string;
  readonly wallet: string;
  readonly target: string;
  readonly data: string;
};

/** Recovers who signed a deposit wallet's batch. Throws 400. */
function readWallet(body: Fields, nowMs: number): Signed {
  if (getAddress(text(body, "to")) !== getAddress(depositWalletFactory)) {
    throw badRequest("to is not the deposit wallet factory");
  }
  const params = fieldsIn(body.depositWalletParams, "depositWalletParams");
  const wallet = text(params, "depositWallet");
  const deadline = text(params, "deadline");
  const leftS = Number(deadline) - nowMs / 1000;
  if (!(leftS > 0 && leftS <= maxDeadlineS)) throw badRequest("deadline expired or too far");
  const { calls } = params;
  if (!Array.isArray(calls) || calls.length !== 1)
    throw badRequest("exactly one call is supported");
  const call = fieldsIn(calls[0], "call");
  const message = {
    wallet,
    nonce: text(body, "nonce"),
    deadline,
    calls: [{ target: text(call, "target"), value: text(call, "value"), data: text(call, "data") }],
  };
  const types = {
    Batch: [
      { name: "wallet", type: "address" },
      { name: "nonce", type: "uint256" },
      { name: "deadline", type: "uint256" },
      { name: "calls", type: "Call[]" },
    ],
    Call: [
      { name: "target", type: "address" },
      { name: "value", type: "uint256" },
      { name: "data", type: "bytes" },
    ],
  };
  const domain = { name: "DepositWallet", version: "1", chainId, verifyingContract: wallet };
  const signer = verifyTypedData(domain, types, message, text(body, "signature"));
  return { signer, wallet, target: text(call, "target"), data: text(call, "data") };
}

/** A Safe's transaction: the owner signed its hash as a message, marked by 4 on top of v. */
function readSafe(body: Fields): Signed {
  const wallet = text(body, "proxyWallet");
  const fields = "to value data operation safeTxGas baseGas gasPrice gasToken refundReceiver nonce";
  const kinds = "address uint256 bytes uint8 uint256 uint256 uint256 address address uint256".split(
    " ",
  );
  const SafeTx = fields.split(" ").map((name, i) => ({ name, type: kinds[i] ?? "" }));
  const nobody = `0x${"0".repeat(40)}`;
  const hash = TypedDataEncoder.hash(
    { chainId, verifyingContract: wallet },
    { SafeTx },
    {
      to: text(body, "to"),
      value: 0,
      data: text(body, "data"),
      operation: 0,
      safeTxGas: 0,
      baseGas: 0,
      gasPrice: 0,
      gasToken: nobody,
      refundReceiver: nobody,
      nonce: text(body, "nonce"),
    },
  );
  const bytes = getBytes(text(body, "signature"));
  const v = bytes[64] ?? 0;
  if (bytes.length !== 65 || v < 31) throw badRequest("signature is not packed for a Safe");
  const plain = concat([bytes.slice(0, 64), toBeHex(v - 4, 1)]);
  const signer = recoverAddress(hashMessage(getBytes(hash)), plain);
  return { signer, wallet, target: text(body, "to"), data: text(body, "data") };
}

/** A proxy's call as the relay hub checks it. */
function readProxy(body: Fields): Signed {
  const params = fieldsIn(body.signatureParams, "signatureParams");
  if (getAddress(text(body, "to")) !== getAddress(proxyFactory)) {
    throw badRequest("to is not the proxy factory");
  }
  const word = (value: string) => toBeHex(BigInt(value), 32);
  const hash = keccak256(
    concat([
      "0x726c783a",
      text(body, "from"),
      text(body, "to"),
      text(body, "data"),
      word(text(params, "relayerFee")),
      word(text(params, "gasPrice")),
      word(text(params, "gasLimit")),
      word(text(body, "nonce")),
      relayHub,
      relayAddress,
    ]),
  );
  const signer = recoverAddress(hashMessage(getBytes(hash)), text(body, "signature"));
  const call = relayedCall.unwrapProxy(text(body, "data"));
  return { signer, wallet: text(body, "proxyWallet"), ...call };
}

function readSigned(type: string, body: Fields, nowMs: number): Signed {
  try {
    if (type === "WALLET") return readWallet(body, nowMs);
    if (type === "SAFE") return readSafe(body);
    if (type === "PROXY") return readProxy(body);
  } catch (error) {
    if (error instanceof VenueError) throw error;
    throw badRequest("invalid signature");
  }
  throw badRequest("unsupported type");
}

/** A wallet belongs to the first EOA that used it; on this desk a plain account may name itself as its wallet. */
function requireOwner(state: VenueState, signer: string, wallet: string): Account {
  const account = state.accounts.get(getAddress(signer));
  const owner = state.accounts.ownerOfFunder(getAddress(wallet));
  const foreign = state.accounts.get(getAddress(wallet));
  if (account === null) throw unauthorized("unknown signer");
  if (owner !== null && owner !== account.address) throw unauthorized("not the wallet's owner");
  if (foreign !== null && foreign !== account) throw unauthorized("not the wallet's owner");
  return account;
}

/** Takes a signed request, does its call once, and keeps it with the nonce that it used. Throws 400 or 401. */
export function submitRelay(state: VenueState, keyAddress: string, body: Fields): RelayRecord {
  const type = text(body, "type");
  const { signer, wallet, target, data } = readSigned(type, body, state.now());
  if (getAddress(signer) !== getAddress(text(body, "from"))) throw badRequest("invalid signature");
  if (getAddress(keyAddress) !== getAddress(signer))
    throw unauthorized("from is not the key's address");
  const account = requireOwner(state, signer, wallet);
  const nonce = text(body, "nonce");
  const expected = state.relays.nextNonce(account.address, type as RelayType);
  if (nonce !== expected) {
    throw badRequest(`batch nonce ${nonce} does not match on-chain nonce ${expected}`);
  }
  return state.act((work) => {
    let failure: string | null = null;
    try {
      relayedCall.execute(state, account, target, data);
    } catch (error) {
      if (!(error instanceof VenueError)) throw error;
      failure = error.message;
    }
    const record: RelayRecord = {
      id: randomUUID(),
      account: account.address,
      wallet,
      type: type as RelayType,
      nonce,
      metadata: typeof body.metadata === "string" ? body.metadata.slice(0, 500) : "",
      transactionHash: `0x${randomBytes(32).toString("hex")}`,
      createdAtMs: work.nowMs,
      failure,
    };
    state.relays.add(record);
    work.relays.push(record);
    if (wallet !== account.address && state.accounts.ownerOfFunder(getAddress(wallet)) === null) {
      state.accounts.bindFunder(getAddress(wallet), account.address);
      work.funders.push({ address: getAddress(wallet), account: account.address });
    }
    return record;
  });
}

/** Requests by id and account. Kept for ever: their number is the wallet's nonce. */
export class Relays {
  readonly #byId = new Map<string, RelayRecord>();

  constructor(records: readonly RelayRecord[]) {
    for (const record of records) this.add(record);
  }

  add(record: RelayRecord): void {
    this.#byId.set(record.id, record);
  }

  get(id: string): RelayRecord | null {
    return this.#byId.get(id) ?? null;
  }

  /** Newest first. */
  of(account: string): RelayRecord[] {
    return [...this.#byId.values()].filter((one) => one.account === account).reverse();
  }

  nextNonce(account: string, type: RelayType): string {
    return String(this.of(account).filter((one) => one.type === type).length);
  }
}
