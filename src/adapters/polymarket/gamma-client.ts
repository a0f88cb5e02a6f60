import type { Market, MarketGroup } from "../../engine/domain/market.ts";
import { unreachable } from "../../engine/lib/assert.ts";
import { AdapterError } from "../../engine/lib/errors.ts";
import { err, ok, type Result } from "../../engine/lib/result.ts";
import {
  type CatalogPort,
  type CatalogQuery,
  maxReadAtOnce,
  type PageFailure,
  type PageRequest,
} from "../../engine/ports/catalog.ts";
import type { Log } from "../../engine/ports/system.ts";
import type {
  CatalogAnswer,
  CatalogPage,
  ListedMarket,
} from "../../engine/protocol/venue-report.ts";
import { errorText, getRepeatedly } from "./clob-client.ts";
import type { HttpAnswer, HttpClient } from "./http-client.ts";
import { listedOf, type MarketRefusal, parseGammaEvent, parseGammaMarket } from "./parse-gamma.ts";
import { arrayOf, conditionIdOf, type Fields, fieldsOf, freeText, jsonOf } from "./wire.ts";

/** A page of events with all their markets can hold several megabytes. */
const pageLimit = 32 * 1024 * 1024;
const pageSize = 100;
const maxPages = 200;
/** Events that are read to rank markets, and groups that are completed for one answer. */
const topEvents = 50;
const maxGroups = 20;
const maxQueryLength = 200;

export type GammaClientOptions = {
  readonly http: HttpClient;
  readonly log: Log;
};

export type GammaClient = CatalogPort & {
  /** Markets left out so far, by reason. */
  readonly refusals: () => Readonly<Record<string, number>>;
  readonly close: () => Promise<void>;
};

/** A read that gave no usable answer. */
class CatalogError extends AdapterError {
  override readonly name = "CatalogError";
}

/** Market metadata from Gamma. All reads are bounded in pages, bytes and time and are repeated at most twice. */
export function createGammaClient(options: GammaClientOptions): GammaClient {
  const gamma = new Gamma(options);
  return {
    find: (query, limit) => gamma.guard(() => gamma.find(query, limit)),
    openMarkets: (maxMarkets) => gamma.guard(() => gamma.openMarkets(maxMarkets)),
    page: (request) => gamma.page(request),
    read: (conditionIds) => gamma.guard(() => gamma.read(conditionIds)),
    refusals: () => Object.fromEntries(gamma.refused),
    close: () => options.http.close(),
  };
}

/** Markets and groups of one answer; a market stays the first that was read. */
class Collection {
  readonly markets = new Map<string, Market>();
  readonly groups = new Map<string, MarketGroup>();

  answer(limit: number): CatalogAnswer {
    const markets = [...this.markets.values()].slice(0, limit);
    const wanted = new Set(markets.map((market) => market.groupId));
    const groups = [...this.groups.values()].filter((group) => wanted.has(group.groupId));
    return { markets, groups };
  }
}

class Gamma {
  readonly refused = new Map<MarketRefusal, number>();
  readonly #options: GammaClientOptions;

  constructor(options: GammaClientOptions) {
    this.#options = options;
  }

  async guard<T>(read: () => Promise<T>): Promise<Result<T, string>> {
    try {
      return ok(await read());
    } catch (error) {
      if (!(error instanceof AdapterError)) throw error;
      return err(error.message);
    }
  }

