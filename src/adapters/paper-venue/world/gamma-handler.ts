import type { EventSpec, Exchange, MarketState } from "../types.ts";
import { type GammaShape, gammaEvent, gammaMarket, isClosed } from "./gamma-market.ts";
import { searchEvents } from "./gamma-search.ts";
import { gammaConditionId } from "./ids.ts";
import type { JsonObject } from "./json.ts";

export type MountAnswer = { readonly status: number; readonly body: unknown };
/** Answers a path below its mount; null for a path it does not know (the server answers 404). */
export type MountHandler = (path: string, query: URLSearchParams) => MountAnswer | null;

const DEFAULT_LIMIT = 20;
/** The venue's offset lists stop at 500 rows, its keyset pages at 100. */
const MAX_OFFSET_LIMIT = 500;
const MAX_KEYSET_LIMIT = 100;

type Source = {
  readonly exchange: Exchange;
  /** Live additions to an event's eventMetadata, or null. */
  readonly metadata: (eventId: string) => JsonObject | null;
};

type Row = { readonly id: string; readonly json: (shape: GammaShape) => unknown };

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

/** Value that `order=` sorts by; unknown names leave the order of listing. */
function sortKey(volume: number, endDate: string, id: string, order: string): number | null {
  if (/^(?:volume|liquidity)/i.test(order)) return volume;
  if (/^end_?date$/i.test(order)) return Date.parse(endDate);
  return order === "id" ? Number(id) : null;
}

class Gamma {
  private readonly source: Source;

  constructor(source: Source) {
    this.source = source;
  }

  marketRow(state: MarketState): Row {
    const event = this.eventOf(state);
    return {
      id: state.spec.gammaId,
      json: (shape) => ({
        ...gammaMarket(state, shape),
        events: event === null ? [] : [this.eventJson(event, this.marketsOf(event))],
      }),
    };
  }

  eventRow(event: EventSpec): Row {
    const states = this.marketsOf(event);
    return {
      id: event.id,
      json: (shape) => ({
        ...this.eventJson(event, states),
        markets: states.map((state) => gammaMarket(state, shape)),
      }),
    };
  }

  markets(query: URLSearchParams): Row[] {
    const found = this.source.exchange.markets().filter((state) => marketMatches(state, query));
    return sorted(found, query, ({ spec }, order) =>
      sortKey(Number(spec.volume), spec.endDate, spec.gammaId, order),
    ).map((state) => this.marketRow(state));
  }

  events(query: URLSearchParams): Row[] {
    const found = this.source.exchange
      .events()
      .filter((event) => eventMatches(event, this.marketsOf(event), query));
    return sorted(found, query, (event, order) => {
      const volume = this.marketsOf(event).reduce((sum, { spec }) => sum + Number(spec.volume), 0);
      return sortKey(volume, event.endDate, event.id, order);
    }).map((event) => this.eventRow(event));
  }

  search(query: URLSearchParams): MountAnswer {
    const perPage = Math.max(
      1,
      Math.min(MAX_KEYSET_LIMIT, wholeNumber(query, "limit_per_type", DEFAULT_LIMIT)),
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

function sorted<T>(
  rows: readonly T[],
  query: URLSearchParams,
  key: (row: T, order: string) => number | null,
): T[] {
  const order = query.get("order");
  if (order === null) return [...rows];
  const sign = query.get("ascending") === "true" ? 1 : -1;
  return rows
    .map((row, index) => ({ row, index, key: key(row, order) ?? 0 }))
    .toSorted((a, b) => sign * (a.key - b.key) || a.index - b.index)
    .map(({ row }) => row);
}

function offsetPage(rows: readonly Row[], query: URLSearchParams): MountAnswer {
  const limit = Math.min(MAX_OFFSET_LIMIT, wholeNumber(query, "limit", DEFAULT_LIMIT));
  const offset = wholeNumber(query, "offset", 0);
  return answer(rows.slice(offset, offset + limit).map((row) => row.json({ arrays: false })));
}

function keysetPage(rows: readonly Row[], query: URLSearchParams, name: string): MountAnswer {
  const limit = Math.max(1, Math.min(MAX_KEYSET_LIMIT, wholeNumber(query, "limit", DEFAULT_LIMIT)));
  const cursor = query.get("after_cursor") ?? "";
  let from = 0;
  if (cursor !== "") {
    const after = Buffer.from(cursor, "base64url").toString("utf8");
    from = rows.findIndex(({ id }) => `id:${id}` === after) + 1;
    if (from === 0) return refuse(422, "invalid after_cursor");
  }
  const page = rows.slice(from, from + limit);
  const last = page.at(-1);
  const more = from + limit < rows.length && last !== undefined;
  const body: Record<string, unknown> = { [name]: page.map((row) => row.json({ arrays: true })) };
  // A missing next_cursor is how the venue says that this was the last page.
  if (more) body["next_cursor"] = Buffer.from(`id:${last.id}`).toString("base64url");
  return answer(body);
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
    if (path === "/markets/keyset") return keysetPage(gamma.markets(query), query, "markets");
    if (path === "/events") return offsetPage(gamma.events(query), query);
    if (path === "/events/keyset") return keysetPage(gamma.events(query), query, "events");
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
