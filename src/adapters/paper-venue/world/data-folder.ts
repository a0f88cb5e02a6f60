import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { addCompleteSets } from "./complete-sets.ts";
import { WorldError } from "./errors.ts";
import { conditionIdOfToken, noTokenOfToken } from "./ids.ts";
import { isObject, type JsonObject } from "./json.ts";
import { LoadedMarkets, unrecordedOutcomes } from "./loaded-markets.ts";
import { parseRecordedBook, type RecordedBook, tickOfLevels } from "./recorded-book.ts";
import { marketFromGamma } from "./recorded-gamma.ts";
import { DEAD_END_DAYS, deadEnd } from "./recorded-time.ts";

export type LoadedFolder = {
  readonly loaded: LoadedMarkets;
  /** One line for people: what was read and what was changed. */
  readonly summary: string;
};

/** Bound on one file of recorded data. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;

/**
 * Reads `books/` with `gamma/` (one file a market, named by condition id) and `complete-sets/` of a folder; any of
 * them may be absent, not all. Throws `WorldError` when nothing usable is there or a file is malformed.
 */
export function loadDataFolder(dir: string, nowMs: number): LoadedFolder {
  const loaded = new LoadedMarkets();
  const single = addSingleBooks(loaded, dir, nowMs);
  const sets = addSetFiles(loaded, dir, nowMs);
  if (loaded.markets.length === 0)
    throw new WorldError(`no books/, gamma/ or complete-sets/ files in ${dir}`);
  const dead = deadEnd(nowMs);
  const moved = loaded.markets.filter(({ spec }) => spec.endDate === dead).length;
  const notes = [
    `${loaded.bookCount()} books in ${loaded.markets.length} markets of ${loaded.events().length} events`,
    "times shifted to now",
    `${moved} end dates that were past moved ${DEAD_END_DAYS} days ahead`,
    "book hashes recomputed",
  ];
  if (sets.found) notes.push("ids in complete-sets derived from the YES token, no fees there");
  if (sets.alreadyKnown > 0)
    notes.push(`${sets.alreadyKnown} markets of complete-sets served from books/ instead`);
  if (single.unrecorded > 0)
    notes.push(`${single.unrecorded} sets known in part completed by a market without a book`);
  return { loaded, summary: `recorded data: ${notes.join(", ")}; nothing moves by itself` };
}

function filesIn(dir: string): string[] {
  try {
    return readdirSync(dir).toSorted();
  } catch {
    return [];
  }
}

function readText(path: string): string {
  if (statSync(path).size > MAX_FILE_BYTES)
    throw new WorldError(`${path} is over ${MAX_FILE_BYTES} bytes`);
  const bytes = readFileSync(path);
  return (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
}

function readJson(path: string): unknown {
  const content = readText(path);
  try {
    return JSON.parse(content);
  } catch {
    throw new WorldError(`${path} is not JSON`);
  }
}

function readObjects(dir: string): Map<string, JsonObject> {
  const objects = new Map<string, JsonObject>();
  for (const name of filesIn(dir)) {
    if (!/\.json(?:\.gz)?$/.test(name)) continue;
    const value = readJson(join(dir, name));
    if (!isObject(value)) throw new WorldError(`${join(dir, name)} is not an object`);
    objects.set(name.replace(/\.json(?:\.gz)?$/, ""), value);
  }
  return objects;
}

function addSingleBooks(
  loaded: LoadedMarkets,
  dir: string,
  nowMs: number,
): { readonly unrecorded: number } {
  const books = readObjects(join(dir, "books"));
  const gammas = readObjects(join(dir, "gamma"));
  const minSizes = new Map<string, string>();
  for (const id of new Set([...books.keys(), ...gammas.keys()])) {
    const book = parseRecordedBook(books.get(id) ?? { bids: [], asks: [] }, `books/${id}`);
    const gamma = gammas.get(id);
    if (gamma === undefined) {
      addBareBook(loaded, { id, book }, nowMs);
      continue;
    }
    const market = marketFromGamma(gamma, book, nowMs);
    loaded.addEvent(market.event);
    loaded.addMarket(market.spec, book.book);
    minSizes.set(market.event.id, book.minOrderSize);
  }
  let unrecorded = 0;
  for (const event of loaded.events()) {
    const missing = unrecordedOutcomes(event, minSizes.get(event.id) ?? "5");
    if (missing === null) continue;
    loaded.addMarket(missing, { bids: [], asks: [], lastTradePrice: "" });
    unrecorded++;
  }
  return { unrecorded };
}

/** A book without a Gamma object: tradable under a stated placeholder title, without fees. */
function addBareBook(
  loaded: LoadedMarkets,
  recorded: { readonly id: string; readonly book: RecordedBook },
  nowMs: number,
): void {
  const { id, book } = recorded;
  if (book.assetId === "") return;
  const slug = `recorded-${id.slice(2, 12)}`;
  const title = `Recorded market ${id.slice(0, 10)} (no title recorded)`;
  const endDate = deadEnd(nowMs);
  loaded.addEvent({
    id: slug,
    slug,
    title,
    description: "",
    negRisk: false,
    negRiskAugmented: false,
    negRiskMarketId: null,
    endDate,
    tags: [],
    conditionIds: [],
    metadata: null,
  });
  loaded.addMarket(
    {
      conditionId: id.startsWith("0x") ? id : conditionIdOfToken(book.assetId),
      questionId: id,
      gammaId: BigInt(`0x${id.replace(/^0x/, "").slice(0, 10)}`).toString(),
      slug,
      question: title,
      description: "",
      outcomes: [
        { tokenId: book.assetId, name: "Yes" },
        { tokenId: noTokenOfToken(book.assetId), name: "No" },
      ],
      tickSize: book.tickSize || tickOfLevels([...book.book.bids, ...book.book.asks]),
      minOrderSize: book.minOrderSize,
      negRisk: book.negRisk ?? false,
      negRiskMarketId: null,
      negRiskOther: false,
      groupItemTitle: "",
      eventId: slug,
      feeRate: null,
      feeType: "zero_fees",
      rebateRate: "0",
      version: "v1",
      endDate,
      eventStartTime: null,
      acceptingOrders: true,
      closed: false,
      secondsDelay: 0,
      tags: [],
      volume: "0",
      recordedGamma: null,
    },
    book.book,
  );
}

function addSetFiles(
  loaded: LoadedMarkets,
  dir: string,
  nowMs: number,
): { readonly found: boolean; readonly alreadyKnown: number } {
  const setDir = join(dir, "complete-sets");
  const names = filesIn(setDir);
  let found = false;
  let alreadyKnown = 0;
  for (const name of names) {
    const day = /^books-(\d{4}-\d{2}-\d{2})\.json(?:\.gz)?$/.exec(name)?.[1];
    if (day === undefined) continue;
    const list = names.find((other) => new RegExp(`^markets-${day}\\.csv(?:\\.gz)?$`).test(other));
    if (list === undefined) throw new WorldError(`${join(setDir, name)} has no markets-${day}.csv`);
    const files = {
      books: readText(join(setDir, name)),
      markets: readText(join(setDir, list)),
      recordedMs: Date.parse(`${day}T00:00:00Z`),
    };
    alreadyKnown += addCompleteSets(loaded, files, nowMs).alreadyKnown;
    found = true;
  }
  return { found, alreadyKnown };
}
