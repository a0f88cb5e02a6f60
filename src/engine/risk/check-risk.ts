import type { Market } from "../domain/market.ts";
import { isOnGrid } from "../domain/market.ts";
import type { Order, OrderDraft } from "../domain/order.ts";
import type { Denial } from "../domain/reasons.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { EngineSettings } from "../protocol/settings.ts";
import type { EngineState } from "../state/engine-state.ts";
import { countPlacedSince, ordersSince } from "../state/kept-orders.ts";
import { editedSince, openEdit } from "../state/rule-edits.ts";
import { checkDay } from "./day-limits.ts";
import { checkDegraded } from "./degraded.ts";
import { checkCash, checkExposure, checkShares } from "./exposure-caps.ts";
import { checkBookState, checkCollar } from "./price-collar.ts";
import { notionalOf } from "./reserve.ts";
import { checkMessageRate } from "./throttles.ts";
import { checkTradingState } from "./trading-state.ts";

declare const approved: unique symbol;

/** Proof that risk said yes: only this folder can make one, and only approved drafts can become orders. */
export type Approved<T> = T & { readonly [approved]: true };

export type RiskQuestion = {
  readonly drafts: readonly OrderDraft[];
  readonly nowMs: number;
  readonly userId: number;
  readonly strategy: "manual" | "dutch";
  /** True when the book's age is looked at (a confirmation); a card is shown on an older one with its age. */
  readonly gate: boolean;
};

/** Runs every check; the first denial wins. */
export function checkRisk(
  state: EngineState,
  settings: EngineSettings,
  question: RiskQuestion,
): Result<readonly Approved<OrderDraft>[], Denial> {
  const denial =
    checkState(state, settings, question) ??
    checkDegraded(state, question.drafts) ??
    checkOrderCount(state, settings, question.drafts.length, question.nowMs) ??
    checkMessageRate(state, settings, question.drafts.length, question.nowMs) ??
    firstDenial(question.drafts, (draft) => checkRules(state, draft, question.strategy)) ??
    firstDenial(question.drafts, (draft) => checkDraft(state, settings, draft, question)) ??
    checkExposure(state, settings, question.drafts, question.strategy) ??
    checkDay(state, settings, question.drafts, question.nowMs) ??
    checkCash(state, question.drafts) ??
    checkShares(state, question.drafts) ??
    (question.gate ? checkDuplicate(state, settings, question) : null);
  if (denial !== null) return err(denial);
  return ok(question.drafts as readonly Approved<OrderDraft>[]);
}

/** A strategy does not read what it trades: edited terms wait for a person. A person's own order shows the edit. */
function checkRules(
  state: EngineState,
  { conditionId }: OrderDraft,
  strategy: RiskQuestion["strategy"],
): Denial | null {
  if (strategy === "manual" || openEdit(state, conditionId) === null) return null;
  const subject = state.markets.get(conditionId)?.question;
  return { code: "rules_edited", ...(subject !== undefined && { subject }) };
}

/** A day's loss that is reached is refused with its figures, every other state by its name. */
function checkState(
  state: EngineState,
  settings: EngineSettings,
  question: RiskQuestion,
): Denial | null {
  const { strategy } = question;
  const denial = firstDenial(question.drafts, (draft) =>
    checkTradingState(state, { ...draft, strategy, isRepost: false }),
  );
  if (denial?.code !== "reducing") return denial;
  const day = checkDay(state, settings, question.drafts, question.nowMs);
  return day?.code === "cap_day_loss" ? day : denial;
}

function firstDenial<T>(items: readonly T[], check: (item: T) => Denial | null): Denial | null {
  for (const item of items) {
    const denial = check(item);
    if (denial !== null) return denial;
  }
  return null;
}

/**
 * What must hold again before the same bytes are sent once more: the market, its tick and the price collar on a fresh book
 * (design 5.5). Everything else was reserved with the approval.
 */
export function checkRepost(
  state: EngineState,
  settings: EngineSettings,
  order: Order,
  nowMs: number,
): Denial | null {
  const { draft, userId, strategy } = order;
  const market = state.markets.get(draft.conditionId);
  if (market === undefined) return { code: "market_unknown" };
  const question = { drafts: [draft], nowMs, userId, strategy, gate: true };
  if (editedSince(state, draft.conditionId, order.createdAtMs)) {
    return { code: "rules_edited", subject: market.question };
  }
  return checkMarket(market, draft, nowMs) ?? checkBook(state, settings, draft, question);
}

