import type { EventSpec, Exchange, MarketState } from "../types.ts";
import { compareRows, type KeysetRow, keysetPage, type MoreRows } from "./gamma-keyset.ts";
import { type GammaShape, gammaEvent, gammaMarket, isClosed } from "./gamma-market.ts";
import { searchEvents } from "./gamma-search.ts";
import { gammaConditionId } from "./ids.ts";
import type { JsonObject } from "./json.ts";
import type { SyntheticListing } from "./synthetic-listing.ts";

export type MountAnswer = { readonly status: number; readonly body: unknown };
/** Answers a path below its mount; null for a path it does not know (the server answers 404). */
export type MountHandler = (path: string, query: URLSearchParams) => MountAnswer | null;

const DEFAULT_LIMIT = 20;
/** The venue's offset lists stop at 500 rows, its search at 100. */
const MAX_OFFSET_LIMIT = 500;
const MAX_SEARCH_LIMIT = 100;

type Source = {
  readonly exchange: Exchange;
  /** Live additions to an event's eventMetadata, or null. */
  readonly metadata: (eventId: string) => JsonObject | null;
  /** Many markets without books, for readers of the listings; they are not part of the search. */
  readonly synthetic?: SyntheticListing;
};

type Row = KeysetRow<GammaShape>;

function answer(body: unknown): MountAnswer {
  return { status: 200, body };
}

function refuse(status: number, error: string): MountAnswer {
  return { status, body: { type: status === 404 ? "not found error" : "validation error", error } };
}

/** Values of a filter that may be repeated or comma-separated; null when it is not given. */
function filterValues(query: URLSearchParams, ...names: string[]): Set<string> | null {
  const values = names.flatMap((name) => query.getAll(name)).flatMap((value) => value.split(","));
  return values.length === 0 ? null : new Set(values.map((value) => value.trim()));
}

function flag(query: URLSearchParams, name: string): boolean | null {
  const value = query.get(name);
  return value === "true" ? true : value === "false" ? false : null;
}

function wholeNumber(query: URLSearchParams, name: string, fallback: number): number {
  const value = Number(query.get(name) ?? fallback);
  return Number.isInteger(value) && value >= 0 ? value : fallback;
}

function marketMatches(state: MarketState, query: URLSearchParams): boolean {
  const { spec } = state;
  const ids = filterValues(query, "id");
  const slugs = filterValues(query, "slug");
  const conditions = filterValues(query, "condition_ids", "condition_id");
  const tokens = filterValues(query, "clob_token_ids", "position_ids");
  const questions = filterValues(query, "question_ids");
  const tags = filterValues(query, "tag", "tag_slug", "tag_id");
  const closed = flag(query, "closed");
  const shown = gammaConditionId(spec.conditionId, spec.version);
  return (
    (ids === null || ids.has(spec.gammaId)) &&
    (slugs === null || slugs.has(spec.slug)) &&
    (conditions === null || conditions.has(spec.conditionId) || conditions.has(shown)) &&
    (tokens === null || spec.outcomes.some(({ tokenId }) => tokens.has(tokenId))) &&
    (questions === null || questions.has(spec.questionId)) &&
    (tags === null || spec.tags.some((tag) => tags.has(tag))) &&
    (closed === null || closed === isClosed(state)) &&
    flag(query, "active") !== false &&
    flag(query, "archived") !== true
  );
}

function eventMatches(
  event: EventSpec,
  states: readonly MarketState[],
  query: URLSearchParams,
): boolean {
  const ids = filterValues(query, "id");
  const slugs = filterValues(query, "slug");
  const tags = filterValues(query, "tag", "tag_slug", "tag_id");
  const closed = flag(query, "closed");
  return (
    (ids === null || ids.has(event.id)) &&
    (slugs === null || slugs.has(event.slug)) &&
    (tags === null || event.tags.some((tag) => tags.has(tag))) &&
    (closed === null || closed === states.every(isClosed)) &&
    flag(query, "active") !== false &&
    flag(query, "archived") !== true
  );
}

/** Value that `order=` sorts by before the id; the id alone for "id" and for unknown names. */
function sortKey(volume: number, endDate: string, order: string): number | null {
  if (/^(?:volume|liquidity)/i.test(order)) return volume;
  return /^end_?date$/i.test(order) ? Date.parse(endDate) : null;
}

/** The synthetic markets stand in the plain listing of what is open, by id; no filter or other order knows them. */
function listedTogether(
  synthetic: SyntheticListing | undefined,
  query: URLSearchParams,
): MoreRows | null {
  const plain = [...query.keys()].every((name) =>
    ["limit", "closed", "after_cursor", "order", "ascending"].includes(name),
  );
  const byId = (query.get("order") ?? "id") === "id";
  return plain && byId && query.get("closed") !== "true" ? (synthetic?.rowsAfter ?? null) : null;
}

class Gamma {
  private readonly source: Source;

  constructor(source: Source) {
    this.source = source;
  }

