import type { Side } from "../types.ts";
import { costFloor, minOf, ONE, sharesFloor } from "./amounts.ts";
import type { MarketBook } from "./market-book.ts";
import { bookPrice, standsOnBids } from "./market-book.ts";
import type { OrderRecord, OutcomeIndex } from "./records.ts";

/** What a taker wants. The limit is the ratio cash to shares, compared by cross multiplication. */
export type Taker = {
  readonly account: string | null;
  readonly side: Side;
  readonly outcome: OutcomeIndex;
  readonly limitCash: bigint;
  readonly limitShares: bigint;
  /** Exactly one of the two bounds the walk: dollars to spend, or shares to trade. */
  readonly want:
    | { readonly unit: "dollars"; readonly amount: bigint }
    | { readonly unit: "shares"; readonly amount: bigint };
};

/** One planned match. Cash of both parties in micro-dollars; in a mint or merge the two add up to the shares. */
export type PlannedFill = {
  readonly bookPrice: bigint;
  /** Null for the crowd. */
  readonly order: OrderRecord | null;
  readonly makerSide: Side;
  readonly makerOutcome: OutcomeIndex;
  readonly makerPrice: bigint;
  readonly shares: bigint;
  readonly takerCash: bigint;
  readonly makerCash: bigint;
};

export type MatchPlan = {
  readonly fills: readonly PlannedFill[];
  readonly shares: bigint;
  readonly cash: bigint;
  /** What is still wanted, in the taker's unit. */
  readonly left: bigint;
  /** The taker's own resting orders in its way: they are canceled instead of traded with. */
  readonly selfCrossed: readonly OrderRecord[];
};

function withinLimit(taker: Taker, price: bigint): boolean {
  const offered = price * taker.limitShares;
  const limit = taker.limitCash * ONE;
  return taker.side === "BUY" ? offered <= limit : offered >= limit;
}

/** A maker on the taker's own token trades with it; on the other token the pair is minted or merged. */
function makerOf(
  taker: Taker,
  order: OrderRecord | null,
): { readonly side: Side; readonly outcome: OutcomeIndex } {
  if (order !== null) return { side: order.side, outcome: order.outcomeIndex };
  // The crowd always stands on outcome 0: its bids buy it, its asks sell it.
  return { side: standsOnBids(taker.side, taker.outcome) ? "SELL" : "BUY", outcome: 0 };
}

type Size = { readonly shares: bigint; readonly takerCash: bigint; readonly makerCash: bigint };

/** Cash of `shares` by the maker's own price, rounded down; the taker stands for the rest of a mint or merge. */
function sizeInShares(shares: bigint, makerPrice: bigint, sameToken: boolean): Size {
  const makerCash = costFloor(shares, makerPrice);
  return { shares, makerCash, takerCash: sameToken ? makerCash : shares - makerCash };
}

/** Spends at most `dollars`; when the offer is larger, exactly all of them for the shares they buy. */
function sizeInDollars(dollars: bigint, offer: bigint, makerPrice: bigint, same: boolean): Size {
  const whole = sizeInShares(offer, makerPrice, same);
  if (whole.takerCash <= dollars) return whole;
  const shares = minOf(sharesFloor(dollars, same ? makerPrice : ONE - makerPrice), offer);
  return { shares, takerCash: dollars, makerCash: same ? dollars : shares - dollars };
}

/** Walks the book in price-time priority. Changes nothing. */
export function planMatch(book: MarketBook, taker: Taker): MatchPlan {
  const opposite = book.side(!standsOnBids(taker.side, taker.outcome));
  const fills: PlannedFill[] = [];
  const selfCrossed: OrderRecord[] = [];
  let left = taker.want.amount;
  let shares = 0n;
  let cash = 0n;
  for (const offer of opposite.offers()) {
    if (left === 0n || !withinLimit(taker, bookPrice(taker.outcome, offer.price))) break;
    if (offer.order !== null && offer.order.account === taker.account) {
      selfCrossed.push(offer.order);
      continue;
    }
    const maker = makerOf(taker, offer.order);
    const makerPrice = bookPrice(maker.outcome, offer.price);
    const same = maker.outcome === taker.outcome;
    const size =
      taker.want.unit === "dollars"
        ? sizeInDollars(left, offer.size, makerPrice, same)
        : sizeInShares(minOf(left, offer.size), makerPrice, same);
    if (size.shares === 0n) break;
    fills.push({
      bookPrice: offer.price,
      order: offer.order,
      makerSide: maker.side,
      makerOutcome: maker.outcome,
      makerPrice,
      ...size,
    });
    left -= taker.want.unit === "dollars" ? size.takerCash : size.shares;
    shares += size.shares;
    cash += size.takerCash;
  }
  return { fills, shares, cash, left, selfCrossed };
}

/** True when the order would trade at once, whoever the other side is. */
export function crosses(book: MarketBook, taker: Taker): boolean {
  const opposite = book.side(!standsOnBids(taker.side, taker.outcome));
  for (const offer of opposite.offers()) {
    return withinLimit(taker, bookPrice(taker.outcome, offer.price));
  }
  return false;
}
