// The approval commands as an operator runs them, against contracts at the venue's own addresses on a chain of the test.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { Contract } from "ethers";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
  createPaperVenue,
  type PaperVenue,
} from "../../src/adapters/paper-venue/http/create-paper-venue.ts";
import { polygonAddresses } from "../../src/adapters/polygon/address-book.ts";
import { Anvil, compileContracts, deploy, ownerKey, traderKey, walletOn } from "./anvil.ts";
import { trader } from "./world.ts";

const launcher = fileURLToPath(new URL("../../bin/pitboss.mjs", import.meta.url));
/** The venue's closed first exchanges (polymarket-trading 5.1): old example scripts still approve them. */
const dead = [
  "0x4bFb41d5B3570DeFd03C39a9A4D8dE6Bd8B8982E",
  "0xC5d563A36AE78145C45a50134d48A1215220f80a",
];
const { pusd, usdce, onramp, conditionalTokens, positionManager } = polygonAddresses;
const {
  exchange,
  negRiskExchange,
  exchangeV3,
  collateralAdapter,
  negRiskCollateralAdapter,
  router,
} = polygonAddresses;
const spenders = [
  exchange,
  negRiskExchange,
  exchangeV3,
  collateralAdapter,
  negRiskCollateralAdapter,
  router,
];

let dir: string;
let anvil: Anvil;
let venue: PaperVenue;
let venuePort: number;
let snapshot: unknown;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "pitboss-approve-"));
  anvil = await Anvil.open();
  const owner = walletOn(anvil, ownerKey);
  const artifacts = compileContracts();
  const codeOf = async (name: string) => {
    const contract = await deploy(owner, artifacts, name);
    return anvil.provider.getCode(await contract.getAddress());
  };
  const dollar = await codeOf("Dollar");
  for (const at of [pusd, usdce]) await anvil.rpc("anvil_setCode", at, dollar);
  const shares = await codeOf("Shares");
  for (const at of [conditionalTokens, positionManager])
    await anvil.rpc("anvil_setCode", at, shares);
  venue = createPaperVenue({ stateDir: join(dir, "venue") });
  ({ port: venuePort } = await venue.listen(0));
  snapshot = await anvil.rpc("evm_snapshot");
});
beforeEach(async () => {
  await anvil.rpc("evm_revert", snapshot);
  snapshot = await anvil.rpc("evm_snapshot");
});
afterAll(async () => {
  await anvil?.[Symbol.asyncDispose]();
  await venue?.close();
  rmSync(dir, { recursive: true, force: true });
});

function config(over: { readonly dryRun?: boolean; readonly rpc?: string } = {}): string {
  const file = join(dir, "desk.toml");
  const venueUrl = `http://127.0.0.1:${venuePort}`;
  const lines = [
    "[service]",
    'state_dir = "./state"',
    'log_level = "error"',
    "allow_root = true",
    "[relayer]",
    'type = "real"',
    `base_url = "${venueUrl}"`,
    `gamma_url = "${venueUrl}/gamma"`,
    `data_url = "${venueUrl}/data"`,
    `relayer_url = "${venueUrl}"`,
    `ws_url = "ws://127.0.0.1:${venuePort}/ws"`,
    `rpc_url = "${over.rpc ?? anvil.url}"`,
    `dry_run = ${String(over.dryRun ?? false)}`,
    "[venue_waits]",
    "contract_poll_ms = 250",
    "[contracts]",
    "confirmations = 1",
    "[risk]",
    "max_exposure_total_usd = 123",
    "max_exposure_per_strategy_usd = 100",
    "max_exposure_per_event_usd = 100",
    "max_exposure_per_market_usd = 100",
    "max_exposure_per_outcome_usd = 100",
  ];
  writeFileSync(file, `${lines.join("\n")}\n`);
  const secrets = `[relayer]\nprivate_key = "${traderKey}"\n`;
  writeFileSync(join(dir, "secrets.local.toml"), secrets, { mode: 0o600 });
  return file;
}

