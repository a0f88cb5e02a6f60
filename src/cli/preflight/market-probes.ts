import type { Config, MarketConfig } from "../../../config/config.ts";
import type { MarketFacts, VenueProbe } from "../../adapters/polymarket/probe.ts";
import type { Market } from "../../engine/domain/market.ts";
import { formatPrice, formatShares } from "../../engine/domain/numbers.ts";
import { type Finding, failure, good, warning } from "./finding.ts";

const refusals: Readonly<Record<string, string>> = {
  unknown_version: "Gamma names a version that this program does not know",
  fee_exponent: "its fee curve has an exponent other than 1",
  bad_fee: "its fee cannot be read",
  bad_tick: "its tick size is none that is known",
};

export type MarketProbes = {
  readonly findings: readonly Finding[];
  /** Condition id -> hash of the terms, of every market that could be read. */
  readonly rules: Readonly<Record<string, string>>;
};

/** Every configured market, as Gamma and the CLOB describe it; `known` are the terms of the last passed preflight. */
export async function marketProbes(
  config: Config,
  probe: VenueProbe,
  known: Readonly<Record<string, string>>,
): Promise<MarketProbes> {
  const findings: Finding[] = [];
  const rules: Record<string, string> = {};
  for (const market of config.markets) {
    const name = `market ${market.slug ?? market.conditionId ?? "?"}`;
    const read = await probe.market(nameOf(market));
    if (!read.ok) {
      findings.push(failure(name, read.error, "check its slug or condition_id"));
      continue;
    }
    const facts = read.value;
    const problems = problemsOf(facts);
    findings.push(...problems.map(([what, todo]) => failure(name, what, todo)));
    if (!facts.market.ok) continue;
    const { value } = facts.market;
    rules[value.conditionId] = facts.ruleHash;
    findings.push(
      ...cautions(name, facts, value, known[value.conditionId], config.dutch.allowOther),
    );
    if (problems.length === 0) findings.push(good(name, summary(value, facts)));
  }
  return { findings, rules };
}

function nameOf({ slug, conditionId }: MarketConfig) {
  return slug === null ? { conditionId: conditionId ?? "" } : { slug };
}

/** What makes every order of the market wrong or refused. */
function problemsOf({
  market,
  clob,
  closed,
  negRisk,
}: MarketFacts): [what: string, todo: string][] {
  const remove = "take it out of the configuration";
  if (!market.ok)
    return [[refusals[market.error] ?? `it cannot be traded (${market.error})`, remove]];
  const { value } = market;
  const problems: [string, string][] = [];
  if (closed) problems.push(["it is closed", remove]);
  else if (!clob.acceptingOrders) problems.push(["it takes no orders now", "try again later"]);
  if (clob.negRisk !== negRisk) {
    problems.push([
      `Gamma says neg-risk ${negRisk}, the CLOB says ${clob.negRisk ?? "nothing"}: orders would be signed for the wrong exchange`,
      "do not trade it until both agree",
    ]);
  }
  if (Number(clob.tick) !== Number(formatPrice(value.tickSize))) {
    problems.push([
      `Gamma's tick ${formatPrice(value.tickSize)}, the CLOB's ${clob.tick}`,
      "try again",
    ]);
  }
  if (clob.feeExponent !== null && clob.feeExponent !== "1") {
    problems.push([`its fee curve has the exponent ${clob.feeExponent}`, remove]);
  }
  if (Number(clob.feeRate ?? "0") * 1_000_000 !== value.fee.rate) {
    problems.push([
      `Gamma's fee rate ${value.fee.rate / 1_000_000}, the CLOB's ${clob.feeRate ?? "0"}`,
      "do not trade it until both agree",
    ]);
  }
  return problems;
}

function cautions(
  name: string,
  { augmented, ruleHash }: MarketFacts,
  market: Market,
  knownHash: string | undefined,
  allowOther: boolean,
): Finding[] {
  const found: Finding[] = [];
  if (knownHash !== undefined && knownHash !== ruleHash) {
    found.push(
      warning(
        name,
        "its terms were edited since the last passed preflight",
        "read them again on its page",
      ),
    );
  }
  if (market.isOther) {
    const todo = allowOther ? "allow_other = true: you accept that" : "sets with it are refused";
    found.push(warning(name, 'it is an "Other" outcome, whose meaning can change', todo));
  }
  if (augmented) {
    found.push(
      warning(
        name,
        "outcomes may be added to its event",
        "buying every outcome is no complete set",
      ),
    );
  }
  return found;
}

function summary(market: Market, { ruleHash, negRisk }: MarketFacts): string {
  const fee = market.fee.rate === 0 ? "no fee" : `fee rate ${market.fee.rate / 1_000_000}`;
  return [
    market.version,
    `tick ${formatPrice(market.tickSize)}`,
    `at least ${formatShares(market.minOrderSize)} shares`,
    fee,
    negRisk ? "neg-risk" : "not neg-risk",
    `terms ${ruleHash.slice(0, 12)}`,
  ].join(", ");
}
