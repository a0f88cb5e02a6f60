import type { Denial } from "../../engine/domain/reasons.ts";
import { AdapterError } from "../../engine/lib/errors.ts";
import { contractAbi, type EncodedCall } from "./encode-call.ts";
import { JsonRpc } from "./json-rpc.ts";

export type Receipt = {
  readonly succeeded: boolean;
  readonly blockNumber: number;
  readonly blockHash: string;
  readonly gasUsed: bigint;
  /** Wei for a unit of gas. */
  readonly gasPrice: bigint;
};

/** The node's answer had another shape than the protocol says. */
export class ChainShapeError extends AdapterError {
  override readonly name = "ChainShapeError";
}

/** A node of one chain. Every answer is checked for its shape; every failure is an AdapterError. */
export class ChainReader {
  readonly #rpc: JsonRpc;
  readonly #chainId: number;

  constructor(options: {
    readonly rpcUrl: string;
    readonly chainId: number;
    readonly timeoutMs: number;
  }) {
    this.#rpc = new JsonRpc(options.rpcUrl, options.timeoutMs);
    this.#chainId = options.chainId;
  }

  close(): Promise<void> {
    return this.#rpc.close();
  }

  /** Before anything is signed: a transaction for another chain must not even exist. Null when the node is on ours. */
  async wrongChain(): Promise<string | null> {
    const id = await this.#number("eth_chainId", []);
    return id === this.#chainId ? null : `the node is on chain ${id}, not ${this.#chainId}`;
  }

  async nonce(account: string, block: "latest" | "pending" | number): Promise<number> {
    const tag = typeof block === "number" ? hex(block) : block;
    return this.#number("eth_getTransactionCount", [account, tag]);
  }

  async blockNumber(): Promise<number> {
    return this.#number("eth_blockNumber", []);
  }

  /** @throws RpcError with the contract's own words when the call would be undone. */
  async estimateGas(from: string, call: EncodedCall): Promise<bigint> {
    return this.#bigint("eth_estimateGas", [{ from, to: call.to, data: call.data }]);
  }

  /** Wei: what the newest block charged, and what a miner wants on top. */
  async fees(): Promise<{ readonly baseFee: bigint; readonly tip: bigint }> {
    const block = await this.#rpc.call("eth_getBlockByNumber", ["latest", false]);
    const baseFee = quantity(fieldOf(block, "baseFeePerGas"));
    const tip = await this.#bigint("eth_maxPriorityFeePerGas", []);
    return { baseFee, tip };
  }

  async blockHash(blockNumber: number): Promise<string | null> {
    const block = await this.#rpc.call("eth_getBlockByNumber", [hex(blockNumber), false]);
    if (block === null) return null;
    const hash = fieldOf(block, "hash");
    return typeof hash === "string" ? hash : null;
  }

  async receipt(hash: string): Promise<Receipt | null> {
    const found = await this.#rpc.call("eth_getTransactionReceipt", [hash]);
    if (found === null) return null;
    const blockHash = fieldOf(found, "blockHash");
    if (typeof blockHash !== "string") throw shape("eth_getTransactionReceipt");
    return {
      succeeded: quantity(fieldOf(found, "status")) === 1n,
      blockNumber: Number(quantity(fieldOf(found, "blockNumber"))),
      blockHash,
      gasUsed: quantity(fieldOf(found, "gasUsed")),
      gasPrice: quantity(fieldOf(found, "effectiveGasPrice")),
    };
  }

  /** Whether the node has the transaction, mined or waiting. */
  async knows(hash: string): Promise<boolean> {
    return (await this.#rpc.call("eth_getTransactionByHash", [hash])) !== null;
  }

  /** Hash that the node gave the transaction. */
  async send(raw: string, gate: () => Denial | null): Promise<string> {
    const hash = await this.#rpc.call("eth_sendRawTransaction", [raw], gate);
    if (typeof hash !== "string") throw shape("eth_sendRawTransaction");
    return hash;
  }

  /** One number out of a view function of the known contracts. */
  async view(to: string, name: string, args: readonly unknown[]): Promise<bigint> {
    const data = contractAbi.encodeFunctionData(name, [...args]);
    const answer = await this.#rpc.call("eth_call", [{ to, data }, "latest"]);
    if (typeof answer !== "string" || answer === "0x") throw shape(`${name} at ${to}`);
    return BigInt(answer);
  }

  async #number(method: string, params: readonly unknown[]): Promise<number> {
    return Number(await this.#bigint(method, params));
  }

  async #bigint(method: string, params: readonly unknown[]): Promise<bigint> {
    return quantity(await this.#rpc.call(method, params));
  }
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) throw shape(name);
  return (value as Record<string, unknown>)[name];
}

function quantity(value: unknown): bigint {
  if (typeof value !== "string" || !/^0x[0-9a-f]{1,64}$/i.test(value)) throw shape("a quantity");
  return BigInt(value);
}

function shape(what: string): ChainShapeError {
  return new ChainShapeError("CHAIN_SHAPE", `the node's answer is not understood: ${what}`, {
    outcome: "unknown",
    retryable: false,
  });
}
