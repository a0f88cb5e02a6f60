import { noFee } from "../../../src/engine/domain/fees.ts";
import type { Market, MarketGroup } from "../../../src/engine/domain/market.ts";
import type { BookSnapshot } from "../../../src/engine/domain/market-event.ts";
import { price, type Rate, shares } from "../../../src/engine/domain/numbers.ts";
import { levels } from "./levels.ts";

function conditionOf(n: number): string {
  return `0x${String(n).padStart(64, "0")}`;
}

/** Market `n`: tokens n1 and n2, a tick of a cent, no fee. */
export function marketOf(n: number, over: Partial<Market> = {}): Market {
  return {
    conditionId: conditionOf(n),
    slug: `market-${n}`,
    question: `Question ${n}?`,
    outcomes: [
      { tokenId: `${n}1`, name: "Yes" },
      { tokenId: `${n}2`, name: "No" },
    ],
    tickSize: price(100),
    minOrderSize: shares(5_000_000),
    negRisk: false,
    fee: noFee,
    version: "v1",
    groupId: null,
    groupTitle: null,
    groupItemTitle: "",
    isOther: false,
    tradable: true,
    endAtMs: null,
    takerDelayMs: 0,
    volumeUsd: 1_000,
    ...over,
  };
}

export const plain = marketOf(1);
/** Takers pay four percent. */
export const taxed = marketOf(2, { fee: { rate: 40_000 as Rate } });

export const group: MarketGroup = {
  groupId: "77",
  slug: "race",
  title: "Who wins?",
  negRisk: true,
  augmented: false,
  conditionIds: [conditionOf(11), conditionOf(12), conditionOf(13)],
};

/** Three outcomes of one race; exactly one wins. */
export const runners: readonly Market[] = [11, 12, 13].map((n) =>
  marketOf(n, {
    negRisk: true,
    groupId: group.groupId,
    groupTitle: group.title,
    groupItemTitle: `Runner ${n}`,
  }),
);

export type Rows = readonly (readonly [price: string, size: string])[];

export type BookRows = { readonly bids: Rows; readonly asks: Rows };

export const plainRows: BookRows = {
  bids: [
    ["0.47", "2000"],
    ["0.48", "1000"],
  ],
  asks: [
    ["0.53", "1000"],
    ["0.52", "500"],
  ],
};

/** A snapshot of a market's book, as the stream brings it. */
export function snapshotOf(market: Market, rows: BookRows, timestamp: number): BookSnapshot {
  return {
    kind: "book.snapshot",
    conditionId: market.conditionId,
    tokenId: market.outcomes[0].tokenId,
    timestamp: String(timestamp),
    hash: null,
    bids: levels(...rows.bids),
    asks: levels(...rows.asks),
    tickSize: market.tickSize,
    minOrderSize: market.minOrderSize,
    negRisk: market.negRisk,
    lastTradePrice: "",
    source: "stream",
  };
}
