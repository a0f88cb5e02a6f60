import type { Actor, TradeRequest } from "../api/requests.ts";
import type { RiskAfter, TradeCard } from "../api/views.ts";
import { feeReserved } from "../domain/fees.ts";
import { derivedId } from "../domain/ids.ts";
import type { Market } from "../domain/market.ts";
import { ageMs, type MarketBook } from "../domain/market-book.ts";
import {
  addUsd,
  costCeil,
  costFloor,
  type Price,
  payoff,
  subShares,
  type Usd,
  usd,
} from "../domain/numbers.ts";
import type { OrderDraft } from "../domain/order.ts";
import { bestPrice } from "../domain/order-book.ts";
import type { Denial } from "../domain/reasons.ts";
import { mulDivFloor } from "../lib/mul-div.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { EngineSettings } from "../protocol/settings.ts";
import { checkRisk } from "../risk/check-risk.ts";
import { eventOf, worstLossOfEvent } from "../risk/event-worst.ts";
import { eventExposure } from "../risk/exposure-caps.ts";
import { feeReserveOf, worstCaseUsd } from "../risk/reserve.ts";
import type { EngineState } from "../state/engine-state.ts";
import { exposureOf, freeCash } from "../state/exposure.ts";
import type { DeskCard } from "../state/fact.ts";
import { openEdit } from "../state/rule-edits.ts";
import { emit, type StepContext } from "./context.ts";
import { type Drafted, draftTrade } from "./trade-draft.ts";

/** Makes the confirmation card of a request and keeps it; refuses with a reason when the gate would refuse it now. */
export function quoteTrade(
  context: StepContext,
  actor: Actor,
  commandId: string,
  request: TradeRequest,
): Result<TradeCard, Denial> {
  const { state, settings, atMs } = context;
  const market = state.markets.get(request.conditionId);
  if (market === undefined) return err({ code: "market_unknown" });
  if (!market.tradable) return err({ code: "market_closed", subject: market.question });
  const book = state.live.books.get(request.conditionId);
  if (book === undefined || book.status !== "live") return err({ code: "book_stale" });
  const drafted = draftTrade(state, settings, market, book, request);
  if (!drafted.ok) return drafted;
  const question = {
    drafts: [drafted.value.draft],
    nowMs: atMs,
    userId: actor.userId,
    strategy: "manual" as const,
    gate: false,
  };
  const risk = checkRisk(state, settings, question);
  if (!risk.ok) return err(dustDenial(state, drafted.value.draft, risk.error));
  const nonce = derivedId(context.hasher.sha256Hex, context.entropy, `card:${commandId}`);
  const shown = tradeCardOf(context, market, nonce, { drafted: drafted.value, request });
  const { draft } = drafted.value;
  keepCard(context, market, { kind: "trade", actor, commandId, draft, shown });
  return ok(shown);
}

/** A sale below the venue's smallest order, of a position that is no bigger itself: dust (V19). */
function dustDenial(state: EngineState, draft: OrderDraft, denial: Denial): Denial {
  if (denial.code !== "min_size" || draft.side === "buy") return denial;
  const held = state.positions.get(draft.tokenId)?.confirmed ?? 0;
  return held < (denial.limit ?? 0) ? { ...denial, subject: "dust" } : denial;
}

/** Keeps a card of one order, with the market that it names. */
export function keepCard(
  context: StepContext,
  market: Market,
  parts: Pick<DeskCard, "commandId" | "clientOid"> & {
    readonly kind: "trade" | "replace";
    readonly actor: Actor;
    readonly draft: OrderDraft;
    readonly shown: TradeCard;
  },
): void {
  const { actor, draft, ...rest } = parts;
  const { nonce, createdAtMs, expiresAtMs } = parts.shown;
  const groups = groupOf(context.state, market);
  emit(context, { kind: "markets.listed", markets: [market], groups });
  emit(context, {
    kind: "card.created",
    card: {
      ...rest,
      ...actor,
      nonce,
      createdAtMs,
      expiresAtMs,
      title: market.question,
      drafts: [draft],
      state: "open",
    },
  });
}

function groupOf(state: EngineState, market: Market) {
  const group = market.groupId === null ? undefined : state.groups.get(market.groupId);
  return group === undefined ? [] : [group];
}

