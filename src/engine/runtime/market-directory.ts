import type { ConditionId, Market, MarketGroup, RuleHash } from "../domain/market.ts";
import type { Price } from "../domain/numbers.ts";
import { WordIndex } from "../lib/word-index.ts";
import { wordsOf } from "../lib/words.ts";
import type { ListedMarket } from "../protocol/venue-report.ts";
import { MatchMarks } from "./match-marks.ts";
import { rankOf, TopRows } from "./top-rows.ts";

/** Terms of an edit that the directory noticed. */
export type RuleChange = {
  readonly conditionId: ConditionId;
  readonly from: RuleHash;
  readonly to: RuleHash;
};

export type DirectorySearch = {
  readonly markets: readonly Market[];
  /** The query with mistyped words replaced; only when nothing has all of its words. */
  readonly didYouMean: string | null;
};

/** More words narrow nothing down any more. */
const maxWords = 15;
/** What counts for more than any number of whole words. */
const exactName = 1_000;
const inARow = 100;
/** Marks a tag among the words of the index; no word of a text holds it. */
const tagMark = "#";

/** One market in as few objects as possible: 50,000 of them stand beside the trading loop. */
type Row = {
  /** The listed market as JSON without its figures, which change all the time. */
  readonly text: string;
  readonly conditionId: ConditionId;
  readonly slug: string;
  readonly eventSlug: string;
  /** Words of question, titles and slug, in order, with a space around each. */
  readonly words: string;
  readonly tradable: boolean;
  readonly endAtMs: number | null;
  readonly ruleHash: RuleHash | undefined;
  volumeUsd: number | null;
  liquidityUsd: number | null;
  bid: Price | null;
  ask: Price | null;
  /** The crawl that saw it last. */
  seen: number;
};

/**
 * Every open market that the crawl has brought, with the index that finds them. Stands outside of the engine's state: a
 * market gets there only when somebody needs it.
 */
export class MarketDirectory {
  readonly #maxMarkets: number;
  readonly #rows: (Row | null)[] = [];
  readonly #free: number[] = [];
  /** `rankOf` each row, side by side: a search that meets most of the markets reads nothing else of them. */
  #ranks = new Float64Array(1_024);
  readonly #index = new WordIndex();
  readonly #marks = new MatchMarks();
  readonly #byCondition = new Map<ConditionId, number>();
  readonly #bySlug = new Map<string, number>();
  readonly #byEvent = new Map<string, Set<number>>();
  readonly #groups = new Map<string, MarketGroup>();
  /** Markets that were left out because the directory was full. */
  leftOut = 0;

  constructor(maxMarkets: number) {
    this.#maxMarkets = maxMarkets;
  }

  get size(): number {
    return this.#byCondition.size;
  }

  get wordCount(): number {
    return this.#index.wordCount;
  }

  /** Adds or renews markets. The same markets again change nothing. Returns the rules that were edited. */
  put(
    listed: readonly ListedMarket[],
    groups: readonly MarketGroup[],
    crawl: number,
  ): RuleChange[] {
    const changes: RuleChange[] = [];
    for (const one of listed) {
      const change = this.#putOne(one, crawl);
      if (change !== null) changes.push(change);
    }
    for (const group of groups) this.#groups.set(group.groupId, group);
    return changes;
  }

  /** A market that was read by itself: renewed where it is listed, taken out when it is over. */
  renew(listed: ListedMarket): void {
    const { conditionId, winner } = listed.market;
    const known = this.#rows[this.#byCondition.get(conditionId) ?? -1];
    if (known === undefined || known === null) return;
    if (winner !== undefined) this.drop(conditionId);
    else this.#putOne(listed, known.seen);
  }

