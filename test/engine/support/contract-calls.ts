import type { ActionCard, ActionRequest } from "../../../src/engine/api/actions.ts";
import type { ActionOutcome } from "../../../src/engine/api/engine-api.ts";
import type { FillReport } from "../../../src/engine/domain/fill.ts";
import type { Market } from "../../../src/engine/domain/market.ts";
import { type Shares, type Usd, usd } from "../../../src/engine/domain/numbers.ts";
import type { PositionAction, PreparedCall } from "../../../src/engine/domain/position-action.ts";
import type { Denial } from "../../../src/engine/domain/reasons.ts";
import type { Result } from "../../../src/engine/lib/result.ts";
import type { CallReport, SubmitOutcome } from "../../../src/engine/protocol/contract-report.ts";
import { type CoreDesk, TestFailure, trader } from "./core-desk.ts";
import { dollars } from "./settings.ts";
import { fillOf } from "./venue-reports.ts";

export function sharesOf(amount: number): Shares {
  return Math.round(amount * 1_000_000) as Shares;
}

/** Buys one outcome at what the book asks and, unless told otherwise, confirms the trade. */
export function buy(
  desk: CoreDesk,
  market: Market,
  outcome: 0 | 1,
  size: number,
  status: "confirmed" | "provisional" = "confirmed",
): FillReport {
  desk.nowMs += 2_000;
  desk.run({
    kind: "market",
    event: {
      kind: "quote.printed",
      conditionId: market.conditionId,
      tokenId: market.outcomes[0].tokenId,
      timestamp: "0",
      bestBid: null,
      bestAsk: null,
    },
  });
  const limit = 5_300 as NonNullable<Parameters<CoreDesk["place"]>[0]["limit"]>;
  const order = desk.place({
    conditionId: market.conditionId,
    outcome,
    limit,
    amount: { unit: "shares", value: sharesOf(size) },
  });
  desk.run({
    kind: "post.finished",
    clientOid: order.clientOid,
    outcome: { kind: "accepted", state: "matched" },
  });
  const fill = { ...fillOf(order, `b${desk.facts.length}`, sharesOf(size)), status };
  desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
  desk.drain();
  return fill;
}

export function quoteCall(
  desk: CoreDesk,
  request: ActionRequest,
  figures: { readonly feeBips?: number; readonly gasMaxUsd?: Usd } = {},
): Result<ActionCard, Denial> {
  return desk.request("quote-action", {
    do: "quote-action",
    actor: trader,
    commandId: `q${desk.facts.length}`,
    request,
    figures: { feeBips: 0, gasMaxUsd: dollars(0.1), route: "chain", ...figures },
  }).value;
}

export function callCard(
  desk: CoreDesk,
  request: ActionRequest,
  figures: { readonly feeBips?: number; readonly gasMaxUsd?: Usd } = {},
): ActionCard {
  const quoted = quoteCall(desk, request, figures);
  if (!quoted.ok) throw new TestFailure(`no card: ${JSON.stringify(quoted.error)}`);
  return quoted.value;
}

export function preparedCall(nonce: string): PreparedCall {
  return {
    route: "chain",
    body: `0xbody${nonce}`,
    callHash: `0xhash${nonce}`,
    nonce: "7",
    gasMaxUsd: dollars(0.1),
    expiresAtMs: null,
  };
}

/** A press of Confirm, signing included. */
export function confirmCall(
  desk: CoreDesk,
  nonce: string,
  prepared: PreparedCall = preparedCall(nonce),
): ActionOutcome {
  const commandId = `c${desk.facts.length}`;
  const press = { actor: trader, commandId, nonce };
  const check = desk.request("confirm-action", { do: "confirm-action", ...press }).value;
  if (check.kind === "done") return check.outcome;
  return desk.request("commit-action", { do: "commit-action", ...press, prepared }).value;
}

/** Quotes and confirms; the one call that it made. */
export function makeCall(
  desk: CoreDesk,
  request: ActionRequest,
  figures: { readonly feeBips?: number } = {},
): PositionAction {
  const outcome = confirmCall(desk, callCard(desk, request, figures).nonce);
  if (outcome.kind !== "accepted") throw new TestFailure(JSON.stringify(outcome));
  return callOf(desk, outcome.action.actionId);
}

export function callOf(desk: CoreDesk, actionId: string): PositionAction {
  const action = desk.state.actions.get(actionId);
  if (action === undefined) throw new TestFailure(`no call ${actionId}`);
  return action;
}

export function submitted(desk: CoreDesk, actionId: string, outcome: SubmitOutcome): void {
  desk.run({ kind: "action.submitted", actionId, outcome });
}

export function reported(desk: CoreDesk, actionId: string, report: CallReport): void {
  desk.run({ kind: "action.queried", actionId, report });
}

export function done(gas = 0.05): CallReport {
  return { kind: "confirmed", reference: "0xmined", gasUsd: usd(Math.round(gas * 1_000_000)) };
}
