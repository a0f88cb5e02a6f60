import type { ActionCard, ActionRequest } from "../api/actions.ts";
import type { ActionOutcome } from "../api/engine-api.ts";
import type { Actor } from "../api/requests.ts";
import { derivedId } from "../domain/ids.ts";
import { type Usd, usd } from "../domain/numbers.ts";
import type {
  ActionCall,
  ActionTerms,
  PositionAction,
  PreparedCall,
} from "../domain/position-action.ts";
import type { Denial } from "../domain/reasons.ts";
import { assert } from "../lib/assert.ts";
import { err, ok, type Result } from "../lib/result.ts";
import { checkAction } from "../risk/check-action.ts";
import { costOfTakes, sharedCost } from "../state/action-cost.ts";
import { profitBeforeGas } from "../state/apply-action.ts";
import { startSubmit } from "./action-progress.ts";
import { termsOf } from "./action-terms.ts";
import { actionView, namedShares } from "./action-view.ts";
import { checkCard } from "./confirm.ts";
import { emit, type StepContext } from "./context.ts";

/** What the contracts said before the step, so that the step itself asks nobody. */
export type ActionFigures = {
  readonly feeBips: number;
  readonly gasMaxUsd: Usd;
  readonly route: "chain" | "relayer";
};

/** Prices one contract call and keeps its card. */
export function quoteAction(
  context: StepContext,
  actor: Actor,
  commandId: string,
  request: ActionRequest,
  figures: ActionFigures,
): Result<ActionCard, Denial> {
  const { state, settings, atMs, hasher } = context;
  const found = termsOf(state, request, figures.feeBips);
  if (!found.ok) return found;
  const terms = found.value;
  const denial = checkAction(state, settings, terms, figures.gasMaxUsd);
  if (denial !== null) return err(denial);
  const title = titleOf(context, request);
  const card: ActionCard = {
    nonce: derivedId(hasher.sha256Hex, context.entropy, `action:${commandId}`),
    createdAtMs: atMs,
    expiresAtMs: atMs + settings.cardTtlMs,
    mode: settings.mode,
    kind: request.kind,
    title,
    takesUsd: terms.takesUsd,
    givesUsd: terms.givesUsd,
    takes: namedShares(state, terms.takes),
    gives: namedShares(state, terms.gives),
    feeBips: figures.feeBips,
    gasMaxUsd: figures.gasMaxUsd,
    route: figures.route,
    profitUsd: usd(expectedProfit(context, terms) - figures.gasMaxUsd),
    request,
  };
  listMarkets(context, terms);
  emit(context, {
    kind: "card.created",
    card: {
      nonce: card.nonce,
      kind: "action",
      userId: actor.userId,
      chatId: actor.chatId,
      commandId,
      createdAtMs: atMs,
      expiresAtMs: card.expiresAtMs,
      title,
      drafts: [],
      shown: card,
      state: "open",
    },
  });
  return ok(card);
}

/** What a card relies on is in the ledger with it; the catalog's own memory is not. */
function listMarkets(context: StepContext, terms: ActionTerms): void {
  const ids = new Set([...terms.takes, ...terms.gives].map((leg) => leg.conditionId));
  const markets = [...ids].flatMap((id) => context.state.markets.get(id) ?? []);
  if (markets.length > 0) emit(context, { kind: "markets.listed", markets, groups: [] });
}

/** Redeemed shares are profit already, counted when their market was settled. */
function expectedProfit(context: StepContext, terms: ActionTerms): number {
  if (terms.call.kind === "redeem") return 0;
  const costOut = costOfTakes(context.state, terms);
  const costIn = sharedCost(terms, costOut).reduce((sum, one) => sum + one.cost, 0);
  return profitBeforeGas(terms, costOut, costIn);
}

function titleOf(context: StepContext, request: ActionRequest): string {
  if (request.kind === "wrap") return "Wrap USDC.e";
  const market = context.state.markets.get(request.conditionId);
  const verb = request.kind.charAt(0).toUpperCase() + request.kind.slice(1);
  const name = request.kind === "convert" ? market?.groupTitle : market?.question;
  return `${verb} · ${name ?? request.conditionId}`;
}

