import { createInterface } from "node:readline/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../../config/config.ts";
import { ConfigError } from "../../config/config-error.ts";
import { loadConfig } from "../../config/load.ts";
import { polygonAddresses } from "../adapters/polygon/address-book.ts";
import {
  approveAllCall,
  approveCall,
  outcomeOperators,
  readAllowance,
  readApproved,
  type Spender,
  usdcSpenders,
  wrapSpenders,
} from "../adapters/polygon/approvals.ts";
import type { ChainPort } from "../adapters/polygon/chain-port.ts";
import type { EncodedCall } from "../adapters/polygon/encode-call.ts";
import { formatUsd, parseUsd, type Usd } from "../engine/domain/numbers.ts";
import { AdapterError } from "../engine/lib/errors.ts";
import { chainPort, openContracts } from "../open-contracts.ts";
import { type OpenedVenue, openVenue } from "../open-venue.ts";
import { ServiceError } from "../service-error.ts";
import { takeLease } from "../take-lease.ts";
import { exitDone, exitFailed, exitWrongUse, readArguments } from "./arguments.ts";

type What = "usdc" | "outcome";

const lastLines = `Shows who gets the approval and why, what is approved now, and each transaction; then asks you to type "approve".
With dry_run = true it shows everything and sends nothing. Needs [relayer] rpc_url; stop the service first.
  --config FILE  the configuration; secrets.local.toml or a keystore holds the key
  --yes          do not ask
  --json         one JSON object
exit code: 0 approved (or nothing to do), 1 not approved, 2 wrong use or configuration`;

const usdcHelp = `usage: pitboss relayer-approve-usdc --config FILE [--amount USD] [--wrap] [--yes] [--json]
Lets the venue's contracts take up to an amount of pUSD from the account, to buy and to split.
  --wrap         also let the on-ramp take as much USDC.e, to wrap it (/wrap)
  --amount USD   what each of them may take; default: [risk] max_exposure_total_usd. Never unlimited.
${lastLines}
example: pitboss relayer-approve-usdc --config config/service.local.toml --amount 100`;

const outcomeHelp = `usage: pitboss relayer-approve-outcome --config FILE [--yes] [--json]
Lets the venue's contracts take outcome shares from the account, to sell, merge, redeem and convert. This approval knows no
amount: each contract may then move EVERY outcome share of the account, now and later, until it is taken back.
${lastLines}
example: pitboss relayer-approve-outcome --config config/service.local.toml`;

/** One approval: what there is, what is wanted, and the call that makes it so; null when nothing is missing. */
type Row = {
  readonly one: Spender;
  readonly now: string;
  readonly wanted: string;
  readonly call: EncodedCall | null;
};

/** `pitboss relayer-approve-usdc`. Resolves to the exit code. */
export async function relayerApproveUsdcCommand(args: readonly string[]): Promise<number> {
  const options = {
    config: { type: "string" },
    amount: { type: "string" },
    wrap: { type: "boolean" },
    yes: { type: "boolean" },
    json: { type: "boolean" },
  } as const;
  const read = readArguments(args, options, usdcHelp);
  return read.ok ? approve("usdc", usdcHelp, read.values) : read.exitCode;
}

/** `pitboss relayer-approve-outcome`. Resolves to the exit code. */
export async function relayerApproveOutcomeCommand(args: readonly string[]): Promise<number> {
  const options = {
    config: { type: "string" },
    yes: { type: "boolean" },
    json: { type: "boolean" },
  } as const;
  const read = readArguments(args, options, outcomeHelp);
  return read.ok
    ? approve("outcome", outcomeHelp, { ...read.values, amount: undefined, wrap: false })
    : read.exitCode;
}

type Values = {
  readonly config: string | undefined;
  readonly amount: string | undefined;
  readonly wrap: boolean;
  readonly yes: boolean;
  readonly json: boolean;
};

