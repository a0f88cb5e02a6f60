import type { EventSpec, MarketSpec } from "../types.ts";
import { parseCsv } from "./csv.ts";
import { WorldError } from "./errors.ts";
import { conditionIdOfToken, hashTokenId, negRiskIds, noTokenOfToken } from "./ids.ts";
import { isObject, type JsonObject, text } from "./json.ts";
import type { LoadedMarkets } from "./loaded-markets.ts";
import { parseRecordedBook, tickOfLevels } from "./recorded-book.ts";
import { liveEnd } from "./recorded-time.ts";

type Row = Readonly<Record<string, string>>;

/** "Person V", "Company B": a place kept free for a name that may come later. */
const PLACEHOLDER =
  /\b(?:Person|Party|Candidate|Team|Driver|Player|Movie|Company|Country|Option) [A-Z]{1,2}\b/;
const OTHER = /\b(?:other|another)\b/i;

/**
 * Adds the books and the market list of one day's complete-sets files. The files carry no condition ids, NO
 * tokens or fee schedules: ids are derived from the YES token, there are no fees, and whether a set is augmented
 * or a market is its "Other" is read from the questions.
 */
export function addCompleteSets(
  loaded: LoadedMarkets,
  files: { readonly books: string; readonly markets: string; readonly recordedMs: number },
  nowMs: number,
): { readonly alreadyKnown: number } {
  const books: unknown = JSON.parse(files.books);
  if (!isObject(books)) throw new WorldError("complete-sets: the books file is not an object");
  const rows = parseCsv(files.markets);
  const byEvent = Map.groupBy(rows, (row) => row["event_id"] ?? "");
  const tokensByRow = matchBooks(books, rows);
  let alreadyKnown = 0;
  for (const [eventId, eventRows] of byEvent) {
    const event = loaded.addEvent(
      eventOf(eventId, eventRows, liveEndOf(eventRows[0], files, nowMs)),
    );
    const titles = outcomeTitles(eventRows.map((row) => row["question"] ?? ""));
    eventRows.forEach((row, index) => {
      const token = tokensByRow.get(row);
      if (token !== undefined && loaded.hasToken(token)) {
        alreadyKnown++;
        return;
      }
      const yesToken = token ?? hashTokenId(`pitboss:y:${row["market_id"] ?? ""}`);
      const parsed = parseRecordedBook(
        token === undefined ? { bids: [], asks: [] } : books[token],
        `complete-sets book ${yesToken}`,
      );
      const endDate = liveEndOf(row, files, nowMs);
      const spec = marketOf(row, { yesToken, event, index, endDate }, loaded);
      loaded.addMarket(
        {
          ...spec,
          groupItemTitle: titles[index] ?? "",
          tickSize: tickOfLevels([...parsed.book.bids, ...parsed.book.asks]),
        },
        parsed.book,
      );
    });
  }
  return { alreadyKnown };
}

function liveEndOf(
  row: Row | undefined,
  files: { readonly recordedMs: number },
  nowMs: number,
): string {
  return liveEnd(row?.["end_date"] ?? "", nowMs - files.recordedMs, nowMs);
}

/** The YES token of every row that has a book. Rows with the same question are told apart by their best ask. */
function matchBooks(books: JsonObject, rows: readonly Row[]): Map<Row, string> {
  const candidates = Map.groupBy(rows, (row) => `${row["event_id"]}\n${row["question"]}`);
  const found = new Map<Row, string>();
  for (const [token, book] of Object.entries(books)) {
    if (!isObject(book)) throw new WorldError(`complete-sets book ${token}: not an object`);
    const same = candidates.get(`${text(book, "event_id")}\n${text(book, "question")}`) ?? [];
    const asks = parseRecordedBook(book, `complete-sets book ${token}`).book.asks;
    const bestAsk = Number(asks.at(-1)?.price ?? "1");
    const row =
      same.length === 1
        ? same[0]
        : same.find((one) => Math.abs(Number(one["best_ask"]) - bestAsk) < 0.02 && !found.has(one));
    if (row === undefined) throw new WorldError(`complete-sets book ${token}: no market row`);
    found.set(row, token);
  }
  return found;
}

function eventOf(eventId: string, rows: readonly Row[], endDate: string): EventSpec {
  const title = rows[0]?.["event_title"] ?? eventId;
  return {
    id: eventId,
    slug: slugOf(title),
    title,
    description: "Recorded order books without rules text.",
    negRisk: true,
    negRiskAugmented: rows.some((row) => PLACEHOLDER.test(row["question"] ?? "")),
    negRiskMarketId: negRiskIds(`pitboss:e:${eventId}`).negRiskMarketId,
    endDate,
    tags: [],
    conditionIds: [],
    metadata: null,
  };
}

type Place = {
  readonly yesToken: string;
  readonly event: EventSpec;
  readonly index: number;
  readonly endDate: string;
};

function marketOf(row: Row, place: Place, loaded: LoadedMarkets): MarketSpec {
  const { yesToken, event, index, endDate } = place;
  const question = row["question"] ?? "";
  const plain = slugOf(question);
  const declared = Number(row["n_markets"] ?? "1");
  return {
    conditionId: conditionIdOfToken(yesToken),
    questionId: negRiskIds(`pitboss:e:${event.id}`).questionId(index),
    gammaId: row["market_id"] ?? "",
    slug: loaded.hasSlug(plain) ? `${plain}-${row["market_id"] ?? index}` : plain,
    question,
    description: event.description,
    outcomes: [
      { tokenId: yesToken, name: "Yes" },
      { tokenId: noTokenOfToken(yesToken), name: "No" },
    ],
    tickSize: "0.01",
    minOrderSize: "5",
    negRisk: true,
    negRiskMarketId: event.negRiskMarketId,
    negRiskOther: OTHER.test(question),
    groupItemTitle: "",
    eventId: event.id,
    feeRate: null,
    feeType: "zero_fees",
    rebateRate: "0",
    version: "v1",
    endDate,
    eventStartTime: null,
    // Markets without a book accept orders too: a set with such a leg must show as incomplete, not as smaller.
    acceptingOrders: true,
    closed: false,
    secondsDelay: 0,
    tags: [],
    // The files know only the event's volume.
    volume: (Number(row["event_volume"] ?? "0") / Math.max(1, declared)).toFixed(2),
    recordedGamma: null,
  };
}

/** "Will Norway win the cup?" -> "will-norway-win-the-cup", as the venue makes its slugs. */
export function slugOf(title: string): string {
  return title
    .normalize("NFKD")
    .replace(/[\u0300-\u036f'’]/g, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}

/** What is left of each question without the words that all of them begin and end with. */
export function outcomeTitles(questions: readonly string[]): string[] {
  const words = questions.map((question) => question.replace(/\?$/, "").split(" "));
  const shortest = Math.min(...words.map(({ length }) => length));
  let head = 0;
  while (head < shortest - 1 && words.every((list) => list[head] === words[0]?.[head])) head++;
  let tail = 0;
  while (
    tail < shortest - head - 1 &&
    words.every((list) => list.at(-1 - tail) === words[0]?.at(-1 - tail))
  )
    tail++;
  return questions.length < 2
    ? [...questions]
    : words.map((list) => list.slice(head, list.length - tail).join(" "));
}
