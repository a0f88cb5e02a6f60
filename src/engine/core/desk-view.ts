import type {
  DeskView,
  FeedView,
  HoldingView,
  MarketSummary,
  MarketView,
  QuoteView,
} from "../api/views.ts";
import type { Position } from "../domain/fill.ts";
import type { Market, OutcomeIndex } from "../domain/market.ts";
import { ageMs, type MarketBook } from "../domain/market-book.ts";
import { costFloor, shares, type Usd, usd } from "../domain/numbers.ts";
import { bestPrice } from "../domain/order-book.ts";
import type { EngineSettings } from "../protocol/settings.ts";
import { openActions } from "../state/action-cost.ts";
import type { EngineState } from "../state/engine-state.ts";
import { exposureOf, freeCash, freeShares, openOrders } from "../state/exposure.ts";
import { provisionalFills } from "../state/kept-orders.ts";
import { openEdit } from "../state/rule-edits.ts";
import { dataView, depthNear } from "./market-health.ts";
import { codesLockedMs } from "./resume.ts";
import { tradingView } from "./trading-view.ts";

/** The whole desk at a glance, for /status and the command line. */
export function deskView(
  state: EngineState,
  settings: EngineSettings,
  nowMs: number,
  extra: {
    readonly catalogAtMs: number | null;
    readonly warnings: readonly string[];
    /** Messages of the public stream that could not be read. */
    readonly framesInvalid: number;
  },
): DeskView {
  const exposure = exposureOf(state);
  const open = openOrders(state);
  const held = holdings(state);
  const books = [...state.live.books.values()];
  const live = books.filter((book) => book.status === "live").length;
  const orders = [...state.orders.values()];
  return {
    mode: settings.mode,
    atMs: nowMs,
    startedAtMs: state.startedAtMs,
    trading: tradingView(state),
    cash: state.cash ?? (0 as Usd),
    locked: exposure.locked,
    cashFree: freeCash(state),
    positionsUsd: usd(held.reduce<number>((sum, one) => sum + valueOf(one), 0)),
    unpriced: held.filter((one) => one.bid === null).length,
    positionsAgeMs: held.reduce<number | null>(
      (oldest, { bidAgeMs }) => (bidAgeMs === null ? oldest : Math.max(oldest ?? 0, bidAgeMs)),
      null,
    ),
    exposureUsd: exposure.total,
    exposureCapUsd: settings.risk.maxExposureTotalUsd,
    openOrders: open.length,
    unknownOrders: open.filter((order) => order.status === "unknown").length,
    inFlightOrders: open.filter((order) => order.status === "in_flight").length,
    positions: held.length,
    feeds: feedViews(state, nowMs, extra.catalogAtMs),
    lastOrderAtMs: orders.reduce<number | null>(
      (last, order) => Math.max(last ?? 0, order.createdAtMs),
      null,
    ),
    queue: state.commands.size,
    booksLive: live,
    booksStale: books.length - live,
    data: dataView(state, nowMs, extra.framesInvalid),
    ledgerSeq: state.seq,
    resumeNeedsCode: settings.resumeCode !== null,
    warnings: [...warningsOf(state, nowMs, settings), ...extra.warnings],
  };
}

function valueOf(holding: HoldingView): number {
  if (holding.bid === null) return 0;
  return costFloor(holding.bid, shares(holding.confirmed + holding.provisional));
}

function feedViews(state: EngineState, nowMs: number, catalogAtMs: number | null): FeedView[] {
  const age = (atMs: number | null) => (atMs === null ? null : Math.max(0, nowMs - atMs));
  const { market, user } = state.live.links;
  return [
    { name: "market", up: market.up, ageMs: age(market.lastFrameAtMs) },
    { name: "user", up: user.up, ageMs: age(user.lastFrameAtMs) },
    { name: "catalog", up: catalogAtMs !== null, ageMs: age(catalogAtMs) },
  ];
}

