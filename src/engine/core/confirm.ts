import type { ConfirmOutcome, RequoteReason } from "../api/engine-api.ts";
import type { Actor } from "../api/requests.ts";
import type { TradeCard } from "../api/views.ts";
import type { OrderDraft, PreparedOrder } from "../domain/order.ts";
import type { Denial } from "../domain/reasons.ts";
import { assert } from "../lib/assert.ts";
import { type Approved, checkRisk } from "../risk/check-risk.ts";
import type { DeskCard } from "../state/fact.ts";
import { termsMoved } from "../state/shown-terms.ts";
import { approvePlan } from "./approve-plan.ts";
import { emit, type StepContext } from "./context.ts";
import { orderView } from "./order-view.ts";
import { requoteReplace } from "./quote-replace.ts";
import { quoteTrade } from "./quote-trade.ts";
import { confirmReplace, replacementOf } from "./replace.ts";
import { editedOnCard } from "./rules.ts";

type ConfirmCheck =
  | {
      readonly kind: "approved";
      readonly card: OrderCard;
      readonly drafts: readonly Approved<OrderDraft>[];
    }
  | { readonly kind: "done"; readonly outcome: ConfirmOutcome };

/** Everything that must hold for a press of Confirm, in the order in which a person would want to hear it. */
function checkConfirm(
  context: StepContext,
  actor: Actor,
  commandId: string,
  nonce: string,
): ConfirmCheck {
  const { state, settings, atMs } = context;
  const known = state.planByCommand.get(commandId);
  if (known !== undefined) return done(acceptedPlan(context, known));
  const replacing = replacementOf(context, commandId);
  if (replacing !== null) return done(replacing);
  const card = state.cards.get(nonce);
  const denial = checkCard(context, card, actor);
  if (denial !== null) return refuse(denial);
  assert(card !== undefined, "a card that passed its check exists");
  if (!isOrderCard(card)) return refuse({ code: "card_unknown" });
  const edited = editedOnCard(state, card);
  if (edited !== null) {
    return requote(context, card, actor, {
      commandId,
      why: "rules_edited",
      market: edited.question,
    });
  }
  if (termsMoved(card, state.markets, state.live.books)) {
    return requote(context, card, actor, { commandId, why: "price_moved" });
  }
  if (card.kind === "replace") return done(confirmReplace(context, card, commandId));
  const risk = checkRisk(state, settings, {
    drafts: card.drafts,
    nowMs: atMs,
    userId: actor.userId,
    strategy: card.kind === "set" ? "dutch" : "manual",
    gate: true,
  });
  if (!risk.ok) return refuse(risk.error);
  return { kind: "approved", card, drafts: risk.value };
}

type OrderCard = DeskCard & { readonly kind: "trade" | "set" | "replace" };

function isOrderCard(card: DeskCard): card is OrderCard {
  return card.kind !== "action";
}

function done(outcome: ConfirmOutcome): ConfirmCheck {
  return { kind: "done", outcome };
}

function refuse(denial: Denial): ConfirmCheck {
  return done({ kind: "refused", denial });
}

export function checkCard(
  context: StepContext,
  card: DeskCard | undefined,
  actor: Actor,
): Denial | null {
  const { state, atMs } = context;
  if (card === undefined) return { code: "card_unknown" };
  if (card.userId !== actor.userId || card.chatId !== actor.chatId)
    return { code: "card_not_yours" };
  if (card.state === "used") return { code: "card_used" };
  if (card.state !== "open" || atMs >= card.expiresAtMs) {
    if (card.state === "open") {
      emit(context, { kind: "card.closed", nonce: card.nonce, state: "expired" });
    }
    return { code: "card_expired" };
  }
  if (state.killed !== null) return { code: "killed" };
  return null;
}

function requote(
  context: StepContext,
  card: DeskCard,
  actor: Actor,
  {
    commandId,
    why,
    market,
  }: { readonly commandId: string; readonly why: RequoteReason; readonly market?: string },
): ConfirmCheck {
  if (card.kind === "set") {
    emit(context, { kind: "card.closed", nonce: card.nonce, state: "requoted" });
    return refuse({ code: why, ...(market !== undefined && { subject: market }) });
  }
  const fresh =
    card.clientOid === undefined
      ? quoteTrade(context, actor, commandId, (card.shown as TradeCard).request)
      : requoteReplace(context, actor, commandId, card);
  emit(context, { kind: "card.closed", nonce: card.nonce, state: "requoted" });
  return fresh.ok ? done({ kind: "requoted", card: fresh.value, why }) : refuse(fresh.error);
}

/** The orders of a plan that this command confirmed before. */
function acceptedPlan(context: StepContext, planId: string): ConfirmOutcome {
  const plan = context.state.plans.get(planId);
  assert(plan !== undefined, "a known plan exists");
  const orders = plan.clientOids.flatMap((oid) => context.state.orders.get(oid) ?? []);
  return {
    kind: "accepted",
    planId,
    orders: orders.map((order) => orderView(context.state, order)),
  };
}

/**
 * A press of Confirm. Its orders were built and signed before, which has no outside effect; here they are checked, and
 * the one commit of design section 5.2 is made: card consumed, intents, worst-case reservations, exact bytes, hashes,
 * deadline. Only after it is durable may the posts that it asks for leave. What is refused was never kept.
 */
export function confirm(
  context: StepContext,
  actor: Actor,
  commandId: string,
  nonce: string,
  signed: readonly PreparedOrder[],
): ConfirmOutcome {
  const check = checkConfirm(context, actor, commandId, nonce);
  if (check.kind === "done") return check.outcome;
  const { card, drafts } = check;
  if (drafts.length !== signed.length) return { kind: "refused", denial: { code: "busy" } };
  emit(context, { kind: "card.closed", nonce, state: "used" });
  const planId = approvePlan(context, {
    nonce,
    kind: card.kind === "set" ? "set" : "trade",
    title: card.title,
    commandId,
    userId: actor.userId,
    chatId: actor.chatId,
    signed: drafts.flatMap((draft, leg) => {
      const prepared = signed[leg];
      return prepared === undefined ? [] : [[draft, prepared] as const];
    }),
  });
  return acceptedPlan(context, planId);
}
