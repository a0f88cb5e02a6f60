import type { MarketRef } from "../../engine/api/requests.ts";
import type { MarketSummary } from "../../engine/api/views.ts";
import type { Denial } from "../../engine/domain/reasons.ts";
import { err, ok, type Result } from "../../engine/lib/result.ts";
import { maxListRows } from "../chat-state.ts";
import type { MarketText } from "../parse/market-text.ts";
import type { Turn } from "../turn.ts";

type Found = Result<readonly MarketSummary[], Denial>;

/** A slug may name a market, an event, or, unless it comes from a link, be words with dashes. Tried in that order. */
async function findBySlug(turn: Turn, slug: string, isLink: boolean): Promise<Found> {
  const words: MarketRef = { by: "words", value: slug.replaceAll("-", " ") };
  const refs: readonly MarketRef[] = [
    { by: "slug", value: slug },
    { by: "eventSlug", value: slug },
    ...(isLink ? [] : [words]),
  ];
  let found: Found = ok([]);
  for (const ref of refs) {
    found = await turn.api.findMarkets(ref, maxListRows);
    if (!found.ok && found.error.code !== "market_unknown") return found;
    if (found.ok && found.value.length > 0) return found;
  }
  return found;
}

/** A mistyped word names no market; the refusal says what may have been meant. */
async function findByWords(turn: Turn, words: string): Promise<Found> {
  const found = await turn.api.searchMarkets(words, maxListRows, true);
  if (!found.ok) return found;
  const { markets, didYouMean } = found.value;
  if (didYouMean === null) return ok(markets);
  return err({ code: "market_unknown", subject: `${words}; did you mean "${didYouMean}"?` });
}

/** All markets that a text names; never an empty list. */
export async function findMarkets(turn: Turn, text: MarketText): Promise<Found> {
  if (text.by === "row") {
    const row = turn.chat.row(text.row);
    return row === null
      ? err({ code: "market_unknown", subject: `#${text.row} of the last list` })
      : ok([row]);
  }
  const { ref } = text;
  const found =
    ref.by === "slug" || ref.by === "eventSlug"
      ? await findBySlug(turn, ref.value, text.isLink === true)
      : ref.by === "words"
        ? await findByWords(turn, ref.value)
        : await turn.api.findMarkets(ref, maxListRows);
  if (!found.ok) return found;
  return found.value.length > 0 ? found : err({ code: "market_unknown", subject: ref.value });
}
