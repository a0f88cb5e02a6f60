import { walkOf } from "../domain/draft-walk.ts";
import { clientOidOf } from "../domain/ids.ts";
import { ageMs, currentHash } from "../domain/market-book.ts";
import type { Usd } from "../domain/numbers.ts";
import type { Order, OrderDraft, PreparedOrder } from "../domain/order.ts";
import { decidedAfter } from "../domain/order-timing.ts";
import { assert } from "../lib/assert.ts";
import type { Evidence, Plan } from "../protocol/plan.ts";
import type { Approved } from "../risk/check-risk.ts";
import { ask, emit, type StepContext } from "./context.ts";
import { feeReserveFor } from "./quote-trade.ts";

/** What a person confirmed, signed. The nonce is the card's: a card makes one plan. */
export type PlanParts = Pick<
  Plan,
  "nonce" | "kind" | "title" | "commandId" | "userId" | "chatId"
> & {
  readonly signed: readonly (readonly [Approved<OrderDraft>, PreparedOrder])[];
};

/**
 * The commit of design section 5.2 after the card is consumed: intents, worst-case reservations, exact bytes, hashes,
 * deadline. Only after it is durable may the posts that it asks for leave. Returns the plan's id.
 */
export function approvePlan(context: StepContext, parts: PlanParts): string {
  const { settings, atMs } = context;
  const { signed, ...rest } = parts;
  const planId = context.hasher.sha256Hex(`pitboss:plan:${parts.nonce}`).slice(0, 32);
  const orders = signed.map(([draft, prepared], leg) =>
    newOrder(context, { draft, prepared, planId, leg, parts }),
  );
  const clientOids = orders.map((order) => order.clientOid);
  emit(context, {
    kind: "plan.approved",
    plan: { planId, ...rest, clientOids, atMs },
    orders,
    evidence: signed.map(([draft]) => evidenceOf(context, draft)),
    configHash: settings.configHash,
    codeVersion: settings.codeVersion,
  });
  for (const clientOid of clientOids) ask(context, { kind: "order.post", clientOid });
  return planId;
}

function newOrder(
  context: StepContext,
  signed: {
    readonly draft: Approved<OrderDraft>;
    readonly prepared: PreparedOrder;
    readonly planId: string;
    readonly leg: number;
    readonly parts: PlanParts;
  },
): Order {
  const { state, settings, atMs, hasher } = context;
  const { draft, prepared, planId, leg } = signed;
  const { kind, userId, chatId, commandId } = signed.parts;
  const receivedAtMs = state.commands.get(commandId)?.receivedAtMs;
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
    userId,
    chatId,
    commandId,
    strategy: kind === "set" ? "dutch" : "manual",
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
    delayed: false,
    timing: decidedAfter(planId, leg, Math.max(0, atMs - (receivedAtMs ?? atMs))),
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
