import type { FillReport } from "../../../src/engine/domain/fill.ts";
import {
  costCeil,
  costFloor,
  type Price,
  type Shares,
} from "../../../src/engine/domain/numbers.ts";
import type { Order } from "../../../src/engine/domain/order.ts";
import type { VenueOrder } from "../../../src/engine/protocol/venue-report.ts";
import { firstMs } from "./core-desk.ts";

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
