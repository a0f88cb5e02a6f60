import type { BackgroundBook, MarketSpec } from "../../../../src/adapters/paper-venue/types.ts";

export function hex(byte: string, bytes = 32): string {
  return `0x${byte.repeat(bytes)}`;
}

/** A synthetic market; every field can be overridden. */
export function marketSpec(over: Partial<MarketSpec> = {}): MarketSpec {
  return {
    conditionId: hex("a1"),
    questionId: hex("b1"),
    gammaId: "1001",
    slug: "rain-tomorrow",
    question: "Rain tomorrow?",
    description: "Synthetic.",
    outcomes: [
      { tokenId: "111111111111111111111111111111111111", name: "Yes" },
      { tokenId: "222222222222222222222222222222222222", name: "No" },
    ],
    tickSize: "0.01",
    minOrderSize: "5",
    negRisk: false,
    negRiskMarketId: null,
    negRiskOther: false,
    groupItemTitle: "",
    eventId: "501",
    feeRate: null,
    feeType: "",
    rebateRate: "0",
    version: "v1",
    endDate: "2027-01-01T00:00:00Z",
    eventStartTime: null,
    acceptingOrders: true,
    closed: false,
    secondsDelay: 0,
    tags: ["weather"],
    volume: "0",
    recordedGamma: null,
    ...over,
  };
}

export const plainBook: BackgroundBook = {
  bids: [
    { price: "0.48", size: "100" },
    { price: "0.47", size: "200" },
  ],
  asks: [
    { price: "0.52", size: "50" },
    { price: "0.53", size: "100" },
    { price: "0.6", size: "1000" },
  ],
  lastTradePrice: "0.500",
};
