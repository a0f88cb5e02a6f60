import { formatMicro, hasAtMostDecimals, ONE, parseMicro } from "./amounts.ts";
import type { OrderRequest } from "./order-request.ts";
import { badRequest, invalidOrder } from "./venue-error.ts";

/** Decimals that the share amount of a market order may use, by tick size (trading rules, "Ticks and rounding"). */
const amountDecimals: Readonly<Record<string, number>> = {
  "0.1": 3,
  "0.01": 4,
  "0.005": 5,
  "0.0025": 6,
  "0.001": 5,
  "0.0001": 6,
};

export type RuleMarket = {
  readonly tickSize: string;
  readonly minOrderSize: string;
};

export function isMarketOrder(request: OrderRequest): boolean {
  return request.orderType === "FOK" || request.orderType === "FAK";
}

function cashAndShares(request: OrderRequest): { readonly cash: bigint; readonly shares: bigint } {
  const { makerAmount, takerAmount } = request.fields;
  return request.side === "BUY"
    ? { cash: makerAmount, shares: takerAmount }
    : { cash: takerAmount, shares: makerAmount };
}

function floorTo(value: bigint, unit: bigint): bigint {
  return value - (value % unit);
}

/** Whether the shares are what a trader gets who divides the dollars by a price of the grid, rounded either way. */
function sharesFitPrice(cash: bigint, shares: bigint, price: bigint, unit: bigint): boolean {
  if (price <= 0n) return false;
  const down = floorTo((cash * ONE) / price, unit);
  return shares === down || shares === down + unit;
}

/** The price of the grid that the amounts stand for, or null when there is none. */
function gridPrice(request: OrderRequest, tick: bigint, decimals: number): bigint | null {
  const { cash, shares } = cashAndShares(request);
  if (shares === 0n) return null;
  const exact = (cash * ONE) % shares === 0n ? (cash * ONE) / shares : null;
  if (exact !== null && exact % tick === 0n) return exact;
  if (!isMarketOrder(request) || request.side === "SELL") return null;
  const below = floorTo((cash * ONE) / shares, tick);
  const unit = 10n ** BigInt(6 - decimals);
  return [below, below + tick].find((price) => sharesFitPrice(cash, shares, price, unit)) ?? null;
}

function checkAccuracy(request: OrderRequest, decimals: number): void {
  const { makerAmount, takerAmount } = request.fields;
  const side = request.side === "BUY" ? "buy" : "sell";
  if (hasAtMostDecimals(makerAmount, 2) && hasAtMostDecimals(takerAmount, decimals)) return;
  throw badRequest(
    `invalid amounts, the market ${side} orders maker amount supports a max accuracy of 2 decimals, taker amount a max of ${decimals} decimals`,
  );
}

/**
 * Tick grid, minimum size and accuracy of one order. Returns its price in millionths.
 * Throws the documented refusal. Minimum size is in shares and binds orders that may rest.
 */
export function checkAmounts(orderId: string, request: OrderRequest, market: RuleMarket): bigint {
  const tick = parseMicro(market.tickSize) ?? 10_000n;
  const decimals = amountDecimals[market.tickSize] ?? 4;
  if (isMarketOrder(request)) checkAccuracy(request, decimals);
  const price = gridPrice(request, tick, decimals);
  const { cash, shares } = cashAndShares(request);
  if (price === null || price < tick || price > ONE - tick) {
    const shown = shares === 0n ? "0" : formatMicro((cash * ONE) / shares);
    throw invalidOrder(
      orderId,
      `Price (${shown}) breaks minimum tick size rule: ${market.tickSize}`,
    );
  }
  const minimum = parseMicro(market.minOrderSize) ?? 0n;
  if (!isMarketOrder(request) && shares < minimum) {
    throw invalidOrder(
      orderId,
      `Size (${formatMicro(shares)}) lower than the minimum: ${market.minOrderSize}`,
    );
  }
  return price;
}

/** GTD needs an expiration of at least now plus the lead; every other type needs none. */
export function checkExpiration(request: OrderRequest, nowMs: number, leadMs: number): void {
  const valid =
    request.orderType === "GTD"
      ? request.expirationS * 1000 >= nowMs + leadMs
      : request.expirationS === 0;
  if (!valid) throw badRequest("invalid expiration");
}

/** A BUY that would trade at once must be worth a dollar. */
export function checkMarketableMinimum(request: OrderRequest): void {
  const { makerAmount } = request.fields;
  if (request.side === "BUY" && makerAmount < ONE) {
    throw badRequest(
      `invalid amount for a marketable BUY order ($${formatMicro(makerAmount)}), min size: $1`,
    );
  }
}
