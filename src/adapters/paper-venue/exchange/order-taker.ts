import type { Taker } from "./match-plan.ts";
import type { OrderRecord } from "./records.ts";

/** The order as a taker of the book: dollars bound a market BUY, shares bound everything else. */
export function takerOf(order: OrderRecord): Taker {
  const buys = order.side === "BUY";
  const market = order.orderType === "FOK" || order.orderType === "FAK";
  return {
    account: order.account,
    side: order.side,
    outcome: order.outcomeIndex,
    limitCash: buys ? order.makerAmount : order.takerAmount,
    limitShares: buys ? order.takerAmount : order.makerAmount,
    want:
      market && buys
        ? { unit: "dollars", amount: order.makerAmount }
        : { unit: "shares", amount: order.originalSize - order.matched },
  };
}
