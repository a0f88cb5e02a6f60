import { closeOrder } from "./apply-match.ts";
import type { OrderRecord, OrderStatus } from "./records.ts";
import { badRequest } from "./venue-error.ts";
import type { VenueState } from "./venue-state.ts";
import type { Work } from "./work.ts";

/** Most ids in one DELETE /orders. */
const MAX_CANCELS = 1000;

export type CancelAnswer = {
  readonly canceled: string[];
  readonly not_canceled: Record<string, string>;
};

/** Takes an open order out of the book and tells its owner. */
export function cancelOrder(
  state: VenueState,
  work: Work,
  order: OrderRecord,
  status: Extract<OrderStatus, "CANCELED" | "CANCELED_MARKET_RESOLVED" | "INVALID">,
): void {
  const market = state.markets.market(order.conditionId);
  if (order.status === "LIVE") market?.book.remove(order);
  order.status = status;
  closeOrder(state, order, market);
  if (market !== null) work.touched.add(market);
  work.orderChanged(order, "CANCELLATION");
}

/** Why an order of this account cannot be canceled, or null when it can. */
function obstacle(order: OrderRecord | null, account: string): string | null {
  if (order === null || order.account !== account) return "Order not found";
  if (order.status === "DELAYED") return "Order is delayed and cannot be canceled";
  if (order.status === "MATCHED") return "Order already matched";
  return order.status === "LIVE" ? null : "Order not found or already canceled";
}

/** Cancels the given ids of one account; each id is answered either way. Throws 400 above 1,000 ids. */
export function cancelOrders(
  state: VenueState,
  account: string,
  ids: readonly string[],
): CancelAnswer {
  if (ids.length > MAX_CANCELS) {
    throw badRequest(`Too many orders in payload: ${ids.length}, max allowed: ${MAX_CANCELS}`);
  }
  return state.act((work) => {
    const answer: CancelAnswer = { canceled: [], not_canceled: {} };
    for (const id of new Set(ids)) {
      const order = state.order(id);
      const reason = obstacle(order, account);
      if (reason !== null || order === null) {
        answer.not_canceled[id] = reason ?? "Order not found";
        continue;
      }
      cancelOrder(state, work, order, "CANCELED");
      answer.canceled.push(id);
    }
    return answer;
  });
}

/** Cancels every open order of an account that `chosen` accepts; delayed ones are reported, not canceled. */
export function cancelWhere(
  state: VenueState,
  account: string,
  chosen: (order: OrderRecord) => boolean,
): CancelAnswer {
  const open = [...(state.accounts.get(account)?.open.values() ?? [])].filter(chosen);
  return state.act((work) => {
    const answer: CancelAnswer = { canceled: [], not_canceled: {} };
    for (const order of open) {
      const reason = obstacle(order, account);
      if (reason === null) {
        cancelOrder(state, work, order, "CANCELED");
        answer.canceled.push(order.id);
      } else {
        answer.not_canceled[order.id] = reason;
      }
    }
    return answer;
  });
}
