import { SigningKey } from "ethers/crypto";
import { computeAddress, Transaction } from "ethers/transaction";
import type { Shares, Usd } from "../../engine/domain/numbers.ts";
import type { ActionCall, PreparedCall } from "../../engine/domain/position-action.ts";
import type { Denial } from "../../engine/domain/reasons.ts";
import { AdapterError } from "../../engine/lib/errors.ts";
import { err, ok, type Result } from "../../engine/lib/result.ts";
import type { ContractPort } from "../../engine/ports/contracts.ts";
import type { CallReport, SubmitOutcome } from "../../engine/protocol/contract-report.ts";
import type { AddressBook } from "./address-book.ts";
import { ChainReader, type Receipt } from "./chain-reader.ts";
import { type EncodedCall, encodeCall } from "./encode-call.ts";
import { ClosedGateError } from "./json-http.ts";
import { RpcError } from "./json-rpc.ts";

/** Bounds on what is ever signed. */
export type GasBounds = {
  readonly maxGasPerCall: number;
  readonly maxFeeGwei: number;
  /** What one POL counts as, to turn gas into dollars. */
  readonly polPriceMaxUsd: Usd;
};

export type ChainPortOptions = {
  readonly rpcUrl: string;
  readonly chainId: number;
  /** 0x and 64 hex digits. */
  readonly privateKey: string;
  readonly addresses: AddressBook;
  readonly bounds: GasBounds;
  /** Blocks that must stand on a transaction before it counts. */
  readonly confirmations: number;
  readonly timeoutMs: number;
  readonly refreshBalances: (tokenIds: readonly string[]) => Promise<void>;
};

const gwei = 1_000_000_000n;
const wei = 10n ** 18n;
/** A call may need a little more when it is mined than when it was tried. */
const gasHeadroom = { times: 5n, per: 4n };
/** A card's bound stands a little above today's price, so that a confirmation soon after still fits under it. */
const cardHeadroom = { times: 3n, per: 2n };

/** A call that cannot be made now; the text is for the trader. */
class CallRefusedError extends AdapterError {
  override readonly name = "CallRefusedError";
}

function refused(text: string): CallRefusedError {
  return new CallRefusedError("CALL_REFUSED", text, { outcome: "not_sent", retryable: false });
}

/** Contract calls of a plain wallet: our own transactions, one nonce each, never another transaction under the same one. */
export class ChainPort implements ContractPort {
  readonly route = "chain";
  readonly account: string;
  readonly reader: ChainReader;
  readonly #options: ChainPortOptions;
  readonly #key: SigningKey;

