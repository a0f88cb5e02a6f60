import type { Account } from "./account.ts";
import { costCeil } from "./amounts.ts";
import type { MatchPlan } from "./match-plan.ts";
import type { OrderRecord } from "./records.ts";
import { VenueError } from "./venue-error.ts";

function refusal(balance: bigint, active: bigint, amount: bigint, id: string): VenueError {
  return new VenueError(
    400,
    `not enough balance / allowance: the balance is not enough -> balance: ${balance}, sum of active orders: ${active}, sum of matched orders: 0, order amount: ${amount}`,
    { orderID: id },
  );
}

/** Cost at the limit (or shares to sell) plus what open orders hold must be covered. Throws 400. */
export function requireBalance(account: Account, order: OrderRecord): void {
  const buys = order.side === "BUY";
  const balance = buys ? account.cash : account.shares(order.tokenId);
  const active = buys ? account.reservedCash() : account.reservedShares(order.tokenId);
  if (active + order.makerAmount > balance) {
    throw refusal(balance, active, order.makerAmount, order.id);
  }
}

/** A buy must also cover its fee: what it spends now, the fee, and what rests afterwards. Throws 400. */
export function requireFee(
  account: Account,
  order: OrderRecord,
  plan: MatchPlan,
  fee: bigint,
): void {
  if (order.side !== "BUY" || fee === 0n) return;
  const rests = order.orderType === "GTC" || order.orderType === "GTD";
  const rest = rests ? costCeil(order.originalSize - plan.shares, order.price) : 0n;
  const active = account.reservedCash();
  const amount = plan.cash + fee + rest;
  if (active + amount > account.cash) throw refusal(account.cash, active, amount, order.id);
}
