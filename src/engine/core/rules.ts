import type { Actor } from "../api/requests.ts";
import type { ConditionId, Market, RuleHash } from "../domain/market.ts";
import type { Denial } from "../domain/reasons.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { EngineState } from "../state/engine-state.ts";
import { openOrders } from "../state/exposure.ts";
import type { DeskCard } from "../state/fact.ts";
import { editedSince } from "../state/rule-edits.ts";
import { emit, type StepContext } from "./context.ts";
import { raise } from "./notices.ts";
import { orderView } from "./order-view.ts";

/** Orders that a notice names at most. */
const ordersTold = 20;

/** For so long after an edit an answer with the terms of before is an old copy out of a cache, not another edit. */
const oldCopyMs = 600_000;

/** The hash to keep of what was read: that of an old copy is not believed. */
export function believedHash(context: StepContext, market: Market): RuleHash | undefined {
  const edit = context.state.ruleEdits.get(market.conditionId);
  if (edit === undefined || market.ruleHash !== edit.from) return market.ruleHash;
  return context.atMs - edit.atMs < oldCopyMs ? edit.to : market.ruleHash;
}

/**
 * Gamma shows other terms than those that were known. Kept with the market as it is now, so that a restart neither
 * forgets it nor tells it again; told to everybody when anything of the desk stands on the old terms.
 */
export function noticeEdit(context: StepContext, market: Market): void {
  const { state } = context;
  const { conditionId, ruleHash: to } = market;
  const from = state.markets.get(conditionId)?.ruleHash;
  if (from === undefined || to === undefined || from === to) return;
  emit(context, { kind: "market.rules-edited", conditionId, from, to });
  const orders = openOrders(state).filter((order) => order.draft.conditionId === conditionId);
  const isHeld = [...state.positions.values()].some(
    (one) => one.conditionId === conditionId && one.confirmed + one.provisionalBought > 0,
  );
  const cards = [...state.cards.values()].filter((card) => isOpenOn(context, card, conditionId));
  if (orders.length === 0 && !isHeld && cards.length === 0) return;
  emit(context, { kind: "markets.listed", markets: [market], groups: [] });
  raise(context, null, {
    kind: "rules.edited",
    conditionId,
    question: market.question,
    ruleHash: to,
    isHeld,
    orders: orders.slice(0, ordersTold).map((order) => orderView(state, order)),
    moreOrders: Math.max(0, orders.length - ordersTold),
  });
}

function isOpenOn(context: StepContext, card: DeskCard, conditionId: ConditionId): boolean {
  if (card.state !== "open" || card.expiresAtMs <= context.atMs) return false;
  return card.drafts.some((draft) => draft.conditionId === conditionId);
}

/** The market of a card whose terms were edited after it was shown. */
export function editedOnCard(state: EngineState, card: DeskCard): Market | null {
  for (const { conditionId } of card.drafts) {
    if (!editedSince(state, conditionId, card.createdAtMs)) continue;
    const market = state.markets.get(conditionId);
    if (market !== undefined) return market;
  }
  return null;
}

/** A person has read the terms of this hash: strategies may trade the market again. Others than these are not accepted. */
export function acceptRules(
  context: StepContext,
  actor: Actor,
  conditionId: ConditionId,
  ruleHash: RuleHash,
): Result<null, Denial> {
  const edit = context.state.ruleEdits.get(conditionId);
  const subject = context.state.markets.get(conditionId)?.question;
  const named = subject === undefined ? {} : { subject };
  if (edit === undefined) return err({ code: "market_unknown", ...named });
  if (edit.to !== ruleHash) return err({ code: "rules_edited", ...named });
  if (edit.acceptedBy === null) {
    const byUserId = actor.userId;
    emit(context, { kind: "market.rules-accepted", conditionId, ruleHash, byUserId });
  }
  return ok(null);
}
