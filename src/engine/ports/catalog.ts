import type { ConditionId, Market, MarketGroup } from "../domain/market.ts";
import type { Result } from "../lib/result.ts";
import type { CatalogAnswer, CatalogPage, ListedMarket } from "../protocol/venue-report.ts";

export type CatalogQuery =
  | {
      readonly by: "conditionId" | "slug" | "eventSlug" | "words" | "tag";
      readonly value: string;
    }
  | { readonly by: "top"; readonly value: "" };

export type PageRequest = {
  /** The listing runs by id: from the oldest event on, or from the newest. */
  readonly newestFirst: boolean;
  /** `next` of the page before; null for the first page. */
  readonly cursor: string | null;
  /** Events on a page. */
  readonly events: number;
};

/** `cursor`: the place is not known any more and the listing has to be begun anew. */
export type PageFailure = { readonly kind: "cursor" | "failed"; readonly detail: string };

/** Market metadata. Markets that we must not trade (unknown version, fee exponent other than 1) are left out, counted. */
export type CatalogPort = {
  /** Markets that fit, best first, with the groups they belong to (each group with all its declared markets). */
  find(query: CatalogQuery, limit: number): Promise<Result<CatalogAnswer, string>>;
  /** All open markets and groups by keyset pages, bounded by `maxMarkets`. */
  openMarkets(maxMarkets: number): Promise<Result<CatalogAnswer, string>>;
  /** One page of the open markets. */
  page(request: PageRequest): Promise<Result<CatalogPage, PageFailure>>;
  /** These markets as they are now, ended ones too; at most `maxReadAtOnce`. What Gamma does not know is left out. */
  read(conditionIds: readonly ConditionId[]): Promise<Result<readonly ListedMarket[], string>>;
};

/** Is told what the catalog brings, to keep it elsewhere. Never waits, and what becomes of it changes nothing here. */
export type CatalogSink = {
  listed(markets: readonly Market[], groups: readonly MarketGroup[], atMs: number): void;
  /** A reading of every open market that began at `sinceMs` came to its end: what it did not list is over. */
  crawled(sinceMs: number, atMs: number): void;
};

/** Markets that one `read` may ask for: the address of the request stays short enough. */
export const maxReadAtOnce = 20;
