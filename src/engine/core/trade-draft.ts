import type { AmountSpec, TradeRequest } from "../api/requests.ts";
import { type DepthWalk, walkBuyShares, walkBuyUsd, walkSellShares } from "../domain/depth-walk.ts";
import { feeAtMost } from "../domain/fees.ts";
import { ceilToTick, floorToTick, isOnGrid, type Market } from "../domain/market.ts";
import type { MarketBook } from "../domain/market-book.ts";
import {
  costCeil,
  type Price,
  price,
  rateOne,
  type Shares,
  shares,
  sharesForFloor,
  type Usd,
  usd,
} from "../domain/numbers.ts";
import type { OrderDraft, TimeInForce } from "../domain/order.ts";
import { bestPrice } from "../domain/order-book.ts";
import type { Denial } from "../domain/reasons.ts";
import { mulDivCeil, mulDivFloor } from "../lib/mul-div.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { EngineSettings } from "../protocol/settings.ts";
import type { EngineState } from "../state/engine-state.ts";
import { freeCash, freeShares } from "../state/exposure.ts";

/** The venue takes dollars of a marketable buy to the cent, and sizes to the hundredth of a share. */
const centUsd = 10_000;
const sizeUnit = 10_000;
/** A gtd order dies one minute before the expiration that it carries, which must be at least three minutes ahead. */
const gtdMarginS = 60;
const gtdLeastMs = 120_000;

/** More than anybody trades, and small enough that no figure made of it leaves the safe integers. */
const mostUsd = 500_000_000_000;
const mostShares = 500_000_000_000_000;

export type Drafted = {
  readonly draft: OrderDraft;
  /** What would match at once, inside the limit. */
  readonly walk: DepthWalk;
  readonly amountCutFrom: Usd | null;
  readonly goodTillMs: number | null;
};

/** Turns a complete request into the one order that would be sent, priced on the book as it is. */
export function draftTrade(
  state: EngineState,
  settings: EngineSettings,
  market: Market,
  book: MarketBook,
  request: TradeRequest,
): Result<Drafted, Denial> {
  const most = { usd: mostUsd, shares: mostShares, part: rateOne }[request.amount.unit];
  if (request.amount.value > most) {
    return err({ code: "amount_invalid", limit: most, wanted: request.amount.value });
  }
  const timeInForce = request.timeInForce ?? (request.limit === null ? "fak" : "gtc");
  if (request.limit !== null && !isOnGrid(market, request.limit)) {
    return err({ code: "off_tick", limit: market.tickSize, wanted: request.limit });
  }
  const rests = timeInForce === "gtc" || timeInForce === "gtd";
  if (rests && request.limit === null) return err({ code: "amount_invalid", subject: "limit" });
  if (timeInForce === "gtd" && (request.goodForMs ?? 0) < gtdLeastMs) {
    return err({ code: "expiry_invalid", limit: gtdLeastMs, wanted: request.goodForMs ?? 0 });
  }
  const input: DraftInput = { state, settings, market, book, request, timeInForce };
  if (rests) return draftResting(input);
  if (isMarketableLimit(request, timeInForce)) return draftMarketableLimit(input);
  return request.side === "buy" ? draftMarketableBuy(input) : draftMarketableSale(input);
}

type DraftInput = {
  readonly state: EngineState;
  readonly settings: EngineSettings;
  readonly market: Market;
  readonly book: MarketBook;
  readonly request: TradeRequest;
  readonly timeInForce: TimeInForce;
};

function draftMarketableBuy(input: DraftInput): Result<Drafted, Denial> {
  const { market, book, request } = input;
  const { outcome } = request;
  const best = bestPrice(book.ladder, outcome, "sell");
  if (best === null) return err({ code: "no_liquidity" });
  const wanted = buyMoney(input, best);
  if (!wanted.ok) return wanted;
  const free = walkBuyUsd(book.ladder, outcome, wanted.value, { limit: null, fee: market.fee });
  if (free.shares === 0) return err({ code: "no_liquidity" });
  const limit = request.limit ?? slippedLimit(input, free, best);
  const within = walkBuyUsd(book.ladder, outcome, wanted.value, { limit, fee: market.fee });
  const spend = floorCents(within.money);
  if (spend === 0 || within.shares === 0) return err({ code: "no_liquidity", limit });
  const walk = walkBuyUsd(book.ladder, outcome, spend, { limit, fee: market.fee });
  const size = shares(floorTo(mulDivFloor(spend, 10_000, limit), 100));
  const amountCutFrom = spend < wanted.value ? wanted.value : null;
  return ok({
    draft: baseDraft(input, limit, size, spend, null),
    walk,
    amountCutFrom,
    goodTillMs: null,
  });
}

