import { type FeeSchedule, noFee } from "../../engine/domain/fees.ts";
import type { Market, MarketGroup, OutcomeToken } from "../../engine/domain/market.ts";
import { parseRate, type Usd } from "../../engine/domain/numbers.ts";
import { err, ok, type Result } from "../../engine/lib/result.ts";
import type { ListedMarket } from "../../engine/protocol/venue-report.ts";
import { priceOf, sizeOf } from "./parse-book.ts";
import { tickOf } from "./parse-market-frame.ts";
import { strikeOf, windowOf } from "./parse-window.ts";
import { ruleHash } from "./rule-hash.ts";
import {
  arrayOf,
  conditionIdOf,
  type Fields,
  fieldsOf,
  freeText,
  listOf,
  textOf,
  tokenIdOf,
} from "./wire.ts";

/** Why a market of Gamma cannot be traded here. A closed set: it labels a counter. */
export type MarketRefusal =
  | "bad_shape"
  | "bad_condition"
  | "unknown_version"
  | "not_binary"
  | "bad_tokens"
  | "bad_tick"
  | "bad_min_size"
  | "bad_fee"
  | "fee_exponent";

/** The group of a market and what its titles say, from the event that carries it. */
export type EventHead = {
  readonly groupId: string | null;
  readonly title: string | null;
  /** Outcomes may be added later. */
  readonly augmented: boolean;
  /** Price to beat of an up/down window. */
  readonly strike: Usd | null;
};

/**
 * The venue answers `itode` with true, not with a time. Its documents name 50 ms and 250 ms; the longer one bounds how
 * long an order can neither be filled nor canceled.
 */
const takerDelayBoundMs = 250;
const maxDelayS = 3_600;
const maxNameLength = 500;

/** One Gamma market. `event` is the one that listed it; without it the market's own `events[0]` is used. */
export function parseGammaMarket(fields: Fields, event?: EventHead): Result<Market, MarketRefusal> {
  const conditionId = conditionIdOf(fields["conditionId"]);
  if (conditionId === null) return err("bad_condition");
  const version = fields["version"] ?? "v1";
  if (version !== "v1" && version !== "v2") return err("unknown_version");
  const outcomes = outcomesOf(fields, version);
  if (!outcomes.ok) return outcomes;
  const tickSize = tickOf(fields["orderPriceMinTickSize"]);
  if (tickSize === null) return err("bad_tick");
  const minOrderSize = sizeOf(fields["orderMinSize"]);
  if (minOrderSize === null) return err("bad_min_size");
  const fee = feeOf(fields);
  if (!fee.ok) return fee;
  const head = event ?? eventHeadOf(fieldsOf(arrayOf(fields["events"])?.[0]));
  const window = windowOf(fields, head.strike);
  return ok({
    conditionId,
    slug: freeText(fields["slug"]).slice(0, maxNameLength),
    question: freeText(fields["question"]).slice(0, maxNameLength),
    outcomes: outcomes.value,
    tickSize,
    minOrderSize,
    negRisk: fields["negRisk"] === true,
    fee: fee.value,
    version,
    groupId: head.groupId,
    groupTitle: head.title,
    groupItemTitle: freeText(fields["groupItemTitle"]).slice(0, maxNameLength),
    ...negRiskIdsOf(fields),
    ...winnerOf(fields),
    isOther: fields["negRiskOther"] === true,
    ...(head.augmented && isUnnamed(fields) && { isPlaceholder: true }),
    ruleHash: ruleHash(fields),
    ...(window !== undefined && { window }),
    tradable: isTradable(fields),
    endAtMs: timeOf(fields["endDate"]),
    takerDelayMs: takerDelayOf(fields),
    volumeUsd: wholeUsd(fields["volumeNum"] ?? fields["volume"]),
  });
}

/** Closed, resolved, and one outcome worth exactly a dollar: anything less says nothing about who won. */
function winnerOf(fields: Fields): Pick<Market, "winner"> {
  if (fields["closed"] !== true || fields["umaResolutionStatus"] !== "resolved") return {};
  const prices = listOf(fields["outcomePrices"])
    ?.map((one) => textOf(one) ?? "")
    .join();
  if (prices === "1,0") return { winner: 0 };
  return prices === "0,1" ? { winner: 1 } : {};
}

/** "Person A", "Team AB": what stands for an outcome of an augmented event until it gets its name. */
function isUnnamed(fields: Fields): boolean {
  return /^[A-Z][a-z]+ [A-Z]{1,2}$/.test(freeText(fields["groupItemTitle"]));
}

const bytes32 = /^0x[0-9a-f]{64}$/;

/** A question id is its neg-risk market's id with the index in the last byte; anything else names no question. */
function negRiskIdsOf(fields: Fields): Pick<Market, "negRiskMarketId" | "questionIndex"> {
  const marketId = freeText(fields["negRiskMarketID"]).toLowerCase();
  const questionId = freeText(fields["questionID"]).toLowerCase();
  if (!bytes32.test(marketId) || !bytes32.test(questionId)) return {};
  if (marketId.slice(0, 64) !== questionId.slice(0, 64)) return {};
  return { negRiskMarketId: marketId, questionIndex: Number.parseInt(questionId.slice(64), 16) };
}

/** The version decides which ids are traded, never which field is present: v1 markets may carry position ids too. */
function outcomesOf(
  fields: Fields,
  version: "v1" | "v2",
): Result<readonly [OutcomeToken, OutcomeToken], MarketRefusal> {
  const ids = listOf(fields[version === "v1" ? "clobTokenIds" : "positionIds"]);
  const names = listOf(fields["outcomes"]);
  if (names === null || ids === null) return err("bad_tokens");
  if (names.length !== 2 || ids.length !== 2) return err("not_binary");
  const tokens: OutcomeToken[] = [];
  for (const [i, name] of names.entries()) {
    const tokenId = tokenIdOf(ids[i]);
    if (tokenId === null || typeof name !== "string" || name === "") return err("bad_tokens");
    tokens.push({ tokenId, name: name.slice(0, maxNameLength) });
  }
  const [first, second] = tokens;
  if (first === undefined || second === undefined || first.tokenId === second.tokenId) {
    return err("bad_tokens");
  }
  return ok([first, second]);
}

