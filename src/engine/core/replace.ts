import type { ConfirmOutcome } from "../api/engine-api.ts";
import { type Shares, shares } from "../domain/numbers.ts";
import {
  isOpen,
  isResting,
  type Order,
  type OrderDraft,
  type PreparedOrder,
} from "../domain/order.ts";
import type { Denial } from "../domain/reasons.ts";
import { assert } from "../lib/assert.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { Replacement } from "../protocol/replacement.ts";
import { type Approved, checkRisk } from "../risk/check-risk.ts";
import { checkTradingState } from "../risk/trading-state.ts";
import type { EngineState } from "../state/engine-state.ts";
import type { DeskCard } from "../state/fact.ts";
import { editedSince } from "../state/rule-edits.ts";
import { approvePlan } from "./approve-plan.ts";
import { ask, emit, type StepContext } from "./context.ts";
import { raise } from "./notices.ts";
import { askCancel } from "./order-progress.ts";
import { orderView } from "./order-view.ts";

/** A signature that did not come within this time is asked for again. */
const signAgainMs = 1_000;

/** The order if its price may be changed now: it rests, a person placed it, and nobody asked for its end. */
export function replaceable(state: EngineState, clientOid: string): Result<Order, Denial> {
  const order = state.orders.get(clientOid);
  if (order === undefined) return err({ code: "order_unknown", subject: clientOid });
  const subject = order.orderHash.slice(2, 10);
  if (!isOpen(order)) return err({ code: "order_closed", subject });
  const free = isResting(order) && order.strategy === "manual" && order.cancelAskedAtMs === null;
  return free && order.draft.spend === null
    ? ok(order)
    : err({ code: "order_not_resting", subject });
}

/** The state as it will be once the order is gone: what the new one is judged by before that. */
export function stateWithout(state: EngineState, order: Order): EngineState {
  const openOrderIds = new Set(state.index.openOrderIds);
  openOrderIds.delete(order.clientOid);
  return { ...state, index: { ...state.index, openOrderIds } };
}

/** A press on the card of a price change: the cancel of the old order and the wish for the new one in one commit. */
export function confirmReplace(
  context: StepContext,
  card: DeskCard,
  commandId: string,
): ConfirmOutcome {
  const { state, settings, atMs } = context;
  const [draft] = card.drafts;
  assert(draft !== undefined && card.clientOid !== undefined, "a price change has one order");
  const old = replaceable(state, card.clientOid);
  if (!old.ok) return { kind: "refused", denial: old.error };
  const risk = judge(context, stateWithout(state, old.value), draft, card.userId);
  if (!risk.ok) return { kind: "refused", denial: risk.error };
  emit(context, { kind: "card.closed", nonce: card.nonce, state: "used" });
  emit(context, {
    kind: "replace.started",
    replacement: {
      replaceId: card.nonce,
      clientOid: card.clientOid,
      draft,
      title: card.title,
      commandId,
      userId: card.userId,
      chatId: card.chatId,
      atMs,
      expiresAtMs: atMs + settings.waits.replaceDeadlineMs,
    },
  });
  askCancel(context, [old.value], "replace");
  return { kind: "replacing", order: orderView(state, old.value), limit: draft.limit };
}

/** What a command that started a price change was told, when it asks again. */
export function replacementOf(context: StepContext, commandId: string): ConfirmOutcome | null {
  const { state } = context;
  for (const replacement of state.replacements.values()) {
    const order = state.orders.get(replacement.clientOid);
    if (replacement.commandId !== commandId || order === undefined) continue;
    const { limit } = replacement.draft;
    return { kind: "replacing", order: orderView(state, order), limit };
  }
  return null;
}

function judge(
  context: StepContext,
  state: EngineState,
  draft: OrderDraft,
  userId: number,
): Result<readonly Approved<OrderDraft>[], Denial> {
  const question = { drafts: [draft], nowMs: context.atMs, userId, strategy: "manual" } as const;
  return checkRisk(state, context.settings, { ...question, gate: true });
}

