import type { Market } from "../../src/engine/domain/market.ts";

/** Search the usual way: every word somewhere in the texts of every market, then sorted by volume. */
export function usualSearch(markets: readonly Market[], query: string, limit: number): Market[] {
  const words = query.toLowerCase().split(/\s+/);
  return markets
    .filter((market) => {
      const { question, groupTitle, groupItemTitle, slug } = market;
      const text = `${question} ${groupTitle ?? ""} ${groupItemTitle} ${slug}`.toLowerCase();
      return words.every((word) => text.includes(word));
    })
    .sort((a, b) => (b.volumeUsd ?? 0) - (a.volumeUsd ?? 0))
    .slice(0, limit);
}
