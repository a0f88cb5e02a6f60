import { type DepthWalk, walkBuyShares, walkBuyUsd, walkSellShares } from "./depth-walk.ts";
import type { Market } from "./market.ts";
import type { MarketBook } from "./market-book.ts";
import type { OrderDraft } from "./order.ts";

/** What a draft would take of the book as it is: the same walk for the check and for the evidence. */
export function walkOf(draft: OrderDraft, market: Market, book: MarketBook): DepthWalk {
  const within = { limit: draft.limit, fee: market.fee };
  if (draft.spend !== null) return walkBuyUsd(book.ladder, draft.outcome, draft.spend, within);
  const walk = draft.side === "buy" ? walkBuyShares : walkSellShares;
  return walk(book.ladder, draft.outcome, draft.size, within);
}