  constructor(options: ChainPortOptions) {
    this.#options = options;
    this.#key = new SigningKey(options.privateKey);
    this.account = computeAddress(this.#key.publicKey);
    this.reader = new ChainReader(options);
  }

  estimate(call: ActionCall): Promise<Result<{ readonly gasMaxUsd: Usd }, string>> {
    return told(async () => {
      const { gasLimit, maxFee } = await this.#price(this.#encoded(call));
      const shown = (maxFee * cardHeadroom.times) / cardHeadroom.per;
      return { gasMaxUsd: this.#dollars(gasLimit * shown) };
    });
  }

  convertFeeBips(marketId: string): Promise<Result<number, string>> {
    return told(async () => Number(await this.#marketFact("getFeeBips", marketId)));
  }

  /** Questions of a neg-risk market. */
  questionCount(marketId: string): Promise<Result<number, string>> {
    return told(async () => Number(await this.#marketFact("getQuestionCount", marketId)));
  }

  #marketFact(name: "getFeeBips" | "getQuestionCount", marketId: string): Promise<bigint> {
    return this.reader.view(this.#options.addresses.negRiskAdapter, name, [marketId]);
  }

  prepare(call: ActionCall): Promise<Result<PreparedCall, string>> {
    return told(async () => {
      if (call.kind === "convert") await this.#checkMarket(call);
      return this.prepareEncoded(this.#encoded(call));
    });
  }

  /** Signs any call of the known contracts, approvals included. @throws AdapterError */
  async prepareEncoded(encoded: EncodedCall): Promise<PreparedCall> {
    const wrong = await this.reader.wrongChain();
    if (wrong !== null) throw refused(wrong);
    const nonce = await this.#freeNonce();
    const { gasLimit, maxFee, tip } = await this.#price(encoded);
    const transaction = Transaction.from({
      type: 2,
      chainId: this.#options.chainId,
      nonce,
      to: encoded.to,
      data: encoded.data,
      value: 0,
      gasLimit,
      maxFeePerGas: maxFee,
      maxPriorityFeePerGas: tip,
    });
    transaction.signature = this.#key.sign(transaction.unsignedHash);
    return {
      route: "chain",
      body: transaction.serialized,
      callHash: transaction.hash ?? "",
      nonce: String(nonce),
      gasMaxUsd: this.#dollars(gasLimit * maxFee),
      expiresAtMs: null,
    };
  }

  #encoded(call: ActionCall): EncodedCall {
    return encodeCall(this.#options.addresses, this.account, call);
  }

  /** What the card was computed from must be what the contract will compute from. */
  async #checkMarket(call: Extract<ActionCall, { readonly kind: "convert" }>): Promise<void> {
    const fee = await this.#marketFact("getFeeBips", call.marketId);
    if (fee !== BigInt(call.feeBips)) throw refused("the fee of this event has changed");
    const questions = await this.#marketFact("getQuestionCount", call.marketId);
    if (questions !== BigInt(call.questionCount)) {
      throw refused(
        `this event has ${questions} outcomes, the catalog names ${call.questionCount}`,
      );
    }
  }

  /** A transaction of somebody else with the same key that still waits would leave ours stuck behind it. */
  async #freeNonce(): Promise<number> {
    const [mined, waiting] = await Promise.all([
      this.reader.nonce(this.account, "latest"),
      this.reader.nonce(this.account, "pending"),
    ]);
    if (waiting > mined) {
      throw refused(`${waiting - mined} other transactions of this wallet are still waiting`);
    }
    return mined;
  }

  async #price(encoded: EncodedCall) {
    const { bounds } = this.#options;
    const { maxGasPerCall, maxFeeGwei } = bounds;
    const [used, fees] = await Promise.all([
      this.reader.estimateGas(this.account, encoded),
      this.reader.fees(),
    ]);
    const gasLimit = (used * gasHeadroom.times) / gasHeadroom.per;
    if (gasLimit > maxGasPerCall) {
      throw refused(`it would need ${gasLimit} gas, max_gas_per_call is ${maxGasPerCall}`);
    }
    const { baseFee, tip } = fees;
    const maxFee = baseFee * 2n + tip;
    if (maxFee > BigInt(maxFeeGwei) * gwei) {
      throw refused(`gas costs up to ${maxFee / gwei} gwei, max_fee_gwei is ${maxFeeGwei}`);
    }
    return { gasLimit, maxFee, tip };
  }

  /** Wei to micro-dollars at the configured price of POL, rounded up. */
  #dollars(amount: bigint): Usd {
    const price = BigInt(this.#options.bounds.polPriceMaxUsd);
    return Number((amount * price + wei - 1n) / wei) as Usd;
  }

  async submit(prepared: PreparedCall, gate: () => Denial | null): Promise<SubmitOutcome> {
    try {
      const hash = await this.reader.send(prepared.body, gate);
      return hash.toLowerCase() === prepared.callHash.toLowerCase()
        ? { kind: "accepted", reference: hash }
        : { kind: "unknown", detail: `the node answered with another hash ${hash}` };
    } catch (error) {
      return submitFailure(error, prepared.callHash);
    }
  }

  async query(prepared: PreparedCall): Promise<CallReport> {
    try {
      return await this.#look(prepared);
    } catch (error) {
      return { kind: "failed", detail: describe(error) };
    }
  }

  async #look(prepared: PreparedCall): Promise<CallReport> {
    const { callHash } = prepared;
    const head = await this.reader.blockNumber();
    const receipt = await this.reader.receipt(callHash);
    if (receipt !== null) return this.#mined(callHash, receipt, head);
    const deep = Math.max(0, head - this.#options.confirmations + 1);
    const final = await this.reader.nonce(this.account, deep);
    if (final > Number(prepared.nonce)) {
      // Read once more: it may have been mined between the two answers.
      if ((await this.reader.receipt(callHash)) !== null) {
        return { kind: "pending", reference: callHash };
      }
      return { kind: "void", detail: `nonce ${prepared.nonce} was used by another transaction` };
    }
    if (await this.reader.knows(callHash)) return { kind: "pending", reference: callHash };
    const now = await this.reader.nonce(this.account, "latest");
    if (now > Number(prepared.nonce)) return { kind: "failed", detail: "its nonce is just used" };
    return { kind: "absent" };
  }

  /** A receipt counts only when its block is still the chain's, under enough others. */
  async #mined(reference: string, receipt: Receipt, head: number): Promise<CallReport> {
    const deep = head - receipt.blockNumber + 1 >= this.#options.confirmations;
    if (!deep) return { kind: "pending", reference };
    if ((await this.reader.blockHash(receipt.blockNumber)) !== receipt.blockHash) {
      return { kind: "pending", reference };
    }
    const gasUsd = this.#dollars(receipt.gasUsed * receipt.gasPrice);
    if (receipt.succeeded) return { kind: "confirmed", reference, gasUsd };
    return { kind: "reverted", reference, gasUsd, detail: "the contract undid it" };
  }

  shares(tokenId: string, version: "v1" | "v2"): Promise<Result<Shares, string>> {
    const { conditionalTokens, positionManager } = this.#options.addresses;
    const holder = version === "v1" ? conditionalTokens : positionManager;
    return told(async () => {
      const balance = await this.reader.view(holder, "balanceOf", [this.account, tokenId]);
      return Number(balance) as Shares;
    });
  }

  async refreshBalances(tokenIds: readonly string[]): Promise<void> {
    await this.#options.refreshBalances(tokenIds);
  }

  close(): Promise<void> {
    return this.reader.close();
  }
}

/** What nodes say when they have not taken a transaction and never will. */
const refusals =
  /insufficient funds|intrinsic gas|exceeds block gas|gas limit|invalid sender|invalid chain|underpriced|fee cap|max fee/i;
/** The same bytes are there already. */
const alreadyThere = /already known|known transaction|already imported|already exists/i;

function submitFailure(error: unknown, reference: string): SubmitOutcome {
  if (error instanceof ClosedGateError) return { kind: "blocked", denial: error.denial };
  const detail = describe(error);
  if (error instanceof RpcError) {
    if (alreadyThere.test(error.message)) return { kind: "accepted", reference };
    // "nonce too low" may be our own transaction, mined already: only a look can tell.
    return refusals.test(error.message)
      ? { kind: "rejected", detail }
      : { kind: "unknown", detail };
  }
  const notSent = error instanceof AdapterError && error.outcome === "not_sent";
  return notSent ? { kind: "not_sent", detail } : { kind: "unknown", detail };
}

export function describe(error: unknown): string {
  return error instanceof Error ? error.message : "unknown failure";
}

async function told<T>(work: () => Promise<T>): Promise<Result<T, string>> {
  try {
    return ok(await work());
  } catch (error) {
    return err(describe(error));
  }
}
