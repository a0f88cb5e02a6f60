import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { ContractFactory, JsonRpcProvider, Network, Wallet } from "ethers";

export class HeavyError extends Error {
  override readonly name = "HeavyError";
}

const here = fileURLToPath(new URL(".", import.meta.url));
const heavyRequire = createRequire(new URL("package.json", import.meta.url));

/** Hardhat's published account 0: it guards nothing. */
export const ownerKey = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
/** Account 1, the trader. */
export const traderKey = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";

function anvilBinary(): string {
  const cpu = process.arch === "x64" ? "amd64" : process.arch;
  const name = process.platform === "win32" ? "anvil.exe" : "anvil";
  return heavyRequire.resolve(`@foundry-rs/anvil-${process.platform}-${cpu}/bin/${name}`);
}

/** A real EVM on loopback with a chain of its own. */
export class Anvil implements AsyncDisposable {
  readonly url: string;
  readonly provider: JsonRpcProvider;
  readonly #child: ChildProcess;

  private constructor(url: string, chainId: number, child: ChildProcess) {
    this.url = url;
    this.#child = child;
    // A network without plug-ins: the known one of chain 137 asks a gas station on the internet.
    const staticNetwork = new Network("anvil", chainId);
    const options = { staticNetwork, cacheTimeout: -1, batchMaxCount: 1 };
    this.provider = new JsonRpcProvider(url, staticNetwork, options);
    this.provider.pollingInterval = 20;
  }

  static async open(chainId = 137): Promise<Anvil> {
    const args = ["--port", "0", "--chain-id", String(chainId), "--host", "127.0.0.1"];
    const child = spawn(anvilBinary(), args, { stdio: ["ignore", "pipe", "inherit"] });
    process.once("exit", () => child.kill("SIGKILL"));
    const url = await new Promise<string>((resolve, reject) => {
      let text = "";
      child.stdout.on("data", (chunk: Buffer) => {
        text = (text + chunk.toString()).slice(-10_000);
        const port = /Listening on 127\.0\.0\.1:(\d+)/.exec(text)?.[1];
        if (port !== undefined) resolve(`http://127.0.0.1:${port}`);
      });
      child.once("error", reject);
      child.once("exit", (code) => reject(new HeavyError(`anvil ended with ${code}: ${text}`)));
    });
    return new Anvil(url, chainId, child);
  }

  rpc(method: string, ...params: unknown[]): Promise<unknown> {
    return this.provider.send(method, params);
  }

  mine(blocks: number): Promise<unknown> {
    return this.rpc("anvil_mine", `0x${blocks.toString(16)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.provider.destroy();
    this.#child.removeAllListeners("exit");
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGKILL");
    await ended;
  }
}

type Artifact = {
  readonly abi: unknown[];
  readonly evm: { readonly bytecode: { readonly object: string } };
};
export type Artifacts = Readonly<Record<string, Artifact>>;

type Compiled = {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts: Readonly<Record<string, Artifacts>>;
};

/** Compiles every contract of the tests, once for the same sources: the compiler takes several seconds. */
export function compileContracts(): Artifacts {
  const names = readdirSync(`${here}contracts`).sort();
  const sources = Object.fromEntries(
    names.map((name) => [name, { content: readFileSync(`${here}contracts/${name}`, "utf8") }]),
  );
  const outputSelection = { "*": { "*": ["abi", "evm.bytecode.object"] } };
  const settings = { optimizer: { enabled: true, runs: 200 }, outputSelection };
  const input = JSON.stringify({ language: "Solidity", sources, settings });
  const name = `contracts-${createHash("sha256").update(input).digest("hex").slice(0, 16)}.json`;
  const kept = fileURLToPath(new URL(`../../.cache/${name}`, import.meta.url));
  if (existsSync(kept)) return JSON.parse(readFileSync(kept, "utf8")) as Artifacts;
  const { compile } = heavyRequire("solc") as { readonly compile: (input: string) => string };
  const compiled = JSON.parse(compile(input)) as Compiled;
  const fault = compiled.errors?.find((one) => one.severity === "error");
  if (fault !== undefined) throw new HeavyError(fault.formattedMessage);
  const artifacts = Object.assign({}, ...Object.values(compiled.contracts)) as Artifacts;
  mkdirSync(dirname(kept), { recursive: true });
  writeFileSync(`${kept}.new`, JSON.stringify(artifacts));
  renameSync(`${kept}.new`, kept);
  return artifacts;
}

export type Deployed = Awaited<ReturnType<ContractFactory["deploy"]>>;

/** Puts one contract on the chain, as its owner. */
export async function deploy(
  owner: Wallet,
  artifacts: Artifacts,
  name: string,
  ...args: unknown[]
): Promise<Deployed> {
  const artifact = artifacts[name];
  if (artifact === undefined) throw new HeavyError(`no contract ${name}`);
  const factory = new ContractFactory(
    artifact.abi as ConstructorParameters<typeof ContractFactory>[0],
    artifact.evm.bytecode.object,
    owner,
  );
  const contract = await factory.deploy(...args);
  await contract.waitForDeployment();
  return contract;
}

export function walletOn(anvil: Anvil, key: string): Wallet {
  return new Wallet(key, anvil.provider);
}
