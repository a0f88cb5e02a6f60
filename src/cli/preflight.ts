import { resolve } from "node:path";
import type { Config } from "../../config/config.ts";
import { ConfigError } from "../../config/config-error.ts";
import { loadConfig } from "../../config/load.ts";
import { type OpenedVenue, openVenue, withoutLog } from "../open-venue.ts";
import { readStamp, writeStamp } from "../preflight-stamp.ts";
import { ServiceError } from "../service-error.ts";
import { exitDone, exitFailed, exitWrongUse, readArguments } from "./arguments.ts";
import { accountProbes } from "./preflight/account-probes.ts";
import { chatProbe, deskProbes } from "./preflight/desk-probes.ts";
import { type Finding, failure, lineOf } from "./preflight/finding.ts";
import { type MarketProbes, marketProbes } from "./preflight/market-probes.ts";
import { venueProbes } from "./preflight/venue-probes.ts";

const help = `usage: pitboss preflight --config FILE [--json]
Checks everything that a start needs, one line each: ok, warn or FAIL, with what to do. Orders nothing, cancels nothing.
Live trading starts only after a passed preflight of the same configuration, code and key.
  --config FILE  the configuration; secrets.local.toml or a keystore holds the key
  --json         one JSON object with every finding
exit code: 0 passed, 1 something fails, 2 wrong use or configuration
example: pitboss preflight --config config/service.local.toml`;

/** `pitboss preflight`: fails closed. Resolves to the exit code. */
export async function preflightCommand(args: readonly string[]): Promise<number> {
  const read = readArguments(args, { config: { type: "string" }, json: { type: "boolean" } }, help);
  if (!read.ok) return read.exitCode;
  const { config: file, json } = read.values;
  if (file === undefined) {
    process.stderr.write(`preflight: name the configuration with --config FILE\n\n${help}\n`);
    return exitWrongUse;
  }
  const show = json
    ? () => undefined
    : (finding: Finding) => process.stdout.write(`${lineOf(finding)}\n`);
  const { findings, exitCode } = await preflight(resolve(file), show);
  const failed = findings.filter((one) => one.level === "FAIL").length;
  if (json) process.stdout.write(`${JSON.stringify({ passed: failed === 0, findings })}\n`);
  else
    process.stdout.write(
      `${failed === 0 ? "preflight passed" : `preflight FAILED: ${failed} of ${findings.length}`}\n`,
    );
  return exitCode;
}

type Outcome = { readonly findings: readonly Finding[]; readonly exitCode: number };

/** The checks of one configuration, told one by one; a passed one leaves its stamp. */
export async function preflight(
  file: string,
  show: (finding: Finding) => unknown,
): Promise<Outcome> {
  const findings: Finding[] = [];
  const add = (...more: readonly Finding[]) => {
    for (const finding of more) {
      findings.push(finding);
      show(finding);
    }
  };
  let venue: OpenedVenue | null = null;
  try {
    const config = loadConfig(file, "service");
    venue = await openVenue(withoutLog(config), { readOnly: true });
    const { rules } = await probeAll(config, venue, add);
    const passed = findings.every((one) => one.level !== "FAIL");
    if (passed) writeStamp(config, venue.key.signer, Date.now(), rules);
    return { findings, exitCode: passed ? exitDone : exitFailed };
  } catch (error) {
    if (error instanceof ConfigError) {
      add(...error.faults.map((fault) => failure("config", fault, "repair it and run this again")));
      return { findings, exitCode: exitWrongUse };
    }
    if (!(error instanceof ServiceError)) throw error;
    add(failure("config", error.message, "repair it and run this again"));
    return { findings, exitCode: exitWrongUse };
  } finally {
    await venue?.close();
  }
}

async function probeAll(
  config: Config,
  { polymarket }: OpenedVenue,
  add: (...findings: readonly Finding[]) => void,
): Promise<MarketProbes> {
  const { relayer, service } = config;
  const probe = polymarket.openProbe({ data: relayer.dataUrl, rpc: relayer.rpcUrl });
  try {
    add(...(await deskProbes(config)));
    add(...(await venueProbes(config, probe, polymarket.venue.account.funder)));
    add(...(await accountProbes(config, polymarket, probe)));
    const markets = await marketProbes(config, probe, readStamp(service.stateDir)?.rules ?? {});
    add(...markets.findings);
    add(await chatProbe(config));
    return markets;
  } finally {
    await probe.close();
  }
}
