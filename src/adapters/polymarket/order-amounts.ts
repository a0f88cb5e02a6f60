import {
  costFloor,
  type Price,
  priceOne,
  type Shares,
  type Usd,
} from "../../engine/domain/numbers.ts";
import type { OrderDraft } from "../../engine/domain/order.ts";
import { assert } from "../../engine/lib/assert.ts";
import { mulDivFloor } from "../../engine/lib/mul-div.ts";

/** The two signed amounts in micro-units: what the order gives and what it takes. */
export type OrderAmounts = { readonly maker: number; readonly taker: number };

/** Shares are signed with 2 decimals, dollars of a market buy with 2 (polymarket-trading 6.1). */
const centUnits = 10_000;

/** Micro-units of the last decimal that the venue takes in an amount, by tick (roundingConfig of 6.1). */
function amountUnits(tickSize: Price): number {
  if (tickSize === 1000) return 1_000;
  if (tickSize === 100) return 100;
  return tickSize === 50 || tickSize === 10 ? 10 : 1;
}

/**
 * A limit order gives or takes size * price. A marketable buy spends its dollars and only bounds the price by what it
 * takes: its shares are floored, which puts the signed price a hair above the limit so that it can match at the limit.
 */
export function orderAmounts(draft: OrderDraft): OrderAmounts {
  const size = draft.size - (draft.size % centUnits);
  if (draft.side === "sell") {
    return checked({ maker: size, taker: costFloor(draft.limit, size as Shares) });
  }
  if (draft.timeInForce === "gtc" || draft.timeInForce === "gtd") {
    return checked({ maker: costFloor(draft.limit, size as Shares), taker: size });
  }
  assert(draft.spend !== null, "a marketable buy says how many dollars it spends");
  const spend = marketSpend(draft.spend);
  const taker = mulDivFloor(spend, priceOne, draft.limit);
  return checked({ maker: spend, taker: taker - (taker % amountUnits(draft.tickSize)) });
}

/** Dollars that a marketable buy really spends: whole cents. */
function marketSpend(spend: Usd): Usd {
  return (spend - (spend % centUnits)) as Usd;
}

function checked(amounts: OrderAmounts): OrderAmounts {
  assert(amounts.maker > 0 && amounts.taker > 0, "an order gives and takes something");
  return amounts;
}