export type ActionCheck =
  /** Prepare this call and come back with `commitAction`. */
  | { readonly kind: "prepare"; readonly call: ActionCall }
  | { readonly kind: "done"; readonly outcome: ActionOutcome };

/** Everything that must hold for a press of Confirm on the card of a contract call. */
export function checkActionConfirm(
  context: StepContext,
  actor: Actor,
  commandId: string,
  nonce: string,
): ActionCheck {
  const { state, settings } = context;
  const known = [...state.actions.values()].find((action) => action.commandId === commandId);
  if (known !== undefined) {
    return { kind: "done", outcome: { kind: "accepted", action: actionView(state, known) } };
  }
  const card = state.cards.get(nonce);
  const refused = checkCard(context, card, actor);
  if (refused !== null) return refuse(refused);
  assert(card !== undefined, "a card that passed its check exists");
  if (card.kind !== "action") return refuse({ code: "card_unknown" });
  const shown = card.shown as ActionCard;
  const now = termsOf(state, shown.request, shown.feeBips);
  if (!now.ok) return refuse(now.error);
  if (!sameTerms(shown, now.value)) return refuse({ code: "price_moved" });
  const denial = checkAction(state, settings, now.value, shown.gasMaxUsd);
  return denial === null ? { kind: "prepare", call: now.value.call } : refuse(denial);
}

function refuse(denial: Denial): ActionCheck {
  return { kind: "done", outcome: { kind: "refused", denial } };
}

/** A confirmation executes exactly what was shown. */
function sameTerms(shown: ActionCard, now: ActionTerms): boolean {
  const same = (a: ActionCard["takes"], b: ActionTerms["takes"]) =>
    a.length === b.length &&
    a.every((leg, i) => leg.tokenId === b[i]?.tokenId && leg.size === b[i]?.size);
  return (
    shown.takesUsd === now.takesUsd &&
    shown.givesUsd === now.givesUsd &&
    same(shown.takes, now.takes) &&
    same(shown.gives, now.gives)
  );
}

/**
 * The one commit of a contract call: card consumed, bytes, nonce and reservation. Only after it is durable may the bytes
 * leave; whoever finds them in the ledger later sends the same ones or none.
 */
export function commitAction(
  context: StepContext,
  actor: Actor,
  commandId: string,
  nonce: string,
  prepared: PreparedCall,
): ActionOutcome {
  const { state, settings, atMs, hasher } = context;
  const again = checkActionConfirm(context, actor, commandId, nonce);
  if (again.kind === "done") return again.outcome;
  const card = state.cards.get(nonce);
  assert(card !== undefined, "a card that passed its check exists");
  const shown = card.shown as ActionCard;
  if (prepared.gasMaxUsd > shown.gasMaxUsd) {
    const { gasMaxUsd: limit } = shown;
    return { kind: "refused", denial: { code: "cap_gas", limit, wanted: prepared.gasMaxUsd } };
  }
  const terms = termsOf(state, shown.request, shown.feeBips);
  assert(terms.ok, "terms that passed their check exist");
  const actionId = hasher.sha256Hex(`pitboss:action:${nonce}`).slice(0, 32);
  const action: PositionAction = {
    actionId,
    title: card.title,
    terms: terms.value,
    prepared,
    userId: actor.userId,
    chatId: actor.chatId,
    commandId,
    createdAtMs: atMs,
    deadlineMs: atMs + settings.waits.orderDeadlineMs,
    lastSentAtMs: atMs,
    status: "in_flight",
    unknownSinceMs: null,
    reference: null,
    failure: null,
    gasUsd: 0 as Usd,
    profitUsd: 0 as Usd,
  };
  const { configHash, codeVersion } = settings;
  emit(context, { kind: "card.closed", nonce, state: "used" });
  emit(context, { kind: "position.action.approved", action, configHash, codeVersion });
  startSubmit(context, actionId);
  return { kind: "accepted", action: actionView(state, action) };
}