async function approve(what: What, help: string, values: Values): Promise<number> {
  const amount = values.amount === undefined ? null : parseUsd(values.amount);
  if (values.config === undefined || (values.amount !== undefined && !((amount ?? 0) > 0))) {
    const fault =
      values.config === undefined
        ? "name the configuration with --config FILE"
        : `--amount was "${values.amount}": write dollars above zero, such as 100`;
    process.stderr.write(`${fault}\n\n${help}\n`);
    return exitWrongUse;
  }
  let venue: OpenedVenue | null = null;
  try {
    const config = loadConfig(values.config, "command");
    if (config.relayer.type === "fake") {
      say(values, "The paper venue gives every account its approvals: nothing to do.");
      return exitDone;
    }
    venue = await openVenue(config);
    return await approveOn(what, values, config, venue, amount ?? config.risk.maxExposureTotalUsd);
  } catch (error) {
    return told(error);
  } finally {
    await venue?.close();
  }
}

function told(error: unknown): number {
  if (error instanceof ConfigError) {
    process.stderr.write(`${error.faults.join("\n")}\n`);
    return exitWrongUse;
  }
  if (error instanceof ServiceError || error instanceof AdapterError) {
    const text = `${error.message}\nNothing more was sent. Run the command again: it shows what is approved now.`;
    process.stderr.write(`${text}\n`);
    return exitFailed;
  }
  throw error;
}

/** @throws ServiceError, AdapterError */
async function approveOn(
  what: What,
  values: Values,
  config: Config,
  venue: OpenedVenue,
  amount: Usd,
): Promise<number> {
  const chain = chainPort(config, venue);
  if (chain === null) {
    throw new ServiceError(
      "no_rpc",
      "set [relayer] rpc_url to a node of chain 137: approvals are read there",
    );
  }
  const lease = takeLease(config, venue.key.signer, `relayer-approve-${what}`);
  try {
    const wrong = await chain.reader.wrongChain();
    if (wrong !== null) throw new ServiceError("chain", wrong);
    const { funder } = venue.polymarket.venue.account;
    const plan = () => planOf(what, chain, funder, { amount: BigInt(amount), wrap: values.wrap });
    const rows = await plan();
    const missing = rows.filter((row) => row.call !== null);
    show(what, values, funder, rows);
    if (missing.length === 0 || config.relayer.dryRun) {
      const why =
        missing.length === 0 ? "Everything is approved." : "dry_run = true: nothing was sent.";
      say(values, why);
      showObject(values, funder, rows);
      return exitDone;
    }
    if (!(await agreed(values))) return exitFailed;
    await sendAll(config, venue, missing, values);
    await venue.polymarket.venue.connect();
    await venue.polymarket.refreshBalances([]);
    const after = await plan();
    show(what, values, funder, after);
    showObject(values, funder, after);
    return after.every((row) => row.call === null) ? exitDone : exitFailed;
  } finally {
    lease.release();
    await chain.close();
  }
}

async function planOf(
  what: What,
  chain: ChainPort,
  owner: string,
  { amount, wrap }: { readonly amount: bigint; readonly wrap: boolean },
): Promise<readonly Row[]> {
  if (what === "outcome") {
    return Promise.all(
      outcomeOperators(polygonAddresses).map(async (one) => {
        const approved = await readApproved(chain.reader, owner, one);
        const call = approved ? null : approveAllCall(one);
        return { one, now: approved ? "all" : "none", wanted: "all", call };
      }),
    );
  }
  const spenders = usdcSpenders(polygonAddresses);
  return Promise.all(
    [...spenders, ...(wrap ? wrapSpenders(polygonAddresses) : [])].map(async (one) => {
      const allowance = await readAllowance(chain.reader, owner, one);
      const call = allowance >= amount ? null : approveCall(one, amount);
      return { one, now: dollars(allowance), wanted: dollars(amount), call };
    }),
  );
}

/** Allowances of other programs are often 2^256 - 1. */
function dollars(amount: bigint): string {
  return amount > BigInt(Number.MAX_SAFE_INTEGER) ? "unlimited" : formatUsd(Number(amount) as Usd);
}