  async find(query: CatalogQuery, limit: number): Promise<CatalogAnswer> {
    const value = query.value.trim().slice(0, maxQueryLength);
    const found = new Collection();
    switch (query.by) {
      case "slug": {
        const market = await this.#object(`/markets/slug/${encodeURIComponent(value)}`, "");
        if (market !== null) await this.#addMarket(found, market);
        break;
      }
      case "conditionId":
        await this.#findByCondition(found, value);
        break;
      case "eventSlug": {
        const event = await this.#object(`/events/slug/${encodeURIComponent(value)}`, "");
        if (event !== null) this.#addEvent(found, event);
        break;
      }
      case "tag": {
        const tag = encodeURIComponent(value);
        const page = await this.#object(
          "/events/keyset",
          `limit=${topEvents}&tag_slug=${tag}&closed=false`,
        );
        for (const event of arrayOf(page?.["events"]) ?? []) this.#addEvent(found, event);
        return this.#rank(found, null).answer(limit);
      }
      case "words": {
        const text = `q=${encodeURIComponent(value)}&limit_per_type=${Math.min(limit, topEvents)}`;
        const answer = await this.#object("/public-search", `${text}&events_status=active`);
        for (const event of arrayOf(answer?.["events"]) ?? []) this.#addEvent(found, event);
        return this.#rank(found, value).answer(limit);
      }
      case "top": {
        const order = "order=volume24hr&ascending=false&closed=false";
        const page = await this.#object("/events/keyset", `limit=${topEvents}&${order}`);
        for (const event of arrayOf(page?.["events"]) ?? []) this.#addEvent(found, event);
        return this.#rank(found, null).answer(limit);
      }
      default:
        return unreachable(query);
    }
    return found.answer(limit);
  }

  /** All open events page by page; stops at the bound of markets, at the last page, or at 200 pages. */
  async openMarkets(maxMarkets: number): Promise<CatalogAnswer> {
    const found = new Collection();
    let cursor = "";
    for (let page = 0; page < maxPages && found.markets.size < maxMarkets; page++) {
      const after = cursor === "" ? "" : `&after_cursor=${encodeURIComponent(cursor)}`;
      const answer = await this.#object("/events/keyset", `limit=${pageSize}&closed=false${after}`);
      if (answer === null) throw failed("/events/keyset", "not found");
      for (const event of arrayOf(answer["events"]) ?? []) this.#addEvent(found, event);
      const next = freeText(answer["next_cursor"]);
      if (next === "" || next === cursor) break;
      cursor = next;
    }
    return found.answer(maxMarkets);
  }

  /** One page of the open events. A cursor that Gamma does not take says so, so that the listing is begun anew. */
  async page(request: PageRequest): Promise<Result<CatalogPage, PageFailure>> {
    const order = request.newestFirst ? "&order=id&ascending=false" : "";
    const after =
      request.cursor === null ? "" : `&after_cursor=${encodeURIComponent(request.cursor)}`;
    const query = `limit=${request.events}&closed=false${order}${after}`;
    try {
      const answer = await this.#get("/events/keyset", query);
      if (request.cursor !== null && cursorRefusals.has(answer.status)) {
        return err({ kind: "cursor", detail: errorText(answer) });
      }
      const fields = answer.status === 200 ? fieldsOf(jsonOf(answer.body)) : null;
      if (fields === null) return err({ kind: "failed", detail: errorText(answer) });
      return ok(this.#pageOf(fields, request.cursor));
    } catch (error) {
      if (!(error instanceof AdapterError)) throw error;
      return err({ kind: "failed", detail: error.message });
    }
  }

  #pageOf(fields: Fields, cursor: string | null): CatalogPage {
    const listed: ListedMarket[] = [];
    const groups: MarketGroup[] = [];
    for (const item of arrayOf(fields["events"]) ?? []) {
      const event = fieldsOf(item);
      if (event === null) {
        this.#refuse("bad_shape");
        continue;
      }
      const read = parseGammaEvent(event);
      for (const reason of read.refused) this.#refuse(reason);
      listed.push(...read.listed);
      if (read.group !== null) groups.push(read.group);
    }
    const next = freeText(fields["next_cursor"]);
    // A page that names itself as the next one would be read for ever.
    return { listed, groups, next: next === "" || next === cursor ? null : next };
  }

  /** Two requests at most: the listing leaves closed markets out unless they are asked for. */
  async read(conditionIds: readonly string[]): Promise<readonly ListedMarket[]> {
    const found = new Map<string, ListedMarket>();
    const wanted = new Set(conditionIds.slice(0, maxReadAtOnce));
    for (const closed of ["", "&closed=true"]) {
      const missing = [...wanted].filter((id) => !found.has(id));
      if (missing.length === 0) break;
      const names = missing.flatMap(namesOf).map((name) => `condition_ids=${name}`);
      const limit = `limit=${2 * maxReadAtOnce}`;
      const answer = await this.#value("/markets", `${names.join("&")}&${limit}${closed}`);
      for (const item of arrayOf(answer) ?? []) {
        const fields = fieldsOf(item);
        const market = fields === null ? null : parseGammaMarket(fields);
        if (market?.ok === false) this.#refuse(market.error);
        if (fields === null || market?.ok !== true) continue;
        const event = fieldsOf(arrayOf(fields["events"])?.[0]);
        const { conditionId } = market.value;
        if (wanted.has(conditionId)) found.set(conditionId, listedOf(market.value, fields, event));
      }
    }
    return [...found.values()];
  }

  async #findByCondition(found: Collection, value: string): Promise<void> {
    const conditionId = conditionIdOf(value);
    if (conditionId === null) return;
    const query = namesOf(conditionId)
      .map((name) => `condition_ids=${name}`)
      .join("&");
    // The listing leaves closed markets out unless they are asked for.
    for (const closed of ["", "&closed=true"]) {
      const answer = await this.#value("/markets", `${query}${closed}`);
      for (const item of arrayOf(answer) ?? []) {
        const fields = fieldsOf(item);
        if (fields !== null && conditionIdOf(fields["conditionId"]) === conditionId) {
          await this.#addMarket(found, fields);
          return;
        }
      }
    }
  }

  /** A market alone does not name its group's other outcomes: its event does. */
  async #addMarket(found: Collection, fields: Fields): Promise<void> {
    const market = parseGammaMarket(fields);
    if (!market.ok) {
      this.#refuse(market.error);
      return;
    }
    found.markets.set(market.value.conditionId, market.value);
    const slug = freeText(fieldsOf(arrayOf(fields["events"])?.[0])?.["slug"]);
    if (market.value.groupId === null || slug === "" || found.groups.size >= maxGroups) return;
    const event = await this.#object(`/events/slug/${encodeURIComponent(slug)}`, "");
    if (event !== null) this.#addEvent(found, event);
  }

  #addEvent(found: Collection, item: unknown): void {
    const fields = fieldsOf(item);
    if (fields === null) {
      this.#refuse("bad_shape");
      return;
    }
    const event = parseGammaEvent(fields);
    for (const reason of event.refused) this.#refuse(reason);
    for (const market of event.markets) {
      if (!found.markets.has(market.conditionId)) found.markets.set(market.conditionId, market);
    }
    if (event.group !== null) found.groups.set(event.group.groupId, event.group);
  }

  /** Tradable first, then (for words) those that hold all of them, then by volume. */
  #rank(found: Collection, words: string | null): Collection {
    const wanted = words === null ? [] : words.toLowerCase().split(/\s+/);
    const scored = [...found.markets.values()].map((market) => {
      const text = `${market.question} ${market.groupTitle ?? ""} ${market.slug}`.toLowerCase();
      const hits = wanted.filter((word) => text.includes(word)).length;
      return { market, score: [market.tradable ? 1 : 0, hits, market.volumeUsd ?? 0] as const };
    });
    scored.sort((a, b) => compareDescending(a.score, b.score));
    found.markets.clear();
    for (const { market } of scored) found.markets.set(market.conditionId, market);
    return found;
  }

  #refuse(reason: MarketRefusal): void {
    this.refused.set(reason, (this.refused.get(reason) ?? 0) + 1);
  }

  /** A JSON object, or null when Gamma does not know it (404). @throws CatalogError */
  async #object(path: string, query: string): Promise<Fields | null> {
    const value = await this.#value(path, query);
    if (value === null) return null;
    const fields = fieldsOf(value);
    if (fields === null) throw failed(path, "an answer of another shape");
    return fields;
  }

  async #value(path: string, query: string): Promise<unknown> {
    const answer = await this.#get(path, query);
    if (answer.status === 404) return null;
    const value = answer.status === 200 ? jsonOf(answer.body) : undefined;
    if (value === undefined) throw failed(path, errorText(answer));
    return value;
  }

  #get(path: string, query: string): Promise<HttpAnswer> {
    const { http } = this.#options;
    return getRepeatedly(() => http.request({ method: "GET", path, query, maxBytes: pageLimit }));
  }
}

/** Answers to a cursor that is none. */
const cursorRefusals: ReadonlySet<number> = new Set([400, 404, 422]);

function compareDescending(a: readonly number[], b: readonly number[]): number {
  for (const [i, value] of a.entries()) {
    const other = b[i] ?? 0;
    if (value !== other) return other - value;
  }
  return 0;
}

/** Gamma names v2 markets by 62 digits, which we pad to 64. */
function namesOf(conditionId: string): string[] {
  return conditionId.endsWith("00") ? [conditionId, conditionId.slice(0, -2)] : [conditionId];
}

function failed(path: string, detail: string): CatalogError {
  return new CatalogError("GAMMA_FAILED", `gamma ${path}: ${detail}`, {
    outcome: "unknown",
    retryable: true,
  });
}
