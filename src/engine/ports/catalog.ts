import type { Result } from "../lib/result.ts";
import type { CatalogAnswer } from "../protocol/venue-report.ts";

export type CatalogQuery =
  | { readonly by: "conditionId" | "slug" | "eventSlug" | "words"; readonly value: string }
  | { readonly by: "top"; readonly value: "" };

/** Market metadata. Markets that we must not trade (unknown version, fee exponent other than 1) are left out, counted. */
export type CatalogPort = {
  /** Markets that fit, best first, with the groups they belong to (each group with all its declared markets). */
  find(query: CatalogQuery, limit: number): Promise<Result<CatalogAnswer, string>>;
  /** All open markets and groups by keyset pages, bounded by `maxMarkets`. */
  openMarkets(maxMarkets: number): Promise<Result<CatalogAnswer, string>>;
};
