import { feeAtMost } from "../domain/fees.ts";
import type { Market } from "../domain/market.ts";
import { costCeil, payoff, type Usd, usd } from "../domain/numbers.ts";
import type { OrderDraft } from "../domain/order.ts";
import type { LedgerState } from "../state/engine-state.ts";

/** Highest fee that the fills of a draft can cost, whatever price inside its limit they get. */
export function feeReserveOf(market: Market | undefined, draft: OrderDraft): Usd {
  if (market === undefined || draft.postOnly) return 0 as Usd;
  if (draft.spend !== null) return feeAtMost(market.fee, draft.spend);
  // A buy of shares costs at most size * limit; a sale's fee comes out of its proceeds.
  const money = draft.side === "buy" ? costCeil(draft.limit, draft.size) : payoff(draft.size);
  return feeAtMost(market.fee, money);
}

/** Dollars that an order moves at its limit. */
export function notionalOf(draft: OrderDraft): Usd {
  return draft.spend ?? costCeil(draft.limit, draft.size);
}

/** Worst-case dollars of a draft: everything a buy can take, its highest fee included; 0 for a sale. */
export function worstCaseUsd(state: LedgerState, draft: OrderDraft): Usd {
  if (draft.side === "sell") return 0 as Usd;
  return usd(notionalOf(draft) + feeReserveOf(state.markets.get(draft.conditionId), draft));
}
