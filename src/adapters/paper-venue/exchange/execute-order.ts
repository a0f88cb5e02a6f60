import type { Result } from "../../../engine/lib/result.ts";
import { err, ok } from "../../../engine/lib/result.ts";
import { applyMatch, closeOrder, feeOf } from "./apply-match.ts";
import { requireFee } from "./balance-check.ts";
import { cancelOrder } from "./cancel-orders.ts";
import type { Market } from "./market.ts";
import type { MatchPlan } from "./match-plan.ts";
import { planMatch } from "./match-plan.ts";
import { takerOf } from "./order-taker.ts";
import type { OrderRecord } from "./records.ts";
import { VenueError } from "./venue-error.ts";
import type { VenueState } from "./venue-state.ts";
import type { Work } from "./work.ts";
import { index } from "./work.ts";

const FOK_KILLED = "order couldn't be fully filled. FOK orders are fully filled or killed.";
const FAK_KILLED =
  "no orders found to match with FAK order. FAK orders are partially filled or killed if no match is found.";

/** What matched at once; null when nothing did and the order rests. */
export type Matched = { readonly shares: bigint; readonly cash: bigint };

function killText(order: OrderRecord, plan: MatchPlan): string | null {
  if (order.orderType === "FOK" && (plan.left > 0n || plan.fills.length === 0)) return FOK_KILLED;
  if (order.orderType === "FAK" && plan.fills.length === 0) return FAK_KILLED;
  return null;
}

/** A killed order's id counts as seen: the same bytes answer "Duplicated" from now on. */
function kill(state: VenueState, work: Work, order: OrderRecord, text: string): VenueError {
  order.status = "CANCELED";
  closeOrder(state, order, null);
  work.orderChanged(order, "CANCELLATION", text);
  return new VenueError(400, text, { orderID: order.id });
}

/** Matches an order that passed its checks, then rests, completes or kills it. */
export function executeOrder(
  state: VenueState,
  work: Work,
  market: Market,
  order: OrderRecord,
): Result<Matched | null, VenueError> {
  const account = state.party(order.account);
  const plan = planMatch(market.book, takerOf(order));
  const killed = killText(order, plan);
  if (killed !== null) return err(kill(state, work, order, killed));
  requireFee(account, order, plan, feeOf(market, plan));
  work.touched.add(market);
  // An account never trades with itself: its own orders in the way are canceled.
  for (const own of plan.selfCrossed) cancelOrder(state, work, own, "CANCELED");
  const rests = order.orderType === "GTC" || order.orderType === "GTD";
  order.status = rests && plan.left > 0n ? "LIVE" : "MATCHED";
  if (order.status === "LIVE") work.orderChanged(order, "PLACEMENT");
  if (plan.fills.length > 0) {
    const taker = { order, side: order.side, outcome: order.outcomeIndex };
    const trade = applyMatch(state, work, market, taker, plan);
    order.matched += plan.shares;
    if (trade !== null) order.tradeIds.push(trade.id);
    work.orderChanged(order, "UPDATE");
  }
  if (order.status === "LIVE") {
    index(order, account, market);
    if (order.expirationS > 0) state.expiring.set(order.id, order);
    market.book.rest(order);
  } else {
    closeOrder(state, order, market);
  }
  return ok(plan.fills.length === 0 ? null : { shares: plan.shares, cash: plan.cash });
}