/** Only the curve with exponent 1 is implemented; an unknown one would misprice every order. */
function feeOf(fields: Fields): Result<FeeSchedule, MarketRefusal> {
  if (fields["feesEnabled"] === false) return ok(noFee);
  const schedule = fieldsOf(fields["feeSchedule"]);
  if (schedule === null) return fields["feesEnabled"] === true ? err("bad_fee") : ok(noFee);
  if (schedule["exponent"] !== undefined && textOf(schedule["exponent"]) !== "1") {
    return err("fee_exponent");
  }
  const text = textOf(schedule["rate"]);
  const rate = text === null ? null : parseRate(text);
  return rate === null ? err("bad_fee") : ok({ rate });
}

function isTradable(fields: Fields): boolean {
  return (
    fields["active"] === true &&
    fields["closed"] === false &&
    fields["archived"] !== true &&
    fields["acceptingOrders"] === true &&
    fields["enableOrderBook"] === true
  );
}

function takerDelayOf(fields: Fields): number {
  const text = textOf(fields["secondsDelay"]);
  const seconds = text === null ? 0 : Number(text);
  const held = seconds > 0 && seconds <= maxDelayS ? Math.ceil(seconds * 1_000) : 0;
  return Math.max(held, fields["itode"] === true ? takerDelayBoundMs : 0);
}

function timeOf(value: unknown): number | null {
  if (typeof value !== "string" || value.length > 40) return null;
  const time = Date.parse(value);
  return Number.isSafeInteger(time) ? time : null;
}

/** Whole dollars; only for ranking and display. */
function wholeUsd(given: unknown): number | null {
  const value = typeof given === "number" || typeof given === "string" ? Number(given) : Number.NaN;
  return value >= 0 && value <= Number.MAX_SAFE_INTEGER ? Math.round(value) : null;
}

/** A group is an event of which exactly one outcome wins; other events only give their title. */
export function eventHeadOf(event: Fields | null): EventHead {
  if (event === null) return { groupId: null, title: null, augmented: false, strike: null };
  const id = textOf(event["id"]);
  const title = freeText(event["title"]).slice(0, maxNameLength);
  return {
    groupId: event["negRisk"] === true && id !== null && id !== "" ? id : null,
    title: title === "" ? null : title,
    augmented: event["negRiskAugmented"] === true,
    strike: strikeOf(event),
  };
}

export type GammaEvent = {
  readonly markets: readonly Market[];
  /** Those of them that are not over yet, with what finds them. */
  readonly listed: readonly ListedMarket[];
  /** Null when the event has no exactly-one-winner rule. */
  readonly group: MarketGroup | null;
  readonly refused: readonly MarketRefusal[];
};

/** One Gamma event with its markets. The group lists every declared market, also those that were refused. */
export function parseGammaEvent(event: Fields): GammaEvent {
  const list = arrayOf(event["markets"]) ?? [];
  const head = eventHeadOf(event);
  const markets: Market[] = [];
  const listed: ListedMarket[] = [];
  const refused: MarketRefusal[] = [];
  const conditionIds: string[] = [];
  const negRiskIds = new Set<string>();
  for (const [i, item] of list.entries()) {
    const fields = fieldsOf(item);
    const market = fields === null ? err("bad_shape" as const) : parseGammaMarket(fields, head);
    if (market.ok) markets.push(market.value);
    else refused.push(market.error);
    if (market.ok && fields !== null && fields["closed"] !== true) {
      listed.push(listedOf(market.value, fields, event));
    }
    // A declared outcome that cannot be named still counts, so that the set can never look complete without it.
    conditionIds.push(conditionIdOf(fields?.["conditionId"]) ?? `unreadable:${i}`);
    const negRiskId = freeText(fields?.["negRiskMarketID"]);
    if (negRiskId !== "") negRiskIds.add(negRiskId);
  }
  if (head.groupId === null || conditionIds.length === 0) {
    return { markets, listed, group: null, refused };
  }
  return {
    markets,
    listed,
    refused,
    group: {
      groupId: head.groupId,
      slug: freeText(event["slug"]).slice(0, maxNameLength),
      title: head.title ?? "",
      negRisk: true,
      // Markets of two neg-risk ids do not exclude each other: as unsafe as a group that may grow.
      augmented: head.augmented || negRiskIds.size > 1,
      conditionIds,
    },
  };
}

/** A market that was read, with what finds it. */
export function listedOf(market: Market, fields: Fields, event: Fields | null): ListedMarket {
  return {
    market,
    eventSlug: freeText(event?.["slug"]).slice(0, maxNameLength),
    tags: tagsOf(event),
    liquidityUsd: wholeUsd(fields["liquidityNum"] ?? fields["liquidity"]),
    bid: priceOf(fields["bestBid"]),
    ask: priceOf(fields["bestAsk"]),
  };
}

const maxTags = 20;
const maxTagLength = 60;

/** Slugs of the event's tags. */
function tagsOf(event: Fields | null): string[] {
  const slugs = (arrayOf(event?.["tags"]) ?? []).map((tag) => freeText(fieldsOf(tag)?.["slug"]));
  const short = slugs.filter((slug) => slug !== "" && slug.length <= maxTagLength);
  return [...new Set(short)].slice(0, maxTags);
}