/** Dollars that the request stands for, to the cent. */
function buyMoney(input: DraftInput, best: Price): Result<Usd, Denial> {
  const { state, market, book, request } = input;
  const { amount } = request;
  if (amount.unit === "usd") return positive(floorCents(amount.value));
  if (amount.unit === "part") {
    const part = mulDivFloor(freeCash(state), amount.value, 1_000_000);
    // Room for the highest fee, so that "max" is what the gate lets through.
    return positive(floorCents(usd(mulDivFloor(part, rateOne, rateOne + market.fee.rate))));
  }
  const limit = request.limit;
  const walk = walkBuyShares(book.ladder, request.outcome, amount.value, {
    limit,
    fee: market.fee,
  });
  const money = walk.complete ? walk.money : costCeil(limit ?? walk.worst ?? best, amount.value);
  return positive(usd(mulDivCeil(money, 1, centUsd) * centUsd));
}

function positive(money: Usd): Result<Usd, Denial> {
  return money > 0 ? ok(money) : err({ code: "amount_invalid", wanted: money });
}

/** Average plus slippage, down to the tick, never beyond the collar or the grid. */
function slippedLimit(input: DraftInput, walk: DepthWalk, best: Price): Price {
  const { settings, market, request } = input;
  const slippage = request.slippagePpm ?? settings.slippagePpm;
  const collar = settings.risk.priceCollarTicks * market.tickSize;
  const average = mulDivFloor(walk.money, 10_000, walk.shares);
  if (request.side === "buy") {
    const slipped = floorToTick(
      mulDivFloor(Math.max(average, best), 1_000_000 + slippage, 1_000_000),
      market.tickSize,
    );
    return price(Math.min(Math.max(slipped, best), best + collar, 10_000 - market.tickSize));
  }
  const slipped = ceilToTick(
    mulDivFloor(Math.min(average, best), Math.max(0, 1_000_000 - slippage), 1_000_000),
    market.tickSize,
  );
  return price(Math.max(Math.min(slipped, best), best - collar, market.tickSize));
}

function draftMarketableSale(input: DraftInput): Result<Drafted, Denial> {
  const { market, book, request } = input;
  const { outcome } = request;
  const best = bestPrice(book.ladder, outcome, "buy");
  if (best === null) return err({ code: "no_liquidity" });
  const wanted = saleSize(input, best);
  if (wanted === 0) return err(noShares(input));
  const free = walkSellShares(book.ladder, outcome, wanted, { limit: null, fee: market.fee });
  const limit = request.limit ?? slippedLimit(input, free, best);
  const within = walkSellShares(book.ladder, outcome, wanted, { limit, fee: market.fee });
  const size = shares(floorTo(within.shares, sizeUnit));
  if (size === 0) return err({ code: "no_liquidity", limit });
  const walk = walkSellShares(book.ladder, outcome, size, { limit, fee: market.fee });
  return ok({
    draft: baseDraft(input, limit, size, null, null),
    walk,
    amountCutFrom: null,
    goodTillMs: null,
  });
}

function noShares(input: DraftInput): Denial {
  const tokenId = input.market.outcomes[input.request.outcome].tokenId;
  const limit = freeShares(input.state, tokenId);
  return limit === 0
    ? { code: "insufficient_shares", limit, wanted: 0 }
    : { code: "amount_invalid", wanted: limit };
}

