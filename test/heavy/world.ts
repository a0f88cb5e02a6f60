import { Contract, type ContractTransactionResponse, computeAddress, ZeroAddress } from "ethers";
import type { AddressBook } from "../../src/adapters/polygon/address-book.ts";
import { ChainPort, type ChainPortOptions } from "../../src/adapters/polygon/chain-port.ts";
import type { Usd } from "../../src/engine/domain/numbers.ts";
import type { ActionCall } from "../../src/engine/domain/position-action.ts";
import type { CallReport } from "../../src/engine/protocol/contract-report.ts";
import {
  Anvil,
  type Artifacts,
  compileContracts,
  type Deployed,
  deploy,
  HeavyError,
  ownerKey,
  traderKey,
  walletOn,
} from "./anvil.ts";

let artifacts: Artifacts | null = null;

/** Compiled once a process. */
function contracts(): Artifacts {
  artifacts ??= compileContracts();
  return artifacts;
}

export const trader = computeAddress(traderKey);
export const confirmations = 3;

/** Everything on one chain: contracts of the test's own at fresh addresses, and a trader with dollars. */
export class EvmWorld implements AsyncDisposable {
  readonly anvil: Anvil;
  readonly book: AddressBook;
  readonly #parts: Readonly<Record<string, Deployed>>;

  private constructor(anvil: Anvil, book: AddressBook, parts: Readonly<Record<string, Deployed>>) {
    this.anvil = anvil;
    this.book = book;
    this.#parts = parts;
  }

  static async open(chainId = 137): Promise<EvmWorld> {
    const anvil = await Anvil.open(chainId);
    try {
      return await EvmWorld.#build(anvil);
    } catch (error) {
      await anvil[Symbol.asyncDispose]();
      throw error;
    }
  }

