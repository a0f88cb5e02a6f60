import type { ConfirmOutcome } from "../api/engine-api.ts";
import type { Actor } from "../api/requests.ts";
import type { SetCard, TradeCard } from "../api/views.ts";
import { type DepthWalk, walkBuyShares, walkBuyUsd, walkSellShares } from "../domain/depth-walk.ts";
import { clientOidOf } from "../domain/ids.ts";
import type { Market } from "../domain/market.ts";
import { ageMs, currentHash, type MarketBook } from "../domain/market-book.ts";
import type { Usd } from "../domain/numbers.ts";
import type { Order, OrderDraft, PreparedOrder } from "../domain/order.ts";
import type { Denial } from "../domain/reasons.ts";
import { assert } from "../lib/assert.ts";
import { mulDivFloor } from "../lib/mul-div.ts";
import type { Evidence, Plan } from "../protocol/plan.ts";
import { type Approved, checkRisk } from "../risk/check-risk.ts";
import type { DeskCard } from "../state/fact.ts";
import { ask, emit, type StepContext } from "./context.ts";
import { orderView } from "./order-view.ts";
import { feeReserveFor, quoteTrade } from "./quote-trade.ts";

/** A confirmation may give at least this many parts per million of the shown shares. */
const leastSharesPpm = 980_000;