/** Shares to sell, to the hundredth: dollars are turned into shares at the bids they would reach. */
function saleSize(input: DraftInput, best: Price): Shares {
  const { state, market, book, request } = input;
  const tokenId = market.outcomes[request.outcome].tokenId;
  const { amount } = request;
  if (amount.unit === "shares") return shares(floorTo(amount.value, sizeUnit));
  const free = freeShares(state, tokenId);
  if (amount.unit === "part") {
    return shares(floorTo(mulDivFloor(free, amount.value, 1_000_000), sizeUnit));
  }
  const guess = sharesForFloor(amount.value, request.limit ?? best);
  const walk = walkSellShares(book.ladder, request.outcome, guess, {
    limit: request.limit,
    fee: market.fee,
  });
  if (walk.shares === 0 || walk.money === 0) return shares(floorTo(guess, sizeUnit));
  const atAverage = mulDivCeil(amount.value, walk.shares, walk.money);
  return shares(floorTo(atAverage + sizeUnit - 1, sizeUnit));
}

/** So many shares, at once, at this price or better: a buy that spends dollars would take more when it is cheaper. */
function isMarketableLimit(request: TradeRequest, timeInForce: TimeInForce): boolean {
  return (
    timeInForce === "fak" &&
    request.side === "buy" &&
    request.amount.unit === "shares" &&
    request.limit !== null
  );
}

function draftMarketableLimit(input: DraftInput): Result<Drafted, Denial> {
  const drafted = draftResting({ ...input, timeInForce: "gtc" });
  if (!drafted.ok) return drafted;
  const { draft, walk } = drafted.value;
  if (walk.shares === 0) return err({ code: "no_liquidity", limit: draft.limit });
  return ok({ ...drafted.value, draft: { ...draft, immediate: true } });
}

function draftResting(input: DraftInput): Result<Drafted, Denial> {
  const { market, book, request, timeInForce, state } = input;
  const limit = request.limit;
  if (limit === null) return err({ code: "amount_invalid", subject: "limit" });
  const size = restingSize(input, limit);
  if (size === 0)
    return err(request.side === "sell" ? noShares(input) : { code: "amount_invalid" });
  const walkWith = request.side === "buy" ? walkBuyShares : walkSellShares;
  const walk = walkWith(book.ladder, request.outcome, size, { limit, fee: market.fee });
  const nowS = Math.floor(state.live.nowMs / 1000);
  const goodForS = Math.floor((request.goodForMs ?? 0) / 1000);
  const isGtd = timeInForce === "gtd";
  return ok({
    draft: baseDraft(input, limit, size, null, isGtd ? nowS + gtdMarginS + goodForS : null),
    walk,
    amountCutFrom: null,
    goodTillMs: isGtd ? (nowS + goodForS) * 1000 : null,
  });
}

function restingSize(input: DraftInput, limit: Price): Shares {
  const { state, market, request } = input;
  const { amount } = request;
  if (amount.unit === "shares") return shares(floorTo(amount.value, sizeUnit));
  if (request.side === "sell") {
    if (amount.unit === "usd")
      return shares(floorTo(sharesForFloor(amount.value, limit), sizeUnit));
    const free = freeShares(state, market.outcomes[request.outcome].tokenId);
    return shares(floorTo(mulDivFloor(free, amount.value, 1_000_000), sizeUnit));
  }
  const money = restingMoney(state, market, amount);
  return shares(floorTo(sharesForFloor(money, limit), sizeUnit));
}

function restingMoney(state: EngineState, market: Market, amount: AmountSpec): Usd {
  if (amount.unit !== "part") return usd(amount.value);
  const part = usd(mulDivFloor(freeCash(state), amount.value, 1_000_000));
  return usd(Math.max(0, part - feeAtMost(market.fee, part)));
}

function baseDraft(
  input: DraftInput,
  limit: Price,
  size: Shares,
  spend: Usd | null,
  expirationS: number | null,
): OrderDraft {
  const { market, request, timeInForce } = input;
  return {
    conditionId: market.conditionId,
    tokenId: market.outcomes[request.outcome].tokenId,
    outcome: request.outcome,
    side: request.side,
    timeInForce,
    limit,
    spend,
    size,
    tickSize: market.tickSize,
    negRisk: market.negRisk,
    version: market.version,
    expirationS,
    postOnly: false,
  };
}

function floorCents(money: Usd): Usd {
  return usd(floorTo(money, centUsd));
}

function floorTo(value: number, unit: number): number {
  return value - (value % unit);
}
