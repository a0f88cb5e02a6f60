import type {
  BackgroundBook,
  Exchange,
  MarketSpec,
} from "../../../src/adapters/paper-venue/types.ts";

function idOf(n: number): string {
  return `0x${String(n).padStart(64, "0")}`;
}

function specOf(n: number, over: Partial<MarketSpec>): MarketSpec {
  return {
    conditionId: idOf(n),
    questionId: idOf(n + 1_000),
    gammaId: String(n + 5_000),
    slug: `standing-${n}`,
    question: `Question ${n}?`,
    description: "Synthetic.",
    outcomes: [
      { tokenId: `${n}${"1".repeat(30)}`, name: "Yes" },
      { tokenId: `${n}${"2".repeat(30)}`, name: "No" },
    ],
    tickSize: "0.01",
    minOrderSize: "5",
    negRisk: false,
    negRiskMarketId: null,
    negRiskOther: false,
    groupItemTitle: "",
    eventId: String(n + 9_000),
    feeRate: null,
    feeType: "",
    rebateRate: "0",
    version: "v1",
    endDate: "2099-01-01T00:00:00Z",
    eventStartTime: null,
    acceptingOrders: true,
    closed: false,
    secondsDelay: 0,
    tags: ["test"],
    volume: "1000",
    recordedGamma: null,
    ...over,
  };
}

const crowd: BackgroundBook = {
  bids: [
    { price: "0.48", size: "100" },
    { price: "0.47", size: "1000" },
  ],
  asks: [
    { price: "0.52", size: "20.5" },
    { price: "0.53", size: "1000" },
  ],
  lastTradePrice: "0.500",
};

/** A market without fee and one that takes four percent of takers; ids and tokens as the engine's tests write them. */
export const standing = specOf(1, {});
export const standingTaxed = specOf(2, { feeRate: "0.04", feeType: "finance" });

const raceId = "9077";
/** Three outcomes whose asks add up to 0.90. */
export const standingRunners = [11, 12, 13].map((n, i) =>
  specOf(n, {
    // The last byte counts the questions of the neg-risk market.
    questionId: idOf(7_700 + i),
    negRisk: true,
    negRiskMarketId: idOf(7_700),
    groupItemTitle: `Runner ${n}`,
    eventId: raceId,
  }),
);

/** Books that stand still until a test changes them. */
export function listStandingMarkets(exchange: Exchange): void {
  for (const spec of [standing, standingTaxed]) {
    listEvent(exchange, spec.eventId, [spec]);
    exchange.addMarket(spec, crowd);
  }
  listEvent(exchange, raceId, standingRunners);
  for (const spec of standingRunners) {
    const asks = [
      { price: "0.3", size: "50" },
      { price: "0.35", size: "100" },
    ];
    exchange.addMarket(spec, { ...crowd, bids: [{ price: "0.25", size: "100" }], asks });
  }
}

const windowStartMs = Date.UTC(2099, 0, 1);
/** A five-minute window of a far day, so that no test ends it; not listed at the start. */
export const standingWindow = specOf(31, {
  slug: `btc-updown-5m-${windowStartMs / 1_000}`,
  eventStartTime: new Date(windowStartMs).toISOString(),
  endDate: new Date(windowStartMs + 300_000).toISOString(),
  outcomes: [
    { tokenId: `31${"1".repeat(30)}`, name: "Up" },
    { tokenId: `31${"2".repeat(30)}`, name: "Down" },
  ],
});

/** Lists the window with its price to beat in dollars. */
export function listStandingWindow(exchange: Exchange, priceToBeat: number): void {
  listEvent(exchange, standingWindow.eventId, [standingWindow], { priceToBeat });
  exchange.addMarket(standingWindow, crowd);
}

function listEvent(
  exchange: Exchange,
  id: string,
  specs: readonly MarketSpec[],
  metadata: { readonly priceToBeat: number } | null = null,
): void {
  const negRisk = specs.length > 1;
  exchange.addEvent({
    id,
    slug: `event-${id}`,
    title: "Who wins?",
    description: "",
    negRisk,
    negRiskAugmented: false,
    negRiskMarketId: negRisk ? idOf(7_700) : null,
    endDate: "2099-01-01T00:00:00Z",
    tags: ["test"],
    conditionIds: specs.map((spec) => spec.conditionId),
    metadata,
  });
}
