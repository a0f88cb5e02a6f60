import type { ActionCard, ActionRequest } from "../api/actions.ts";
import type { ActionOutcome } from "../api/engine-api.ts";
import type { Actor } from "../api/requests.ts";
import { termsOf } from "../core/action-terms.ts";
import type { Reply, Request } from "../core/input.ts";
import type { Usd } from "../domain/numbers.ts";
import type { ActionTerms } from "../domain/position-action.ts";
import type { Denial } from "../domain/reasons.ts";
import { assert } from "../lib/assert.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { ContractPort } from "../ports/contracts.ts";
import { checkAction } from "../risk/check-action.ts";
import type { Desk } from "./desk.ts";

type ReplyTo<K extends Reply["to"]> = Extract<Reply, { readonly to: K }>;

/** One request through a step; null when its facts could not be kept. */
async function asked<K extends Reply["to"]>(
  desk: Desk,
  to: K,
  request: Request,
  correlationId: string,
): Promise<ReplyTo<K> | null> {
  const { reply, durable } = desk.stepper.run({ kind: "request", request }, correlationId);
  assert(reply.to === to, "a request gets its own kind of reply");
  return (await desk.kept(durable)) ? (reply as ReplyTo<K>) : null;
}

function refusal(text: string): Denial {
  return { code: "contracts_refused", subject: text.slice(0, 200) };
}

/** What the contracts must say before a card can be shown: the convert's fee, then the gas of exactly this call. */
async function askContracts(
  desk: Desk,
  contracts: ContractPort,
  request: ActionRequest,
): Promise<Result<{ readonly feeBips: number; readonly gasMaxUsd: Usd }, Denial>> {
  const fee = await feeOf(desk, contracts, request);
  if (!fee.ok) return fee;
  const terms = termsOf(desk.state, request, fee.value);
  if (!terms.ok) return terms;
  const denial = checkNow(desk, terms.value);
  if (denial !== null) return err(denial);
  const gas = await contracts.estimate(terms.value.call);
  if (!gas.ok) return err(refusal(gas.error));
  return ok({ feeBips: fee.value, gasMaxUsd: gas.value.gasMaxUsd });
}

/** Nobody is asked about a call that we refuse ourselves. */
function checkNow(desk: Desk, terms: ActionTerms): Denial | null {
  return checkAction(desk.state, desk.deps.settings, terms, 0 as Usd);
}

async function feeOf(
  desk: Desk,
  contracts: ContractPort,
  request: ActionRequest,
): Promise<Result<number, Denial>> {
  if (request.kind !== "convert") return ok(0);
  const marketId = desk.state.markets.get(request.conditionId)?.negRiskMarketId;
  if (marketId === undefined) return err({ code: "action_unsupported" });
  const fee = await contracts.convertFeeBips(marketId);
  return fee.ok ? fee : err(refusal(fee.error));
}

export async function quoteAction(
  desk: Desk,
  actor: Actor,
  commandId: string,
  request: ActionRequest,
): Promise<Result<ActionCard, Denial>> {
  await desk.untilReady();
  const contracts = desk.effects.acts?.contracts;
  if (contracts === undefined) return err({ code: "contracts_off" });
  if (request.kind !== "wrap" && !desk.state.markets.has(request.conditionId)) {
    const found = await desk.find({ by: "conditionId", value: request.conditionId }, 1);
    if (!found.ok) return found;
  }
  if (request.kind === "redeem") await desk.effects.acts?.readClaim(request.conditionId);
  const figures = await askContracts(desk, contracts, request);
  if (!figures.ok) return figures;
  const reply = await asked(
    desk,
    "quote-action",
    {
      do: "quote-action",
      actor,
      commandId,
      request,
      figures: { ...figures.value, route: contracts.route },
    },
    commandId,
  );
  return reply === null ? err({ code: "ledger_failed" }) : reply.value;
}

/** Signs and commits; the call leaves only after the commit is durable. */
export async function confirmAction(
  desk: Desk,
  actor: Actor,
  commandId: string,
  nonce: string,
): Promise<ActionOutcome> {
  await desk.untilReady();
  const refuse = (denial: Denial): ActionOutcome => ({ kind: "refused", denial });
  const contracts = desk.effects.acts?.contracts;
  if (contracts === undefined) return refuse({ code: "contracts_off" });
  if (desk.gateClosed) return refuse(desk.gateDenial() ?? { code: "killed" });
  const check = await asked(
    desk,
    "confirm-action",
    { do: "confirm-action", actor, commandId, nonce },
    commandId,
  );
  if (check === null) return refuse({ code: "ledger_failed" });
  if (check.value.kind === "done") return check.value.outcome;
  const prepared = await contracts.prepare(check.value.call);
  if (!prepared.ok) return refuse(refusal(prepared.error));
  if (desk.gateClosed) return refuse(desk.gateDenial() ?? { code: "killed" });
  const committed = await asked(
    desk,
    "commit-action",
    { do: "commit-action", actor, commandId, nonce, prepared: prepared.value },
    commandId,
  );
  return committed === null ? refuse({ code: "ledger_failed" }) : committed.value;
}
