import type { Polymarket } from "../../adapters/polymarket/create-polymarket.ts";
import type { Market } from "../../engine/domain/market.ts";
import { isOnGrid } from "../../engine/domain/market.ts";
import {
  applyMarketEvent,
  createMarketBook,
  type MarketBook,
} from "../../engine/domain/market-book.ts";
import type { Price, Shares } from "../../engine/domain/numbers.ts";
import type { OrderDraft } from "../../engine/domain/order.ts";
import { bestPrice } from "../../engine/domain/order-book.ts";
import { err, ok, type Result } from "../../engine/lib/result.ts";

/** An order this far from both best prices is not reached by a market that moves while it rests for a second. */
const farTicks = 5;

/** One REST read of the book, once its hash is proved. */
export async function provedBook(
  market: Market,
  { marketData, hasher }: Pick<Polymarket, "marketData" | "hasher">,
): Promise<Result<MarketBook, string>> {
  const { conditionId, tickSize, minOrderSize, negRisk, outcomes } = market;
  const [first, second] = outcomes;
  const tokenIds = [first.tokenId, second.tokenId] as const;
  const read = await marketData.readBook({ ...market, tokenIds });
  if (!read.ok) return err(read.detail);
  const book = createMarketBook({ conditionId, tokenIds, tickSize, minOrderSize, negRisk });
  if (read.book.hash === null) return err("the book carries no hash: it is empty or closed");
  const fault = applyMarketEvent(book, read.book, Date.now(), hasher);
  return fault === null ? ok(book) : err(`the book does not prove itself (${fault})`);
}

export type OrderWish = {
  readonly outcome: 0 | 1;
  readonly side: "buy" | "sell";
  readonly limit: Price;
  readonly size: Shares;
};

/** A resting post-only order of the market, or why the venue would refuse it. */
export function restingDraft(market: Market, wish: OrderWish): Result<OrderDraft, string> {
  if (!market.tradable) return err("the market takes no orders now");
  if (!isOnGrid(market, wish.limit))
    return err(`the price is not on the market's grid (tick ${market.tickSize / 10_000})`);
  if (wish.size < market.minOrderSize) {
    return err(`the market takes at least ${market.minOrderSize / 1_000_000} shares`);
  }
  const { conditionId, tickSize, negRisk, version, outcomes } = market;
  return ok({
    ...wish,
    conditionId,
    tokenId: outcomes[wish.outcome].tokenId,
    timeInForce: "gtc",
    spend: null,
    tickSize,
    negRisk,
    version,
    expirationS: null,
    postOnly: true,
  });
}

/** The cheapest order that can rest: the least shares at the lowest price. */
export function cheapestWish(market: Market): OrderWish {
  return { outcome: 0, side: "buy", limit: market.tickSize, size: market.minOrderSize };
}

/** Why the order is too near the book to be tried with; null when it is far from both sides. */
export function nearness(book: MarketBook, draft: OrderDraft): string | null {
  const { outcome, side, limit, tickSize } = draft;
  const ahead = (best: Price) => (side === "buy" ? best - limit : limit - best) / tickSize;
  for (const at of ["buy", "sell"] as const) {
    const best = bestPrice(book.ladder, outcome, at);
    // Nobody of the own side to hide behind: the opposite side alone has to be far.
    if (best === null && at === side) continue;
    if (best === null || ahead(best) < farTicks) {
      return best === null
        ? "nobody stands on the other side of the book, so nothing is far from it"
        : `it is less than ${farTicks} ticks from the best ${at === "buy" ? "bid" : "ask"} (${best / 10_000})`;
    }
  }
  return null;
}