  marketRow(state: MarketState, order: string | null): Row {
    const event = this.eventOf(state);
    const { gammaId, volume, endDate } = state.spec;
    return {
      id: gammaId,
      key: order === null ? null : sortKey(Number(volume), endDate, order),
      json: (shape) => ({
        ...gammaMarket(state, shape),
        events: event === null ? [] : [this.eventJson(event, this.marketsOf(event))],
      }),
    };
  }

  eventRow(event: EventSpec, order: string | null): Row {
    const states = this.marketsOf(event);
    const volume = states.reduce((sum, { spec }) => sum + Number(spec.volume), 0);
    return {
      id: event.id,
      key: order === null ? null : sortKey(volume, event.endDate, order),
      json: (shape) => ({
        ...this.eventJson(event, states),
        markets: states.map((state) => gammaMarket(state, shape)),
      }),
    };
  }

  markets(query: URLSearchParams): Row[] {
    const order = query.get("order");
    return this.source.exchange
      .markets()
      .filter((state) => marketMatches(state, query))
      .map((state) => this.marketRow(state, order));
  }

  events(query: URLSearchParams): Row[] {
    const order = query.get("order");
    return this.source.exchange
      .events()
      .filter((event) => eventMatches(event, this.marketsOf(event), query))
      .map((event) => this.eventRow(event, order));
  }

  eventPage(query: URLSearchParams): MountAnswer {
    const { synthetic } = this.source;
    return keysetPage(this.events(query), query, "events", listedTogether(synthetic, query));
  }

  search(query: URLSearchParams): MountAnswer {
    const perPage = Math.max(
      1,
      Math.min(MAX_SEARCH_LIMIT, wholeNumber(query, "limit_per_type", DEFAULT_LIMIT)),
    );
    const page = Math.max(1, wholeNumber(query, "page", 1));
    const status = query.get("events_status");
    const keepClosed = wholeNumber(query, "keep_closed_markets", 1) !== 0;
    const hits = searchEvents(query.get("q") ?? "", this.source.exchange.events(), (event) =>
      this.marketsOf(event),
    ).filter(({ markets }) => {
      const closed = markets.every(isClosed);
      return status === "active" ? !closed : status === "closed" ? closed : true;
    });
    const from = (page - 1) * perPage;
    const events = hits.slice(from, from + perPage).map(({ event, markets }) => ({
      ...this.eventJson(event, markets),
      markets: markets
        .filter((state) => keepClosed || !isClosed(state))
        .map((state) => gammaMarket(state, { arrays: false })),
    }));
    const pagination = { hasMore: from + perPage < hits.length, totalResults: hits.length };
    return answer({ events, tags: [], profiles: [], pagination });
  }

  private eventJson(event: EventSpec, states: readonly MarketState[]): Record<string, unknown> {
    return gammaEvent(event, states, { metadata: this.source.metadata(event.id) });
  }

  private eventOf(state: MarketState): EventSpec | null {
    return this.source.exchange.events().find(({ id }) => id === state.spec.eventId) ?? null;
  }

  private marketsOf(event: EventSpec): MarketState[] {
    return event.conditionIds
      .map((conditionId) => this.source.exchange.market(conditionId))
      .filter((state) => state !== null);
  }
}

function offsetPage(rows: readonly Row[], query: URLSearchParams): MountAnswer {
  const limit = Math.min(MAX_OFFSET_LIMIT, wholeNumber(query, "limit", DEFAULT_LIMIT));
  const offset = wholeNumber(query, "offset", 0);
  const ordered =
    query.get("order") === null
      ? rows
      : rows.toSorted((a, b) => compareRows(a, b, query.get("ascending") === "true"));
  return answer(ordered.slice(offset, offset + limit).map((row) => row.json({ arrays: false })));
}

function single(rows: readonly Row[], what: string): MountAnswer {
  const row = rows[0];
  return row === undefined ? refuse(404, `${what} not found`) : answer(row.json({ arrays: false }));
}

/**
 * Gamma's read side over an exchange: listings by offset and by cursor, single look-ups and the public search, in
 * the shapes of recorded answers.
 */
export function createGammaHandler(source: Source): MountHandler {
  const gamma = new Gamma(source);
  return (rawPath, query) => {
    const path = rawPath.replace(/^\/gamma(?=\/|$)/, "").replace(/\/+$/, "");
    if (path === "/markets") return offsetPage(gamma.markets(query), query);
    if (path === "/markets/keyset") return keysetPage(gamma.markets(query), query, "markets", null);
    if (path === "/events") return offsetPage(gamma.events(query), query);
    if (path === "/events/keyset") return gamma.eventPage(query);
    if (path === "/public-search") return gamma.search(query);
    const one = /^\/(markets|events)\/(slug\/)?([^/]+)$/.exec(path);
    if (one === null) return null;
    const key = new URLSearchParams({
      [one[2] === undefined ? "id" : "slug"]: decodeURIComponent(one[3] ?? ""),
    });
    return one[1] === "markets"
      ? single(gamma.markets(key), "market")
      : single(gamma.events(key), "event");
  };
}