/** The limits that a smaller size could keep: dollars of each order, exposure, cash. */
export function checkLimits(
  state: EngineState,
  settings: EngineSettings,
  drafts: readonly OrderDraft[],
): Denial | null {
  return (
    firstDenial(drafts, (draft) => checkMostUsd(settings, draft)) ??
    checkExposure(state, settings, drafts, "dutch") ??
    checkCash(state, drafts)
  );
}

const minuteMs = 60_000;

/** Open orders at one time, and orders within a minute. */
function checkOrderCount(
  state: EngineState,
  settings: EngineSettings,
  more: number,
  nowMs: number,
): Denial | null {
  const open = state.index.openOrderIds.size;
  const recent = countPlacedSince(state, nowMs - minuteMs);
  const perMinute = settings.risk.breakerOrdersPerMinute;
  if (!(recent + more <= perMinute)) {
    return { code: "busy", subject: "orders a minute", limit: perMinute, wanted: recent + more };
  }
  const limit = settings.risk.maxOpenOrders;
  return open + more <= limit ? null : { code: "busy", limit, wanted: open + more };
}

function checkDraft(
  state: EngineState,
  settings: EngineSettings,
  draft: OrderDraft,
  question: RiskQuestion,
): Denial | null {
  const market = state.markets.get(draft.conditionId);
  if (market === undefined) return { code: "market_unknown" };
  return (
    checkMarket(market, draft, question.nowMs) ??
    checkMostUsd(settings, draft) ??
    checkLeastUsd(settings, draft) ??
    checkBook(state, settings, draft, question)
  );
}

function checkMarket(market: Market, draft: OrderDraft, nowMs: number): Denial | null {
  if (!isAmount(draft.size) || (draft.spend !== null && !isAmount(draft.spend))) {
    return { code: "amount_invalid" };
  }
  if (!market.tradable) return { code: "market_closed", subject: market.question };
  if (market.endAtMs !== null && market.endAtMs <= nowMs && market.takerDelayMs > 0) {
    return { code: "market_closed", subject: market.question };
  }
  if (draft.tickSize !== market.tickSize || !isOnGrid(market, draft.limit)) {
    return { code: "off_tick", limit: market.tickSize, wanted: draft.limit };
  }
  const rests = draft.timeInForce === "gtc" || draft.timeInForce === "gtd";
  if (rests && !(draft.size >= market.minOrderSize)) {
    return { code: "min_size", limit: market.minOrderSize, wanted: draft.size };
  }
  return null;
}

function isAmount(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}

function checkMostUsd(settings: EngineSettings, draft: OrderDraft): Denial | null {
  const wanted = notionalOf(draft);
  const limit = settings.risk.maxNotionalPerOrderUsd;
  return wanted <= limit ? null : { code: "cap_order", limit, wanted };
}

/** A buy below this is eaten by fees and ticks; a small rest may always be sold. */
function checkLeastUsd(settings: EngineSettings, draft: OrderDraft): Denial | null {
  if (draft.side === "sell") return null;
  const wanted = notionalOf(draft);
  const least = settings.risk.minOrderUsd;
  if (!(wanted >= least)) return { code: "min_order_usd", limit: least, wanted };
  return null;
}

function checkBook(
  state: EngineState,
  settings: EngineSettings,
  draft: OrderDraft,
  question: RiskQuestion,
): Denial | null {
  const book = state.live.books.get(draft.conditionId);
  const bad = checkBookState(book, settings, question.nowMs, question.gate);
  if (bad !== null || book === undefined) return bad;
  return checkCollar(state, settings, book, draft, question.nowMs);
}

/** The same order by the same person twice within a moment is a slip of the thumb, not a wish. */
function checkDuplicate(
  state: EngineState,
  settings: EngineSettings,
  question: RiskQuestion,
): Denial | null {
  const windowMs = settings.risk.duplicateWindowMs;
  for (const order of ordersSince(state, question.nowMs - windowMs)) {
    if (order.userId !== question.userId) continue;
    for (const draft of question.drafts) {
      if (sameOrder(order.draft, draft)) return { code: "duplicate_intent", limit: windowMs };
    }
  }
  return null;
}

function sameOrder(a: OrderDraft, b: OrderDraft): boolean {
  return (
    a.tokenId === b.tokenId &&
    a.side === b.side &&
    a.limit === b.limit &&
    a.spend === b.spend &&
    a.size === b.size
  );
}