function warningsOf(state: EngineState, nowMs: number, settings: EngineSettings): string[] {
  const warnings: string[] = [];
  const { reconcileFailures } = state.live;
  if (state.externalOrders.size > 0) {
    warnings.push(
      `${state.externalOrders.size} open orders on this account were not placed by this desk`,
    );
  }
  if (reconcileFailures > 0) {
    warnings.push(
      reconcileFailures === 1
        ? "the last comparison with the venue failed"
        : `the last ${reconcileFailures} comparisons with the venue failed`,
    );
  }
  for (const { detail } of state.live.degraded.values()) warnings.push(detail);
  const lockedMs = settings.resumeCode === null ? 0 : codesLockedMs(state, nowMs);
  if (lockedMs > 0) {
    const minutes = Math.ceil(lockedMs / 60_000);
    warnings.push(`too many wrong codes: none is taken to resume for ${minutes} min`);
  }
  if (settings.mode === "live" && settings.resumeCode === null) {
    warnings.push("no totp_secret: whoever has a trader's Telegram account can resume");
  }
  for (const [lock, { executions }] of state.control.locks) {
    warnings.push(`${lock} orders are stopped after ${executions} of the same kind: /resume`);
  }
  const late = provisionalFills(state).filter(
    (fill) => nowMs - fill.atMs > settings.waits.settleAlarmMs,
  ).length;
  if (late > 0) warnings.push(`${late} fills are not confirmed by the venue yet`);
  for (const { title, status } of openActions(state)) {
    const word = status === "unknown" ? "with an unknown outcome" : "under way";
    warnings.push(`a contract call is ${word}, a kill cannot take it back: ${title}`);
  }
  return warnings;
}

/** What is held, biggest cost first; tokens without shares are left out. */
export function holdings(state: EngineState): HoldingView[] {
  const views: HoldingView[] = [];
  for (const position of state.positions.values()) {
    const view = holdingOf(state, position);
    if (view.confirmed + view.provisional + view.unexplained > 0) views.push(view);
  }
  return views.sort((a, b) => b.cost - a.cost || (a.tokenId < b.tokenId ? -1 : 1));
}

function holdingOf(state: EngineState, position: Position): HoldingView {
  // What somebody else bought may have been booked before its market was known.
  const token = state.tokens.get(position.tokenId) ?? position;
  const { conditionId, outcome } = token;
  const market = state.markets.get(conditionId);
  const book = state.live.books.get(conditionId);
  const bid = book?.status === "live" ? bestPrice(book.ladder, outcome, "buy") : null;
  const confirmed = Math.max(0, position.confirmed - position.provisionalSold);
  const provisional = position.provisionalBought;
  const all = shares(confirmed + provisional);
  return {
    conditionId,
    tokenId: position.tokenId,
    question: market?.question ?? conditionId,
    outcome,
    outcomeName: market?.outcomes[outcome].name ?? String(outcome),
    confirmed: shares(confirmed),
    provisional,
    cost: position.cost,
    bid,
    bidAgeMs: book === undefined || bid === null ? null : ageMs(book, state.live.nowMs),
    unrealizedUsd: bid === null ? null : usd(costFloor(bid, all) - position.cost),
    realizedUsd: position.realizedUsd,
    external: position.external,
    unexplained: position.unexplained,
    sellable: freeShares(state, position.tokenId),
    dust: market !== undefined && all > 0 && all < market.minOrderSize,
  };
}

export function marketSummary(state: EngineState, market: Market, nowMs: number): MarketSummary {
  const book = state.live.books.get(market.conditionId);
  const live = book?.status === "live" ? book : null;
  return {
    conditionId: market.conditionId,
    slug: market.slug,
    question: market.question,
    groupTitle: market.groupTitle,
    outcomeNames: [market.outcomes[0].name, market.outcomes[1].name],
    bestBid: live === null ? null : bestPrice(live.ladder, 0, "buy"),
    bestAsk: live === null ? null : bestPrice(live.ladder, 0, "sell"),
    ageMs: live === null ? null : ageMs(live, nowMs),
    volumeUsd: market.volumeUsd,
    endAtMs: market.endAtMs,
    tradable: market.tradable,
  };
}

export function marketView(state: EngineState, market: Market, nowMs: number): MarketView {
  const book = state.live.books.get(market.conditionId);
  const live = book?.status === "live" ? book : null;
  const edit = openEdit(state, market.conditionId);
  return {
    ...marketSummary(state, market, nowMs),
    tickSize: market.tickSize,
    minOrderSize: market.minOrderSize,
    feeRatePpm: market.fee.rate,
    negRisk: market.negRisk,
    quotes: [quoteOf(live, 0), quoteOf(live, 1)],
    bidDepthUsd: depthNear(live, "buy"),
    askDepthUsd: depthNear(live, "sell"),
    ...(edit !== null && { rulesEdit: { atMs: edit.atMs, ruleHash: edit.to } }),
    ...(market.window !== undefined && { window: market.window }),
    ...((market.isPlaceholder === true || market.isOther) && { mayChange: true as const }),
    holdings: holdings(state).filter((one) => one.conditionId === market.conditionId),
  };
}

function quoteOf(book: MarketBook | null, outcome: OutcomeIndex): QuoteView {
  if (book === null) return { bid: null, ask: null };
  return {
    bid: bestPrice(book.ladder, outcome, "buy"),
    ask: bestPrice(book.ladder, outcome, "sell"),
  };
}