  #putOne(listed: ListedMarket, crawl: number): RuleChange | null {
    const { market } = listed;
    const { conditionId, ruleHash } = market;
    const text = textOf(listed);
    const at = this.#byCondition.get(conditionId);
    const known = at === undefined ? null : this.#rows[at];
    if (at === undefined || known === undefined || known === null) {
      if (this.size >= this.#maxMarkets) this.leftOut++;
      else this.#add(rowOf(listed, text, crawl));
      return null;
    }
    if (text === known.text) {
      known.volumeUsd = market.volumeUsd;
      this.#ranks[at] = rankOf(known);
      known.liquidityUsd = listed.liquidityUsd;
      known.bid = listed.bid;
      known.ask = listed.ask;
      known.seen = crawl;
      return null;
    }
    this.#remove(at, known);
    this.#add(rowOf(listed, text, crawl));
    const isEdited = known.ruleHash !== undefined && known.ruleHash !== ruleHash;
    if (!isEdited || known.ruleHash === undefined || ruleHash === undefined) return null;
    return { conditionId, from: known.ruleHash, to: ruleHash };
  }

  #add(row: Row): void {
    const at = this.#free.pop() ?? this.#rows.length;
    this.#rows[at] = row;
    if (at >= this.#ranks.length) {
      const wider = new Float64Array(2 * at);
      wider.set(this.#ranks);
      this.#ranks = wider;
    }
    this.#ranks[at] = rankOf(row);
    this.#byCondition.set(row.conditionId, at);
    this.#bySlug.set(row.slug, at);
    const siblings = this.#byEvent.get(row.eventSlug);
    if (siblings === undefined) this.#byEvent.set(row.eventSlug, new Set([at]));
    else siblings.add(at);
    this.#index.add(at, termsOf(row));
  }

  #remove(at: number, row: Row): void {
    this.#index.remove(at, termsOf(row));
    this.#rows[at] = null;
    this.#free.push(at);
    this.#byCondition.delete(row.conditionId);
    if (this.#bySlug.get(row.slug) === at) this.#bySlug.delete(row.slug);
    const siblings = this.#byEvent.get(row.eventSlug);
    siblings?.delete(at);
    if (siblings?.size === 0) this.#byEvent.delete(row.eventSlug);
  }

  /** Takes a market out that is over. */
  drop(conditionId: ConditionId): void {
    const at = this.#byCondition.get(conditionId);
    const row = at === undefined ? null : this.#rows[at];
    if (at !== undefined && row !== undefined && row !== null) this.#remove(at, row);
  }