/** After every step: a price change whose old order is proven gone gets its new order, or an end with a reason. */
export function continueReplacements(context: StepContext): void {
  const { state } = context;
  for (const replacement of state.replacements.values()) {
    const kind = { ...replacement.draft, strategy: "manual", isRepost: false } as const;
    const denial = state.ready
      ? (checkTradingState(state, kind) ?? edited(state, replacement))
      : null;
    if (denial !== null) end(context, replacement, denial);
    else if (context.atMs >= replacement.expiresAtMs) {
      end(context, replacement, { code: "command_expired" });
    } else if (state.ready) advance(context, replacement);
  }
  for (const replaceId of state.live.signing.keys()) {
    if (!state.replacements.has(replaceId)) state.live.signing.delete(replaceId);
  }
}

/** The change was confirmed on terms that are not the market's any more. */
function edited(state: EngineState, { draft, atMs, title }: Replacement): Denial | null {
  const isEdited = editedSince(state, draft.conditionId, atMs);
  return isEdited ? { code: "rules_edited", subject: title } : null;
}

function advance(context: StepContext, replacement: Replacement): void {
  const { signing } = context.state.live;
  const next = nextDraft(context.state, replacement);
  if (next === "wait") return;
  if ("code" in next) {
    end(context, replacement, next);
    return;
  }
  const { replaceId } = replacement;
  const askedAtMs = signing.get(replaceId);
  if (askedAtMs !== undefined && context.atMs - askedAtMs < signAgainMs) return;
  signing.set(replaceId, context.atMs);
  ask(context, { kind: "replace.sign", replaceId, draft: next });
}

/** The order that may be posted now: what the old one left. "wait" as long as the old one may still fill. */
function nextDraft(state: EngineState, replacement: Replacement): OrderDraft | Denial | "wait" {
  const old = state.orders.get(replacement.clientOid);
  if (old === undefined) return { code: "order_unknown", subject: replacement.clientOid };
  if (isOpen(old)) return "wait";
  // Given up, not seen gone: the venue may still book it, and then there would be two.
  if (old.status === "rejected")
    return { code: "order_closed", subject: old.orderHash.slice(2, 10) };
  const { draft } = replacement;
  const left = shares(
    Math.max(0, Math.min(draft.size, wholeHundredths(old.draft.size - old.filled))),
  );
  if (left === 0) return { code: "order_closed", subject: old.orderHash.slice(2, 10) };
  return { ...draft, size: left };
}

/** Sizes are signed to the hundredth of a share. */
function wholeHundredths(size: number): number {
  return size - (size % 10_000);
}

/** The new order came back signed: everything is checked once more, on the state without the old order. */
export function replaceSigned(
  context: StepContext,
  input: {
    readonly replaceId: string;
    readonly draft: OrderDraft;
    readonly prepared: PreparedOrder;
  },
): void {
  const { state } = context;
  const replacement = state.replacements.get(input.replaceId);
  if (replacement === undefined || !state.ready || context.atMs >= replacement.expiresAtMs) return;
  state.live.signing.delete(input.replaceId);
  const next = nextDraft(state, replacement);
  // A late fill of the old order made the rest smaller: what was signed is too much and never leaves.
  if (next === "wait" || "code" in next || next.size !== input.draft.size) return;
  const risk = judge(context, state, input.draft, replacement.userId);
  const [approved] = risk.ok ? risk.value : [];
  if (!risk.ok || approved === undefined) {
    end(context, replacement, risk.ok ? { code: "busy" } : risk.error);
    return;
  }
  const { replaceId, title, commandId, userId, chatId } = replacement;
  const parts = { nonce: replaceId, kind: "trade", title, commandId, userId, chatId } as const;
  const planId = approvePlan(context, { ...parts, signed: [[approved, input.prepared]] });
  emit(context, { kind: "replace.ended", replaceId, planId, denial: null });
}

/** No new order: said with the reason, because the old one is gone or going. */
function end(context: StepContext, replacement: Replacement, denial: Denial): void {
  const { replaceId, clientOid, chatId } = replacement;
  emit(context, { kind: "replace.ended", replaceId, planId: null, denial });
  const old = context.state.orders.get(clientOid);
  if (old === undefined) return;
  raise(context, chatId, {
    kind: "replace.failed",
    order: orderView(context.state, old),
    denial,
  });
}

/** Shares of a resting order that are still to be filled, as far as an order can be signed for them. */
export function restOf(order: Order): Shares {
  return shares(wholeHundredths(order.draft.size - order.filled));
}
