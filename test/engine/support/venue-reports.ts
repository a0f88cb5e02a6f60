import type { FillReport } from "../../../src/engine/domain/fill.ts";
import type { Side } from "../../../src/engine/domain/market.ts";
import {
  costCeil,
  costFloor,
  type Price,
  price,
  type Shares,
  shares,
} from "../../../src/engine/domain/numbers.ts";
import type { Order } from "../../../src/engine/domain/order.ts";
import type { VenueOrder } from "../../../src/engine/protocol/venue-report.ts";
import { firstMs } from "./core-desk.ts";
import { plain } from "./markets.ts";

/** Our part of trade `tradeId` as the venue tells it: taken at the order's limit unless said otherwise. */
export function fillOf(
  order: Order,
  tradeId: string,
  size: number,
  over: {
    readonly status?: FillReport["status"];
    readonly at?: Price;
    readonly isMaker?: boolean;
  } = {},
): FillReport {
  const { draft, orderHash } = order;
  const at = over.at ?? draft.limit;
  const cost = draft.side === "buy" ? costCeil : costFloor;
  return {
    tradeId,
    orderHash,
    tokenId: draft.tokenId,
    side: draft.side,
    size: size as Shares,
    money: cost(at, size as Shares),
    isMaker: over.isMaker ?? false,
    status: over.status ?? "provisional",
    atMs: firstMs,
  };
}

/** The venue's own account of an order. */
export function reportOf(order: Order, state: VenueOrder["state"], matched = 0): VenueOrder {
  const { draft, orderHash } = order;
  return {
    orderHash,
    conditionId: draft.conditionId,
    tokenId: draft.tokenId,
    side: draft.side,
    price: draft.limit,
    originalSize: draft.size,
    matched: matched as Shares,
    state,
  };
}

/** Order `n` of somebody else on the account, and a trade that fills it, in the market without a fee. */
export function foreign(
  n: number,
  side: Side,
  size: Shares,
): { readonly orderHash: string; readonly order: VenueOrder; readonly fill: FillReport } {
  const orderHash = `0xf${String(n).padStart(63, "0")}`;
  const { conditionId } = plain;
  const [{ tokenId }] = plain.outcomes;
  const at = price(5_000);
  const none = shares(0);
  return {
    orderHash,
    order: {
      orderHash,
      conditionId,
      tokenId,
      side,
      price: at,
      originalSize: size,
      matched: none,
      state: "live",
    },
    fill: {
      tradeId: `foreign-${n}`,
      orderHash,
      tokenId,
      side,
      size,
      conditionId,
      money: side === "buy" ? costCeil(at, size) : costFloor(at, size),
      isMaker: false,
      status: "provisional",
      atMs: firstMs,
    },
  };
}
