import type { Actor } from "../api/requests.ts";
import type { TradeCard } from "../api/views.ts";
import { walkBuyShares, walkSellShares } from "../domain/depth-walk.ts";
import { derivedId } from "../domain/ids.ts";
import { isOnGrid } from "../domain/market.ts";
import type { Price } from "../domain/numbers.ts";
import type { Order, OrderDraft } from "../domain/order.ts";
import type { Denial } from "../domain/reasons.ts";
import { assert } from "../lib/assert.ts";
import { err, ok, type Result } from "../lib/result.ts";
import { checkRisk } from "../risk/check-risk.ts";
import type { DeskCard } from "../state/fact.ts";
import type { StepContext } from "./context.ts";
import { keepCard, tradeCardOf } from "./quote-trade.ts";
import { replaceable, restOf, stateWithout } from "./replace.ts";

/** A gtd order must carry an expiration at least this far ahead (polymarket-trading 6.1). */
const gtdLeastS = 180;

export type ReplaceWish = {
  readonly actor: Actor;
  readonly commandId: string;
  readonly clientOid: string;
  readonly limit: Price;
};

/** The card of a price change: the rest of a resting order at another limit, judged as if the order were gone. */
export function quoteReplace(context: StepContext, wish: ReplaceWish): Result<TradeCard, Denial> {
  const { state, settings, atMs } = context;
  const old = replaceable(state, wish.clientOid);
  if (!old.ok) return old;
  const drafted = draftOf(context, old.value, wish.limit);
  if (!drafted.ok) return drafted;
  const { market, book, draft } = drafted.value;
  const then = { ...context, state: stateWithout(state, old.value) };
  const { userId } = wish.actor;
  const question = { drafts: [draft], nowMs: atMs, userId, strategy: "manual" } as const;
  const risk = checkRisk(then.state, settings, { ...question, gate: false });
  if (!risk.ok) return risk;
  const walk = draft.side === "buy" ? walkBuyShares : walkSellShares;
  const within = { limit: draft.limit, fee: market.fee };
  const nonce = derivedId(context.hasher.sha256Hex, context.entropy, `card:${wish.commandId}`);
  const shown: TradeCard = {
    ...tradeCardOf(then, market, nonce, {
      drafted: {
        draft,
        walk: walk(book.ladder, draft.outcome, draft.size, within),
        amountCutFrom: null,
        goodTillMs: draft.expirationS === null ? null : (draft.expirationS - 60) * 1_000,
      },
      request: {
        conditionId: draft.conditionId,
        outcome: draft.outcome,
        side: draft.side,
        amount: { unit: "shares", value: draft.size },
        limit: draft.limit,
        timeInForce: draft.timeInForce,
        goodForMs: null,
        slippagePpm: null,
      },
    }),
    replaces: {
      clientOid: wish.clientOid,
      shortId: old.value.orderHash.slice(2, 10),
      limit: old.value.draft.limit,
    },
  };
  const { actor, commandId, clientOid } = wish;
  keepCard(context, market, { kind: "replace", actor, commandId, draft, shown, clientOid });
  return ok(shown);
}

function draftOf(context: StepContext, old: Order, limit: Price) {
  const { state, atMs } = context;
  const market = state.markets.get(old.draft.conditionId);
  if (market === undefined) return err({ code: "market_unknown" as const });
  const book = state.live.books.get(old.draft.conditionId);
  if (book === undefined || book.status !== "live") return err({ code: "book_stale" as const });
  if (!isOnGrid(market, limit)) {
    return err({ code: "off_tick" as const, limit: market.tickSize, wanted: limit });
  }
  const { expirationS } = old.draft;
  const leftS = expirationS === null ? gtdLeastS : expirationS - Math.floor(atMs / 1_000);
  if (leftS < gtdLeastS) {
    return err({
      code: "expiry_invalid" as const,
      limit: gtdLeastS * 1_000,
      wanted: leftS * 1_000,
    });
  }
  const draft: OrderDraft = { ...old.draft, limit, size: restOf(old), tickSize: market.tickSize };
  return ok({ market, book, draft });
}

/** The same wish on the book as it is now, when the shown terms no longer hold. */
export function requoteReplace(
  context: StepContext,
  actor: Actor,
  commandId: string,
  card: DeskCard,
): Result<TradeCard, Denial> {
  const [draft] = card.drafts;
  assert(draft !== undefined && card.clientOid !== undefined, "a price change has one order");
  return quoteReplace(context, { actor, commandId, clientOid: card.clientOid, limit: draft.limit });
}