/** What a person sees of one order before it is sent. */
export function tradeCardOf(
  context: StepContext,
  market: Market,
  nonce: string,
  { drafted, request }: { readonly drafted: Drafted; readonly request: TradeRequest },
): TradeCard {
  const { state, settings, atMs } = context;
  const { draft, walk } = drafted;
  const book = state.live.books.get(market.conditionId);
  const rest =
    draft.spend === null ? subShares(draft.size, walk.shares) : (0 as typeof walk.shares);
  const restMoney =
    draft.side === "buy" ? costCeil(draft.limit, rest) : costFloor(draft.limit, rest);
  const isLimit = draft.timeInForce === "gtc" || draft.timeInForce === "gtd";
  const rests = isLimit && draft.immediate !== true;
  const money = rests ? addUsd(walk.money, restMoney) : walk.money;
  const cardShares = rests ? draft.size : walk.shares;
  const reserved = feeReserved(market.fee, walk.money, walk.shares);
  // A better price than shown costs a higher fee on more shares: the bound holds at every price inside the limit.
  const outlay = worstCaseUsd(state, draft);
  const edit = openEdit(state, market.conditionId);
  return {
    nonce,
    createdAtMs: atMs,
    expiresAtMs: atMs + settings.cardTtlMs,
    mode: settings.mode,
    conditionId: market.conditionId,
    question: market.question,
    outcome: draft.outcome,
    outcomeName: market.outcomes[draft.outcome].name,
    side: draft.side,
    timeInForce: draft.timeInForce,
    goodTillMs: drafted.goodTillMs,
    tickSize: market.tickSize,
    limit: draft.limit,
    money,
    shares: cardShares,
    matchesNow: walk.shares,
    worst: walk.worst,
    best: bestOf(book, draft) ?? walk.best,
    fee: walk.fee,
    feeReserved: reserved,
    maxSpend: outlay,
    maxLoss: outlay,
    paysIfWin: draft.side === "buy" ? payoff(cardShares) : (0 as Usd),
    riskAfter: riskAfter(state, settings, [draft]),
    bookAgeMs: book === undefined ? 0 : ageMs(book, atMs),
    amountCutFrom: drafted.amountCutFrom,
    ...(draft.immediate === true ? { immediate: true as const } : {}),
    ...(edit !== null && { rulesEditedAtMs: edit.atMs }),
    ...(market.window !== undefined && { window: market.window }),
    request,
  };
}

/** The best price to trade against now, also where the limit does not reach it and the walk took nothing. */
function bestOf(book: MarketBook | undefined, draft: OrderDraft): Price | null {
  if (book === undefined) return null;
  return bestPrice(book.ladder, draft.outcome, draft.side === "buy" ? "sell" : "buy");
}

/**
 * What the caps and the cash will look like when every draft takes its worst case: a buy all it can spend, a sale its
 * limit and its highest fee. What a sale releases is a forecast for the card; the gate counts it once it is filled.
 */
export function riskAfter(
  state: EngineState,
  settings: EngineSettings,
  drafts: readonly OrderDraft[],
): RiskAfter {
  const now = exposureOf(state);
  const first = drafts[0];
  let more = 0;
  let spent = 0;
  let onToken = 0;
  let onMarket = 0;
  let onEvent = 0;
  const event = first === undefined ? "" : eventOf(state, first.conditionId);
  for (const draft of drafts) {
    const worst = draft.side === "buy" ? worstCaseUsd(state, draft) : -costOfSale(state, draft);
    more += worst;
    spent += draft.side === "buy" ? worst : -leastProceeds(state, draft);
    if (draft.tokenId === first?.tokenId) onToken += worst;
    if (draft.conditionId === first?.conditionId) onMarket += worst;
    if (eventOf(state, draft.conditionId) === event) onEvent += worst;
  }
  const tokenNow = first === undefined ? 0 : (now.byToken.get(first.tokenId) ?? 0);
  const marketNow = first === undefined ? 0 : (now.byMarket.get(first.conditionId) ?? 0);
  const onEventAfter = usd((eventExposure(state, now.byMarket).get(event) ?? 0) + onEvent);
  return {
    outcomeUsd: usd(tokenNow + onToken),
    outcomeCapUsd: settings.risk.maxExposurePerOutcomeUsd,
    marketUsd: usd(marketNow + onMarket),
    marketCapUsd: settings.risk.maxExposurePerMarketUsd,
    eventUsd: onEventAfter,
    eventCapUsd: settings.risk.maxExposurePerEventUsd,
    // Both are bounds: that of a sale that fills, and that of one that may or may not.
    eventWorstUsd: usd(Math.min(onEventAfter, worstLossOfEvent(state, event, drafts))),
    totalUsd: usd(now.total + more),
    totalCapUsd: settings.risk.maxExposureTotalUsd,
    cashLeftUsd: usd(Math.max(0, freeCash(state) - spent)),
  };
}

/** The part of a position's cost that goes with the shares of a sale. */
function costOfSale(state: EngineState, draft: OrderDraft): number {
  const position = state.positions.get(draft.tokenId);
  if (position === undefined) return 0;
  const held = position.confirmed - position.provisionalSold + position.provisionalBought;
  if (held <= 0) return 0;
  return mulDivFloor(Math.max(0, position.cost), Math.min(draft.size, held), held);
}

function leastProceeds(state: EngineState, draft: OrderDraft): number {
  return Math.max(0, costFloor(draft.limit, draft.size) - feeReserveFor(state, draft));
}

/** The reservation for fees that an approved draft carries. */
export function feeReserveFor(state: EngineState, draft: OrderDraft): Usd {
  return feeReserveOf(state.markets.get(draft.conditionId), draft);
}
