import { type FeeSchedule, feeCharged } from "./fees.ts";
import type { OutcomeIndex } from "./market.ts";
import {
  addShares,
  addUsd,
  costCeil,
  costFloor,
  minShares,
  type Price,
  type Shares,
  sharesForFloor,
  subShares,
  subUsd,
  type Usd,
} from "./numbers.ts";
import { type OrderBook, visitLevels } from "./order-book.ts";

/** One level that a walk takes, with the shares taken from it. */
export type WalkedLevel = { readonly price: Price; readonly shares: Shares };

/** What taking liquidity now would give. Averages are kept as (money, shares), never as a price on the grid. */
export type DepthWalk = {
  readonly shares: Shares;
  /** Dollars paid for a buy (before fee), dollars got for a sale (before fee). */
  readonly money: Usd;
  readonly fee: Usd;
  readonly best: Price | null;
  readonly worst: Price | null;
  readonly levels: readonly WalkedLevel[];
  /** True when the wanted amount was reached inside the limit. */
  readonly complete: boolean;
};

export type WalkLimit = {
  /** Worst price that may be taken: highest for a buy, lowest for a sale. Null takes any. */
  readonly limit: Price | null;
  readonly fee: FeeSchedule;
};

/**
 * Buys with dollars, cheapest first, until they are spent or the limit is reached. The last level gives
 * floor(dollars / price) micro-shares for all remaining dollars, as the venue books it.
 */
export function walkBuyUsd(
  book: OrderBook,
  outcome: OutcomeIndex,
  money: Usd,
  within: WalkLimit,
): DepthWalk {
  let left = money;
  let spent = 0 as Usd;
  let got = 0 as Shares;
  const levels: WalkedLevel[] = [];
  visitLevels(book, outcome, "sell", (at, size) => {
    if (within.limit !== null && at > within.limit) return false;
    const whole = costCeil(at, size);
    const take = whole <= left ? size : sharesForFloor(left, at);
    if (take === 0) return false;
    const cost = whole <= left ? whole : left;
    left = subUsd(left, cost);
    spent = addUsd(spent, cost);
    got = addShares(got, take);
    levels.push({ price: at, shares: take });
    return left > 0;
  });
  return finish(levels, got, spent, feeCharged(within.fee, spent, got), left === 0);
}

/** Buys a number of shares, cheapest first. */
export function walkBuyShares(
  book: OrderBook,
  outcome: OutcomeIndex,
  size: Shares,
  within: WalkLimit,
): DepthWalk {
  return walkShares(book, outcome, "sell", size, within);
}

/** Sells a number of shares into the bids, dearest first. */
export function walkSellShares(
  book: OrderBook,
  outcome: OutcomeIndex,
  size: Shares,
  within: WalkLimit,
): DepthWalk {
  return walkShares(book, outcome, "buy", size, within);
}

function walkShares(
  book: OrderBook,
  outcome: OutcomeIndex,
  bookSide: "buy" | "sell",
  size: Shares,
  within: WalkLimit,
): DepthWalk {
  let left = size;
  let money = 0 as Usd;
  const levels: WalkedLevel[] = [];
  const cost = bookSide === "sell" ? costCeil : costFloor;
  visitLevels(book, outcome, bookSide, (at, available) => {
    if (within.limit !== null) {
      if (bookSide === "sell" ? at > within.limit : at < within.limit) return false;
    }
    const take = minShares(available, left);
    money = addUsd(money, cost(at, take));
    left = subShares(left, take);
    levels.push({ price: at, shares: take });
    return left > 0;
  });
  const got = subShares(size, left);
  return finish(levels, got, money, feeCharged(within.fee, money, got), left === 0);
}

function finish(
  levels: readonly WalkedLevel[],
  got: Shares,
  money: Usd,
  fee: Usd,
  complete: boolean,
): DepthWalk {
  return {
    shares: got,
    money,
    fee,
    best: levels[0]?.price ?? null,
    worst: levels.at(-1)?.price ?? null,
    levels,
    complete: complete && got > 0,
  };
}
