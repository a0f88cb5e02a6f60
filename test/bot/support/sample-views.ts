import type { MarketRef, TradeRequest } from "../../../src/engine/api/requests.ts";
import type {
  DeskView,
  HoldingView,
  MarketSummary,
  MarketView,
  OrderView,
  SetCard,
  SetView,
  TradeCard,
} from "../../../src/engine/api/views.ts";
import type { Price, Shares, Usd } from "../../../src/engine/domain/numbers.ts";
import { decidedAfter } from "../../../src/engine/domain/order-timing.ts";

export const price = (value: number) => value as Price;
export const sharesOf = (whole: number) => Math.round(whole * 1_000_000) as Shares;
export const usdOf = (whole: number) => Math.round(whole * 1_000_000) as Usd;

export function conditionId(n: number): string {
  return `0x${String(n).padStart(64, "0")}`;
}

export function summary(n: number, question: string, slug: string): MarketSummary {
  return {
    conditionId: conditionId(n),
    slug,
    question,
    groupTitle: null,
    outcomeNames: ["Yes", "No"],
    bestBid: price(6100),
    bestAsk: price(6200),
    ageMs: 400,
    volumeUsd: 412_000,
    endAtMs: Date.UTC(2026, 11, 16, 19),
    tradable: true,
  };
}

export const sampleMarkets: readonly MarketSummary[] = [
  summary(1, "Will the Fed cut rates in December 2026?", "fed-cut-december"),
  summary(2, "Will the Fed hold rates in December 2026?", "fed-hold-december"),
  summary(3, "Will it rain in London tomorrow?", "rain-in-london"),
  ...Array.from({ length: 6 }, (_, i) =>
    summary(10 + i, `Filler market ${i + 1}?`, `filler-market-${i + 1}`),
  ),
];

export function marketView(from: MarketSummary, holdings: readonly HoldingView[]): MarketView {
  return {
    ...from,
    tickSize: price(100),
    minOrderSize: sharesOf(5),
    feeRatePpm: 40_000,
    negRisk: false,
    quotes: [
      { bid: price(6100), ask: price(6200) },
      { bid: price(3800), ask: price(3900) },
    ],
    bidDepthUsd: usdOf(1240),
    askDepthUsd: usdOf(980),
    holdings,
  };
}

export const riskAfter = {
  outcomeUsd: usdOf(25),
  outcomeCapUsd: usdOf(200),
  marketUsd: usdOf(25),
  marketCapUsd: usdOf(300),
  eventUsd: usdOf(25),
  eventCapUsd: usdOf(600),
  eventWorstUsd: usdOf(25),
  totalUsd: usdOf(430),
  totalCapUsd: usdOf(1000),
  cashLeftUsd: usdOf(974.42965),
};

/** $25 at 62¢ gives 40.322581 shares and a fee of $0.38, as a desk would show it. */
export function tradeCard(request: TradeRequest, nonce: string, atMs: number): TradeCard {
  const money = request.amount.unit === "usd" ? request.amount.value : usdOf(24.8);
  const shares = Math.round((money * 10_000) / 6200) as Shares;
  return {
    nonce,
    createdAtMs: atMs,
    expiresAtMs: atMs + 45_000,
    mode: "paper",
    conditionId: request.conditionId,
    question: "Will the Fed cut rates in December 2026?",
    outcome: request.outcome,
    outcomeName: request.outcome === 0 ? "Yes" : "No",
    side: request.side,
    timeInForce: request.timeInForce ?? (request.limit === null ? "fak" : "gtc"),
    goodTillMs: null,
    tickSize: price(100),
    limit: request.limit ?? price(6300),
    money,
    shares,
    matchesNow: shares,
    worst: price(6200),
    best: price(6200),
    fee: usdOf(0.57035),
    feeReserved: usdOf(0.58),
    maxSpend: usdOf(25.98),
    maxLoss: usdOf(25.57035),
    paysIfWin: shares as number as Usd,
    riskAfter,
    bookAgeMs: 400,
    amountCutFrom: null,
    request,
  };
}

export function orderView(fields: Partial<OrderView> = {}): OrderView {
  return {
    clientOid: "c0ffee00",
    shortId: "ab12cd34",
    orderHash: `0xab12cd34${"0".repeat(56)}`,
    conditionId: conditionId(1),
    question: "Will the Fed cut rates in December 2026?",
    outcome: 0,
    outcomeName: "Yes",
    side: "buy",
    timeInForce: "fak",
    status: "in_flight",
    rejectReason: null,
    limit: price(6300),
    size: sharesOf(40.322581),
    spend: usdOf(25),
    filled: 0 as Shares,
    filledUsd: 0 as Usd,
    feesUsd: 0 as Usd,
    reservedUsd: usdOf(25.98),
    createdAtMs: 0,
    planId: "plan1",
    leg: 0,
    strategy: "manual",
    cancelAsked: false,
    timing: decidedAfter("plan1", 0, 3),
    delayed: false,
    ...fields,
  };
}

