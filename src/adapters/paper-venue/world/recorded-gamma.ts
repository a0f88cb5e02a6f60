import type { EventSpec, MarketSpec } from "../types.ts";
import { WorldError } from "./errors.ts";
import { isObject, type JsonObject, stringList, text } from "./json.ts";
import { type RecordedBook, tickOfLevels } from "./recorded-book.ts";
import { liveEnd, shiftIso, shiftTimes } from "./recorded-time.ts";

export type RecordedMarket = {
  readonly spec: MarketSpec;
  /** The event named in the Gamma object; its condition ids are filled in when all its markets are known. */
  readonly event: EventSpec;
};

/**
 * A market and its event from a recorded Gamma object. All times move by now minus the book's own time (the
 * object's `updatedAt` when the book has none). Throws `WorldError` for a market this venue cannot trade.
 */
export function marketFromGamma(
  gamma: JsonObject,
  book: RecordedBook,
  nowMs: number,
): RecordedMarket {
  const conditionId = text(gamma, "conditionId");
  const version = text(gamma, "version") === "v2" ? "v2" : "v1";
  const tokens = stringList(version === "v2" ? gamma["positionIds"] : gamma["clobTokenIds"]);
  const names = stringList(gamma["outcomes"]);
  const [token0, token1] = tokens;
  if (conditionId === "" || token0 === undefined || token1 === undefined || names.length !== 2)
    throw new WorldError(`Gamma object ${text(gamma, "id")}: not a market with two outcome tokens`);
  const recordedMs = book.timestampMs ?? Date.parse(text(gamma, "updatedAt"));
  const shiftMs = Number.isNaN(recordedMs) ? 0 : nowMs - recordedMs;
  const closed = gamma["closed"] === true;
  const recordedEnd = text(gamma, "endDate");
  const endDate = closed ? shiftIso(recordedEnd, shiftMs) : liveEnd(recordedEnd, shiftMs, nowMs);
  const event = eventFromGamma(gamma, shiftMs, nowMs);
  const start = text(gamma, "eventStartTime");
  const shifted = shiftTimes(gamma, shiftMs);
  return {
    event,
    spec: {
      conditionId: version === "v2" ? conditionId.padEnd(66, "0") : conditionId,
      questionId: text(gamma, "questionID"),
      gammaId: text(gamma, "id"),
      slug: text(gamma, "slug"),
      question: text(gamma, "question"),
      description: text(gamma, "description"),
      outcomes: [
        { tokenId: token0, name: names[0] ?? "" },
        { tokenId: token1, name: names[1] ?? "" },
      ],
      tickSize:
        book.tickSize ||
        text(gamma, "orderPriceMinTickSize") ||
        tickOfLevels([...book.book.bids, ...book.book.asks]),
      minOrderSize: book.minOrderSize,
      negRisk: book.negRisk ?? gamma["negRisk"] === true,
      negRiskMarketId: text(gamma, "negRiskMarketID") || null,
      negRiskOther: gamma["negRiskOther"] === true,
      groupItemTitle: text(gamma, "groupItemTitle"),
      eventId: event.id,
      ...feeFromGamma(gamma),
      version,
      endDate,
      eventStartTime: start === "" ? null : text(shifted, "eventStartTime"),
      acceptingOrders: !closed && gamma["acceptingOrders"] === true,
      closed,
      secondsDelay: Number(text(gamma, "secondsDelay") || "0"),
      tags: [],
      volume: text(gamma, "volume") || "0",
      recordedGamma: withEnd(shifted, endDate),
    },
  };
}

function withEnd(shifted: Record<string, unknown>, endDate: string): JsonObject {
  return { ...shifted, endDate, endDateIso: endDate.slice(0, 10) };
}

function feeFromGamma(gamma: JsonObject): Pick<MarketSpec, "feeRate" | "feeType" | "rebateRate"> {
  const schedule = gamma["feeSchedule"];
  if (gamma["feesEnabled"] !== true || !isObject(schedule))
    return { feeRate: null, feeType: "zero_fees", rebateRate: "0" };
  const rate = text(schedule, "rate");
  return {
    feeRate: rate === "0" || rate === "" ? null : rate,
    feeType: text(gamma, "feeType"),
    rebateRate: text(schedule, "rebateRate") || "0",
  };
}

function eventFromGamma(gamma: JsonObject, shiftMs: number, nowMs: number): EventSpec {
  const events = gamma["events"];
  const event: unknown = Array.isArray(events) ? events[0] : undefined;
  if (!isObject(event)) {
    // A market without an event gets one of its own, so that every market has a title page.
    return {
      id: `m${text(gamma, "id")}`,
      slug: text(gamma, "slug"),
      title: text(gamma, "question"),
      description: text(gamma, "description"),
      negRisk: gamma["negRisk"] === true,
      negRiskAugmented: false,
      negRiskMarketId: text(gamma, "negRiskMarketID") || null,
      endDate: liveEnd(text(gamma, "endDate"), shiftMs, nowMs),
      tags: [],
      conditionIds: [],
      metadata: null,
    };
  }
  const endDate = liveEnd(text(event, "endDate"), shiftMs, nowMs);
  const metadata = event["eventMetadata"];
  return {
    id: text(event, "id"),
    slug: text(event, "slug"),
    title: text(event, "title"),
    description: text(event, "description"),
    negRisk: event["enableNegRisk"] === true,
    negRiskAugmented: event["negRiskAugmented"] === true,
    negRiskMarketId: text(event, "negRiskMarketID") || null,
    endDate,
    tags: [],
    conditionIds: [],
    metadata: isObject(metadata) ? metadata : null,
    recordedGamma: { ...shiftTimes(event, shiftMs), endDate },
  };
}