type ConfirmCheck =
  | {
      readonly kind: "approved";
      readonly card: DeskCard;
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
  const card = state.cards.get(nonce);
  const denial = checkCard(context, card, actor);
  if (denial !== null) return refuse(denial);
  assert(card !== undefined, "a card that passed its check exists");
  const moved = priceMoved(context, card);
  if (moved) return requote(context, card, actor, commandId);
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

function done(outcome: ConfirmOutcome): ConfirmCheck {
  return { kind: "done", outcome };
}

function refuse(denial: Denial): ConfirmCheck {
  return done({ kind: "refused", denial });
}

function checkCard(context: StepContext, card: DeskCard | undefined, actor: Actor): Denial | null {
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

/** What a draft would take of the book as it is: the same walk for the check and for the evidence. */
function walkOf(draft: OrderDraft, market: Market, book: MarketBook): DepthWalk {
  const within = { limit: draft.limit, fee: market.fee };
  if (draft.spend !== null) return walkBuyUsd(book.ladder, draft.outcome, draft.spend, within);
  const walk = draft.side === "buy" ? walkBuyShares : walkSellShares;
  return walk(book.ladder, draft.outcome, draft.size, within);
}

/** True when the same walk now would give worse terms than those shown. */
function priceMoved(context: StepContext, card: DeskCard): boolean {
  return card.drafts.some((draft, i) => {
    const market = context.state.markets.get(draft.conditionId);
    const book = context.state.live.books.get(draft.conditionId);
    // A missing or stale book is for the risk check to refuse, by its own name.
    if (market === undefined || book === undefined || book.status !== "live") return false;
    if (market.tickSize !== draft.tickSize) return true;
    const walk = walkOf(draft, market, book);
    const shown = shownOf(card, i);
    if (walk.shares < shown.least) return true;
    if (draft.side === "sell") {
      // A sale takes at least the shown proceeds for the same shares, within the same allowance.
      return walk.money < mulDivFloor(shown.money, leastSharesPpm, 1_000_000);
    }
    return walk.money > shown.most;
  });
}

type Shown = { readonly least: number; readonly money: number; readonly most: number };

function shownOf(card: DeskCard, leg: number): Shown {
  if (card.kind === "trade") {
    const shown = card.shown as TradeCard;
    const matching = shown.matchesNow === shown.shares ? shown.money : 0;
    const least = mulDivFloor(shown.matchesNow, leastSharesPpm, 1_000_000);
    return { least, money: matching, most: shown.maxSpend };
  }
  const shown = card.shown as SetCard;
  const money = shown.legs[leg]?.money ?? 0;
  // A set lives on its sum and on equal legs: no leg may cost more than shown, or give less.
  return { least: shown.shares, money, most: money };
}

function requote(
  context: StepContext,
  card: DeskCard,
  actor: Actor,
  commandId: string,
): ConfirmCheck {
  if (card.kind === "set") {
    emit(context, { kind: "card.closed", nonce: card.nonce, state: "requoted" });
    return refuse({ code: "price_moved" });
  }
  const fresh = quoteTrade(context, actor, commandId, (card.shown as TradeCard).request);
  emit(context, { kind: "card.closed", nonce: card.nonce, state: "requoted" });
  return fresh.ok ? done({ kind: "requoted", card: fresh.value }) : refuse(fresh.error);
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
  const { settings, atMs } = context;
  const { card, drafts } = check;
  if (drafts.length !== signed.length) return { kind: "refused", denial: { code: "busy" } };
  const planId = context.hasher.sha256Hex(`pitboss:plan:${nonce}`).slice(0, 32);
  const orders = drafts.flatMap((draft, leg) => {
    const prepared = signed[leg];
    return prepared === undefined
      ? []
      : newOrder(context, { draft, prepared, planId, leg, card, commandId });
  });
  const plan: Plan = {
    planId,
    kind: card.kind,
    title: card.title,
    nonce,
    commandId,
    userId: actor.userId,
    chatId: actor.chatId,
    clientOids: orders.map((order) => order.clientOid),
    atMs,
  };
  const evidence = card.drafts.map((draft) => evidenceOf(context, draft));
  emit(context, { kind: "card.closed", nonce, state: "used" });
  emit(context, {
    kind: "plan.approved",
    plan,
    orders,
    evidence,
    configHash: settings.configHash,
    codeVersion: settings.codeVersion,
  });
  for (const order of orders) ask(context, { kind: "order.post", clientOid: order.clientOid });
  return acceptedPlan(context, planId);
}

function newOrder(
  context: StepContext,
  parts: {
    readonly draft: Approved<OrderDraft>;
    readonly prepared: PreparedOrder;
    readonly planId: string;
    readonly leg: number;
    readonly card: DeskCard;
    readonly commandId: string;
  },
): Order {
  const { state, settings, atMs, hasher } = context;
  const { draft, prepared, planId, leg, card } = parts;
  return {
    clientOid: clientOidOf(hasher.sha256Hex, planId, leg),
    planId,
    leg,
    orderHash: prepared.orderHash,
    draft,
    body: prepared.body,
    feeReserve: feeReserveFor(state, draft),
    createdAtMs: atMs,
    deadlineMs: atMs + settings.waits.orderDeadlineMs,
    userId: card.userId,
    chatId: card.chatId,
    commandId: parts.commandId,
    strategy: card.kind === "set" ? "dutch" : "manual",
    status: "in_flight",
    rejectReason: null,
    refusal: null,
    unknownSinceMs: null,
    cleanAbsences: 0,
    cancelAskedAtMs: null,
    filled: 0 as Order["filled"],
    filledUsd: 0 as Usd,
    feesUsd: 0 as Usd,
    venueMatched: 0 as Order["venueMatched"],
    venueDone: false,
  };
}

/** The levels that the decision saw, and which book they belong to. */
function evidenceOf(context: StepContext, draft: OrderDraft): Evidence {
  const book = context.state.live.books.get(draft.conditionId);
  const market = context.state.markets.get(draft.conditionId);
  assert(book !== undefined && market !== undefined, "an approved draft has a book");
  const walk = walkOf(draft, market, book);
  return {
    conditionId: draft.conditionId,
    bookTimestamp: book.timestamp,
    bookHash: currentHash(book, draft.outcome, book.timestamp, context.hasher),
    ageMs: ageMs(book, context.atMs),
    levels: walk.levels.map((level) => [level.price, level.shares] as const),
  };
}