  /** Takes out what no crawl since `crawl` has seen: it is not open any more. Returns how many. */
  sweep(crawl: number): number {
    let gone = 0;
    for (const [at, row] of this.#rows.entries()) {
      if (row === null || row.seen >= crawl) continue;
      this.#remove(at, row);
      gone++;
    }
    for (const [groupId, group] of this.#groups) {
      if (!group.conditionIds.some((id) => this.#byCondition.has(id))) this.#groups.delete(groupId);
    }
    return gone;
  }

  has(conditionId: ConditionId): boolean {
    return this.#byCondition.has(conditionId);
  }

  get(conditionId: ConditionId): Market | null {
    return this.#marketAt(this.#byCondition.get(conditionId));
  }

  /** Cached best prices of outcome 0: for lists, never for trading. */
  quoteOf(conditionId: ConditionId): { readonly bid: Price | null; readonly ask: Price | null } {
    const row = this.#rows[this.#byCondition.get(conditionId) ?? -1];
    return { bid: row?.bid ?? null, ask: row?.ask ?? null };
  }

  bySlug(slug: string): Market | null {
    return this.#marketAt(this.#bySlug.get(slug));
  }

  /** The event's markets: a group's in its own order, others with the most traded first. */
  byEvent(eventSlug: string, limit: number): Market[] {
    const siblings = this.#byEvent.get(eventSlug);
    const markets = this.#best(siblings ?? [], Math.max(limit, siblings?.size ?? 0));
    const [group] = this.groupsOf(markets);
    if (group !== undefined) {
      const places = new Map(group.conditionIds.map((id, i) => [id, i]));
      const placeOf = (market: Market) => places.get(market.conditionId) ?? places.size;
      markets.sort((a, b) => placeOf(a) - placeOf(b));
    }
    return markets.slice(0, limit);
  }

  byTag(tag: string, limit: number): Market[] {
    return this.#best(this.#index.documentsOf(tagMark + tag.toLowerCase()), limit);
  }

  busiest(limit: number): Market[] {
    return this.#best(this.#byCondition.values(), limit);
  }

  /** The groups of these markets, each once. */
  groupsOf(markets: readonly Market[]): MarketGroup[] {
    const ids = new Set(markets.map((market) => market.groupId ?? ""));
    return [...ids].flatMap((id) => this.#groups.get(id) ?? []);
  }

  /**
   * Markets that have every word of the query, or one that begins with it. The exact slug stands first, then
   * those that have the words in a row, then those that have more of them whole; then by volume, liquidity, end and slug.
   */
  search(query: string, limit: number): DirectorySearch {
    const typed = wordsOf(query);
    const words = [...new Set(typed)].slice(0, maxWords);
    if (words.length === 0) return { markets: [], didYouMean: null };
    const phrase = ` ${typed.join(" ")}`;
    const top = new TopRows(limit);
    const dashed = typed.join("-");
    const named = this.#bySlug.get(dashed);
    const siblings = this.#byEvent.get(dashed);
    for (const document of this.#marks.allOf(this.#index, words, tagMark)) {
      const row = this.#rows[document];
      if (row === undefined || row === null) continue;
      const whole = this.#marks.wholeIn(document);
      const rank = this.#ranks[document] ?? 0;
      const isNamed = document === named || siblings?.has(document) === true;
      if (isNamed) top.offer({ document, fit: whole + exactName, rank, row });
      else if (top.mayKeep(whole + inARow, rank)) {
        const fit = row.words.includes(phrase) ? whole + inARow : whole;
        top.offer({ document, fit, rank, row });
      }
    }
    const markets = top.best().flatMap(({ document }) => this.#marketAt(document) ?? []);
    return { markets, didYouMean: markets.length > 0 ? null : this.#suggest(typed, words) };
  }

  /** Only words that no market has are replaced: what is known was meant. */
  #suggest(typed: readonly string[], words: readonly string[]): string | null {
    const better = new Map<string, string>();
    for (const word of words) {
      if (this.#isKnown(word)) continue;
      const nearest = this.#index.nearest(word);
      if (nearest === null) return null;
      better.set(word, nearest.startsWith(tagMark) ? nearest.slice(1) : nearest);
    }
    return better.size === 0 ? null : typed.map((word) => better.get(word) ?? word).join(" ");
  }

  #isKnown(word: string): boolean {
    let known =
      this.#index.documentsOf(word).length > 0 ||
      this.#index.documentsOf(tagMark + word).length > 0;
    this.#index.visitLonger(word, () => {
      known = true;
    });
    return known;
  }

  #best(documents: Iterable<number>, limit: number): Market[] {
    const top = new TopRows(limit);
    for (const document of documents) {
      const row = this.#rows[document];
      const rank = this.#ranks[document] ?? 0;
      if (row !== undefined && row !== null) top.offer({ document, fit: 0, rank, row });
    }
    return top.best().flatMap(({ document }) => this.#marketAt(document) ?? []);
  }

  #marketAt(at: number | undefined): Market | null {
    const row = at === undefined ? null : this.#rows[at];
    if (row === undefined || row === null) return null;
    const { market } = JSON.parse(row.text) as ListedMarket;
    return { ...market, volumeUsd: row.volumeUsd };
  }
}

/** Without its figures, so that only a change of what the market is makes another text. */
function textOf(listed: ListedMarket): string {
  const market = { ...listed.market, volumeUsd: null };
  return JSON.stringify({ ...listed, liquidityUsd: null, bid: null, ask: null, market });
}

function rowOf(listed: ListedMarket, text: string, seen: number): Row {
  const { market, eventSlug, liquidityUsd, bid, ask } = listed;
  const { conditionId, slug, question, tradable, endAtMs, ruleHash, volumeUsd } = market;
  const said = `${question} ${market.groupTitle ?? ""} ${market.groupItemTitle} ${slug}`;
  return {
    text,
    conditionId,
    slug,
    eventSlug,
    words: ` ${wordsOf(said).join(" ")} `,
    tradable,
    endAtMs,
    ruleHash,
    volumeUsd,
    liquidityUsd,
    bid,
    ask,
    seen,
  };
}

function termsOf(row: Row): Set<string> {
  const { tags } = JSON.parse(row.text) as ListedMarket;
  const words = row.words.split(" ").filter((word) => word !== "");
  return new Set([...words, ...tags.map((tag) => tagMark + tag.toLowerCase())]);
}
