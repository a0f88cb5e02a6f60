import type { Config } from "../../../config/config.ts";
import type { AccessReport } from "../../adapters/polymarket/access.ts";
import { exchangesOf } from "../../adapters/polymarket/contracts.ts";
import type { Polymarket } from "../../adapters/polymarket/create-polymarket.ts";
import type { VenueProbe } from "../../adapters/polymarket/probe.ts";
import { formatUsd, usd } from "../../engine/domain/numbers.ts";
import { type Finding, failure, good, warning } from "./finding.ts";

/** More than anybody has: an allowance above it is as good as unlimited. */
const unlimitedFrom = 10n ** 15n;
const kinds = ["a plain wallet", "a proxy wallet", "a Safe", "a deposit wallet"] as const;

/** The key's standing with the venue: identity, wallet, money, spenders, place and restrictions. */
export async function accountProbes(
  config: Config,
  polymarket: Polymarket,
  probe: VenueProbe,
): Promise<Finding[]> {
  const { relayer } = config;
  const { funder, signer } = polymarket.venue.account;
  const kind = kinds[relayer.signatureType];
  const wallet = good(
    "wallet",
    `${kind} (type ${relayer.signatureType}) ${funder}, signed by ${signer}`,
  );
  const key = await probe.deriveKey();
  if (!key.ok) {
    return [
      wallet,
      await codeProbe(relayer.signatureType, probe, funder),
      failure(
        "api key",
        `the venue does not accept the wallet's proof: ${key.error}`,
        "check the clock and the key; a new wallet must be registered on polymarket.com first",
      ),
    ];
  }
  const [code, money, access] = await Promise.all([
    codeProbe(relayer.signatureType, probe, funder),
    moneyProbes(config, probe),
    polymarket.readAccess(),
  ]);
  return [
    wallet,
    code,
    good("api key", "derived for the signer"),
    ...relayerKey(config),
    ...money,
    ...accessFindings(access),
  ];
}

/** A plain wallet has no contract at its address, every other kind is one. */
async function codeProbe(type: number, probe: VenueProbe, funder: string): Promise<Finding> {
  const name = "wallet kind";
  if (probe.hasCode === null) {
    return warning(name, "not checked: no rpc_url", "set relayer.rpc_url to a Polygon node");
  }
  const code = await probe.hasCode(funder);
  if (!code.ok) return failure(name, code.error, "check relayer.rpc_url");
  if (code.value === (type !== 0)) return good(name, "what stands at the address fits the type");
  return failure(
    name,
    code.value
      ? `there is a contract at ${funder}, so it is no plain wallet`
      : `there is no contract at ${funder}: the wallet is not deployed, or the address is wrong`,
    "check signature_type and funder with the wallet page of polymarket.com",
  );
}

/** A wallet that is a contract acts on the chain through the venue's relayer alone. */
function relayerKey({ relayer }: Config): Finding[] {
  if (relayer.signatureType === 0) return [];
  const name = "relayer key";
  if (relayer.relayerApiKey !== null) return [good(name, "there is one")];
  return [
    warning(
      name,
      "none, so the wallet can neither approve, split, merge nor redeem from here",
      "put relayer_api_key under [relayer] into secrets.local.toml",
    ),
  ];
}

async function moneyProbes({ relayer }: Config, probe: VenueProbe): Promise<Finding[]> {
  const read = await probe.allowances();
  if (!read.ok) {
    return [failure("account read", read.error, "check the API key, funder and signature_type")];
  }
  const { balance, spenders } = read.value;
  const exchanges = exchangesOf(relayer.chainId);
  const findings = [
    good("account read", "the API key reads the account"),
    balance > 0n
      ? good("balance", `${moneyText(balance)} pUSD`)
      : warning("balance", "no pUSD", "fund the wallet and wrap it (docs/live.md)"),
  ];
  const named = [
    ["allowance standard", exchanges.standard, true],
    ["allowance neg-risk", exchanges.negRisk, true],
    ["allowance v2 markets", exchanges.positions, false],
  ] as const;
  for (const [name, spender, isNeeded] of named) {
    const allowance = spenders.get(spender.toLowerCase()) ?? 0n;
    findings.push(allowanceFinding(name, spender, allowance, isNeeded));
  }
  const known = new Set(named.map(([, spender]) => spender.toLowerCase()));
  for (const [spender, allowance] of spenders) {
    if (known.has(spender) || allowance > 0n) continue;
    findings.push(
      warning(
        `allowance ${spender}`,
        "the venue checks this spender and it may take nothing",
        "look it up in the venue's list of contracts before you approve it",
      ),
    );
  }
  return findings;
}

function allowanceFinding(
  name: string,
  spender: string,
  allowance: bigint,
  isNeeded: boolean,
): Finding {
  if (allowance >= unlimitedFrom) {
    return warning(
      name,
      `${spender} may take an unlimited amount`,
      "approve only what you trade with",
    );
  }
  if (allowance > 0n) return good(name, `${spender} may take ${moneyText(allowance)}`);
  const todo = "type  pitboss relayer-approve-usdc --config FILE";
  const what = `${spender} may take nothing`;
  return isNeeded ? failure(name, what, todo) : warning(name, what, `to trade v2 markets ${todo}`);
}

function moneyText(micro: bigint): string {
  const capped = micro > BigInt(Number.MAX_SAFE_INTEGER) ? BigInt(Number.MAX_SAFE_INTEGER) : micro;
  return `$${formatUsd(usd(Number(capped)))}`;
}

/** At a preflight an answer that cannot be read is as bad as a bad one. */
function accessFindings({ place, account }: AccessReport): Finding[] {
  const todo = {
    blocked: "orders are refused from here: run the desk where the venue may be used",
    closed_only: "only sales are taken: ask the venue",
    banned: "ask the venue; do not try again",
    unauthorized: "check the key and the clock",
    unknown: "try again; nothing live starts on an unread check",
  } as const;
  const placeText = place.state === "blocked" ? `blocked (${place.country})` : place.state;
  return [
    place.state === "open"
      ? good("geoblock", "this place may trade")
      : failure(
          "geoblock",
          "detail" in place ? `unreadable: ${place.detail}` : placeText,
          todo[place.state],
        ),
    account.state === "open"
      ? good("account", "neither closed-only nor banned")
      : failure(
          "account",
          "detail" in account ? `unreadable: ${account.detail}` : account.state,
          todo[account.state],
        ),
  ];
}
