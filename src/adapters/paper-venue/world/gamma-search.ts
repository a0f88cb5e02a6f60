import type { EventSpec, MarketState } from "../types.ts";
import { isClosed } from "./gamma-market.ts";

export type SearchHit = {
  readonly event: EventSpec;
  readonly markets: readonly MarketState[];
};

const WEIGHT_TITLE = 6;
const WEIGHT_QUESTION = 4;
const WEIGHT_SLUG = 2;
/** Beginnings of words count for less than whole words. */
const PREFIX_FACTOR = 0.5;
const OPEN_BONUS = 1.5;

function wordsOf(text: string): string[] {
  return text
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLowerCase()
    .split(/[^a-z0-9$%]+/)
    .filter((word) => word !== "");
}

function wordScore(wanted: string, words: readonly string[]): number {
  if (words.includes(wanted)) return 1;
  return words.some((word) => word.startsWith(wanted)) ? PREFIX_FACTOR : 0;
}

/**
 * Events whose title, slug or questions hold the words of a query, best first. An event that has all the words
 * stands before any that misses one; those with none are left out.
 */
export function searchEvents(
  query: string,
  events: readonly EventSpec[],
  marketsOf: (event: EventSpec) => readonly MarketState[],
): SearchHit[] {
  const wanted = wordsOf(query);
  if (wanted.length === 0) return [];
  const scored = events.flatMap((event, index) => {
    const markets = marketsOf(event);
    const title = wordsOf(event.title);
    const slug = wordsOf(event.slug);
    const questions = markets.map(({ spec }) =>
      wordsOf(`${spec.question} ${spec.groupItemTitle} ${spec.slug}`),
    );
    let found = 0;
    let score = 0;
    for (const word of wanted) {
      const inQuestions = Math.max(0, ...questions.map((words) => wordScore(word, words)));
      const best = Math.max(
        WEIGHT_TITLE * wordScore(word, title),
        WEIGHT_QUESTION * inQuestions,
        WEIGHT_SLUG * wordScore(word, slug),
      );
      if (best > 0) found++;
      score += best;
    }
    if (found === 0) return [];
    if (markets.some((market) => !isClosed(market))) score *= OPEN_BONUS;
    return [{ event, markets, found, score, index }];
  });
  return scored
    .toSorted((a, b) => b.found - a.found || b.score - a.score || a.index - b.index)
    .map(({ event, markets }) => ({ event, markets }));
}