export function holding(fields: Partial<HoldingView> = {}): HoldingView {
  return {
    conditionId: conditionId(1),
    tokenId: "1",
    question: "Will the Fed cut rates in December 2026?",
    outcome: 0,
    outcomeName: "Yes",
    confirmed: sharesOf(210),
    provisional: 0 as Shares,
    cost: usdOf(99.12),
    bid: price(6100),
    bidAgeMs: 400,
    unrealizedUsd: usdOf(28.98),
    realizedUsd: 0 as Usd,
    external: 0,
    unexplained: 0 as Shares,
    sellable: sharesOf(210),
    dust: false,
    ...fields,
  };
}

export function deskView(fields: Partial<DeskView> = {}): DeskView {
  return {
    mode: "paper",
    atMs: 1_800_000,
    startedAtMs: 0,
    trading: { state: "active", reason: null, causes: [], sinceMs: 0, byUserId: null, note: "" },
    cash: usdOf(1204.11),
    locked: usdOf(60),
    cashFree: usdOf(1144.11),
    positionsUsd: usdOf(845.2),
    unpriced: 0,
    positionsAgeMs: 400,
    exposureUsd: usdOf(420),
    exposureCapUsd: usdOf(1000),
    openOrders: 0,
    unknownOrders: 0,
    inFlightOrders: 0,
    positions: 1,
    feeds: [
      { name: "market", up: true, ageMs: 400 },
      { name: "user", up: false, ageMs: 61_000 },
    ],
    lastOrderAtMs: null,
    queue: 0,
    booksLive: 3,
    booksStale: 0,
    data: { applied: 12_345, invalid: 2, resyncs: 3, hashesTrusted: true, oldestMs: 1_500 },
    ledgerSeq: 17,
    resumeNeedsCode: false,
    warnings: [],
    ...fields,
  };
}

export const sampleSets: readonly SetView[] = [
  set("s-refused", "refused", { code: "set_augmented" }, -2),
  set("s-convert", "needs_convert", null, 3),
  set("s-good", "profitable", null, 1.4),
  set("s-fee", "refused", { code: "set_fee" }, -0.1),
];

function set(
  setId: string,
  verdict: SetView["verdict"],
  refusal: SetView["refusal"],
  profit: number,
): SetView {
  return {
    setId,
    title: `Set ${setId}`,
    kind: verdict === "needs_convert" ? "neg-risk-convert" : "neg-risk-long",
    outcomes: 3,
    verdict,
    refusal,
    shares: sharesOf(100),
    cost: usdOf(97),
    fee: usdOf(1.6),
    profit: usdOf(profit),
    oldestBookMs: 300,
  };
}

export function setCard(setId: string, nonce: string, atMs: number): SetCard {
  const leg = (outcomeName: string, money: number) => ({
    conditionId: conditionId(1),
    question: `Will ${outcomeName} win?`,
    outcome: 0 as const,
    outcomeName: "Yes",
    limit: price(3300),
    worst: price(3200),
    money: usdOf(money),
    fee: usdOf(0.5),
  });
  return {
    nonce,
    createdAtMs: atMs,
    expiresAtMs: atMs + 45_000,
    mode: "paper",
    setId,
    title: "Who wins?",
    kind: "neg-risk-long",
    shares: sharesOf(100),
    oldestBookMs: 300,
    legs: [leg("A", 32), leg("B", 32), leg("C", 33)],
    cost: usdOf(97),
    fee: usdOf(1.5),
    profit: usdOf(1.5),
    maxLoss: usdOf(66),
    maxSpend: usdOf(99),
    riskAfter,
  };
}

/** What a catalog of these markets answers. */
export function namedMarkets(all: readonly MarketSummary[], ref: MarketRef): MarketSummary[] {
  const words = ref.value.toLowerCase().split(/\s+/);
  return all.filter((market) => {
    if (ref.by === "top") return true;
    if (ref.by === "conditionId") return market.conditionId === ref.value;
    if (ref.by === "slug") return market.slug === ref.value;
    if (ref.by === "eventSlug")
      return ref.value === "fed-decision" && market.slug.startsWith("fed");
    return words.every((word) => market.question.toLowerCase().includes(word));
  });
}
