import type { Usd } from "../../engine/domain/numbers.ts";
import type { Denial } from "../../engine/domain/reasons.ts";
import { money } from "../text/amounts.ts";
import { because, type Explanation } from "./explanation.ts";

const contractCodes = [
  "action_pending",
  "action_unsupported",
  "contracts_off",
  "contracts_refused",
  "cap_gas",
  "not_confirmed",
  "nothing_to_redeem",
] as const;

type ContractCode = (typeof contractCodes)[number];

export function isContractCode(code: Denial["code"]): code is ContractCode {
  return (contractCodes as readonly string[]).includes(code);
}

/** Why a call on the position contracts is not made. */
export function explainContract(code: ContractCode, denial: Denial, subject: string): Explanation {
  switch (code) {
    case "action_pending":
      return because(
        `Another contract call is still open: ${subject}.`,
        "Wait for its result; only one is made at a time.",
      );
    case "action_unsupported":
      return because(
        "This cannot be done with that market.",
        "Only markets of an event with exactly one winner can be converted; split, merge and redeem work on all.",
      );
    case "contracts_off":
      return because(
        "This desk cannot reach the position contracts.",
        "The operator sets [relayer] rpc_url (plain wallet) or relayer_api_key (other wallets) and restarts.",
      );
    case "contracts_refused":
      return because(
        `The contracts would not do it: ${subject}.`,
        "Look at /positions and at the wallet's approvals, then ask again.",
      );
    case "cap_gas":
      return because(
        `Gas could cost ${usdOr(denial.wanted)}, the limit is ${usdOr(denial.limit)}.`,
        "Ask again when the network is cheaper, or raise [contracts] max_gas_per_action_usd.",
      );
    case "not_confirmed":
      return because(
        `Shares of this market are not confirmed by the venue yet: ${subject}.`,
        "Try again when /positions shows them as confirmed.",
      );
    case "nothing_to_redeem":
      return because(
        "There is nothing to redeem there.",
        "/redeem lists what waits; it is paid only after a market is resolved.",
      );
  }
}

function usdOr(value: number | undefined): string {
  return value === undefined ? "too much" : money(value as Usd);
}