async function run(...args: string[]) {
  const env = { ...process.env, XDG_STATE_HOME: join(dir, "leases") };
  const stdio = ["ignore", "pipe", "pipe"] as const;
  const child = spawn(process.execPath, [launcher, ...args], { stdio: [...stdio], env });
  const code = new Promise<number | null>((resolve) => child.on("close", resolve));
  const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, out, errors };
}

const abi = [
  "function allowance(address, address) view returns (uint256)",
  "function isApprovedForAll(address, address) view returns (bool)",
];

function allowance(spender: string, token = pusd): Promise<bigint> {
  return new Contract(token, abi, anvil.provider).getFunction("allowance")(trader, spender);
}

function approved(token: string, operator: string): Promise<boolean> {
  return new Contract(token, abi, anvil.provider).getFunction("isApprovedForAll")(trader, operator);
}

test("a dry run shows who, why and what, and sends nothing", async () => {
  const file = config({ dryRun: true });
  const shown = await run("relayer-approve-usdc", "--config", file);
  expect([shown.code, shown.errors]).toEqual([0, ""]);
  for (const one of spenders) expect(shown.out).toContain(one);
  expect(shown.out).toContain("to split standard markets");
  expect(shown.out).toContain("approved now: 0, wanted: 123");
  expect(shown.out).toContain("nothing was sent");
  for (const one of spenders) expect(await allowance(one)).toBe(0n);
});

test("each spender gets the cap and not a cent more, the closed exchanges nothing; again there is nothing to do", async () => {
  const file = config();
  const sent = await run("relayer-approve-usdc", "--config", file, "--yes");
  expect([sent.code, sent.errors]).toEqual([0, ""]);
  for (const one of spenders) expect([one, await allowance(one)]).toEqual([one, 123_000_000n]);
  for (const one of dead) expect(await allowance(one)).toBe(0n);
  const nonce = await anvil.provider.getTransactionCount(trader);
  const again = await run("relayer-approve-usdc", "--config", file, "--yes", "--json");
  expect(again.code).toBe(0);
  const told = JSON.parse(again.out) as { approvals: { call: unknown }[] };
  expect(told.approvals.map((one) => one.call)).toEqual([null, null, null, null, null, null]);
  expect(await anvil.provider.getTransactionCount(trader)).toBe(nonce);
  expect(await allowance(onramp, usdce)).toBe(0n);
  const amount = ["--amount", "200.5", "--wrap"];
  const more = await run("relayer-approve-usdc", "--config", file, "--yes", ...amount);
  expect(more.code).toBe(0);
  expect(await allowance(router)).toBe(200_500_000n);
  expect(await allowance(onramp, usdce)).toBe(200_500_000n);
});

test("shares: all or nothing, said plainly, for each token its own operators", async () => {
  const file = config();
  const sent = await run("relayer-approve-outcome", "--config", file, "--yes");
  expect([sent.code, sent.errors]).toEqual([0, ""]);
  expect(sent.out).toContain("all shares, now and later");
  for (const one of [exchange, negRiskExchange, collateralAdapter, negRiskCollateralAdapter]) {
    expect([one, await approved(conditionalTokens, one)]).toEqual([one, true]);
  }
  for (const one of [exchangeV3, router]) expect(await approved(positionManager, one)).toBe(true);
  for (const one of [exchangeV3, router, ...dead]) {
    expect(await approved(conditionalTokens, one)).toBe(false);
  }
});

test("without a terminal and without --yes nothing is sent", async () => {
  const refused = await run("relayer-approve-usdc", "--config", config());
  expect(refused.code).toBe(1);
  expect(refused.errors).toContain("Nothing was sent");
  expect(await allowance(exchange)).toBe(0n);
});

test("a node of another chain is refused", async () => {
  await using other = await Anvil.open(1);
  const refused = await run(
    "relayer-approve-usdc",
    "--config",
    config({ rpc: other.url }),
    "--yes",
  );
  expect(refused.code).toBe(1);
  expect(refused.errors).toContain("the node is on chain 1, not 137");
});