function say({ json }: Values, line: string): void {
  if (!json) process.stdout.write(`${line}\n`);
}

/** The last word in a form for programs. */
function showObject({ json }: Values, owner: string, rows: readonly Row[]): void {
  if (!json) return;
  const approvals = rows.map(({ one, now, wanted, call }) => ({ ...one, now, wanted, call }));
  process.stdout.write(`${JSON.stringify({ account: owner, approvals })}\n`);
}

function show(what: What, values: Values, owner: string, rows: readonly Row[]): void {
  if (values.json) return;
  process.stdout.write(`Account ${owner}\n`);
  for (const { one, now, wanted, call } of rows) {
    process.stdout.write(`\n${one.spenderName} ${one.spender}\n  to ${one.why}\n`);
    const state = call === null ? "enough" : `wanted: ${wanted}`;
    process.stdout.write(`  ${one.tokenName}, approved now: ${now}, ${state}\n`);
    if (call === null) continue;
    const words =
      what === "usdc"
        ? `approve(${one.spender}, ${wanted} dollars)`
        : `setApprovalForAll(${one.spender}, true): all shares, now and later`;
    process.stdout.write(`  transaction to ${call.to}: ${words}\n  data ${call.data}\n`);
  }
}

async function agreed({ yes }: Values): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY) {
    process.stderr.write("Nothing was sent: confirm on a terminal, or with --yes.\n");
    return false;
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await lines.question('\nType "approve" to send these transactions: ');
    if (answer.trim() === "approve") return true;
    process.stderr.write("Nothing was sent.\n");
    return false;
  } finally {
    lines.close();
  }
}

/** One after the other, each final before the next: an approval that is sent twice sets the same amount twice. */
async function sendAll(
  config: Config,
  venue: OpenedVenue,
  rows: readonly Row[],
  values: Values,
): Promise<void> {
  const contracts = openContracts(config, venue);
  if (contracts === null) {
    throw new ServiceError(
      "no_relayer_key",
      "put [relayer] relayer_api_key into secrets.local.toml",
    );
  }
  try {
    for (const { one, call } of rows) {
      if (call === null) continue;
      const prepared = await contracts.prepareEncoded(call);
      const limit = config.contracts.maxGasPerActionUsd;
      if (prepared.gasMaxUsd > limit) {
        const text = `gas could cost $${formatUsd(prepared.gasMaxUsd)}, max_gas_per_action_usd is ${formatUsd(limit)}`;
        throw new ServiceError("gas", text);
      }
      const gas =
        prepared.gasMaxUsd === 0 ? "no gas" : `gas at most $${formatUsd(prepared.gasMaxUsd)}`;
      say(values, `\nSending for ${one.spenderName}, ${gas}: ${prepared.callHash}`);
      const outcome = await contracts.submit(prepared, () => null);
      if (outcome.kind === "rejected" || outcome.kind === "not_sent") {
        throw new ServiceError("not_sent", `not taken: ${outcome.detail}`);
      }
      const reference = outcome.kind === "accepted" ? outcome.reference : null;
      await untilFinal(config, contracts, prepared, reference);
      say(values, "Final.");
    }
  } finally {
    await contracts.close();
  }
}

type Contracts = NonNullable<ReturnType<typeof openContracts>>;

const looks = 150;

/** @throws ServiceError */
async function untilFinal(
  config: Config,
  contracts: Contracts,
  prepared: Parameters<Contracts["query"]>[0],
  reference: string | null,
): Promise<void> {
  for (let look = 0; look < looks; look++) {
    await sleep(config.venueWaits.contractPollMs);
    const report = await contracts.query(prepared, reference);
    if (report.kind === "confirmed") return;
    if (report.kind === "reverted" || report.kind === "refused" || report.kind === "void") {
      throw new ServiceError("undone", `it did not take effect: ${report.detail}`);
    }
  }
  throw new ServiceError("late", "it is not final after a long wait and may still take effect");
}
