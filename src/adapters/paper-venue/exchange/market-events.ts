import type { EventSpec } from "../types.ts";
import type { Market } from "./market.ts";
import type { OutcomeIndex } from "./records.ts";

/** Life-cycle frames of the market channel, sent only to connections with the custom feature. */

function eventMessage(event: EventSpec | null): Record<string, unknown> {
  return {
    id: event?.id ?? "",
    ticker: event?.slug ?? "",
    slug: event?.slug ?? "",
    title: event?.title ?? "",
    description: event?.description ?? "",
  };
}

export function newMarketFrame(
  market: Market,
  event: EventSpec | null,
  nowMs: number,
): Record<string, unknown> {
  const { spec } = market;
  const tokens = spec.outcomes.map((outcome) => outcome.tokenId);
  return {
    id: spec.gammaId,
    question: spec.question,
    market: spec.conditionId,
    condition_id: spec.conditionId,
    slug: spec.slug,
    description: spec.description,
    assets_ids: tokens,
    clob_token_ids: tokens,
    outcomes: spec.outcomes.map((outcome) => outcome.name),
    event_message: eventMessage(event),
    tags: [...spec.tags],
    active: true,
    sports_market_type: "",
    line: "",
    game_start_time: "",
    order_price_min_tick_size: market.book.tickSize,
    group_item_title: spec.groupItemTitle,
    taker_base_fee: spec.feeRate === null ? "0" : "1000",
    fees_enabled: spec.feeRate !== null,
    fee_schedule:
      spec.feeRate === null
        ? ""
        : { rate: spec.feeRate, exponent: "1", taker_only: true, rebate_rate: spec.rebateRate },
    timestamp: String(nowMs),
    event_type: "new_market",
  };
}

export function marketResolvedFrame(
  market: Market,
  winner: OutcomeIndex,
  event: EventSpec | null,
  nowMs: number,
): Record<string, unknown> {
  return {
    id: market.spec.gammaId,
    market: market.id,
    assets_ids: market.spec.outcomes.map((outcome) => outcome.tokenId),
    winning_asset_id: market.token(winner),
    winning_outcome: market.spec.outcomes[winner].name,
    event_message: eventMessage(event),
    timestamp: String(nowMs),
    tags: [...market.spec.tags],
    event_type: "market_resolved",
  };
}

export function tickSizeFrame(
  market: Market,
  outcome: OutcomeIndex,
  oldTickSize: string,
): Record<string, unknown> {
  return {
    event_type: "tick_size_change",
    market: market.id,
    asset_id: market.token(outcome),
    old_tick_size: oldTickSize,
    new_tick_size: market.book.tickSize,
    timestamp: String(market.book.timestampMs),
  };
}