  static async #build(anvil: Anvil): Promise<EvmWorld> {
    const owner = walletOn(anvil, ownerKey);
    const put = (name: string, ...args: unknown[]) => deploy(owner, contracts(), name, ...args);
    const usdce = await put("Dollar");
    const pusd = await put("Dollar");
    const onramp = await put("Onramp", usdce, pusd);
    const shares = await put("Shares");
    const positions = await put("Shares");
    const adapter = await put("CollateralAdapter", shares, pusd, onramp);
    const registry = await put("NegRiskRegistry");
    const negRisk = await put("NegRiskCollateralAdapter", shares, pusd, onramp, registry);
    const router = await put("Router", positions, pusd);
    const exchange = await put("ExchangeStandIn");
    const parts = {
      usdce,
      pusd,
      onramp,
      shares,
      positions,
      adapter,
      registry,
      negRisk,
      router,
      exchange,
    };
    const at = async (one: Deployed) => one.getAddress();
    const book: AddressBook = {
      pusd: await at(pusd),
      usdce: await at(usdce),
      onramp: await at(onramp),
      conditionalTokens: await at(shares),
      collateralAdapter: await at(adapter),
      negRiskCollateralAdapter: await at(negRisk),
      negRiskAdapter: await at(registry),
      router: await at(router),
      positionManager: await at(positions),
      exchange: await at(exchange),
      negRiskExchange: await at(exchange),
      exchangeV3: await at(exchange),
      depositWalletFactory: ZeroAddress,
      proxyFactory: ZeroAddress,
      relayHub: ZeroAddress,
    };
    const world = new EvmWorld(anvil, book, parts);
    for (const minter of [onramp, adapter, negRisk]) await world.act("pusd", "allow", minter);
    for (const keeper of [adapter, negRisk]) await world.act("shares", "allow", keeper);
    await world.act("positions", "allow", router);
    // The bridged dollars behind the collateral that exists without a wrap, and the trader's own.
    for (const payer of [book.onramp, book.negRiskCollateralAdapter]) {
      await world.act("usdce", "mint", payer, 1_000_000_000_000n);
    }
    await world.act("usdce", "mint", trader, 500_000_000n);
    await world.act("pusd", "mint", trader, 1_000_000_000n);
    await world.act("pusd", "mint", book.router, 1_000_000_000n);
    return world;
  }

  #contract(name: string): Deployed {
    const contract = this.#parts[name];
    if (contract === undefined) throw new HeavyError(`no contract ${name}`);
    return contract;
  }

  /** Asks until it is mined. The library's own wait follows block numbers, which go back when a snapshot is taken up. */
  async #mined(hash: string): Promise<void> {
    const deadline = performance.now() + 10_000;
    while ((await this.anvil.rpc("eth_getTransactionReceipt", hash)) === null) {
      if (performance.now() > deadline) throw new HeavyError(`never mined: ${hash}`);
    }
  }

  /** A transaction of the contracts' owner. */
  async act(name: string, method: string, ...args: unknown[]): Promise<void> {
    const sent = (await this.#contract(name).getFunction(method)(
      ...args,
    )) as ContractTransactionResponse;
    await this.#mined(sent.hash);
  }

  /** The same, left waiting for the next block. */
  async actLater(name: string, method: string, ...args: unknown[]): Promise<void> {
    const overrides = {
      gasLimit: 500_000,
      maxFeePerGas: 900_000_000_000n,
      maxPriorityFeePerGas: 800_000_000_000n,
    };
    await this.#contract(name).getFunction(method)(...args, overrides);
  }

  /** A transaction of the trader, outside the desk. */
  async byTrader(name: string, method: string, ...args: unknown[]): Promise<void> {
    const contract = this.#contract(name).connect(walletOn(this.anvil, traderKey)) as Contract;
    const sent = (await contract.getFunction(method)(...args)) as ContractTransactionResponse;
    await this.#mined(sent.hash);
  }

  async read(name: string, method: string, ...args: unknown[]): Promise<bigint> {
    return (await this.#contract(name).getFunction(method)(...args)) as bigint;
  }

  cash(): Promise<bigint> {
    return this.read("pusd", "balanceOf", trader);
  }

  async tokenId(conditionId: string, outcome: 0 | 1): Promise<string> {
    return String(await this.read("shares", "idOf", conditionId, outcome));
  }

  async held(conditionId: string, outcome: 0 | 1): Promise<bigint> {
    return this.read("shares", "balanceOf", trader, await this.tokenId(conditionId, outcome));
  }

  /** Every approval that the trader's calls need. */
  async approveAll(): Promise<void> {
    const { collateralAdapter, negRiskCollateralAdapter, router, onramp } = this.book;
    for (const spender of [collateralAdapter, negRiskCollateralAdapter, router]) {
      await this.byTrader("pusd", "approve", spender, 1_000_000_000n);
    }
    await this.byTrader("usdce", "approve", onramp, 1_000_000_000n);
    for (const operator of [collateralAdapter, negRiskCollateralAdapter]) {
      await this.byTrader("shares", "setApprovalForAll", operator, true);
    }
    await this.byTrader("positions", "setApprovalForAll", router, true);
  }

  port(over: Partial<ChainPortOptions> = {}): ChainPort {
    return new ChainPort({
      rpcUrl: this.anvil.url,
      chainId: 137,
      privateKey: traderKey,
      addresses: this.book,
      bounds: { maxGasPerCall: 1_500_000, maxFeeGwei: 500, polPriceMaxUsd: 2_000_000 as Usd },
      confirmations,
      timeoutMs: 5_000,
      refreshBalances: async () => undefined,
      ...over,
    });
  }

  /** Prepares, sends and makes final; what the port then says. */
  async carryOut(port: ChainPort, call: ActionCall): Promise<CallReport> {
    const prepared = await port.prepare(call);
    if (!prepared.ok) throw new HeavyError(prepared.error);
    await port.submit(prepared.value, () => null);
    await this.anvil.mine(confirmations);
    return port.query(prepared.value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.anvil[Symbol.asyncDispose]();
  }
}
